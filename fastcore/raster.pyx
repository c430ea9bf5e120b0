"""Per image: modules into pixels.

A finished symbol is kept as its rows, (size + 63) // 64 machine words each; module j is bit j % 64 of word
j // 64.
"""

from libc.stdint cimport uint8_t, uint64_t


cdef Placement place(int size, int width, int margin) noexcept nogil:
    """Lay a symbol and `margin` modules around it into exactly `width` pixels.

    As many whole pixels per module as fit (0 if not even one does); what is left goes evenly to the margins,
    the odd pixel to the right and the bottom.
    """
    cdef Placement placement
    placement.width = width
    placement.scale = width // (size + 2 * margin)
    placement.offset = (width - placement.scale * size) // 2
    return placement


cdef void modules_to_bytes(const uint64_t *rows, int size, uint8_t *out) noexcept nogil:
    """Write size * size modules (0 light, 1 dark, row major)."""
    cdef int words = (size + 63) // 64
    cdef int i, j
    for i in range(size):
        for j in range(size):
            out[i * size + j] = rows[i * words + j // 64] >> j % 64 & 1
