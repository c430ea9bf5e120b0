"""Colours and gradients: what a design paints with."""

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self, TypeAlias

from server.domain.errors import InvalidValue

NAMES = {"black": "#000000", "white": "#ffffff", "transparent": "#00000000"}
HEX = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6}|[0-9a-f]{8})")

MAX_STOPS = 16


class Colour(NamedTuple):
    """A colour in sRGB, each part in [0, 255]; alpha 0 is transparent, 255 opaque."""

    red: int
    green: int
    blue: int
    alpha: int = 255

    @classmethod
    def of(cls, text: str) -> Self:
        """From black, white, transparent, #RGB, #RRGGBB or #RRGGBBAA."""
        code = NAMES.get(text.lower(), text.lower())
        if not HEX.fullmatch(code):
            raise InvalidValue(
                "invalid_color",
                f"A colour is black, white, transparent, #RGB, #RRGGBB or #RRGGBBAA, not {text[:40]!r}.",
            )
        digits = code[1:] if len(code) > 4 else "".join(2 * digit for digit in code[1:])
        return cls(*bytes.fromhex(digits))

    def __str__(self) -> str:
        """Written in one way only: #rrggbb, or #rrggbbaa where it is not opaque."""
        return "#" + bytes(self[: 3 if self.alpha == 255 else 4]).hex()

    def over(self, ground: "Colour") -> "Colour":
        """What is seen where this colour lies above an opaque one."""
        part = self.alpha / 255
        red, green, blue = (
            round(above * part + below * (1 - part)) for above, below in zip(self[:3], ground[:3], strict=True)
        )
        return Colour(red, green, blue)

    @property
    def luminance(self) -> float:
        """Relative luminance in [0, 1], alpha apart (WCAG 2.2, relative luminance)."""
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in (self.red / 255, self.green / 255, self.blue / 255)
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue


BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)
TRANSPARENT = Colour(0, 0, 0, 0)


def contrast(one: Colour, other: Colour) -> float:
    """How far two opaque colours are apart, 1 to 21 (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted([one.luminance, other.luminance])
    return (lighter + 0.05) / (darker + 0.05)


class Stop(NamedTuple):
    #: From 0, where the gradient begins, to 1, where it ends.
    offset: float
    color: Colour


@dataclass(frozen=True, slots=True, kw_only=True)
class Gradient:
    """From colour to colour: along a line across the whole of what is painted, or from its middle outwards."""

    type: Literal["linear", "radial"]
    #: Of a line, in degrees clockwise: 0 goes from left to right, 90 from top to bottom.
    angle: float = 0.0
    stops: tuple[Stop, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.stops) <= MAX_STOPS:
            raise InvalidValue(
                "out_of_range", f"A gradient has 2 to {MAX_STOPS} stops, not {len(self.stops)}.", field="stops"
            )
        offsets = [stop.offset for stop in self.stops]
        if not all(0 <= offset <= 1 for offset in offsets) or offsets != sorted(offsets):
            raise InvalidValue("out_of_range", "The offsets of stops go from 0 to 1 and never back.", field="stops")

    def at(self, offset: float) -> Colour:
        """The colour at an offset in [0, 1]."""
        before = self.stops[0]
        for stop in self.stops:
            if offset <= stop.offset:
                span = stop.offset - before.offset
                part = (offset - before.offset) / span if span else 1.0
                mixed = [round(low + (high - low) * part) for low, high in zip(before.color, stop.color, strict=True)]
                return Colour(*mixed) if offset > before.offset else before.color
            before = stop
        return before.color


Paint: TypeAlias = Colour | Gradient


def first_colour(paint: Paint) -> Colour:
    """For who knows no gradients."""
    return paint if isinstance(paint, Colour) else paint.stops[0].color


def colours_of(paint: Paint) -> list[Colour]:
    """Every colour that a paint takes, closely enough to find its lightest and its darkest one."""
    if isinstance(paint, Colour):
        return [paint]
    # Between two stops luminance may have its extreme inside, as each of the three parts goes its own way.
    return [paint.at(step / 64) for step in range(65)] + [stop.color for stop in paint.stops]
