"""Per drawing: outlines, as commands and points.

A `Path` is an immutable value that every format is made from: pixels, SVG, PDF and EPS. It is written like the
data of an SVG path, so that a shape can be read where it is described.
"""

import re
from array import array

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.math cimport M_PI, atan2, ceil, cos, fabs, hypot, sin, sqrt, tan
from libc.stdint cimport uint8_t


cdef object TOKEN = re.compile(r"([MmLlHhVvCcAaZz])|([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|[\s,]+")
cdef dict NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "A": 7, "Z": 0}
cdef int[4] POINTS = [1, 1, 3, 0]  # of each command


@cython.final
cdef class Path:
    def __init__(self, data=""):
        commands, points = parse(data)
        self.commands = bytes(commands)
        self.points = points.tobytes()

    @staticmethod
    def joined(paths):
        paths = tuple(paths)
        return new_path(
            b"".join([(<Path?> path).commands for path in paths]), b"".join([(<Path?> path).points for path in paths])
        )

    def __add__(self, other):
        if not isinstance(other, Path):
            return NotImplemented
        return new_path(self.commands + (<Path> other).commands, self.points + (<Path> other).points)

    def transformed(self, double a, double b, double c, double d, double e, double f):
        cdef Py_ssize_t size = PyBytes_GET_SIZE(self.points)
        cdef bytes points = PyBytes_FromStringAndSize(NULL, size)
        cdef const double *given = <const double *> PyBytes_AS_STRING(self.points)
        cdef double *out = <double *> PyBytes_AS_STRING(points)
        cdef Py_ssize_t i
        for i in range(0, size // <Py_ssize_t> sizeof(double), 2):
            out[i] = a * given[i] + c * given[i + 1] + e
            out[i + 1] = b * given[i] + d * given[i + 1] + f
        return new_path(self.commands, points)

    def moved(self, double x, double y):
        return self.transformed(1, 0, 0, 1, x, y)

    def scaled(self, double factor):
        return self.transformed(factor, 0, 0, factor, 0, 0)

    @property
    def bounds(self):
        points = array("d", self.points)
        if not points:
            return (0.0, 0.0, 0.0, 0.0)
        return (min(points[::2]), min(points[1::2]), max(points[::2]), max(points[1::2]))

    def __bool__(self):
        return len(self.commands) > 0

    def __eq__(self, other):
        if not isinstance(other, Path):
            return NotImplemented
        return self.commands == (<Path> other).commands and self.points == (<Path> other).points

    def __hash__(self):
        return hash((self.commands, self.points))

    def __repr__(self):
        return f"<Path of {self.commands.count(CLOSE)} contours>"

    cdef Outline outline(self) noexcept:
        """Its parts, as long as it lives."""
        cdef Outline outline
        outline.commands = <const uint8_t *> PyBytes_AS_STRING(self.commands)
        outline.count = <int> PyBytes_GET_SIZE(self.commands)
        outline.points = <const double *> PyBytes_AS_STRING(self.points)
        return outline


cdef Path new_path(bytes commands, bytes points):
    cdef Path path = Path.__new__(Path)
    path.commands = commands
    path.points = points
    return path


# --- path data (SVG 2, 9.3) ---


cdef list tokens_of(str data):
    """Letters as they are, numbers as floats."""
    cdef list tokens = []
    cdef int end = 0
    for found in TOKEN.finditer(data):
        if found.start() != end:
            break
        end = found.end()
        if found[1]:
            tokens.append(found[1])
        elif found[2]:
            tokens.append(float(found[2]))
    if end != len(data):
        raise ValueError(f"path data has something else than commands and numbers at {end}: {data[end:end + 20]!r}")
    return tokens


cdef tuple parse(str data):
    """Commands and points; every contour is closed, as all are filled."""
    commands = bytearray()
    points = array("d")
    cdef double x = 0, y = 0, start_x = 0, start_y = 0
    cdef bint is_open = False
    cdef int at = 0, count
    cdef list tokens = tokens_of(data), given
    command = None
    while at < len(tokens):
        if isinstance(tokens[at], str):
            command = tokens[at]
            at += 1
        elif command is None or command in "Zz":
            raise ValueError(f"path data has a number without a command: {data!r}")
        count = NUMBERS[command.upper()]
        given = tokens[at:at + count]
        if len(given) < count or any(isinstance(number, str) for number in given):
            raise ValueError(f"path data has a {command} with fewer than {count} numbers: {data!r}")
        at += count
        if not is_open and command not in "MmZz":
            commands.append(MOVE)
            points.extend((x, y))
            start_x, start_y, is_open = x, y, True
        dx, dy = (x, y) if command.islower() else (0.0, 0.0)
        kind = command.upper()
        if kind == "M" or kind == "Z":
            if is_open:
                commands.append(CLOSE)
                is_open = False
            x, y = (given[0] + dx, given[1] + dy) if kind == "M" else (start_x, start_y)
            start_x, start_y = x, y
            if kind == "M":
                command = "l" if command == "m" else "L"  # for further pairs
        elif kind == "C":
            points.extend([number + (dy if i % 2 else dx) for i, number in enumerate(given)])
            commands.append(CURVE)
            x, y = given[4] + dx, given[5] + dy
        elif kind == "A":
            end_x, end_y = given[5] + dx, given[6] + dy
            if given[0] != given[1]:
                raise ValueError(f"path data has an arc of an ellipse: {data!r}")
            add_arc(commands, points, x, y, given[0], given[3] != 0, given[4] != 0, end_x, end_y)
            x, y = end_x, end_y
        else:
            x = given[0] + dx if kind in "LH" else x
            y = given[count - 1] + dy if kind in "LV" else y
            commands.append(LINE)
            points.extend((x, y))
    if is_open:
        commands.append(CLOSE)
    return commands, points


cdef int add_arc(
    commands, points, double x, double y, double radius, bint large, bint clockwise, double end_x, double end_y
) except -1:
    """Curves for an arc of a circle, a quarter of it each at most (SVG 2, appendix B.2.4)."""
    cdef double half = hypot(end_x - x, end_y - y) / 2
    if half == 0:
        return 0
    radius = max(fabs(radius), half)
    cdef double height = sqrt(radius * radius - half * half) / (2 * half)
    if large == clockwise:
        height = -height
    cdef double centre_x = (x + end_x) / 2 - height * (end_y - y)
    cdef double centre_y = (y + end_y) / 2 + height * (end_x - x)
    cdef double angle = atan2(y - centre_y, x - centre_x)
    cdef double turn = atan2(end_y - centre_y, end_x - centre_x) - angle
    if clockwise and turn < 0:
        turn += 2 * M_PI
    elif not clockwise and turn > 0:
        turn -= 2 * M_PI
    if not fabs(turn) <= 2 * M_PI:
        raise ValueError("path data has an arc whose numbers are too large to compute with")
    cdef int parts = <int> ceil(fabs(turn) / (M_PI / 2) - 1e-9)
    cdef double step = turn / parts
    cdef double handle = 4 / 3.0 * tan(step / 4) * radius
    cdef int i
    cdef double following
    for i in range(parts):
        following = angle + step
        points.extend((
            centre_x + radius * cos(angle) - handle * sin(angle), centre_y + radius * sin(angle) + handle * cos(angle),
            centre_x + radius * cos(following) + handle * sin(following),
            centre_y + radius * sin(following) - handle * cos(following),
        ))
        points.extend(
            (end_x, end_y) if i == parts - 1
            else (centre_x + radius * cos(following), centre_y + radius * sin(following))
        )
        commands.append(CURVE)
        angle = following
    return 0
