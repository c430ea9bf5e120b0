"""Plots as SVG, of what bench.report has tables of: bars, dots, and a line. Each brings its own ground, as nobody knows
what page it stands on, and follows the reader's choice of light or dark."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

WIDTH = 720
EDGE = 20
TITLE = 52  # the height of what stands above
ROW = 28
BAR = 16
DOT = 6.5
CHARACTER = 7  # the width of one, at 12 px, roughly
VALUE = 90  # the width of what stands behind the longest bar
LINE_HEIGHT = 260
AXIS = 26

STYLE = """<style>
.ground{fill:#fff;stroke:#d8dee4}.text{fill:#1f2328}.quiet{fill:#59636e}.grid{stroke:#e4e8ec}
.ours{fill:#0969da}.theirs{fill:#b4bfca}.line{stroke:#0969da;stroke-width:2;fill:none}.strong{font-weight:600}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117;stroke:#30363d}.text{fill:#f0f6fc}.quiet{fill:#9198a1}.grid{stroke:#262c36}
.ours{fill:#4493f8}.theirs{fill:#4a535e}.line{stroke:#4493f8}}
</style>"""


class Row(NamedTuple):
    """How much, of whom."""

    label: str
    value: float
    #: The value, as it is written.
    text: str
    #: Whether it is what all this is about.
    ours: bool


def bars(title: str, note: str, rows: Sequence[Row]) -> str:
    """One below the other, each as long as its value."""
    left = _left(rows)
    most = max(row.value for row in rows)
    parts = []
    for number, row in enumerate(rows):
        middle, width = _middle(number), (_right() - left) * row.value / most
        parts.append(
            f'<rect class="{_kind(row)}" x="{left:.1f}" y="{middle - BAR / 2:.1f}" '
            f'width="{max(width, 1):.1f}" height="{BAR}" rx="3"/>'
        )
        parts += _words(row, left, middle, left + width)
    return _page(title, note, TITLE + ROW * len(rows) + EDGE / 2, parts)


def dots(title: str, note: str, rows: Sequence[Row]) -> str:
    """Values of very different size: one below the other, on an axis of powers of ten."""
    left = _left(rows)
    height = TITLE + ROW * len(rows) + AXIS
    first = floor(log10(min(row.value for row in rows) * 0.99))
    last = ceil(log10(max(row.value for row in rows)))

    def place(value: float) -> float:
        return left + (_right() - left) * (log10(value) - first) / (last - first)

    parts = []
    for decade in range(first, last + 1):
        at = place(10.0**decade)
        parts.append(f'<path class="grid" d="M{at:.1f} {TITLE}V{height - AXIS}"/>')
        parts.append(
            _text(at, height - 9, f"{10.0**decade:,g}" if decade < 0 else f"{10**decade:,}", "quiet", "middle")
        )
    for number, row in enumerate(rows):
        middle, at = _middle(number), place(row.value)
        parts.append(f'<path class="grid" d="M{left:.1f} {middle:.1f}H{at:.1f}"/>')
        parts.append(f'<circle class="{_kind(row)}" cx="{at:.1f}" cy="{middle:.1f}" r="{DOT}"/>')
        parts += _words(row, left, middle, at + DOT)
    return _page(title, note, height, parts)


def _left(rows: Sequence[Row]) -> float:
    return EDGE + CHARACTER * max(len(row.label) for row in rows) + 10


def _right() -> float:
    """Of what is drawn; behind it there is room for a value."""
    return WIDTH - EDGE - VALUE


def _middle(number: int) -> float:
    return TITLE + ROW * number + ROW / 2


def _kind(row: Row) -> str:
    return "ours" if row.ours else "theirs"


def _words(row: Row, left: float, middle: float, end: float) -> list[str]:
    kind = "text strong" if row.ours else "text"
    return [
        _text(left - 10, middle + 4, row.label, kind, "end"),
        _text(end + 8, middle + 4, row.text, kind, "start"),
    ]


def line(title: str, note: str, points: Sequence[tuple[float, float]], marks: Sequence[int]) -> str:
    """A line through points, both axes linear and the upright one from 0 on; `marks` are named on the other one."""
    left, right, top, bottom = EDGE + 34.0, WIDTH - EDGE, TITLE + 6.0, TITLE + LINE_HEIGHT - AXIS
    first, last = points[0][0], points[-1][0]
    step = _step(max(y for _, y in points))
    most = step * ceil(max(y for _, y in points) / step)

    def place(x: float, y: float) -> tuple[float, float]:
        return left + (right - left) * (x - first) / (last - first), bottom - (bottom - top) * y / most

    parts = []
    for number in range(round(most / step) + 1):
        _, at = place(first, number * step)
        parts.append(f'<path class="grid" d="M{left:.0f} {at:.1f}H{right}"/>')
        parts.append(_text(left - 8, at + 4, f"{number * step:g}", "quiet", "end"))
    parts += [_text(place(mark, 0)[0], bottom + 18, str(mark), "quiet", "middle") for mark in marks]
    through = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    parts.append(f'<polyline class="line" points="{through}"/>')
    return _page(title, note, TITLE + LINE_HEIGHT, parts)


def _step(most: float) -> float:
    """1, 2 or 5 times a power of ten, of which four to ten reach the most."""
    power = 10.0 ** floor(log10(most / 4))
    return max(each * power for each in (1, 2, 5) if each * power <= most / 4)


def _text(x: float, y: float, text: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _page(title: str, note: str, height: float, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
            f'height="{height:.0f}" font-family="system-ui,Segoe UI,Helvetica,Arial,sans-serif" font-size="12" '
            f'role="img" aria-label="{escape(title)}">',
            STYLE,
            f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="6"/>',
            f'<text class="text strong" x="{EDGE}" y="24" font-size="14">{escape(title)}</text>',
            _text(EDGE, 41, note, "quiet", "start"),
            *parts,
            "</svg>\n",
        ]
    )
