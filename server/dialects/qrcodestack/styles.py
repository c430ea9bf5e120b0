"""What the vendor's styles look like, for the gallery (bench/gallery.py)."""

from collections.abc import Mapping
from typing import get_args

from server.dialects.qrcodestack.to_domain import design_of
from server.dialects.qrcodestack.wire import DotShape, RenderCustomizationsInput
from server.domain.design import PLAIN, Design, FrameStyle


def styles() -> Mapping[str, Mapping[str, Design]]:
    """By the field, and by what is said in it."""
    return {
        "dot_shape": {name: _drawn(dot_shape=name) for name in get_args(DotShape)},
        "frame": {name: _drawn(frame=name) for name in get_args(FrameStyle)},
    }


def _drawn(**given: str) -> Design:
    return design_of(RenderCustomizationsInput.model_validate({"dot_color": "#14213d", **given}), PLAIN)
