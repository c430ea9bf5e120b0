"""Per row of pixels: a picture of pixels, stretched over a rectangle."""

from libc.stdint cimport int32_t

from fastcore.paint cimport Pixel


cdef struct Sample:
    # Of a column of the picture: those of the photo to its left and to its right, and how much the right one weighs.
    int32_t first
    int32_t second
    float share
    float shown  # of the column that lies within the rectangle, in [0, 1]


cdef struct Shot:
    const Pixel *pixels
    int columns
    int rows
    double x
    double y
    double width
    double height
    float opacity
    bint opaque  # all pixels are
    Sample *samples  # one for each column of the picture from `left` on
    int left
    int count
    float *line  # scratch: four numbers for each of the photo's columns


cdef void sample(Shot *shot) noexcept nogil
cdef void lay(const Shot *shot, int y, Pixel *row) noexcept nogil
