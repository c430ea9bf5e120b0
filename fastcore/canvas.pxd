"""Per drawing: all of it as the kernels want it."""

from libc.stdint cimport int64_t, uint8_t

from fastcore.band cimport Band, Layer
from fastcore.coverage cimport Edges
from fastcore.paint cimport Ink
from fastcore.palette cimport Palette
from fastcore.path cimport Path


cdef class Canvas:
    # A drawing made ready: its inks and layers, and the scratch for a band; all memory is freed with it.
    cdef object drawing
    cdef dict numbers  # of inks, by paint
    cdef list kept  # objects that pointers lead into
    cdef list rooms  # addresses of what was allocated
    cdef int width
    cdef int height
    cdef int rows  # of a band
    cdef int ground  # the number of its ink, or -1
    cdef bint has_few_colours  # drawn in numbers of colours, with few levels of coverage
    cdef bint has_edges  # some pixel of the tiles is covered in part
    cdef Ink *inks
    cdef int ink_count
    cdef Layer *layers
    cdef int layer_count
    cdef Band band
    cdef Palette palette
    cdef int ramp_ink  # the only one above the ground
    cdef int ground_number  # of its colour

    cdef void *room(self, int64_t count, int64_t size) except NULL
    cdef int prepare_band(self) except -1
    cdef int ink_of(self, paint) except -1
    cdef int shade_ink(self, Ink *ink, stops) except -1
    cdef Layer *next_layer(self, double left, double top, double right, double bottom) except? NULL
    cdef int fill_edges(self, Path path, double scale, int bottom, Edges *edges) except -1
    cdef int add_fill(self, path, paint) except -1
    cdef int add_tiles(self, tiles) except -1
    cdef uint8_t *bitmaps(self, list paths, int scale) except NULL
    cdef int add_photo(self, photo) except -1
    cdef bint is_opaque(self)
    cdef tuple start_palette(self)
    cdef void start(self, int depth) noexcept nogil
    cdef void paint_band(self, int top, int rows) noexcept nogil
