"""The vocabulary of the stages per image: an image as bands of equal rows, never as pixels."""

from libc.stdint cimport uint64_t

from fastcore.raster cimport Placement
from fastcore.types cimport MAX_SIZE


cdef enum:
    MAX_BANDS = MAX_SIZE + 2  # rows of modules, and the margins above and below
    FILTER_PX = 8  # a row begins with the byte of its filter type, as if that were pixels


cdef struct Picture:
    # Rows of modules that are equal to the one before them are one band with it.
    const uint64_t *modules  # of the symbol, see raster.pyx
    int size
    int words  # machine words in a row of modules
    Placement placement
    int stride  # bytes in a row of pixels: the filter type, then eight pixels each
    bint grey  # dark pixels are 0, otherwise 1
    int count  # bands, of rows of pixels from row `top` on, `times` of them
    int[MAX_BANDS] row  # of modules; -1 is a margin
    int[MAX_BANDS] top
    int[MAX_BANDS] times
    bint zeros  # a band's row is written once and then repeated as "same as above": filter type 2 and zeros
    bint joined  # and these are so few bytes that one match goes across them, from row to row; margins have none


cdef inline uint64_t word_of(const Picture *picture, int band, int k) noexcept nogil:
    """64 modules of a band from module 64 * k on; past its end all are light."""
    if picture.row[band] < 0 or k >= picture.words:
        return 0
    return picture.modules[picture.row[band] * picture.words + k]


cdef inline bint has_zeros(const Picture *picture, int band) noexcept nogil:
    """Whether a band's row is repeated as zeros."""
    return picture.zeros and not (picture.joined and picture.row[band] < 0)
