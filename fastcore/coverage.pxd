"""Per outline: how much of each pixel lies within it."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from fastcore.path cimport Outline


cdef enum:
    BLOCK = 16  # pixels that are swept at a time, as one bit says
    LARGEST = 1_000_000  # coordinate, in pixels: beyond it nothing is drawn, and numbers stay numbers


cdef struct Edge:
    # A straight part of an outline, from its upper end to its lower one.
    double x0
    double y0
    double x1
    double y1
    float turn  # 1 where the outline runs down, -1 where it runs up


cdef struct Edges:
    # In order of y0; those that a band may meet are the active ones.
    Edge *edges
    int32_t *active  # room for all
    int count
    int following  # the first edge that no band has reached
    int active_count


cdef struct Sums:
    # A band's scratch. What a pixel's coverage differs by from that of the pixel to its left; all 0 between uses.
    float *change  # rows * stride
    uint64_t *touched  # rows * words: a bit for each block of a row that is not all 0
    int width
    int rows
    int stride  # at least width + 2, whole blocks
    int words


cdef int64_t most_edges(const Outline *outline, double scale) noexcept nogil
cdef void flatten(const Outline *outline, double scale, double bottom, Edges *out) noexcept nogil
cdef void rewind(Edges *edges) noexcept nogil
cdef void shape_sums(Sums *out, int width, int rows) noexcept nogil
cdef void add_band(Edges *edges, int top, int rows, Sums *out) noexcept nogil
cdef void sweep(Sums *sums, int row, int full, uint8_t *out) noexcept nogil
cdef void rasterise(Edges *edges, int side, int full, Sums *sums, uint8_t *line, uint8_t *out) noexcept nogil
