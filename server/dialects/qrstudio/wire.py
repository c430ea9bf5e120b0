"""What the vendor's bodies and answers are made of."""

from collections.abc import Mapping
from datetime import datetime
from typing import NotRequired, TypedDict

from server.dialects.qrstudio.fields import Field, choice, colour, file, flag, ground, integer, mapping, number, text
from server.domain.design import BorderShape, CenterShape, FrameStyle, ModuleShape

# --- what is asked for --------------------------------------------------------------------------------------------

#: Of a body, with its files.
MAX_BODY_BYTES = 5 << 20
MAX_FILES = 2
MAX_PARTS = 64
MAX_LOGO_BYTES = 2 << 20
MAX_DATA = 2048
MAX_LABEL = 24
MIN_INCHES, MAX_INCHES = 0.5, 15
MIN_DPI, MAX_DPI = 72, 600

#: The vendor's name of a pattern, and the shape that looks like it.
PATTERNS: dict[str, ModuleShape] = {
    "rounded": "rounded",
    "squares": "square",
    "dot": "dot",
    "diamond": "diamond",
    "liquid": "liquid",
    "connected-h": "connected-h",
    "connected-v": "connected-v",
    "hexagon": "hexagon",
    "star": "star",
    "halftone": "halftone",
    "frame": "frame",
}

#: `eye_shape`, and what it makes of the two parts of an eye for which nothing else is said.
EYES: dict[str, tuple[BorderShape, CenterShape]] = {
    "square": ("square", "square"),
    "rounded": ("rounded", "rounded"),
    "circle": ("circle", "circle"),
    "frame": ("frame", "square"),
}
BORDERS: tuple[BorderShape, ...] = (
    *("square", "rounded", "circle"),
    *("leaf-tl", "leaf-tr", "leaf-br", "leaf-bl", "frame"),
)
CENTERS: tuple[CenterShape, ...] = (
    *("square", "rounded", "circle", "leaf-tl"),
    *("sunburst", "star", "diamond", "cross"),
)
FRAMES: tuple[FrameStyle, ...] = ("none", "rounded", "scan-me-top", "scan-me-bottom", "wave", "topo", "botanical")

#: A `data_type`'s payload: its fields, and those of the content that they are. What a URL or a text says is `data`.
PAYLOADS: dict[str, dict[str, str]] = {
    "vcard": {
        **{name: name for name in ("name", "org", "title", "phones", "emails", "url", "address", "note")},
        "phone": "phones",
        "email": "emails",
    },
    "wifi": {name: name for name in ("ssid", "password", "auth", "hidden")},
    "email": {name: name for name in ("to", "subject", "body")},
    "sms": {name: name for name in ("phone", "message")},
    "geo": {"latitude": "latitude", "longitude": "longitude", "lat": "latitude", "lng": "longitude"},
}
DATA_TYPES = ("url", "text", *PAYLOADS, "dynamic")

GENERATE = {
    "data": Field(text(MAX_DATA)),
    "data_type": Field(choice(*DATA_TYPES), "url"),
    "payload": Field(mapping),
    "format": Field(choice("png", "svg"), "png"),
    "size_inches": Field(number(MIN_INCHES, MAX_INCHES), required=True),
    "dpi": Field(integer(MIN_DPI, MAX_DPI), 300),
    "color": Field(colour, "black"),
    "background": Field(ground, "transparent"),
    "pattern": Field(choice(*PATTERNS), "rounded"),
    "gradient_from": Field(colour),
    "gradient_to": Field(colour),
    "eye_shape": Field(choice(*EYES), "square"),
    "eye_color": Field(colour),
    "eye_outer_frame": Field(flag, False),
    "eye_outer_frame_match": Field(flag, False),
    "eye_border_shape": Field(choice(*BORDERS)),
    "eye_center_shape": Field(choice(*CENTERS)),
    "eye_border_color": Field(colour),
    "eye_center_color": Field(colour),
    "frame_style": Field(choice(*FRAMES), "none"),
    "frame_color": Field(colour, "#6c48e8"),
    "frame_label": Field(text(MAX_LABEL, blank=True), ""),
    "frame_label_color": Field(colour, "#ffffff"),
    "logo_file": Field(file(MAX_LOGO_BYTES)),
    "logo_url": Field(text(8192)),
    "logo_size_ratio": Field(number(0, 0.3), 0.24),
    "logo_clear_zone": Field(flag, True),
    "logo_neon_alpha": Field(flag, False),
    "bg_image_file": Field(file(MAX_BODY_BYTES)),
    "bg_image_url": Field(text(8192)),
    "bg_image_opacity": Field(number(0, 1), 0.35),
}
FILES = ("logo_file", "bg_image_file")

DYNAMIC = {
    "name": Field(text(120), required=True),
    "destination_url": Field(text(2000), required=True),
}

# --- what is answered ---------------------------------------------------------------------------------------------


class Packed(TypedDict):
    """A picture of a bulk, in its manifest."""

    index: int
    filename: str
    data_type: str
    format: str
    size_inches: float
    dpi: int
    bytes: int
    cache: str
    duration_ms: int
    has_logo: bool
    dynamic_short_id: NotRequired[str]
    dynamic_public_url: NotRequired[str]


class Manifest(TypedDict):
    count: int
    plan: str
    items: list[Packed]


class LinkAnswer(TypedDict):
    """What is told of a dynamic code by its link."""

    short_id: str
    name: str
    destination_url: str
    #: There are none here.
    variants: list[object]
    is_active: bool
    scan_count: int
    last_scanned_at: datetime | None
    destination_changes_count: int
    public_url: str
    created_at: datetime
    updated_at: datetime


class Dynamic(LinkAnswer):
    id: str


class Day(TypedDict):
    date: str
    scans: int
    unique_scans: int


class Analytics(TypedDict):
    """Of scans of a link; what is below `by_` has the scans of the last days, by what they have in common."""

    short_id: str
    total_scans: int
    unique_scans: int
    last_scanned_at: datetime | None
    by_day: list[Day]
    by_country: NotRequired[Mapping[str, int]]
    by_device: Mapping[str, int]
    by_os: Mapping[str, int]
    by_browser: Mapping[str, int]
    by_referer: Mapping[str, int]


class UsageAnswer(TypedDict):
    """Of the month. Where there is no limit, it is null."""

    key_prefix: str
    plan: str
    monthly_quota: int | None
    used_this_month: int
    remaining: int | None
    max_size_inches: float
    max_dpi: int
    allow_custom_logo: bool
    max_active_dynamic_qrs: int | None
    max_bulk_items: int | None
    active_dynamic_qrs: int
    #: There are no credit packs here.
    credits_remaining: int


class Key(TypedDict):
    id: str
    name: str
    key_prefix: str
    plan: str
    is_active: bool
    created_at: datetime
    last_used_at: datetime | None
    #: One that was revoked is not listed.
    revoked_at: None
