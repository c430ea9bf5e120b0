"""Per row of pixels: paints, and what is laid over what."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef enum:
    SHADES = 4096  # of a gradient: no more than three pixels of the largest picture share one


cdef struct Pixel:
    # Not multiplied by alpha.
    uint8_t red
    uint8_t green
    uint8_t blue
    uint8_t alpha


cdef enum InkKind:
    SOLID = 0
    LINEAR = 1
    RADIAL = 2


cdef struct Ink:
    # A paint. The shade of a point is x * dx + y * dy + offset (linear), or its distance from (x, y) times dx.
    InkKind kind
    Pixel colour  # of a solid one
    double x
    double y
    double dx
    double dy
    double offset
    Pixel *shades  # of a gradient


cdef inline uint32_t over_255(uint32_t value) noexcept nogil:
    """Divide by 255 and round, value at most 255 * 255."""
    value += 128
    return (value + (value >> 8)) >> 8


cdef inline Pixel over(Pixel below, Pixel ink, uint32_t alpha) noexcept nogil:
    """Lay a colour over another (Compositing and Blending 1, 9.1.4); alpha is the ink's with its coverage in it."""
    cdef uint32_t left = 255 - alpha
    cdef uint32_t shown, total, half
    cdef Pixel out
    if below.alpha == 255:
        out.red = <uint8_t> over_255(ink.red * alpha + below.red * left)
        out.green = <uint8_t> over_255(ink.green * alpha + below.green * left)
        out.blue = <uint8_t> over_255(ink.blue * alpha + below.blue * left)
        out.alpha = 255
        return out
    shown = below.alpha * left  # in units of 1 / (255 * 255), like all that follows
    alpha *= 255
    total = shown + alpha
    if total == 0:
        return below
    half = total // 2
    out.red = <uint8_t> ((ink.red * alpha + below.red * shown + half) // total)
    out.green = <uint8_t> ((ink.green * alpha + below.green * shown + half) // total)
    out.blue = <uint8_t> ((ink.blue * alpha + below.blue * shown + half) // total)
    out.alpha = <uint8_t> over_255(total)
    return out


cdef void shade(const double *offsets, const Pixel *colours, int count, Pixel *out) noexcept nogil
cdef void ink_row(const Ink *ink, int x, int y, int count, Pixel *out) noexcept nogil
cdef void lay_solid(Pixel *row, const uint8_t *coverage, int count, Pixel ink) noexcept nogil
cdef void lay_colours(Pixel *row, const uint8_t *coverage, int count, const Pixel *ink) noexcept nogil
cdef void luminances(const Pixel *row, int count, uint8_t *out) noexcept nogil
