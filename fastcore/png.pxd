"""Per image: a symbol as a PNG file."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from fastcore.deflate cimport Plan
from fastcore.picture cimport Picture
from fastcore.raster cimport Placement
from fastcore.tokens cimport Tokens


cdef struct Colours:
    bint grey  # black on white; otherwise a palette, light first
    bint transparent  # light is
    uint8_t[3] light
    uint8_t[3] dark


cdef uint32_t crc32(const uint8_t *data, int64_t count) noexcept nogil
cdef void divide(
    const uint64_t *modules, int size, Placement placement, bint grey, Picture *out
) noexcept nogil
cdef int64_t file_size(const Colours *colours, int64_t stream) noexcept nogil
cdef void write_file(
    const Colours *colours, const Picture *picture, const Tokens *tokens, const Plan *plan, int64_t stream,
    uint8_t *out
) noexcept nogil
