"""Frames (on their way)."""

from typing import NamedTuple

from fastcore.drawing import Layer, Paint
from server.domain.design import Frame


class Inside(NamedTuple):
    below: tuple[Layer, ...]
    above: tuple[Layer, ...]
    x: int
    y: int
    side: int


def surround(frame: Frame, size_px: int, ground: Paint | None) -> Inside:
    raise NotImplementedError
