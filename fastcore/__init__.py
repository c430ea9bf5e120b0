"""Text in, QR code symbols and images out. See the docstrings in __init__.pyi."""

from fastcore._api import Symbol, damage, encode, encode_sequence, places, png, svg
from fastcore.errors import (
    DataTooLong,
    FastcoreError,
    IllegalColour,
    IllegalCombination,
    IllegalCount,
    IllegalDrawing,
    IllegalLevel,
    IllegalMargin,
    IllegalMask,
    IllegalScale,
    IllegalSize,
    IllegalText,
    IllegalVersion,
)
from fastcore.painter import paint_luminance, paint_png, paint_rgba
from fastcore.vector_eps import draw_eps
from fastcore.vector_pdf import draw_pdf
from fastcore.vector_svg import draw_svg

__all__ = [
    "DataTooLong",
    "FastcoreError",
    "IllegalColour",
    "IllegalCombination",
    "IllegalCount",
    "IllegalDrawing",
    "IllegalLevel",
    "IllegalMargin",
    "IllegalMask",
    "IllegalScale",
    "IllegalSize",
    "IllegalText",
    "IllegalVersion",
    "Symbol",
    "damage",
    "draw_eps",
    "draw_pdf",
    "draw_svg",
    "encode",
    "encode_sequence",
    "paint_luminance",
    "paint_png",
    "paint_rgba",
    "places",
    "png",
    "svg",
]
