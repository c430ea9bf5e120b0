"""What frames are decorated with, as outlines in a picture from (0, 0) to (1, 1)."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from math import atan2, cos, hypot, pi, sin

from fastcore.path import Path

Point = tuple[float, float]


def rounded(x: float, y: float, width: float, height: float, radius: float, *, hole: bool = False) -> Path:
    """A rectangle with round corners; a hole runs the other way, to be left out of what it is joined with."""
    r = radius
    if hole:
        return Path(
            f"M{x} {y + r}V{y + height - r}a{r} {r} 0 0 0 {r} {r}H{x + width - r}a{r} {r} 0 0 0 {r} {-r}"
            f"V{y + r}a{r} {r} 0 0 0 {-r} {-r}H{x + r}a{r} {r} 0 0 0 {-r} {r}Z"
        )
    return Path(
        f"M{x + r} {y}H{x + width - r}a{r} {r} 0 0 1 {r} {r}V{y + height - r}a{r} {r} 0 0 1 {-r} {r}"
        f"H{x + r}a{r} {r} 0 0 1 {-r} {-r}V{y + r}a{r} {r} 0 0 1 {r} {-r}Z"
    )


def smooth(points: Sequence[Point]) -> Path:
    """A closed curve through all of them (Catmull-Rom splines as Bezier curves)."""
    count = len(points)
    data = [f"M{points[0][0]} {points[0][1]}"]
    for i in range(count):
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (points[(i + k) % count] for k in (-1, 0, 1, 2))
        data.append(f"C{x1 + (x2 - x0) / 6} {y1 + (y2 - y0) / 6} {x2 - (x3 - x1) / 6} {y2 - (y3 - y1) / 6} {x2} {y2}")
    return Path(" ".join(data) + "Z")


def line_around(points: Sequence[Point], width: float) -> Path:
    """A line along a closed curve, half of it on either side."""
    outer, inner = [], []
    for i, (x, y) in enumerate(points):
        (x0, y0), (x1, y1) = points[i - 1], points[(i + 1) % len(points)]
        length = hypot(x1 - x0, y1 - y0)
        dx, dy = (y1 - y0) / length * width / 2, (x0 - x1) / length * width / 2
        outer.append((x + dx, y + dy))
        inner.append((x - dx, y - dy))
    return smooth(outer) + smooth(inner[::-1])


def superellipse(half: float, power: float, turn: float) -> Point:
    """The point of a square with soft corners around (0.5, 0.5), in a direction; power 2 is a circle."""
    c, s = cos(turn), sin(turn)
    radius = half / (abs(c) ** power + abs(s) ** power) ** (1 / power)
    return (0.5 + radius * c, 0.5 + radius * s)


# --- waves ---


@cache
def wave(height: float, swell: float, shift: float, waves: float, *, radius: float) -> Path:
    """A body of water at the bottom, its corners those of a rounded picture: `swell` up and down around `height`."""
    step = 1 / 24

    def level(x: float) -> float:
        return 1 - height + swell * sin(2 * pi * (waves * x + shift))

    def slope(x: float) -> float:
        return swell * 2 * pi * waves * cos(2 * pi * (waves * x + shift))

    data = [f"M0 {level(0)}"]
    for i in range(24):
        a, b = i * step, (i + 1) * step
        first, second = level(a) + slope(a) * step / 3, level(b) - slope(b) * step / 3
        data.append(f"C{a + step / 3} {first} {b - step / 3} {second} {b} {level(b)}")
    r = radius
    return Path(" ".join(data) + f"V{1 - r}a{r} {r} 0 0 1 {-r} {r}H{r}a{r} {r} 0 0 1 {-r} {-r}Z")


# --- contour lines, as of a map ---


@cache
def contours(inner: float, outer: float, lines: int) -> tuple[Path, Path]:
    """Lines of equal height around a square in the middle, from half its side to half that of the picture: thin ones,
    and every third, which is stronger. They never cross, as height grows all the way out.
    """
    thin: list[Path] = []
    strong: list[Path] = []
    for k in range(lines):
        share = k / (lines - 1)
        points = []
        for i in range(180):
            turn = 2 * pi * i / 180
            # Hills and valleys push the lines to and fro between the two squares, most in the middle.
            hills = sin(3 * turn + 0.7) / 2 + sin(7 * turn + 2.1 + 2 * share) / 3 + sin(13 * turn + 4 - 3 * share) / 5
            height = share + 0.27 * hills * sin(pi * share)
            (x0, y0), (x1, y1) = superellipse(inner, 16, turn), superellipse(outer, 8, turn)
            points.append((x0 + height * (x1 - x0), y0 + height * (y1 - y0)))
        is_strong = k % 3 == 0
        (strong if is_strong else thin).append(line_around(points, 0.0065 if is_strong else 0.003))
    return Path.joined(thin), Path.joined(strong)


# --- leaves ---


def leaf(x: float, y: float, turn: float, length: float) -> Path:
    """From its stalk at a point, in a direction; a vein is left out along its middle."""
    blade = Path("M0 0C.16 -.2 .6 -.32 1 0C.6 .24 .16 .22 0 0Z")
    vein = Path("M.14 -.012L.14 .012L.84 0Z")
    c, s = length * cos(turn), length * sin(turn)
    return (blade + vein).transformed(c, s, -s, c, x, y)


def _dot(x: float, y: float, radius: float) -> Path:
    r = radius
    return Path(f"M{x - r} {y}A{r} {r} 0 0 1 {x + r} {y}A{r} {r} 0 0 1 {x - r} {y}Z")


@lru_cache(maxsize=32)  # the gap is as wide as a label
def vines(half: float, *, gap: float) -> tuple[Path, Path]:
    """Two twigs that grow up both sides of a square, from `gap` left and right of its middle below to its middle
    above: stems with berries, and leaves.
    """
    way = [superellipse(half, 9, pi / 2 - pi * i / 720) for i in range(721)]
    lengths = [0.0]
    for (x0, y0), (x1, y1) in pairwise(way):
        lengths.append(lengths[-1] + hypot(x1 - x0, y1 - y0))
    start, end = max(gap, 0.012), lengths[-1] - 0.035

    def at(length: float) -> tuple[float, float, float]:
        """The point there, gently to and fro beside the way, and the direction."""
        i = min(max(bisect(lengths, length), 1), 719)
        (x0, y0), (x1, y1) = way[i - 1], way[i + 1]
        turn = atan2(y1 - y0, x1 - x0)
        aside = 0.006 * sin(2 * pi * length / 0.19)
        return way[i][0] - aside * sin(turn), way[i][1] + aside * cos(turn), turn

    steps = 90
    left, right = [], []
    for k in range(steps + 1):
        x, y, turn = at(start + (end - start) * k / steps)
        thick = 0.0036 * (1 - 0.7 * k / steps)
        left.append((x + thick * sin(turn), y - thick * cos(turn)))
        right.append((x - thick * sin(turn), y + thick * cos(turn)))
    stem = smooth([*left, *right[::-1]])
    leaves, berries = [], []
    count = round((end - start) / 0.041)
    for k in range(count + 1):
        share = k / count
        x, y, turn = at(start + (end - start) * share)
        side = 1 if k % 2 else -1
        size = (0.072 if side > 0 else 0.062) * (1 - 0.28 * share) * (1 + 0.1 * sin(5.3 * k))
        lean = side * (0.72 + 0.1 * sin(2.9 * k))
        leaves.append(leaf(x, y, turn + (0 if k == count else lean), size))
        if k % 4 == 2 and k < count - 1:
            reach, beside = 0.034, turn - side * 0.95
            tip = (x + reach * cos(beside), y + reach * sin(beside))
            berries.append(_dot(*tip, 0.0075))
            berries.append(_stalk((x, y), tip))
    twig = Path.joined([stem, *berries])
    mirrored = [path.transformed(-1, 0, 0, 1, 1, 0) for path in (twig, Path.joined(leaves))]
    return twig + mirrored[0], Path.joined(leaves) + mirrored[1]


def _stalk(start: Point, end: Point) -> Path:
    (x0, y0), (x1, y1) = start, end
    length = hypot(x1 - x0, y1 - y0)
    dx, dy = (y0 - y1) / length * 0.0015, (x1 - x0) / length * 0.0015
    return Path(f"M{x0 - dx} {y0 - dy}L{x1 - dx} {y1 - dy}L{x1 + dx} {y1 + dy}L{x0 + dx} {y0 + dy}Z")
