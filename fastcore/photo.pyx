"""Per row of pixels: a picture of pixels, stretched over a rectangle.

Between the centres of its pixels colours run evenly (bilinear), each weighed by its alpha; at its border they go on.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastcore.paint cimport Pixel, over

cdef extern from "lanes.h" nogil:
    # To Cython four_t is a number; every operator works on four at once.
    ctypedef float four_t "fc_four_t"
    four_t all_four "fc_four" (float number)
    four_t load_four "fc_four_load" (const float *source)
    void store_four "fc_four_store" (float *target, four_t four)
    four_t four_of_bytes "fc_four_of_bytes" (const uint8_t *source)
    void four_to_bytes "fc_four_to_bytes" (uint8_t *target, four_t four)


cdef inline Sample sample_at(double position, double start, double extent, int count) noexcept nogil:
    """Where the pixel at `position` falls in one direction of the photo."""
    cdef double at = min(max((position + 0.5 - start) / extent * count - 0.5, 0.0), <double> (count - 1))
    cdef Sample found
    found.first = <int> at
    found.second = min(found.first + 1, count - 1)
    found.share = <float> (at - found.first)
    found.shown = <float> max(min(position + 1, start + extent) - max(position, start), 0.0)
    return found


cdef void sample(Shot *shot) noexcept nogil:
    """Work out what is the same in all rows: the columns, and whether there is any alpha."""
    cdef uint8_t least = 255
    cdef int64_t i
    for i in range(shot.count):
        shot.samples[i] = sample_at(<double> (shot.left + i), shot.x, shot.width, shot.columns)
    for i in range(<int64_t> shot.columns * shot.rows):
        least &= shot.pixels[i].alpha
    shot.opaque = least == 255


cdef inline four_t weighed(const Pixel *pixel, float share) noexcept nogil:
    """Colour times alpha, and alpha; times the share."""
    cdef float[4] weights
    weights[0] = weights[1] = weights[2] = pixel.alpha * share / 255
    weights[3] = share
    return four_of_bytes(&pixel.red) * load_four(weights)


cdef void lay(const Shot *shot, int y, Pixel *row) noexcept nogil:
    """Lay the photo over row y of the picture."""
    cdef Sample down = sample_at(y, shot.y, shot.height, shot.rows)
    cdef float opacity = shot.opacity * down.shown
    cdef const Pixel *upper = shot.pixels + <int64_t> down.first * shot.columns
    cdef const Pixel *lower = shot.pixels + <int64_t> down.second * shot.columns
    cdef four_t near, mean
    cdef const Sample *across
    cdef float[4] numbers
    cdef float alpha
    cdef Pixel colour
    cdef int i
    for i in range(shot.columns):
        if shot.opaque:
            near = four_of_bytes(&upper[i].red)
            mean = near + (four_of_bytes(&lower[i].red) - near) * all_four(down.share)
        else:
            mean = weighed(upper + i, 1 - down.share) + weighed(lower + i, down.share)
        store_four(shot.line + 4 * i, mean)
    row += shot.left
    for i in range(shot.count):
        across = shot.samples + i
        near = load_four(shot.line + 4 * across.first)
        mean = near + (load_four(shot.line + 4 * across.second) - near) * all_four(across.share)
        alpha = 255
        if not shot.opaque:
            store_four(numbers, mean)
            alpha = numbers[3]
            if alpha <= 0:
                continue
            mean = mean * all_four(255 / alpha)
        alpha *= opacity * across.shown
        if row[i].alpha == 255:  # is worth a way of its own: half the time of all of this
            near = four_of_bytes(&row[i].red)
            four_to_bytes(&row[i].red, near + (mean - near) * all_four(alpha * <float> (1 / 255.0)))
            row[i].alpha = 255
        else:
            four_to_bytes(&colour.red, mean)
            row[i] = over(row[i], colour, <uint32_t> (alpha + <float> 0.5))
