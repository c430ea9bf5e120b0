"""Gradients as PDF and PostScript have them: one dictionary that is valid in both.

A shading (ISO 32000-1, 8.7.4.5; PostScript Language Reference 3, 4.9.3) takes its colours from a function, here one
that is stitched of a straight piece between each two stops (ISO 32000-1, 7.10.4). Each component is interpolated by
itself, alpha not multiplied in, as SVG does it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from fastcore.drawing import Linear, Paint, Radial, Rgba, Stop

#: Pieces shorter than this are steps.
SHORTEST = 2e-5


def number(value: float) -> str:
    """In decimal, to five places, without needless zeros."""
    return f"{round(value, 5) + 0.0:.5f}".rstrip("0").rstrip(".")  # + 0.0: no negative zero


def numbers(values: Iterable[float]) -> str:
    return " ".join(map(number, values))


def components(colour: Rgba) -> str:
    """Red, green and blue, each in [0, 1]."""
    return numbers(component / 255 for component in colour[:3])


def evened(paint: Paint) -> Paint:
    """The paint, as its one colour where it has but one: so has a gradient without extent (SVG 2, 14.2.2)."""
    if isinstance(paint, Rgba):
        return paint
    flat = (paint.x0, paint.y0) == (paint.x1, paint.y1) if isinstance(paint, Linear) else paint.radius <= 0
    return paint.stops[-1].colour if flat or len({stop.colour for stop in paint.stops}) == 1 else paint


def alphas(paint: Paint) -> set[int]:
    return {paint.alpha} if isinstance(paint, Rgba) else {stop.colour.alpha for stop in paint.stops}


def shading(gradient: Linear | Radial, *, of_alpha: bool = False) -> str:
    """The dictionary of its colours or, as greys, of its alpha; an evened one with extent."""
    stops = gradient.stops
    # Where a gradient ends with a step, the colour beyond is in none of its pieces: then its domain is made wider, and
    # has a piece for that. A radial one has nothing before its beginning.
    end = 2 if stops[-1].offset == stops[-2].offset == 1 else 1
    if isinstance(gradient, Linear):
        start = -1 if stops[0].offset == stops[1].offset == 0 else 0
        kind = 2
        dx, dy = gradient.x1 - gradient.x0, gradient.y1 - gradient.y0
        ends = [gradient.x0 + start * dx, gradient.y0 + start * dy, gradient.x0 + end * dx, gradient.y0 + end * dy]
    else:
        start = 0
        kind = 3
        ends = [gradient.x, gradient.y, 0, gradient.x, gradient.y, end * gradient.radius]
    points = [Stop(start, stops[0].colour), *stops, Stop(end, stops[-1].colour)]
    pieces = [(first, second) for first, second in pairwise(points) if second.offset - first.offset > SHORTEST]

    def colour(stop: Stop) -> str:
        return number(stop.colour.alpha / 255) if of_alpha else components(stop.colour)

    return "\n".join(
        [
            f"<</ShadingType {kind} /ColorSpace /{'DeviceGray' if of_alpha else 'DeviceRGB'}",
            f"/Coords [{numbers(ends)}] /Domain [{start} {end}] /Extend [true true]",
            f"/Function <</FunctionType 3 /Domain [{start} {end}]",
            "/Bounds [",
            *[number(first.offset) for first, _ in pieces[1:]],
            "] /Encode [",
            *["0 1" for _ in pieces],
            "] /Functions [",
            *[
                f"<</FunctionType 2 /Domain [0 1] /N 1 /C0 [{colour(first)}] /C1 [{colour(second)}]>>"
                for first, second in pieces
            ],
            "]>>>>",
        ]
    )
