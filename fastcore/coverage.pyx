"""Per outline: how much of each pixel lies within it, exactly, by the area that its edges leave on each side.

Each edge adds to the pixels it crosses by how much it changes the coverage of all that lie to their right; the running
sum along a row is the coverage. Contours that run the same way and overlap come to more than 1 and are cut there, those
that run against one another come to 0: the non-zero winding rule, except in the few pixels where edges of overlapping
contours cross. Most of a row is crossed by nothing: a bit for each block of pixels says where it is, and what lies
between is one run.
"""

from libc.math cimport ceil, fabs, floor, sqrt
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy, memset

from fastcore.path cimport CLOSE, CURVE, LINE, Outline

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)


cdef double FLATNESS = 0.05  # pixels that a chord may be away from its curve


# --- edges ---


cdef inline int chords(const double *start, const double *points, double scale) noexcept nogil:
    """How many chords a curve needs: its second derivative bounds how far it bends away from them."""
    cdef double bend = 0
    cdef int i
    for i in range(2):
        bend = max(bend, fabs(start[i] - 2 * points[i] + points[2 + i]))
        bend = max(bend, fabs(points[i] - 2 * points[2 + i] + points[4 + i]))
    # The distance is at most 1/8 of the second derivative, which is at most 6 times the bend, over n * n; the bend in
    # both directions at once is at most sqrt(2) times that in one.
    return 1 + <int> sqrt(1.0607 * bend * scale / FLATNESS)


cdef int64_t most_edges(const Outline *outline, double scale) noexcept nogil:
    """At most so many edges come of an outline."""
    cdef double[2] origin = [0, 0]
    cdef const double *at = origin  # a contour begins by a move
    cdef const double *points = outline.points
    cdef int64_t count = 0
    cdef int i
    for i in range(outline.count):
        if outline.commands[i] == CURVE:
            count += chords(at, points, scale)
            points += 6
        elif outline.commands[i] == CLOSE:
            count += 1
            continue
        else:
            count += 1
            points += 2
        at = points - 2
    return count


cdef inline void add_edge(double x0, double y0, double x1, double y1, double bottom, Edges *out) noexcept nogil:
    """Keep an edge unless it is level, or above or below the picture."""
    cdef Edge *edge = out.edges + out.count
    if y0 == y1 or max(y0, y1) <= 0 or min(y0, y1) >= bottom:
        return
    if y0 < y1:
        edge[0] = Edge(x0=x0, y0=y0, x1=x1, y1=y1, turn=1)
    else:
        edge[0] = Edge(x0=x1, y0=y1, x1=x0, y1=y0, turn=-1)
    out.count += 1


cdef int higher(const void *a, const void *b) noexcept nogil:
    cdef double difference = (<const Edge *> a).y0 - (<const Edge *> b).y0
    return -1 if difference < 0 else 1 if difference > 0 else 0


cdef void flatten(const Outline *outline, double scale, double bottom, Edges *out) noexcept nogil:
    """Make the edges of an outline, enlarged, in order; `out` has room for most_edges, bottom is the picture's."""
    cdef const double *points = outline.points
    cdef double x = 0, y = 0, start_x = 0, start_y = 0, to_x, to_y, t, u
    cdef int count, i, k
    cdef double[2] start
    out.count = 0
    for i in range(outline.count):
        if outline.commands[i] == CLOSE:
            add_edge(x, y, start_x, start_y, bottom, out)
        elif outline.commands[i] == CURVE:
            start[0] = x / scale
            start[1] = y / scale
            count = chords(start, points, scale)
            to_x = to_y = 0
            for k in range(1, count):
                t = <double> k / count
                u = 1 - t
                to_x = scale * (
                    u * u * u * start[0] + 3 * u * u * t * points[0] + 3 * u * t * t * points[2] + t * t * t * points[4]
                )
                to_y = scale * (
                    u * u * u * start[1] + 3 * u * u * t * points[1] + 3 * u * t * t * points[3] + t * t * t * points[5]
                )
                add_edge(x, y, to_x, to_y, bottom, out)
                x = to_x
                y = to_y
            to_x = scale * points[4]
            to_y = scale * points[5]
            add_edge(x, y, to_x, to_y, bottom, out)
            x = to_x
            y = to_y
            points += 6
        else:
            to_x = scale * points[0]
            to_y = scale * points[1]
            if outline.commands[i] == LINE:
                add_edge(x, y, to_x, to_y, bottom, out)
            else:
                start_x = to_x
                start_y = to_y
            x = to_x
            y = to_y
            points += 2
    qsort(out.edges, out.count, sizeof(Edge), higher)
    rewind(out)


cdef void rewind(Edges *edges) noexcept nogil:
    """Make ready for the first band."""
    edges.following = edges.active_count = 0


# --- sums ---


