"""What the vendor's styles look like, for the gallery (bench/gallery.py)."""

from collections.abc import Mapping

from server.dialects.qrcode_app.to_domain import design_of
from server.dialects.qrcode_app.wire import CORNER_STYLES, DOT_STYLES
from server.domain.design import Design

LOOK = {"fg_color": "#14213d"}


def styles() -> Mapping[str, Mapping[str, Design]]:
    """By the field, and by what is said in it."""
    return {
        "dot_style": {name: design_of({**LOOK, "dot_style": name}, None) for name in DOT_STYLES},
        "corner_style": {name: design_of({**LOOK, "corner_style": name}, None) for name in CORNER_STYLES},
    }
