"""Per version: what is fixed about a symbol before a single bit of data is known."""

from libc.stdint cimport uint8_t, uint64_t

from fastcore.types cimport LINES, MAX_SIZE, WORDS, Grid


cdef enum:
    STRIPS = MAX_SIZE // 2  # pairs of columns in which data runs up and down
    STRIP_WORDS = 2 * WORDS

    # Scoring looks at 15 modules around a place, so lines are cut into windows of 64 that share 14: no
    # pattern is ever cut, and no shift crosses from one word into another.
    WINDOWS = 4
    WINDOW_STEP = 50


cdef struct Template:
    int size
    int windows  # that a line of this size is cut into
    Grid dark  # function modules that are dark
    Grid free  # modules that carry data: not function, not format, not version
    # free, cut into windows: window k of line i is [k][i], bit 0 is module WINDOW_STEP * k.
    uint64_t free_rows[WINDOWS][LINES]
    uint64_t free_columns[WINDOWS][LINES]
    # free again, in the order of data: strip 0 is the rightmost pair of columns; bits 2r and 2r + 1 of its
    # words are the two modules of row r, the one that data reaches first in the odd bit of an even (upward)
    # strip and in the even bit of an odd (downward) one.
    uint64_t strip[STRIPS][STRIP_WORDS]
    uint8_t strip_ones[STRIPS][STRIP_WORDS]


cdef inline int strip_column(int size, int strip) noexcept nogil:
    """The right column of a strip: the timing pattern's column belongs to none, 6 or, if micro, 0 (7.7.3)."""
    cdef int column = size - 1 - 2 * strip
    return column if column > 6 or size < 21 else column - 1


cdef const Template *template_of(int version) noexcept nogil
cdef void cut(const uint64_t *words, int size, int windows, uint64_t *out) noexcept nogil
cdef void transpose(const uint64_t *words, int size, uint64_t *out) noexcept nogil
