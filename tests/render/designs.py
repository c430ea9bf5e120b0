"""Designs to draw: their shapes, their looks and pictures for them, each by a name that a failing test can show."""

from __future__ import annotations

import hashlib
from typing import get_args

import cv2
import numpy as np

from server.domain.colour import BLACK, TRANSPARENT, WHITE, Colour, Gradient, Paint, Stop
from server.domain.design import Background, BorderShape, CenterShape, Logo, ModuleShape, Picture
from tests.fastcore.viewers import Pixels

MODULES: tuple[ModuleShape, ...] = get_args(ModuleShape)
BORDERS: tuple[BorderShape, ...] = get_args(BorderShape)
CENTERS: tuple[CenterShape, ...] = get_args(CenterShape)

#: Of versions 2, 8 and 20 at level M.
TEXTS = {2: "https://example.com/menu", 8: "https://example.com/" + "w" * 120, 20: "https://example.com/" + "m" * 620}


def picture_of(pixels: Pixels) -> Picture:
    """As a design names it once its bytes are here. Blue, green, red (and alpha), as OpenCV has them."""
    data = cv2.imencode(".png", pixels)[1].tobytes()
    return Picture(sha256=hashlib.sha256(data).hexdigest(), data=data)


def landscape() -> Picture:
    """A sky over dark hills."""
    y, x = np.mgrid[:240, :320]
    sky = np.dstack([235 - y * 0.2, 160 + y * 0.3, 120 + y * 0.5])
    hills = np.dstack([40 + x * 0.1, 90 - x * 0.1, 30 + x * 0.1])
    under = (y > 150 + 30 * np.sin(x / 40))[:, :, None]
    return picture_of(np.where(under, hills, sky).astype(np.uint8))


def neon() -> Picture:
    """A bright ring on black."""
    y, x = np.mgrid[:120, :120]
    glow = np.exp(-(((np.hypot(x - 60, y - 60) - 38) / 7) ** 2))
    return picture_of((glow[:, :, None] * np.array([255, 80, 230])).astype(np.uint8))


def badge(colour: tuple[int, int, int] = (60, 40, 200)) -> Picture:
    """An opaque square with a disc."""
    y, x = np.mgrid[:100, :100]
    disc = (np.hypot(x - 50, y - 50) < 34)[:, :, None]
    return picture_of(np.where(disc, (255, 255, 255), colour).astype(np.uint8))


def gradient(kind: str, *colours: str, angle: float = 0) -> Gradient:
    """Its stops evenly spread."""
    last = len(colours) - 1
    stops = tuple(Stop(index / last, Colour.of(each)) for index, each in enumerate(colours))
    return Gradient(type="radial" if kind == "radial" else "linear", angle=angle, stops=stops)


NAVY = Colour.of("#0d0820")

#: Name -> colour of the modules, of the eyes' borders and centres (None: as before), and the background.
LOOKS: dict[str, tuple[Paint, Paint | None, Paint | None, Background]] = {
    "plain": (BLACK, None, None, Background()),
    "linear": (gradient("linear", "#1a237e", "#7b1fa2", "#880e4f", angle=45), None, None, Background()),
    "radial": (gradient("radial", "#b71c1c", "#1a237e"), None, None, Background()),
    "own-eyes": (Colour.of("#00332e"), Colour.of("#6a1b9a"), gradient("radial", "#b71c1c", "#4a148c"), Background()),
    "alpha": (Colour.of("#000000d0"), None, Colour.of("#0000a0c0"), Background(color=Colour.of("#fff8e1"))),
    "inverted": (WHITE, None, Colour.of("#ffe082"), Background(color=NAVY)),
    "tinted": (NAVY, None, None, Background(color=gradient("linear", "#ffffff", "#c5e1ff", angle=90))),
    "transparent": (NAVY, None, None, Background(color=TRANSPARENT)),
    "white-on-nothing": (WHITE, None, None, Background(color=TRANSPARENT)),
    "photo": (BLACK, None, None, Background(image=landscape(), opacity=0.4)),
}

LOGOS: dict[str, Logo | None] = {
    "none": None,
    "badge": Logo(image=badge(), ratio=0.2),
    "neon": Logo(image=neon(), ratio=0.18, clear_zone="square", padding=0, neon_alpha=True),
}
