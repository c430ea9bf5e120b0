"""Per row of pixels: as a PNG file has it."""

from libc.stdint cimport uint8_t

from fastcore.paint cimport Pixel


cdef void drop_alpha(const Pixel *row, int count, uint8_t *out) noexcept nogil
cdef void filter_row(const uint8_t *row, const uint8_t *above, int stride, bint up, uint8_t *out) noexcept nogil
