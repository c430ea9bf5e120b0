"""Per image: modules into pixels."""

from libc.stdint cimport uint8_t, uint64_t


cdef struct Placement:
    # Where a symbol lies in an image, in pixels.
    int width  # of the image, which is square
    int scale  # pixels per module
    int offset  # of the first module from the left and from the top


cdef Placement place(int size, int width, int margin) noexcept nogil
cdef void modules_to_bytes(const uint64_t *rows, int size, uint8_t *out) noexcept nogil
cdef void modules_to_places(
    const uint8_t *modules, const uint8_t *skip, int size, const uint8_t *table, uint8_t *out
) noexcept nogil
