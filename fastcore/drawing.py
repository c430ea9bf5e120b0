"""What a picture is made of, for all formats alike: a drawing is a ground and layers above it, in pixels.

Colours are (red, green, blue, alpha) with each in [0, 255], alpha not yet multiplied in. x goes right, y goes down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from fastcore.path import Path


class Rgba(NamedTuple):
    red: int
    green: int
    blue: int
    alpha: int = 255


class Stop(NamedTuple):
    #: In [0, 1], not before the stop before it.
    offset: float
    colour: Rgba


@dataclass(frozen=True, slots=True)
class Linear:
    """A gradient from one point to another, at least two stops; beyond them the colours of the ends go on."""

    x0: float
    y0: float
    x1: float
    y1: float
    stops: tuple[Stop, ...]


@dataclass(frozen=True, slots=True)
class Radial:
    """A gradient around a point; beyond the radius the last colour goes on."""

    x: float
    y: float
    radius: float
    stops: tuple[Stop, ...]


Paint: TypeAlias = Rgba | Linear | Radial


@dataclass(frozen=True, slots=True)
class Fill:
    """An outline, filled by the non-zero winding rule."""

    path: Path
    paint: Paint


@dataclass(frozen=True, slots=True)
class Tiles:
    """Many small outlines on a grid of squares, of which most are the same: the modules of a symbol.

    Each lies within its square, from (0, 0) to (1, 1), so that it can be drawn once and copied.
    """

    #: Columns and rows.
    size: int
    #: size * size places row by row: 0 for nothing, else one more than the index of a path.
    places: bytes
    paths: tuple[Path, ...]
    #: The top left corner, and the side of a square: whole pixels.
    x: int
    y: int
    scale: int
    paint: Paint


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of pixels, stretched over a rectangle."""

    x: float
    y: float
    width: float
    height: float
    #: rows * columns pixels, red, green, blue and alpha in turns.
    pixels: bytes
    columns: int
    rows: int
    #: In [0, 1], beside each pixel's own alpha.
    opacity: float = 1.0


Layer: TypeAlias = Fill | Tiles | Photo


@dataclass(frozen=True, slots=True)
class Drawing:
    width: int
    height: int
    #: What is below all layers; None is transparent.
    ground: Paint | None
    #: From the lowest to the highest.
    layers: tuple[Layer, ...]
