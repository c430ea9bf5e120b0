"""Per row of pixels: paints, and what is laid over what.

Colours are laid over one another, and run into one another, in sRGB values that alpha is not multiplied into, as SVG
has it (SVG 2, 13.2 and 14.2).
"""

from libc.math cimport sqrtf
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy


cdef enum:
    CHUNK = 64


# --- gradients ---


cdef inline uint8_t between(uint8_t a, uint8_t b, double share) noexcept nogil:
    return <uint8_t> (a + (<int> b - <int> a) * share + 0.5)


cdef void shade(const double *offsets, const Pixel *colours, int count, Pixel *out) noexcept nogil:
    """Write the SHADES of a gradient, from 0 to 1; offsets do not fall, before the first and after the last of
    them the colour stays.

    The first and the last shade also stand for all that lies beyond: of several stops there the outermost counts.
    """
    cdef double at, share
    cdef int i, stop = 0
    for i in range(SHADES):
        at = i / <double> (SHADES - 1)
        while i > 0 and stop < count and offsets[stop] <= at:
            stop += 1
        if stop == 0 or stop == count:
            out[i] = colours[max(stop - 1, 0)]
            continue
        share = (at - offsets[stop - 1]) / (offsets[stop] - offsets[stop - 1])
        out[i].red = between(colours[stop - 1].red, colours[stop].red, share)
        out[i].green = between(colours[stop - 1].green, colours[stop].green, share)
        out[i].blue = between(colours[stop - 1].blue, colours[stop].blue, share)
        out[i].alpha = between(colours[stop - 1].alpha, colours[stop].alpha, share)
    out[0] = colours[0]  # which is that of all before it, also where the gradient begins with a step


cdef inline int nearest(float at) noexcept nogil:
    at = min(max(at, <float> 0), <float> (SHADES - 1))
    return <int> (at + <float> 0.5)


cdef void ink_row(const Ink *ink, int x, int y, int count, Pixel *out) noexcept nogil:
    """Write the colours of `count` pixels from (x, y) to the right, each that of its centre."""
    cdef float step = <float> ink.dx
    cdef float at, above
    cdef int[CHUNK] found
    cdef int first = 0
    cdef int i, end
    if ink.kind == SOLID:
        for i in range(count):
            out[i] = ink.colour
        return
    while first < count:
        # Shades are found first and looked up then: finding is done by vectors. The row is cut so that the numbers
        # stay in the innermost cache, and exact.
        end = min(CHUNK, count - first)
        if ink.kind == LINEAR:
            at = <float> ((x + first + 0.5) * ink.dx + (y + 0.5) * ink.dy + ink.offset)
            for i in range(CHUNK):
                found[i] = nearest(at + <float> i * step)
        else:
            at = <float> ((x + first + 0.5 - ink.x) * ink.dx)
            above = <float> ((y + 0.5 - ink.y) * ink.dx)
            above *= above
            for i in range(CHUNK):
                found[i] = nearest(sqrtf((at + <float> i * step) * (at + <float> i * step) + above))
        for i in range(end):
            out[i] = ink.shades[found[i]]
        out += end
        first += end


# --- laying ---


cdef inline void lay(Pixel *row, const uint8_t *coverage, int count, const Pixel *ink, int step) noexcept nogil:
    """Lay a colour, or one for each pixel, over a row where it is covered; eight pixels at a time where all or
    none of them are."""
    cdef uint64_t eight
    cdef int at, i, end
    cdef Pixel colour
    for at in range(0, count, 8):
        end = min(at + 8, count)
        if at + 8 <= count:
            memcpy(&eight, coverage + at, 8)
            if eight == 0:
                continue
        for i in range(at, end):
            colour = ink[i * step]
            if coverage[i] == 255 and colour.alpha == 255:
                row[i] = colour
            elif coverage[i]:
                row[i] = over(row[i], colour, over_255(coverage[i] * <uint32_t> colour.alpha))


cdef void lay_solid(Pixel *row, const uint8_t *coverage, int count, Pixel ink) noexcept nogil:
    lay(row, coverage, count, &ink, 0)


cdef void lay_colours(Pixel *row, const uint8_t *coverage, int count, const Pixel *ink) noexcept nogil:
    lay(row, coverage, count, ink, 1)


cdef void luminances(const Pixel *row, int count, uint8_t *out) noexcept nogil:
    """Write the luma of opaque pixels (ITU-R BT.601), as picture libraries make grey of colours."""
    cdef int i
    for i in range(count):
        out[i] = <uint8_t> ((
            19595 * <uint32_t> row[i].red + 38470 * <uint32_t> row[i].green + 7471 * <uint32_t> row[i].blue + 0x8000
        ) >> 16)
