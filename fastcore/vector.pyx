"""Per drawing: outlines as text, for the formats that are made of it: SVG, PDF and PostScript.

Coordinates become whole thousandths of a pixel before anything else: what is written relative to another point is
then an exact difference, and no error adds up along a path.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.math cimport llround
from libc.stdint cimport int64_t, uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from fastcore.path cimport CLOSE, CURVE, MOVE, Outline, Path

from fastcore.drawing import Fill


cdef enum:
    UNIT = 1000
    # More than one command takes, or a rectangle: its letters, and six times a sign, 19 digits, a point and a space.
    COMMAND_BYTES = 256


cdef struct Text:
    char *data  # NULL where there was no memory
    Py_ssize_t length
    Py_ssize_t capacity


cdef struct Pen:
    Text text
    int64_t x, y
    char command  # the last one, which need not be said again
    bint has_point  # whether the last number has a decimal point, so that another may follow at once
    bint crisp  # whether all edges so far lie between pixels


cdef struct Grid:
    # Tiles, as C sees them.
    const uint8_t *places
    int size
    const Outline *outlines  # one for each path
    const uint8_t *full  # for each path, whether it fills its square
    int64_t x, y, scale  # in thousandths


# --- numbers ---


cdef bint make_room(Text *text) noexcept nogil:
    """For one more command; False where there is no memory."""
    cdef char *grown
    if text.data == NULL:
        return False
    if text.capacity - text.length < COMMAND_BYTES:
        grown = <char *> realloc(text.data, 2 * text.capacity)
        if grown == NULL:
            free(text.data)
            text.data = NULL
            return False
        text.data = grown
        text.capacity *= 2
    return True


cdef void start(Text *text) noexcept nogil:
    text.length = 0
    text.capacity = 1 << 14
    text.data = <char *> malloc(text.capacity)


cdef bytes finish(Text *text):
    """Its bytes; frees it."""
    if text.data == NULL:
        raise MemoryError
    try:
        return text.data[:text.length]
    finally:
        free(text.data)


cdef void put(Text *text, char byte) noexcept nogil:
    text.data[text.length] = byte
    text.length += 1


cdef void put_number(Text *text, int64_t thousandths) noexcept nogil:
    """In decimal, without needless zeros: 12, -3.25, .5."""
    cdef char[20] digits
    cdef int count = 0, k
    if thousandths < 0:
        put(text, c'-')
        thousandths = -thousandths
    cdef int64_t whole = thousandths // UNIT
    cdef int fraction = <int> (thousandths % UNIT)
    if whole or not fraction:
        while True:
            digits[count] = <char> (48 + whole % 10)
            count += 1
            whole //= 10
            if not whole:
                break
        for k in range(count - 1, -1, -1):
            put(text, digits[k])
    if fraction:
        put(text, c'.')
        put(text, <char> (48 + fraction // 100))
        if fraction % 100:
            put(text, <char> (48 + fraction // 10 % 10))
            if fraction % 10:
                put(text, <char> (48 + fraction % 10))


cdef inline int64_t thousandths_of(double coordinate, int64_t scale, int64_t origin) noexcept nogil:
    return origin + llround(coordinate * scale)


# --- path data of SVG: relative, as that is shorter (SVG 2, 9.3) ---


cdef void put_command(Pen *pen, char command) noexcept nogil:
    if command != pen.command:
        put(&pen.text, command)
        pen.command = command
        pen.has_point = False


cdef void put_coordinate(Pen *pen, int64_t thousandths) noexcept nogil:
    """A space only where the numbers could not be told apart without it."""
    cdef bint follows = pen.text.data[pen.text.length - 1] < c'A'
    cdef bint starts_with_point = 0 < thousandths < UNIT
    if follows and thousandths >= 0 and not (starts_with_point and pen.has_point):
        put(&pen.text, c' ')
    put_number(&pen.text, thousandths)
    pen.has_point = thousandths % UNIT != 0


cdef void move_pen(Pen *pen, int64_t x, int64_t y) noexcept nogil:
    put(&pen.text, c'm')
    pen.has_point = False
    put_coordinate(pen, x - pen.x)
    put_coordinate(pen, y - pen.y)
    pen.command = c'l'  # for further pairs
    pen.x = x
    pen.y = y
    pen.crisp = pen.crisp and x % UNIT == 0 and y % UNIT == 0


cdef void line_pen(Pen *pen, int64_t x, int64_t y) noexcept nogil:
    if x != pen.x and y != pen.y:
        put_command(pen, c'l')
        put_coordinate(pen, x - pen.x)
        put_coordinate(pen, y - pen.y)
        pen.crisp = False
    elif x != pen.x:
        put_command(pen, c'h')
        put_coordinate(pen, x - pen.x)
    elif y != pen.y:
        put_command(pen, c'v')
        put_coordinate(pen, y - pen.y)
    pen.x = x
    pen.y = y
    pen.crisp = pen.crisp and x % UNIT == 0 and y % UNIT == 0


cdef void close_pen(Pen *pen, int64_t x, int64_t y) noexcept nogil:
    """Back to where the contour began."""
    pen.crisp = pen.crisp and (x == pen.x or y == pen.y)
    put(&pen.text, c'z')
    pen.command = c'z'
    pen.x = x
    pen.y = y


cdef void put_path_data(Pen *pen, const Outline *outline, int64_t scale, int64_t left, int64_t top) noexcept nogil:
    cdef const double *point = outline.points
    cdef int64_t x, y, start_x = 0, start_y = 0
    cdef int i, k
    for i in range(outline.count):
        if not make_room(&pen.text):
            return
        if outline.commands[i] == CLOSE:
            close_pen(pen, start_x, start_y)
            continue
        if outline.commands[i] == CURVE:
            put_command(pen, c'c')
            for k in range(3):
                x = thousandths_of(point[2 * k], scale, left)
                y = thousandths_of(point[2 * k + 1], scale, top)
                put_coordinate(pen, x - pen.x)
                put_coordinate(pen, y - pen.y)
            pen.x = x
            pen.y = y
            pen.crisp = False
            point += 6
            continue
        x = thousandths_of(point[0], scale, left)
        y = thousandths_of(point[1], scale, top)
        point += 2
        if outline.commands[i] == MOVE:
            move_pen(pen, x, y)
            start_x = x
            start_y = y
        elif x != start_x or y != start_y or outline.commands[i + 1] != CLOSE:  # what closing draws anyway
            line_pen(pen, x, y)


cdef void put_rectangle_data(Pen *pen, int64_t x, int64_t y, int64_t width, int64_t height) noexcept nogil:
    if make_room(&pen.text):
        move_pen(pen, x, y)
        line_pen(pen, x + width, y)
        line_pen(pen, x + width, y + height)
        line_pen(pen, x, y + height)
        close_pen(pen, x, y)


# --- operators of PDF: m l c h re (ISO 32000-1, 8.5.2); draw_eps defines the same names for PostScript ---


cdef void put_operator(Text *text, const int64_t *numbers, int count, const char *operator, int length) noexcept nogil:
    """One a line, as a line of PostScript should have at most 255 characters."""
    cdef int k
    if not make_room(text):
        return
    for k in range(count):
        put_number(text, numbers[k])
        put(text, c' ')
    memcpy(text.data + text.length, operator, length)
    text.length += length
    put(text, c'\n')


cdef void put_operators(Text *text, const Outline *outline, int64_t scale, int64_t left, int64_t top) noexcept nogil:
    cdef const double *point = outline.points
    cdef int64_t[6] numbers
    cdef int i, k
    for i in range(outline.count):
        if outline.commands[i] == CLOSE:
            put_operator(text, numbers, 0, "h", 1)
            continue
        for k in range(3 if outline.commands[i] == CURVE else 1):
            numbers[2 * k] = thousandths_of(point[0], scale, left)
            numbers[2 * k + 1] = thousandths_of(point[1], scale, top)
            point += 2
        if outline.commands[i] == CURVE:
            put_operator(text, numbers, 6, "c", 1)
        elif outline.commands[i] == MOVE:
            put_operator(text, numbers, 2, "m", 1)
        else:
            put_operator(text, numbers, 2, "l", 1)


cdef void put_rectangle_operator(
    Text *text, const char *operator, int64_t x, int64_t y, int64_t width, int64_t height
) noexcept nogil:
    cdef int64_t[4] numbers = [x, y, width, height]
    put_operator(text, numbers, 4, operator, 2)


# --- tiles ---


cdef int run_at(const Grid *grid, int row, int column) noexcept nogil:
    """How many squares from here on are full, in this row."""
    cdef const uint8_t *place = grid.places + row * grid.size + column
    cdef int count = 0
    while column + count < grid.size and place[count] and grid.full[place[count] - 1]:
        count += 1
    return count


cdef void put_tiles_data(Pen *pen, const Grid *grid) noexcept nogil:
    cdef int row, column, run, place
    cdef int64_t x, y
    for row in range(grid.size):
        column = 0
        while column < grid.size:
            x = grid.x + column * grid.scale
            y = grid.y + row * grid.scale
            place = grid.places[row * grid.size + column]
            run = run_at(grid, row, column)
            if run:
                put_rectangle_data(pen, x, y, run * grid.scale, grid.scale)
            elif place:
                put_path_data(pen, &grid.outlines[place - 1], grid.scale, x, y)
            column += run or 1


cdef void put_tiles_operators(Text *text, const Grid *grid, bint by_name) noexcept nogil:
    """Each tile as its operators or, by name, as its corner and t1, t2, ... for the path that is drawn there, rt
    for a run of full squares."""
    cdef int row, column, run, place
    cdef int64_t[3] corner
    for row in range(grid.size):
        column = 0
        while column < grid.size:
            corner[0] = grid.x + column * grid.scale
            corner[1] = grid.y + row * grid.scale
            place = grid.places[row * grid.size + column]
            run = run_at(grid, row, column)
            if run:
                # Where tiles have names, each leaves its own matrix behind.
                put_rectangle_operator(
                    text, "rt" if by_name else "re", corner[0], corner[1], run * grid.scale, grid.scale
                )
            elif place and not by_name:
                put_operators(text, &grid.outlines[place - 1], grid.scale, corner[0], corner[1])
            elif place:
                put_operator(text, corner, 2, "t", 1)
                if make_room(text):
                    text.length -= 1  # the end of the line: the number of the path comes before it
                    put_number(text, place * UNIT)
                    put(text, c'\n')
            column += run or 1


cdef bint is_full(Path path):
    """Whether it is the whole square, from its top left corner on and clockwise, as runs of such are drawn.

    The direction matters: two shapes that meet within a pixel cover it together only if they run the same way.
    """
    return path == WHOLE or path == WHOLE_AND_BACK


cdef Path WHOLE = Path("M0 0H1V1H0Z")
cdef Path WHOLE_AND_BACK = Path("M0 0H1V1H0V0Z")


cdef class Mosaic:
    """A grid, and the memory it stands on."""

    cdef Grid grid
    cdef object tiles
    cdef Outline *outlines
    cdef bytes full

    def __cinit__(self, tiles):
        cdef Path path
        cdef int i = 0
        self.tiles = tiles
        self.full = bytes([is_full(path) for path in tiles.paths])
        if len(tiles.places) != tiles.size * tiles.size or max(tiles.places, default=0) > len(tiles.paths):
            raise ValueError("tiles have a place that they do not say, or say one they do not have")
        self.outlines = <Outline *> malloc((len(tiles.paths) + 1) * sizeof(Outline))
        if self.outlines == NULL:
            raise MemoryError
        for path in tiles.paths:
            self.outlines[i] = path.outline()
            i += 1
        self.grid = Grid(
            tiles.places, tiles.size, self.outlines, self.full, UNIT * tiles.x, UNIT * tiles.y, UNIT * tiles.scale
        )

    def __dealloc__(self):
        free(self.outlines)


# --- the boundary ---


def path_data(layer):
    cdef Pen pen
    cdef Outline outline
    cdef Mosaic mosaic
    pen.x = pen.y = 0
    pen.command = c'z'
    pen.has_point = False
    pen.crisp = True
    if isinstance(layer, Fill):
        outline = (<Path?> layer.path).outline()
        with nogil:
            start(&pen.text)
            put_path_data(&pen, &outline, UNIT, 0, 0)
    else:
        mosaic = Mosaic(layer)
        with nogil:
            start(&pen.text)
            put_tiles_data(&pen, &mosaic.grid)
    return finish(&pen.text), bool(pen.crisp)


def operators(layer):
    cdef Text text
    cdef Outline outline
    cdef Mosaic mosaic
    if isinstance(layer, Fill):
        outline = (<Path?> layer.path).outline()
        with nogil:
            start(&text)
            put_operators(&text, &outline, UNIT, 0, 0)
    else:
        mosaic = Mosaic(layer)
        with nogil:
            start(&text)
            put_tiles_operators(&text, &mosaic.grid, False)
    return finish(&text)


def tile_operators(tiles):
    cdef Text text
    cdef Mosaic mosaic = Mosaic(tiles)
    with nogil:
        start(&text)
        put_tiles_operators(&text, &mosaic.grid, True)
    return finish(&text)


def mixed(const uint8_t[::1] pixels, double opacity, ground):
    cdef Py_ssize_t count = len(pixels) // 4
    cdef Py_ssize_t i
    cdef int k
    cdef double[3] below = ground[:3]
    cdef double share
    cdef bytes data = PyBytes_FromStringAndSize(NULL, 4 * count)
    cdef uint8_t *out = <uint8_t *> PyBytes_AS_STRING(data)
    with nogil:
        for i in range(0, 4 * count, 4):
            share = opacity * pixels[i + 3] / 255
            out[i] = 0 if pixels[i + 3] >= 128 else 255
            for k in range(3):
                out[i + 1 + k] = <uint8_t> (share * pixels[i + k] + (1 - share) * below[k] + 0.5)
    return data


def filtered(const uint8_t[::1] pixels, int rows, int columns, int channels):
    cdef Py_ssize_t width = columns * channels
    cdef Py_ssize_t row, i
    cdef const uint8_t *given
    cdef char *out
    cdef bytes data
    if len(pixels) != rows * width:
        raise ValueError(f"{rows} rows of {columns} pixels are not {len(pixels)} bytes")
    data = PyBytes_FromStringAndSize(NULL, rows * (width + 1))
    out = PyBytes_AS_STRING(data)
    if rows and width:
        given = &pixels[0]
        with nogil:
            for row in range(rows):
                out[0] = 1 if row == 0 else 4
                for i in range(width):
                    out[i + 1] = <char> (given[i] - predicted(given, i, width, channels, row > 0))
                out += width + 1
                given += width
    return data


cdef inline uint8_t predicted(
    const uint8_t *row, Py_ssize_t i, Py_ssize_t width, int channels, bint has_above
) noexcept nogil:
    """By the neighbours to the left, above, and above to the left (Paeth; ISO/IEC 15948, 9.4)."""
    cdef int left = row[i - channels] if i >= channels else 0
    cdef int above, corner, to_left, to_above, to_corner
    if not has_above:
        return <uint8_t> left
    above = row[i - width]
    corner = row[i - width - channels] if i >= channels else 0
    to_left = abs(above - corner)
    to_above = abs(left - corner)
    to_corner = abs(left + above - 2 * corner)
    if to_left <= to_above and to_left <= to_corner:
        return <uint8_t> left
    return <uint8_t> (above if to_above <= to_corner else corner)
