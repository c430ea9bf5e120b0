"""Per picture: few colours, by their numbers."""

from libc.stdint cimport int16_t, uint8_t

from fastcore.paint cimport Pixel


cdef enum:
    COLOURS = 256
    LEVELS = 16
    FULL = LEVELS - 1  # the level of a pixel that is all covered


cdef struct Palette:
    Pixel[COLOURS] colours
    int count
    int room  # colours that the depth of the picture has numbers for
    bint spilled  # more came up
    # With one opaque ink on one ground the colours are the levels between them, from the ground to the ink or the
    # other way round. Then a level laid over a level is a level.
    bint ramp
    bint falling
    const Pixel *inks
    int16_t *mixed  # for each ink, level and colour below: the colour that comes of it, or -1 if none was asked for


cdef bint is_grey(const Palette *palette) noexcept nogil
cdef void start_ramp(Palette *palette, Pixel ground, Pixel ink, int depth) noexcept nogil
cdef int number_of(Palette *palette, Pixel colour) noexcept nogil
cdef void lay(Palette *palette, int ink, const uint8_t *levels, int count, uint8_t *row) noexcept nogil
cdef void pack(const uint8_t *row, int count, int depth, uint8_t *out) noexcept nogil
