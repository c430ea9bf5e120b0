"""Per drawing: outlines, as commands and points."""

from libc.stdint cimport uint8_t


cdef enum Command:
    MOVE = 0  # to one point
    LINE = 1  # to one point
    CURVE = 2  # cubic Bezier curve: two control points, then its end
    CLOSE = 3  # a line back to where the contour began; every contour ends so


cdef struct Outline:
    # Closed contours, filled by the non-zero winding rule: a hole runs the other way than what is around it.
    const uint8_t *commands
    int count
    const double *points  # x and y, in turns; x to the right, y down


cdef class Path:
    cdef readonly bytes commands
    cdef readonly bytes points  # doubles

    cdef Outline outline(self) noexcept
