"""Per row of pixels: as a PNG file has it (PNG specification, third edition, clauses 7 and 9)."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from fastcore.paint cimport Pixel


cdef void drop_alpha(const Pixel *row, int count, uint8_t *out) noexcept nogil:
    """Write red, green and blue of each pixel."""
    cdef int i
    for i in range(count):
        out[3 * i] = row[i].red
        out[3 * i + 1] = row[i].green
        out[3 * i + 2] = row[i].blue


cdef void filter_row(const uint8_t *row, const uint8_t *above, int stride, bint up, uint8_t *out) noexcept nogil:
    """Write the filter type, then `stride` bytes: as they are, or what they differ by from those above."""
    cdef int i
    if not up:
        out[0] = 0
        memcpy(out + 1, row, stride)
        return
    out[0] = 2
    for i in range(stride):
        out[1 + i] = <uint8_t> (row[i] - above[i])
