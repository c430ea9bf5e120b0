"""How well each style scans when the picture of it is bad: python -m bench.scannability.

A symbol is drawn once in each style, and then spoilt in six ways that a camera, a screen or a printer has, each in
a series of severities from none to more than plain squares bear. The series is seeded and the same for every style,
so that a point of difference is the style's. A score is the percentage of the pictures that a reader reads.

The table goes between the markers in docs/scannability.md.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
from collections import Counter
from math import cos, pi, sin
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import cv2
import numpy as np

import fastcore
from bench.decoders import DECODERS, Grey
from fastcore.drawing import Rgba
from server.domain.design import Border, BorderShape, Center, CenterShape, Design, Eyes, Modules, ModuleShape
from server.render.compose import compose

if TYPE_CHECKING:
    from collections.abc import Callable

    Spoil = Callable[[Grey, float, np.random.Generator], Grey]

PAGE = Path(__file__).parent.parent / "docs" / "scannability.md"

#: Of versions 2, 4 and 7.
TEXTS = [
    "https://example.com/menu",
    "https://example.com/menu?table=7&from=" + "k" * 20,
    "https://example.com/" + "w" * 95,
]
WHITE = Rgba(255, 255, 255)
#: Of a module in the picture before it is spoilt.
SCALE = 16
#: Severities of each way of spoiling a picture, for each text.
SERIES = 20
#: Points that a style may lose against plain squares, of what each of these reads.
MOST_LOST = 5
BOUND = ("zxing-cpp", "zbar")


def _small(sharp: Grey, scale: float) -> Grey:
    """With fewer pixels: `scale` for each module."""
    side = round(len(sharp) * scale / SCALE)
    return np.asarray(cv2.resize(sharp, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _seen_by(sharp: Grey, matrix: list[list[float]], side: int) -> Grey:
    """Through a camera: a matrix from places in the picture, -1 to 1, to places in a photo of `side` pixels."""
    half = len(sharp) / 2
    to_unit = np.array([[1 / half, 0, -1], [0, 1 / half, -1], [0, 0, 1]])
    to_photo = np.array([[side / 2, 0, side / 2], [0, side / 2, side / 2], [0, 0, 1]])
    whole = to_photo @ np.array(matrix) @ to_unit
    # Four times as fine, then averaged, or lines would come and go.
    fine = cv2.warpPerspective(sharp, np.diag([4, 4, 1]) @ whole, (4 * side, 4 * side), borderValue=255)
    return np.asarray(cv2.resize(fine, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def blur(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """Out of focus: a Gaussian of up to 0.8 modules."""
    return np.asarray(cv2.GaussianBlur(_small(sharp, 5), (0, 0), 0.01 + 5 * 0.8 * severity), np.uint8)


def rotation(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """Turned by any angle, and far away: 5 down to 2 pixels for a module."""
    angle = chance.uniform(0, 2 * pi)
    side = round(len(sharp) / SCALE * (5 - 3 * severity) * 1.42)
    size = 1 / 1.42
    return _seen_by(
        sharp, [[cos(angle) * size, -sin(angle) * size, 0], [sin(angle) * size, cos(angle) * size, 0], [0, 0, 1]], side
    )


def perspective(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """Seen from a side: up to 60 degrees off, from three times its width away."""
    around, tilt = chance.uniform(0, 2 * pi), severity * 60 / 180 * pi
    c, s = cos(around), sin(around)
    away = 6.0
    # Turned in its plane, tilted about the x axis, turned back, looked at from `away`.
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    tilted = np.array([[1, 0, 0], [0, cos(tilt), 0], [0, sin(tilt) / away, 1]])
    matrix = np.diag([0.8, 0.8, 1]) @ turn.T @ tilted @ turn
    return _seen_by(sharp, matrix.tolist(), round(len(sharp) / SCALE * 6))


def noise(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """In poor light: a grain of a standard deviation up to 40 of 255, at half the contrast."""
    grey = 64 + _small(sharp, 5).astype(np.float64) / 2
    return np.asarray(np.clip(grey + chance.normal(0, 40 * severity, grey.shape), 0, 255), np.uint8)


def jpeg(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """Quality 30, at 5 down to 1.6 pixels for a module."""
    _, file = cv2.imencode(".jpg", _small(sharp, 5 - 3.4 * severity), [cv2.IMWRITE_JPEG_QUALITY, 30])
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)


def small(sharp: Grey, severity: float, chance: np.random.Generator) -> Grey:
    """4 down to 1.5 pixels for a module."""
    return _small(sharp, 4 - 2.5 * severity)


WAYS: list[Spoil] = [blur, rotation, perspective, noise, jpeg, small]

#: Every style, by what it is called in the table: the others of its parts are square.
STYLES: dict[str, Design] = {
    **{f"modules: {name}": Design(modules=Modules(shape=name)) for name in get_args(ModuleShape)},
    **{f"border: {name}": Design(eyes=Eyes(border=Border(shape=name))) for name in get_args(BorderShape)[1:]},
    **{f"center: {name}": Design(eyes=Eyes(center=Center(shape=name))) for name in get_args(CenterShape)[1:]},
}
PLAIN = "modules: square"


def measure(style: str, series: int = SERIES, readers: tuple[str, ...] = tuple(DECODERS)) -> Counter[str]:
    """How many of the spoilt pictures of a style each reader reads, and zxing-cpp of those spoilt in each way."""
    cv2.setNumThreads(1)
    read: Counter[str] = Counter(total=0)
    for number, text in enumerate(TEXTS):
        symbol = fastcore.encode(text)
        side = (symbol.size + 8) * SCALE
        drawing = compose(symbol, STYLES[style], side)
        sharp = np.frombuffer(fastcore.paint_luminance(drawing, WHITE), np.uint8).reshape(side, side)
        for way in WAYS:
            chance = np.random.default_rng(number)
            for step in range(series):
                picture = way(sharp, (step + 0.5) / series, chance)
                read["total"] += 1
                for reader in readers:
                    read[reader] += text in DECODERS[reader](picture)
                read[way.__name__] += text in DECODERS["zxing-cpp"](picture)
    return read


def lost(read: Counter[str], plain: Counter[str], reader: str = "zxing-cpp") -> float:
    """Percentage points by which a style is behind plain squares."""
    return 100 * (plain[reader] / plain["total"] - read[reader] / read["total"])


def _table(results: dict[str, Counter[str]]) -> str:
    plain = results[PLAIN]
    head = [
        "style",
        *(f"{reader}, %" for reader in DECODERS),
        *(f"{reader} loses" for reader in BOUND),
        *(way.__name__ for way in WAYS),
    ]
    lines = [head, ["---"] + ["---:"] * (len(head) - 1)]
    for style, read in results.items():
        each = plain["total"] / len(WAYS)
        cells = [f"{100 * read[reader] / read['total']:.1f}" for reader in DECODERS]
        cells += [f"{lost(read, plain, reader):+.1f}" for reader in BOUND]
        cells += [f"{100 * read[way.__name__] / each:.0f}" for way in WAYS]
        lines.append([style, *cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    with multiprocessing.Pool() as pool:
        results = dict(zip(STYLES, pool.map(measure, STYLES, chunksize=1), strict=True))
    page = PAGE.read_text()
    pattern = r"(<!-- distortion -->\n).*?(<!-- /distortion -->)"
    page, count = re.subn(pattern, rf"\g<1>{_table(results)}\n\g<2>", page, flags=re.DOTALL)
    if count != 1:
        sys.exit(f"{PAGE} has no place for the table")
    PAGE.write_text(page)
    behind = [(style, by, lost(read, results[PLAIN], by)) for style, read in results.items() for by in BOUND]
    beyond = [f"{style} loses {points:.1f} points by {by}" for style, by, points in behind if points > MOST_LOST]
    if beyond:
        sys.exit(f"{'; '.join(beyond)}; at most {MOST_LOST} are allowed")


if __name__ == "__main__":
    main()
