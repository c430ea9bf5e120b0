"""What the vendor's styles look like, for the gallery (bench/gallery.py)."""

from collections.abc import Mapping

from server.dialects.qrstudio.to_domain import checked, design_of
from server.dialects.qrstudio.wire import BORDERS, CENTERS, EYES, FRAMES, GENERATE, PATTERNS
from server.domain.design import Design, Picture

LOOK = {"data": "https://example.com", "size_inches": 4, "background": "white", "color": "#14213d"}
VIOLET = "#4c1d95"


def styles() -> Mapping[str, Mapping[str, Design]]:
    """By the field, and by what is said in it."""
    return {
        "pattern": {name: _drawn(photo=name == "halftone", pattern=name) for name in PATTERNS},
        "eye_shape": {name: _drawn(eye_shape=name, eye_color=VIOLET) for name in EYES},
        "eye_border_shape": {name: _drawn(eye_border_shape=name, eye_border_color=VIOLET) for name in BORDERS},
        "eye_center_shape": {name: _drawn(eye_center_shape=name, eye_center_color=VIOLET) for name in CENTERS},
        "frame_style": {name: _drawn(frame_style=name, frame_label="Scan me") for name in FRAMES},
        "more": {
            "gradient_from, _to": _drawn(gradient_from="#6c48e8", gradient_to="#1a0d3a"),
            "eye_outer_frame": _drawn(eye_outer_frame=True),
            "..._frame_match": _drawn(eye_outer_frame=True, eye_outer_frame_match=True),
            "bg_image": _drawn(photo=True),
        },
    }


def _drawn(*, photo: bool = False, **given: object) -> Design:
    return design_of(checked(GENERATE, {**LOOK, **given}), {"bg_image": Picture()} if photo else {})
