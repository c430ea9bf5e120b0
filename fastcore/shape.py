"""Per style: what modules and eyes look like, each described once for all formats.

A module lies in the square from (0, 0) to (1, 1), an eye (finder pattern) in that from (0, 0) to (7, 7). How a module
looks may depend on the eight modules around it, so that they join.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import cos, pi, sin
from typing import NamedTuple

from fastcore.path import Path

# The modules around one, as bits: those that touch its sides clockwise from the top, then those at its corners
# clockwise from the top right.
N, E, S, W, NE, SE, SW, NW = (1 << bit for bit in range(8))

#: Radii: top left, top right, bottom right, bottom left.
Corners = tuple[float, float, float, float]

FULL = "M0 0H1V1H0Z"

Module = Callable[[bool, int], str]


class Variants(NamedTuple):
    """All that a module of one shape can look like."""

    #: For each neighbourhood, and 256 on for dark modules: 0 for nothing, else one more than the index of its path.
    table: bytes
    paths: tuple[Path, ...]


# --- building outlines ---


def box(x: float, y: float, width: float, height: float, radii: Corners) -> str:
    """A rectangle with rounded corners."""
    tl, tr, br, bl = radii
    return (
        f"M{x + tl} {y}H{x + width - tr}{_corner(tr, tr, tr)}V{y + height - br}{_corner(br, -br, br)}"
        f"H{x + bl}{_corner(bl, -bl, -bl)}V{y + tl}{_corner(tl, tl, -tl)}Z"
    )


def hole(x: float, y: float, width: float, height: float, radii: Corners) -> str:
    """The same the other way round."""
    tl, tr, br, bl = radii
    return (
        f"M{x + tl} {y}{_corner(tl, -tl, tl, 0)}V{y + height - bl}{_corner(bl, bl, bl, 0)}"
        f"H{x + width - br}{_corner(br, br, -br, 0)}V{y + tr}{_corner(tr, -tr, -tr, 0)}Z"
    )


def _corner(radius: float, dx: float, dy: float, sweep: int = 1) -> str:
    return f"a{radius} {radius} 0 0 {sweep} {dx} {dy}" if radius else ""


def polygon(x: float, y: float, radii: tuple[float, ...], count: int) -> str:
    """`count` times as many corners as there are radii, evenly around a point, the first one at the top."""
    corners = [
        (x + radius * sin(2 * pi * step / steps), y - radius * cos(2 * pi * step / steps))
        for steps in [count * len(radii)]
        for step, radius in enumerate(radii * count)
    ]
    return "M" + "L".join(f"{cx:.6f} {cy:.6f}" for cx, cy in corners) + "Z"


def rounding(x: float, y: float, reach: float, fullness: float) -> str:
    """Four curves around a point: from a diamond (fullness 0) by a circle (0.55) towards a square (1).

    A negative reach goes the other way round, for a hole.
    """
    across, bend = abs(reach), fullness * abs(reach)
    side, side_bend = reach, fullness * reach
    return (
        f"M{x} {y - across}C{x + side_bend} {y - across} {x + side} {y - bend} {x + side} {y}"
        f"C{x + side} {y + bend} {x + side_bend} {y + across} {x} {y + across}"
        f"C{x - side_bend} {y + across} {x - side} {y + bend} {x - side} {y}"
        f"C{x - side} {y - bend} {x - side_bend} {y - across} {x} {y - across}Z"
    )


def _same(radius: float) -> Corners:
    return (radius, radius, radius, radius)


# --- modules ---

#: The largest corner: where a module is two pixels wide, the pixel in this corner is still more dark than light.
MOST = 0.75


def _always(outline: str) -> Module:
    return lambda dark, near: outline if dark else ""


def _open_corners(near: int) -> tuple[bool, bool, bool, bool]:
    """Which corners (top left, top right, bottom right, bottom left) have no dark module beside them."""
    return (not near & (N | W), not near & (N | E), not near & (S | E), not near & (S | W))


def _rounded(dark: bool, near: int) -> str:
    return box(0, 0, 1, 1, _radii(near, 0.5)) if dark else ""


def _radii(near: int, radius: float) -> Corners:
    tl, tr, br, bl = _open_corners(near)
    return (radius * tl, radius * tr, radius * br, radius * bl)


def _extra_rounded(dark: bool, near: int) -> str:
    """The corner that two neighbours leave open takes most of the module."""
    turns = near & 15 in (N | E, E | S, S | W, W | N)
    return box(0, 0, 1, 1, _radii(near, MOST if turns else 0.5)) if dark else ""


def _classy(radius: float) -> Module:
    """Only the corners of one diagonal are ever round."""

    def module(dark: bool, near: int) -> str:
        tl, _, br, _ = _radii(near, radius if near & 15 else 0.5)
        return box(0, 0, 1, 1, (tl, 0, br, 0)) if dark else ""

    return module


def _liquid(dark: bool, near: int) -> str:
    """Rounded, and what runs together fills the inner corners."""
    if dark:
        return _rounded(dark, near)
    fill = 0.4
    return "".join(
        [
            f"M0 0H{fill}A{fill} {fill} 0 0 0 0 {fill}Z" if near & (N | W | NW) == N | W | NW else "",
            f"M1 0V{fill}A{fill} {fill} 0 0 0 {1 - fill} 0Z" if near & (N | E | NE) == N | E | NE else "",
            f"M1 1H{1 - fill}A{fill} {fill} 0 0 0 1 {1 - fill}Z" if near & (S | E | SE) == S | E | SE else "",
            f"M0 1V{1 - fill}A{fill} {fill} 0 0 0 {fill} 1Z" if near & (S | W | SW) == S | W | SW else "",
        ]
    )


def _connected_h(dark: bool, near: int) -> str:
    left, right = (0 if near & W else 0.4), (0 if near & E else 0.4)
    return box(0, 0.1, 1, 0.8, (left, right, right, left)) if dark else ""


def _connected_v(dark: bool, near: int) -> str:
    top, bottom = (0 if near & N else 0.4), (0 if near & S else 0.4)
    return box(0.1, 0, 0.8, 1, (top, top, bottom, bottom)) if dark else ""


def _framed() -> str:
    """A square in a frame. The gap between them is left out where it would cross the middle of a side: as edges in the
    middle of modules, readers count it along the timing pattern, and take the symbol to be larger than it is.
    """
    near, far, end = 0.14, 0.2, 0.4
    gap = [(near, near), (near, end), (far, end), (far, far), (end, far), (end, near)]
    gaps = [
        gap,
        [(1 - x, y) for x, y in reversed(gap)],
        [(1 - x, 1 - y) for x, y in gap],
        [(x, 1 - y) for x, y in reversed(gap)],
    ]
    return FULL + "".join("M" + "L".join(f"{x} {y}" for x, y in corner) + "Z" for corner in gaps)


def _dot(radius: float) -> str:
    return box(0.5 - radius, 0.5 - radius, 2 * radius, 2 * radius, _same(radius))


MODULES: dict[str, Module] = {
    "square": _always(FULL),
    "rounded": _rounded,
    "extra-rounded": _extra_rounded,
    "dot": _always(_dot(0.45)),
    "dots": _always(_dot(0.5)),
    "classy": _classy(0.5),
    "classy-rounded": _classy(MOST),
    # Its tips are cut where they touch those beside it.
    "diamond": _always("M.36 0H.64L1 .36V.64L.64 1H.36L0 .64V.36Z"),
    "liquid": _liquid,
    "connected-h": _connected_h,
    "connected-v": _connected_v,
    "hexagon": _always("M.5 0L1 .25V.75L.5 1L0 .75V.25Z"),
    "star": _always(polygon(0.5, 0.53, (0.55, 0.38), 5)),
    "halftone": _always(_dot(0.42)),
    "frame": _always(_framed()),
}

#: The modules of alignment patterns, for shapes that do not join: a reader finds these patterns by their unbroken ring,
#: and where it does not, it misses the symbol whenever that is turned or tilted.
ALIGNMENTS: dict[str, Module] = {
    **dict.fromkeys(("dot", "dots", "halftone"), _rounded),
    **dict.fromkeys(("diamond", "hexagon", "star", "frame", "connected-h", "connected-v"), _always(FULL)),
}

#: What stands for a light module where it must be told from a photo below it.
LIGHT: dict[str, Module] = {
    "halftone": lambda dark, near: "" if dark else _dot(0.42),
    "square": lambda dark, near: "" if dark else FULL,
}


@cache
def variants(module: Module) -> Variants:
    """All that a module of this shape can look like."""
    table = bytearray()
    numbers: dict[str, int] = {"": 0}
    for dark in (False, True):
        for near in range(256):
            table.append(numbers.setdefault(module(dark, near), len(numbers)))
    return Variants(bytes(table), tuple(Path(outline) for outline in numbers if outline))


# --- eyes ---


#: Radii of a border's outer corners, and of its inner ones.
BORDERS: dict[str, tuple[Corners, Corners]] = {
    "square": (_same(0), _same(0)),
    "rounded": (_same(1.5), _same(0.75)),
    "extra-rounded": (_same(2.5), _same(1.3)),
    "leaf-tl": ((0, 1.6, 1.6, 1.6), (0, 0.8, 0.8, 0.8)),
    "leaf-tr": ((1.6, 0, 1.6, 1.6), (0.8, 0, 0.8, 0.8)),
    "leaf-br": ((1.6, 1.6, 0, 1.6), (0.8, 0.8, 0, 0.8)),
    "leaf-bl": ((1.6, 1.6, 1.6, 0), (0.8, 0.8, 0.8, 0)),
}

EYE_BORDERS: dict[str, Path] = {
    **{name: Path(box(0, 0, 7, 7, outer) + hole(1, 1, 5, 5, inner)) for name, (outer, inner) in BORDERS.items()},
    # Readers look for four corners to see how a symbol is turned and tilted, and take any points of a true circle for
    # them: these are superellipses, of exponents 3 and 4. zbar takes the middle of the dark line for three modules away
    # from the centre, also in the corners when the symbol is turned, so there the hole reaches far out.
    "circle": Path(rounding(3.5, 3.5, 3.5, 0.78) + rounding(3.5, 3.5, -2.5, 0.93)),
    # With its corners cut, like the mitred ones of a picture frame.
    "frame": Path("M.8 0H6.2L7 .8V6.2L6.2 7H.8L0 6.2V.8ZM1.4 1L1 1.4V5.6L1.4 6H5.6L6 5.6V1.4L5.6 1Z"),
}


def _disc(radius: float) -> str:
    return box(3.5 - radius, 3.5 - radius, 2 * radius, 2 * radius, _same(radius))


EYE_CENTERS: dict[str, Path] = {
    "square": Path(box(2, 2, 3, 3, _same(0))),
    "rounded": Path(box(2, 2, 3, 3, _same(0.8))),
    # As wide as three modules on the average: readers look for it in other rows than the middle one too, and when it is
    # turned. A star of five points is wide in few of them, one of eight in most, whichever side is up.
    "circle": Path(_disc(1.8)),
    "leaf-tl": Path(box(2, 2, 3, 3, (0, 1.3, 1.3, 1.3))),
    "sunburst": Path(polygon(3.5, 3.5, (1.95, 1.55), 12)),
    "star": Path(polygon(3.5, 3.5, (2.0, 1.53), 8)),
    "diamond": Path(rounding(3.5, 3.5, 1.85, 0.35)),
    "cross": Path("M2.45 1.8H4.55V2.45H5.2V4.55H4.55V5.2H2.45V4.55H1.8V2.45H2.45Z"),
    "dot": Path(_disc(1.65)),
}


def eye_ring(border: str) -> Path:
    """A thin ring around an eye's border, within the light modules that part it from the others."""
    if border == "circle":
        return Path(rounding(3.5, 3.5, 4.2, 0.76) + rounding(3.5, 3.5, -3.95, 0.76))
    outer, _ = BORDERS.get(border, BORDERS["rounded"])
    tl, tr, br, bl = (radius + 0.7 if radius else 0 for radius in outer)
    inside = (max(0, tl - 0.25), max(0, tr - 0.25), max(0, br - 0.25), max(0, bl - 0.25))
    return Path(box(-0.7, -0.7, 8.4, 8.4, (tl, tr, br, bl)) + hole(-0.45, -0.45, 7.9, 7.9, inside))
