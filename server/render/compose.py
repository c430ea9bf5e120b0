"""From a design and a symbol to a drawing: what lies where, in pixels, for all formats alike.

From below: the ground, the frame, the photo, what keeps light modules apart from a photo, the modules, the eyes, the
clear zone and the logo.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, cos, floor, hypot, radians, sin
from typing import NamedTuple

import fastcore
from fastcore import shape
from fastcore.drawing import Drawing, Fill, Layer, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles
from fastcore.path import Path
from server.domain import colour
from server.domain.colour import Colour, Gradient
from server.domain.design import Design
from server.domain.errors import InvalidValue
from server.render.frame import surround
from server.render.pictures import Picture

EYE = 7  # modules; around it there is one of light
WHITE = Rgba(*colour.WHITE)

#: How much of its colour a subtle ring has.
SUBTLE = 0.35


@dataclass(frozen=True, slots=True)
class Square:
    """A square of the picture, in pixels."""

    x: float
    y: float
    side: float


class Layout(NamedTuple):
    """Where a symbol lies in a picture, in whole pixels."""

    size: int
    #: Of a module.
    scale: int
    #: Of the first module from the left and from the top.
    x: int
    y: int

    def square(self, column: float, row: float, modules: float) -> Square:
        return Square(self.x + column * self.scale, self.y + row * self.scale, modules * self.scale)


def lay_out(symbol: fastcore.Symbol, design: Design, size_px: int) -> Layout:
    """As many whole pixels for each module as there is room; what is left goes to the margins.

    Raises InvalidValue ("size") where a module gets none.
    """
    _, x, y, side = surround(design.frame, size_px)
    modules = symbol.size + 2 * design.margin
    scale = side // modules
    if scale == 0:
        least = modules if design.frame.style == "none" else -(-size_px * modules // side)
        raise InvalidValue(
            "out_of_range",
            f"This code needs a size of at least {least} pixels: one for each module, with its margin.",
            field="size",
        )
    rest = side - scale * symbol.size
    return Layout(symbol.size, scale, x + rest // 2, y + rest // 2)


def compose(
    symbol: fastcore.Symbol, design: Design, size_px: int, *, logo: Picture | None = None, photo: Picture | None = None
) -> Drawing:
    """The drawing of a symbol. The pictures are those that the design names, decoded."""
    layout = lay_out(symbol, design, size_px)
    framed, x, y, side = surround(design.frame, size_px)
    ground = _paint(design.background.color, Square(0, 0, size_px))
    zone = clear_zone(layout, design, logo)
    skipped = _skipped(layout, zone)
    layers: list[Layer] = [*framed]
    if photo is not None:
        layers.append(_covering(photo, Square(x, y, side), design.background.opacity))
        if design.modules.shape == "halftone":
            layers += _light(symbol, layout, skipped, ground or WHITE)
    paint = _paint(design.modules.color, layout.square(0, 0, symbol.size))
    if paint is not None:
        layers.append(_modules(symbol, layout, design.modules.shape, skipped, paint))
    layers += _eyes(layout, design)
    if zone is not None:
        if zone.clear and photo is not None and ground is not None:
            layers.append(Fill(zone.path(layout), ground))
        assert logo is not None, "without a logo there is no zone"
        layers.append(_logo(logo, design, zone, layout))
    return Drawing(size_px, size_px, ground, tuple(layers))


def behind(design: Design, side: int, photo: Picture) -> Drawing:
    """What modules lie on: the background with a photo above it, `side` pixels wide."""
    whole = Square(0, 0, side)
    return Drawing(
        side, side, _paint(design.background.color, whole), (_covering(photo, whole, design.background.opacity),)
    )


# --- paints ---


def _rgba(given: Colour) -> Rgba:
    return Rgba(*given)


def _paint(given: colour.Paint, on: Square) -> Paint | None:
    """A colour, or a gradient that reaches its ends in the corners of a square; None for one that is not seen."""
    if isinstance(given, Colour):
        return _rgba(given) if given.alpha else None
    stops = tuple(Stop(stop.offset, _rgba(stop.color)) for stop in given.stops)
    x, y, half = on.x + on.side / 2, on.y + on.side / 2, on.side / 2
    if given.type == "radial":
        return Radial(x, y, hypot(half, half), stops)
    dx, dy = cos(radians(given.angle)), sin(radians(given.angle))
    reach = half * (abs(dx) + abs(dy))
    return Linear(x - dx * reach, y - dy * reach, x + dx * reach, y + dy * reach, stops)


def _faint(paint: Paint, part: float) -> Paint:
    if isinstance(paint, Rgba):
        return paint._replace(alpha=round(paint.alpha * part))
    stops = tuple(
        Stop(stop.offset, stop.colour._replace(alpha=round(stop.colour.alpha * part))) for stop in paint.stops
    )
    if isinstance(paint, Linear):
        return Linear(paint.x0, paint.y0, paint.x1, paint.y1, stops)
    return Radial(paint.x, paint.y, paint.radius, stops)


# --- modules and eyes ---


def eyes_of(size: int) -> tuple[tuple[int, int], ...]:
    """The columns and rows where the eyes of a symbol begin."""
    return (0, 0), (size - EYE, 0), (0, size - EYE)


def _skipped(layout: Layout, zone: "Zone | None") -> bytes:
    """Which modules are not drawn as such: the eyes, and what lies in the clear zone."""
    size = layout.size
    skipped = bytearray(size * size)
    for column, row in eyes_of(size):
        for at in range(row, row + EYE):
            skipped[at * size + column : at * size + column + EYE] = b"\1" * EYE
    if zone is not None:
        for column, row in zone.modules(size):
            skipped[row * size + column] = 1
    return bytes(skipped)


def _modules(symbol: fastcore.Symbol, layout: Layout, name: str, skipped: bytes, paint: Paint) -> Tiles:
    tiles = _tiles(symbol, layout, shape.variants(shape.MODULES[name]), skipped, paint)
    if name not in shape.ALIGNMENTS or not symbol.alignments:
        return tiles
    # Alignment patterns by themselves, as if around them all were light.
    ring = shape.variants(shape.ALIGNMENTS[name])
    others = bytearray(b"\1" * len(skipped))
    for at in _aligned(symbol):
        others[at] = skipped[at]
    inside = fastcore.places(symbol, ring.table, bytes(others))
    merged = bytearray(tiles.places)
    for at in _aligned(symbol):
        merged[at] = inside[at] and inside[at] + len(tiles.paths)
    return replace(tiles, places=bytes(merged), paths=(*tiles.paths, *ring.paths))


def _aligned(symbol: fastcore.Symbol) -> Iterator[int]:
    """The modules of the alignment patterns, by their place."""
    for column, row in symbol.alignments:
        for at in range(row - 2, row + 3):
            start = at * symbol.size + column - 2
            yield from range(start, start + 5)


def _tiles(symbol: fastcore.Symbol, layout: Layout, variants: shape.Variants, skipped: bytes, paint: Paint) -> Tiles:
    places = fastcore.places(symbol, variants.table, skipped)
    return Tiles(symbol.size, places, variants.paths, layout.x, layout.y, layout.scale, paint)


def _eyes(layout: Layout, design: Design) -> Iterator[Layer]:
    eyes = design.eyes
    squares = [layout.square(column, row, EYE) for column, row in eyes_of(layout.size)]
    border = shape.EYE_BORDERS[eyes.border.shape]
    center = shape.EYE_CENTERS[eyes.center.shape]
    if eyes.ring != "none":
        for fill in _on_each(squares, layout.scale, shape.eye_ring(eyes.border.shape), design.border_paint):
            yield fill if eyes.ring == "match" else Fill(fill.path, _faint(fill.paint, SUBTLE))
    if design.border_paint == design.center_paint:
        yield from _on_each(squares, layout.scale, border + center, design.border_paint)
    else:
        yield from _on_each(squares, layout.scale, border, design.border_paint)
        yield from _on_each(squares, layout.scale, center, design.center_paint)


def _on_each(squares: list[Square], scale: int, outline: Path, given: colour.Paint) -> Iterator[Fill]:
    """The outline on each square: a gradient runs over each of them, one colour fills all of them at once."""
    placed = [outline.transformed(scale, 0, 0, scale, square.x, square.y) for square in squares]
    if isinstance(given, Gradient):
        for path, square in zip(placed, squares, strict=True):
            paint = _paint(given, square)
            assert paint is not None
            yield Fill(path, paint)
    elif given.alpha:
        yield Fill(Path.joined(placed), _rgba(given))


def _light(symbol: fastcore.Symbol, layout: Layout, skipped: bytes, ground: Paint) -> Iterator[Layer]:
    """What keeps a photo from being taken for dark modules: dots in light ones, plain ground for the patterns."""
    yield _tiles(symbol, layout, shape.variants(shape.LIGHT["halftone"]), skipped, ground)
    boxes = []
    patterns = [(column - 1, row - 1, EYE + 2) for column, row in eyes_of(symbol.size)]
    patterns += [(column - 2, row - 2, 5) for column, row in symbol.alignments]
    for column, row, modules in patterns:
        around = layout.square(column, row, modules)
        boxes.append(Path(shape.FULL).transformed(around.side, 0, 0, around.side, around.x, around.y))
    yield Fill(Path.joined(boxes), ground)


# --- pictures ---


@dataclass(frozen=True, slots=True)
class Zone:
    """The clear zone around a logo, in modules from the symbol's corner."""

    left: float
    top: float
    right: float
    bottom: float
    #: Of its corners.
    radius: float
    #: Whether modules are left out at all.
    clear: bool
    #: How much of it, on each side, is not logo.
    padding: float

    def path(self, layout: Layout) -> Path:
        radius = self.radius
        outline = shape.box(
            self.left, self.top, self.right - self.left, self.bottom - self.top, (radius, radius, radius, radius)
        )
        return Path(outline).transformed(layout.scale, 0, 0, layout.scale, layout.x, layout.y)

    def modules(self, size: int) -> Iterator[tuple[int, int]]:
        """Column and row of every module that it touches; the eyes and their borders are never touched."""
        if not self.clear:
            return
        inside = 0.02  # of a module, which does not count as touched
        for row in _span(self.top, self.bottom, size):
            for column in _span(self.left, self.right, size):
                # The point of the module that lies deepest in the zone.
                x = min(max((self.left + self.right) / 2, column + inside), column + 1 - inside)
                y = min(max((self.top + self.bottom) / 2, row + inside), row + 1 - inside)
                if self._holds(x, y) and not _in_eyes(size, column, row):
                    yield column, row

    def covered(self, size: int) -> Iterator[tuple[int, int]]:
        """Column and row of every module of which the logo itself hides the middle."""
        low = ceil(self.left + self.padding - 0.5), ceil(self.top + self.padding - 0.5)
        high = floor(self.right - self.padding - 0.5), floor(self.bottom - self.padding - 0.5)
        for row in range(max(0, low[1]), min(size, high[1] + 1)):
            for column in range(max(0, low[0]), min(size, high[0] + 1)):
                yield column, row

    def _holds(self, x: float, y: float) -> bool:
        dx = max(self.left + self.radius - x, x - self.right + self.radius, 0)
        dy = max(self.top + self.radius - y, y - self.bottom + self.radius, 0)
        if self.radius == 0:
            return self.left < x < self.right and self.top < y < self.bottom
        return hypot(dx, dy) < self.radius