cdef void shape_sums(Sums *out, int width, int rows) noexcept nogil:
    """Say how much room a band of this size takes."""
    out.width = width
    out.rows = rows
    out.stride = (width + 2 + BLOCK - 1) // BLOCK * BLOCK
    out.words = (out.stride // BLOCK + 63) // 64


cdef inline void touch(uint64_t *touched, int first, int last) noexcept nogil:
    cdef int block
    for block in range(first // BLOCK, last // BLOCK + 1):
        touched[block >> 6] |= <uint64_t> 1 << (block & 63)


cdef inline void add_piece(
    float *change, uint64_t *touched, int width, double left, double right, double height
) noexcept nogil:
    """Add what lies within one row of an edge between two abscissae; height is negative where the outline runs up.

    What is left of the picture changes all of the row, what is right of it nothing.
    """
    cdef double slope, near, far, part, kept
    cdef int first, end, i
    if left >= width:
        return
    if right <= 0:
        change[0] += <float> height
        touch(touched, 0, 0)
        return
    if left < 0:
        part = height * -left / (right - left)
        change[0] += <float> part
        touch(touched, 0, 0)
        height -= part
        left = 0
    if right > width:
        height *= (width - left) / (right - left)
        right = width
    first = <int> left
    if right <= first + 1:
        part = height * (0.5 * (left + right) - first)
        change[first] += <float> (height - part)
        change[first + 1] += <float> part
        touch(touched, first, first + 1)
        return
    # Across several pixels: triangles in the first and in the last, trapezia between.
    end = <int> ceil(right)
    slope = height / (right - left)
    near = 1 - (left - first)
    far = right - (end - 1)
    part = 0.5 * slope * near * near
    kept = 0.5 * slope * far * far
    change[first] += <float> part
    if end == first + 2:
        change[first + 1] += <float> (height - part - kept)
    else:
        change[first + 1] += <float> (slope * (near + 0.5) - part)
        for i in range(first + 2, end - 1):
            change[i] += <float> slope
        change[end - 1] += <float> (height - slope * (near + 0.5 + (end - first - 3)) - kept)
    change[end] += <float> kept
    touch(touched, first, end)


cdef inline void add_to_rows(const Edge *edge, int top, int rows, Sums *out) noexcept nogil:
    """Add the part of an edge that lies within the rows of a band."""
    cdef double slope = (edge.x1 - edge.x0) / (edge.y1 - edge.y0)
    cdef double y = max(edge.y0, <double> top), bottom = min(edge.y1, <double> (top + rows))
    cdef double low = min(edge.x0, edge.x1), high = max(edge.x0, edge.x1)
    # Of a nearly level edge the slope is so large that rounding would lead past its ends.
    cdef double x = min(max(edge.x0 + slope * (y - edge.y0), low), high)
    cdef double next_x, next_y
    cdef int row = <int> floor(y)
    while y < bottom:
        next_y = min(bottom, <double> (row + 1))
        next_x = min(max(edge.x0 + slope * (next_y - edge.y0), low), high)
        add_piece(
            out.change + <int64_t> (row - top) * out.stride, out.touched + <int64_t> (row - top) * out.words,
            out.width, min(x, next_x), max(x, next_x), edge.turn * (next_y - y)
        )
        x = next_x
        y = next_y
        row += 1


cdef void add_band(Edges *edges, int top, int rows, Sums *out) noexcept nogil:
    """Add all that lies in rows from `top` on; bands come from the top to the bottom, none is left out."""
    cdef int kept = 0
    cdef int i
    cdef const Edge *edge
    while edges.following < edges.count and edges.edges[edges.following].y0 < top + rows:
        edges.active[edges.active_count] = edges.following
        edges.active_count += 1
        edges.following += 1
    for i in range(edges.active_count):
        edge = edges.edges + edges.active[i]
        add_to_rows(edge, top, rows, out)
        if edge.y1 > top + rows:
            edges.active[kept] = edges.active[i]
            kept += 1
    edges.active_count = kept


cdef inline uint8_t level(float sum, int full) noexcept nogil:
    return <uint8_t> (min(<float> fabs(sum), <float> 1) * full + <float> 0.5)


cdef void sweep(Sums *sums, int row, int full, uint8_t *out) noexcept nogil:
    """Write the coverage of a row, from 0 to `full`, and leave the row all 0; `out` has room for the stride."""
    cdef float *change = sums.change + <int64_t> row * sums.stride
    cdef uint64_t *touched = sums.touched + <int64_t> row * sums.words
    cdef uint64_t bits
    cdef float sum = 0
    cdef int at = 0, start, word, i
    for word in range(sums.words):
        bits = touched[word]
        touched[word] = 0
        while bits:
            start = BLOCK * (64 * word + trailing_zeros(bits))
            bits &= bits - 1
            if start > at:
                memset(out + at, level(sum, full), start - at)
            for i in range(start, start + BLOCK):
                sum += change[i]
                change[i] = 0
                out[i] = level(sum, full)
            at = start + BLOCK
    if at < sums.width:
        memset(out + at, level(sum, full), sums.width - at)


cdef void rasterise(Edges *edges, int side, int full, Sums *sums, uint8_t *line, uint8_t *out) noexcept nogil:
    """Write side * side pixels of coverage; `line` has room for the stride of the sums."""
    cdef int top = 0
    cdef int row, rows
    while top < side:
        rows = min(sums.rows, side - top)
        add_band(edges, top, rows, sums)
        top += rows
        for row in range(rows):
            sweep(sums, row, full, line)
            memcpy(out, line, side)
            out += side
