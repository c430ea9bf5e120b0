"""Per image: a symbol as a PNG file."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from fastcore.deflate cimport Picture, Plan
from fastcore.raster cimport Placement


cdef struct Colours:
    bint grey  # black on white; otherwise a palette, light first
    bint transparent  # light is
    uint8_t[3] light
    uint8_t[3] dark


cdef int64_t rows_size(int size, Placement placement) noexcept nogil
cdef void draw(
    const uint64_t *rows, int size, Placement placement, bint grey, uint8_t *pixels, Picture *out
) noexcept nogil
cdef int64_t file_size(const Colours *colours, int64_t stream) noexcept nogil
cdef void write_file(
    const Colours *colours, int width, const Picture *picture, const Plan *plan, int64_t stream, uint8_t *out
) noexcept nogil
