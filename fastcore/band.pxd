"""Per band: some rows of a drawing, layer over layer."""

from libc.stdint cimport int64_t, uint8_t

from fastcore.coverage cimport Edges, Sums
from fastcore.paint cimport Ink, Pixel
from fastcore.palette cimport Palette
from fastcore.photo cimport Shot


cdef enum LayerKind:
    FILL = 0
    TILES = 1
    PHOTO = 2


cdef struct Grid:
    # Squares of pixels, each with one of few bitmaps of coverage.
    const uint8_t *places
    const uint8_t *bitmaps  # scale * scale pixels each, in the order of the numbers in `places`, which begin at 1
    int size
    int scale
    int x
    int y


cdef struct Layer:
    LayerKind kind
    int ink  # the number of its paint
    # The pixels it can cover, within the picture.
    int left
    int top
    int right
    int bottom
    Edges edges
    Grid grid
    Shot shot


cdef struct Band:
    # Rows of pixels, either colours or, with a palette, their numbers; and scratch.
    int width
    int top
    int rows
    Pixel *pixels
    uint8_t *numbers  # rows of `pitch` bytes
    int pitch
    Palette *palette  # NULL without
    const Ink *inks
    Sums sums
    uint8_t *line  # coverage of a row
    Pixel *colours  # of a row


cdef void draw(Layer *layers, int count, Band *band) noexcept nogil
