"""Per picture: few colours, by their numbers.

A picture of solid paints is a picture of few colours if edges have no more than LEVELS of coverage. Rows are then drawn
in numbers of colours: what an ink at a level makes of a colour below it is worked out once and looked up from then on.
"""

from libc.stdint cimport int16_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastcore.paint cimport Pixel, over, over_255


cdef inline bint same(Pixel a, Pixel b) noexcept nogil:
    return a.red == b.red and a.green == b.green and a.blue == b.blue and a.alpha == b.alpha


cdef inline Pixel mix(Pixel below, Pixel ink, int level) noexcept nogil:
    return over(below, ink, over_255(ink.alpha * <uint32_t> (level * 255 // FULL)))


cdef bint is_grey(const Palette *palette) noexcept nogil:
    """Whether the colours are those that a picture of grey samples has by itself: then it needs no palette."""
    cdef Pixel grey
    cdef int i
    if not palette.ramp:
        return False
    for i in range(palette.count):
        grey.red = grey.green = grey.blue = <uint8_t> (i * 255 // (palette.count - 1))
        grey.alpha = 255
        if not same(palette.colours[i], grey):
            return False
    return True


cdef void start_ramp(Palette *palette, Pixel ground, Pixel ink, int depth) noexcept nogil:
    """Fill the palette with an ink's levels on a ground: all of them in four bits, the first and last in one."""
    cdef int i, level
    palette.ramp = True
    palette.falling = ground.red + ground.green + ground.blue > ink.red + ink.green + ink.blue
    palette.count = palette.room = 1 << depth
    for i in range(palette.count):
        level = FULL * i // (palette.count - 1)
        palette.colours[i] = mix(ground, ink, FULL - level if palette.falling else level)


cdef int number_of(Palette *palette, Pixel colour) noexcept nogil:
    """The number of a colour, which is a new one if it has none; 0 and `spilled` where there is no room for it."""
    cdef int i
    for i in range(palette.count):
        if same(palette.colours[i], colour):
            return i
    if palette.count == palette.room:
        palette.spilled = True
        return 0
    palette.colours[palette.count] = colour
    palette.count += 1
    return palette.count - 1


cdef int mixed_on_ramp(Palette *palette, int level, int below) noexcept nogil:
    """What is left of the ground is multiplied."""
    cdef int last = palette.count - 1
    cdef int left = below if palette.falling else last - below
    left = left * (FULL - level)
    if left % FULL and last != FULL:
        palette.spilled = True
    left = (left + FULL // 2) // FULL
    return left if palette.falling else last - left


cdef int mixed(Palette *palette, int ink, int level, int below) noexcept nogil:
    cdef int16_t *known = palette.mixed + (ink * LEVELS + level) * COLOURS + below
    if known[0] < 0:
        if palette.ramp:
            known[0] = <int16_t> mixed_on_ramp(palette, level, below)
        else:
            known[0] = <int16_t> number_of(palette, mix(palette.colours[below], palette.inks[ink], level))
    return known[0]


cdef void lay(Palette *palette, int ink, const uint8_t *levels, int count, uint8_t *row) noexcept nogil:
    """Lay an ink over a row where it is covered."""
    cdef const int16_t *known = palette.mixed + ink * LEVELS * COLOURS
    cdef uint64_t all_full = FULL * <uint64_t> 0x0101010101010101
    cdef bint opaque = palette.inks[ink].alpha == 255
    cdef uint64_t eight
    cdef int at, i, number, covered = -1
    for at in range(0, count, 8):
        if at + 8 <= count:
            memcpy(&eight, levels + at, 8)
            if eight == 0:
                continue
            if eight == all_full and opaque:
                if covered < 0:
                    covered = mixed(palette, ink, FULL, row[at])
                memset(row + at, covered, 8)
                continue
        for i in range(at, min(at + 8, count)):
            if levels[i]:
                number = known[levels[i] * COLOURS + row[i]]
                row[i] = <uint8_t> (number if number >= 0 else mixed(palette, ink, levels[i], row[i]))


cdef void pack(const uint8_t *row, int count, int depth, uint8_t *out) noexcept nogil:
    """Write numbers of 1, 2, 4 or 8 bits, the leftmost pixel in the highest ones.

    `row` has seven bytes more; some of them fill what is left of the last byte.
    """
    cdef int i
    if depth == 8:
        memcpy(out, row, count)
    elif depth == 4:
        for i in range((count + 1) // 2):
            out[i] = <uint8_t> (row[2 * i] << 4 | row[2 * i + 1])
    elif depth == 2:
        for i in range((count + 3) // 4):
            out[i] = <uint8_t> (row[4 * i] << 6 | row[4 * i + 1] << 4 | row[4 * i + 2] << 2 | row[4 * i + 3])
    else:
        for i in range((count + 7) // 8):
            out[i] = <uint8_t> (
                row[8 * i] << 7 | row[8 * i + 1] << 6 | row[8 * i + 2] << 5 | row[8 * i + 3] << 4
                | row[8 * i + 4] << 3 | row[8 * i + 5] << 2 | row[8 * i + 6] << 1 | row[8 * i + 7]
            )
