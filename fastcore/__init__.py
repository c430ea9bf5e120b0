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
    "encode",
    "encode_sequence",
    "paint_luminance",
    "paint_png",
    "paint_rgba",
    "places",
    "png",
    "svg",
]
