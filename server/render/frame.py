"""Frames: what is drawn around a symbol, and the room that it leaves.

A frame stays within the picture and off the room for the symbol, so that the ground is seen there, whatever it is:
the order of its layers and the symbol's does not matter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor
from typing import NamedTuple

from fastcore.drawing import Fill, Rgba
from fastcore.path import Path
from server.domain.design import Frame, FrameStyle
from server.render.label import Lettering, lettered
from server.render.ornament import contours, rounded, vines, wave

DEFAULT_LABEL = "SCAN ME"


class Surroundings(NamedTuple):
    layers: tuple[Fill, ...]
    #: The square for the symbol with its quiet zone, in whole pixels.
    x: int
    y: int
    side: int


@dataclass(frozen=True, slots=True)
class _Parts:
    """A frame in a picture from (0, 0) to (1, 1)."""

    #: Outlines in the frame's colour, each with the share of its alpha.
    outlines: list[tuple[Path, float]]
    #: Where the label is: x, y, width and height, which it must not leave.
    plate: tuple[float, float, float, float]
    #: Left, top and side.
    box: tuple[float, float, float]
    #: Of the label, where there is room for it.
    em: float = 0.088


#: Of a label on a plate.
PLATE_EM = 0.058


@lru_cache(maxsize=16)
def surround(frame: Frame, size_px: int) -> Surroundings:
    """What is drawn of a frame in a square picture, and where the symbol goes.

    `scan-me-top` and `scan-me-bottom` say "SCAN ME" unless another label is given; the others have a label only if one
    is given, and then may leave less room. Without a frame (`none`) there is nothing to write a label on: it is left
    out. Raises InvalidValue ("frame/label") for a label that the font cannot write.
    """
    if frame.style == "none":
        return Surroundings((), 0, 0, size_px)
    label = frame.label
    if label is None and frame.style.startswith("scan-me"):
        label = DEFAULT_LABEL
    lettering = None if label is None else lettered(label)
    parts = BUILDERS[frame.style](lettering)
    colour = Rgba(*frame.color)
    layers = [
        Fill(path.scaled(size_px), colour._replace(alpha=round(share * colour.alpha))) for path, share in parts.outlines
    ]
    if lettering:
        path = lettering.fitted(*parts.plate, parts.em).scaled(size_px)
        layers.append(Fill(path, Rgba(*frame.label_paint)))
    x, y, side = parts.box
    left, top = ceil(x * size_px), ceil(y * size_px)
    right, bottom = floor((x + side) * size_px), floor((y + side) * size_px)
    return Surroundings(tuple(layers), left, top, min(right - left, bottom - top))


# --- the styles ---


def _rounded(lettering: Lettering | None) -> _Parts:
    """A border; the label on a plate upon its lower side."""
    if lettering is None:
        ring = rounded(0, 0, 1, 1, 0.11) + rounded(0.03, 0.03, 0.94, 0.94, 0.08, hole=True)
        return _Parts([(ring, 1)], NOWHERE, (0.055, 0.055, 0.89))
    plate = _plate(lettering, 0.932, 0.1)
    ring = rounded(0.034, 0.018, 0.932, 0.932, 0.1) + rounded(0.062, 0.046, 0.876, 0.876, 0.072, hole=True)
    return _Parts([(ring, 1), (_pill(plate), 1)], plate, (0.0925, 0.062, 0.815), PLATE_EM)


def _scan_me_bottom(_lettering: Lettering | None) -> _Parts:
    """A body of 0.88 of the width, with a panel left out and a banner below it."""
    body = rounded(0.06, 0, 0.88, 1, 0.09) + rounded(0.088, 0.028, 0.824, 0.824, 0.062, hole=True)
    return _Parts([(body, 1)], (0.11, 0.868, 0.78, 0.116), (0.108, 0.048, 0.784))


def _scan_me_top(_lettering: Lettering | None) -> _Parts:
    """The same, the other way up."""
    body = rounded(0.06, 0, 0.88, 1, 0.09) + rounded(0.088, 0.148, 0.824, 0.824, 0.062, hole=True)
    return _Parts([(body, 1)], (0.11, 0.016, 0.78, 0.116), (0.108, 0.168, 0.784))


def _wave(lettering: Lettering | None) -> _Parts:
    """Waves along the lower side, three behind each other; the label in the front one."""
    radius = 0.075
    ring = rounded(0, 0, 1, 1, radius) + rounded(0.014, 0.014, 0.972, 0.972, radius - 0.014, hole=True)
    deep = 0.15 if lettering else 0.075
    back = wave(deep + 0.05, 0.02, 0.62, 1.5, radius=radius)
    middle = wave(deep + 0.026, 0.018, 0.3, 1.5, radius=radius)
    front = wave(deep, 0.012, 0.0, 1.5, radius=radius)
    side = 1 - deep - 0.07 - 0.008 - 0.024  # below the back wave's crests
    return _Parts(
        [(back, 0.3), (middle, 0.55), (front + ring, 1)],
        (0.09, 1 - deep + 0.02, 0.82, deep - 0.032),
        ((1 - side) / 2, 0.024, side),
        0.074,
    )


def _topo(lettering: Lettering | None) -> _Parts:
    """Contour lines as of a map; the label on a plate over them."""
    thin, strong = contours(0.405, 0.4965, 10)
    outlines = [(thin, 0.6), (strong, 1.0)]
    plate = NOWHERE
    if lettering:
        plate = _plate(lettering, 0.945, 0.088)
        outlines.append((_pill(plate), 1.0))
    return _Parts(outlines, plate, (0.115, 0.115, 0.77), PLATE_EM)


def _botanical(lettering: Lettering | None) -> _Parts:
    """Two twigs around the symbol; the label on a plate from which they grow."""
    if lettering is None:
        twigs, leaves = vines(0.436, gap=0.0)
        return _Parts([(leaves, 0.8), (twigs, 1)], NOWHERE, (0.125, 0.125, 0.75))
    plate = _plate(lettering, 0.94, 0.088)
    twigs, leaves = vines(0.436, gap=plate[2] / 2)
    return _Parts([(leaves, 0.8), (twigs, 1), (_pill(plate), 1)], plate, (0.125, 0.125, 0.75), PLATE_EM)


#: Of a plate that there is not.
NOWHERE = (0.0, 0.0, 0.0, 0.0)

BUILDERS: dict[FrameStyle, Callable[[Lettering | None], _Parts]] = {
    "rounded": _rounded,
    "scan-me-top": _scan_me_top,
    "scan-me-bottom": _scan_me_bottom,
    "wave": _wave,
    "topo": _topo,
    "botanical": _botanical,
}


def _plate(lettering: Lettering, middle: float, height: float) -> tuple[float, float, float, float]:
    """Where a label is on a plate, as wide as it needs: at most 0.66."""
    left, _, right, _ = lettering.ink
    width = min(max((right - left) * PLATE_EM, 0.16), 0.66)
    return (0.5 - width / 2, middle - 0.38 * height, width, 0.76 * height)


def _pill(plate: tuple[float, float, float, float]) -> Path:
    x, y, width, height = plate
    whole = height / 0.76
    return rounded(x - 0.04, y - 0.12 * whole, width + 0.08, whole, whole / 2)
