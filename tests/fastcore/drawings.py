"""Drawings with all that a drawing may have, each of a symbol that says TEXT."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import fastcore
from fastcore.drawing import Drawing, Fill, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles
from fastcore.path import Path

TEXT = "https://example.com/vector"
SIDE = 1200

SQUARE = Path("M0 0H1V1H0Z")
ROUNDED = Path("M.3 0H.7A.3 .3 0 0 1 1 .3V.7A.3 .3 0 0 1 .7 1H.3A.3 .3 0 0 1 0 .7V.3A.3 .3 0 0 1 .3 0Z")
DIAMOND = Path("M.5 .02L.98 .5L.5 .98L.02 .5Z")
EYE = Path("M0 0H7V7H0ZM1 1V6H6V1ZM2 2H5V5H2Z")
WHOLE = Path(f"M0 0H{SIDE}V{SIDE}H0Z")

BLACK, WHITE = Rgba(0, 0, 0), Rgba(255, 255, 255)
TILTED = Linear(
    150, 100, 1050, 900, (Stop(0, Rgba(160, 0, 80)), Stop(0.4, Rgba(0, 60, 160)), Stop(1, Rgba(90, 0, 140)))
)
STEPPED = Linear(
    400, 0, 800, 0, (Stop(0, BLACK), Stop(0, Rgba(120, 0, 0)), Stop(0.5, Rgba(0, 90, 0)), Stop(0.5, Rgba(0, 0, 90)),
    Stop(1, Rgba(0, 0, 180)), Stop(1, Rgba(90, 60, 0)))
)  # fmt: skip
ROUND = Radial(600, 600, 500, (Stop(0.2, Rgba(160, 0, 80)), Stop(1, Rgba(20, 20, 140))))
DISC = Radial(600, 600, 300, (Stop(0, Rgba(160, 0, 80)), Stop(1, Rgba(20, 20, 140)), Stop(1, Rgba(0, 90, 0))))
FADE = Linear(0, 0, 1200, 300, (Stop(0, Rgba(255, 220, 0, 0)), Stop(1, Rgba(255, 160, 0, 255))))
GLOW = Radial(600, 600, 700, (Stop(0, Rgba(255, 240, 200)), Stop(1, Rgba(160, 220, 255))))


def code(path: Path, paint: Paint, eyes: Paint | None = None) -> tuple[Tiles | Fill, ...]:
    """A symbol of 36 px a module, its eyes as outlines of their own."""
    symbol = fastcore.encode(TEXT, version=2, level="L")
    size = symbol.size
    places = np.frombuffer(symbol.modules, np.uint8).reshape(size, size).copy()
    corners = [(0, 0), (0, size - 7), (size - 7, 0)]
    for row, column in corners:
        places[row : row + 7, column : column + 7] = 0
    outline = Path.joined(EYE.moved(column, row).scaled(36).moved(150, 150) for row, column in corners)
    return Tiles(size, places.tobytes(), (path,), 150, 150, 36, paint), Fill(outline, eyes or paint)


def _mixed(tiles: Tiles | Fill, eyes: Tiles | Fill) -> tuple[Tiles | Fill, ...]:
    """With every third row of modules rounded, and some of those in others."""
    assert isinstance(tiles, Tiles)
    places = bytes([place and 1 + (at // tiles.size % 3 == 0 or at % 5 == 0) for at, place in enumerate(tiles.places)])
    return replace(tiles, places=places, paths=(SQUARE, ROUNDED)), eyes


def photo(opacity: float = 1.0) -> Photo:
    """A disc of soft colours, of which the rest is transparent, in the middle."""
    y, x = np.mgrid[:128, :128]
    alpha = np.where((x - 64) ** 2 + (y - 64) ** 2 < 60**2, 255, 0)
    pixels = np.dstack([x * 2, y * 2, np.full_like(x, 128), alpha]).astype(np.uint8)
    return Photo(530, 530.5, 140, 139, pixels.tobytes(), 128, 128, opacity)


DRAWINGS: dict[str, Drawing] = {
    "squares": Drawing(SIDE, SIDE, WHITE, code(SQUARE, BLACK)),
    "rounded": Drawing(SIDE, SIDE, WHITE, code(ROUNDED, Rgba(20, 40, 120), Rgba(120, 0, 40))),
    "squares among others": Drawing(SIDE, SIDE, WHITE, _mixed(*code(SQUARE, BLACK))),
    "transparent ground": Drawing(SIDE, SIDE, None, code(ROUNDED, Rgba(90, 0, 0))),
    "linear": Drawing(SIDE, SIDE, WHITE, code(ROUNDED, TILTED)),
    "steps": Drawing(SIDE, SIDE, WHITE, code(ROUNDED, STEPPED)),
    "radial": Drawing(SIDE, SIDE, Rgba(250, 240, 200), code(DIAMOND, ROUND)),
    "radial step": Drawing(SIDE, SIDE, WHITE, code(ROUNDED, DISC)),
    "ground of a gradient": Drawing(SIDE, SIDE, GLOW, code(ROUNDED, BLACK)),
    "alpha": Drawing(SIDE, SIDE, Rgba(255, 250, 220), code(ROUNDED, Rgba(0, 0, 90, 200))),
    "alpha of a gradient": Drawing(SIDE, SIDE, WHITE, (Fill(WHOLE, FADE), *code(ROUNDED, BLACK))),
    "photo": Drawing(SIDE, SIDE, WHITE, (*code(ROUNDED, BLACK), photo())),
    "pale photo": Drawing(SIDE, SIDE, Rgba(220, 240, 255), (photo(0.3), *code(ROUNDED, BLACK))),
}

_PLACES = bytes([1 if (row + column) % 3 else 2 for row in range(15) for column in range(15)])
#: Black all over: of full squares alone, and of those beside another shape that reaches all edges.
TOUCHING = [
    Drawing(150, 150, WHITE, (Tiles(15, bytes([1] * 225), (SQUARE,), 0, 0, 10, BLACK),)),
    Drawing(150, 150, WHITE, (Tiles(15, _PLACES, (SQUARE, Path("M0 0H1V1H.5H0Z")), 0, 0, 10, BLACK),)),
]
