"""Per row of pixels: as a PNG file has it (PNG specification, third edition, clauses 7 and 9).

Every row is written as what it differs by from the row above (filter type 2). On palettes and on gradients that made
smaller files than no filter with each compressor tried, on photos as small ones as choosing a filter for each row, and
it is the quickest.
"""

from libc.stdint cimport uint8_t

from fastcore.paint cimport Pixel


cdef void drop_alpha(const Pixel *row, int count, uint8_t *out) noexcept nogil:
    """Write red, green and blue of each pixel."""
    cdef int i
    for i in range(count):
        out[3 * i] = row[i].red
        out[3 * i + 1] = row[i].green
        out[3 * i + 2] = row[i].blue


cdef void filter_up(const uint8_t *row, const uint8_t *above, int stride, uint8_t *out) noexcept nogil:
    """Write the filter type, then `stride` bytes."""
    cdef int i
    out[0] = 2
    for i in range(stride):
        out[1 + i] = <uint8_t> (row[i] - above[i])