def _span(start: float, end: float, size: int) -> range:
    """The whole modules in [start, end], from the one that holds the start to the one that holds the end."""
    return range(max(0, floor(start)), min(size, floor(end) + 1))


def _in_eyes(size: int, column: int, row: int) -> bool:
    reach = EYE + 1
    return (row < reach and (column < reach or column >= size - reach)) or (row >= size - reach and column < reach)


def clear_zone(layout: Layout, design: Design, logo: Picture | None) -> Zone | None:
    """What the design's logo keeps free; None where there is none to be seen."""
    given = design.logo
    if given is None or logo is None or given.ratio == 0:
        return None
    longer = given.ratio * layout.size
    part = longer / max(logo.width, logo.height)
    padding = given.padding if given.clear_zone != "none" else 0.0
    width, height = logo.width * part + 2 * padding, logo.height * part + 2 * padding
    middle = layout.size / 2
    radius = min(width, height) * 0.25 if given.clear_zone == "rounded" else 0.0
    return Zone(
        left=middle - width / 2,
        top=middle - height / 2,
        right=middle + width / 2,
        bottom=middle + height / 2,
        radius=radius,
        clear=given.clear_zone != "none",
        padding=padding,
    )


def _logo(logo: Picture, design: Design, zone: Zone, layout: Layout) -> Photo:
    assert design.logo is not None
    left, top = (
        layout.x + (zone.left + zone.padding) * layout.scale,
        layout.y + (zone.top + zone.padding) * layout.scale,
    )
    width = (zone.right - zone.left - 2 * zone.padding) * layout.scale
    height = (zone.bottom - zone.top - 2 * zone.padding) * layout.scale
    shown = logo.without_dark_backing() if design.logo.neon_alpha else logo
    shown = _shrunk(shown, width, height)
    return Photo(left, top, width, height, shown.rgba, shown.width, shown.height)


def _covering(photo: Picture, on: Square, opacity: float) -> Photo:
    """The middle of a photo, as much of it as fills the square."""
    shown = _shrunk(photo.middle_square(), on.side, on.side)
    return Photo(on.x, on.y, on.side, on.side, shown.rgba, shown.width, shown.height, opacity)


def _shrunk(picture: Picture, width: float, height: float) -> Picture:
    """No more pixels than are shown; where there are fewer, the painter fills in between."""
    if picture.width <= width and picture.height <= height:
        return picture
    return picture.fitted(max(1, round(width)), max(1, round(height)))
