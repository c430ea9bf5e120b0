"""qrcode-app: what requests and answers are made of."""

import re
from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from starlette.requests import Request

from server.dialects.qrcode_app.errors import Refusal
from server.domain.barcode import Symbology
from server.domain.design import BorderShape, CenterShape, ModuleShape
from server.domain.order import ImageFormat
from server.wire import json_of, media_type, read_body

Fields = Mapping[str, Any]

PERMISSIONS = ("read", "write")

FORMATS: tuple[ImageFormat, ...] = ("png", "svg", "pdf")
MIN_SIZE, DEFAULT_SIZE, MAX_SIZE = 100, 512, 4096
MIN_LOGO_SIZE, DEFAULT_LOGO_SIZE, MAX_LOGO_SIZE = 0.1, 0.2, 0.4
HEX = re.compile(r"#[0-9A-Fa-f]{6}")

#: The vendor's types whose content is a string: the domain's type, and the field in it.
STRINGS = {"url": ("url", "url"), "text": ("text", "text"), "phone": ("phone", "phone")}

#: Those whose content is an object: the domain's type, and what each field is called there.
OBJECTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "email": ("email", {"to": "to", "subject": "subject", "body": "body"}),
    "wifi": ("wifi", {"ssid": "ssid", "password": "password", "encryption": "auth"}),
    "vcard": (
        "vcard",
        {"first_name": "first_name", "last_name": "last_name", "phone": "phones", "email": "emails"},
    ),
    "maps": ("geo", {"latitude": "latitude", "longitude": "longitude", "label": "label"}),
    "event": ("event", {"title": "title", "start": "start", "end": "end"}),
    "sms": ("sms", {"phone": "phone", "message": "message"}),
    "whatsapp": ("whatsapp", {"phone": "phone", "message": "message"}),
    "payment": (
        "payment",
        {"name": "name", "iban": "iban", "amount": "amount", "currency": "currency", "label": "text"},
    ),
}
TYPES = (*STRINGS, *OBJECTS)

DOT_STYLES: Mapping[str, ModuleShape] = {
    "square": "square",
    "round": "rounded",
    "dots": "dots",
    "classy": "classy",
    "classy-rounded": "classy-rounded",
}
CORNER_STYLES: Mapping[str, tuple[BorderShape, CenterShape]] = {
    "square": ("square", "square"),
    "round": ("rounded", "rounded"),
    "extra-rounded": ("extra-rounded", "circle"),
}

SYMBOLOGIES: Mapping[str, Symbology] = {
    "EAN13": "ean-13",
    "EAN8": "ean-8",
    "UPCA": "upc-a",
    "CODE128": "code-128",
    "CODE39": "code-39",
    "ITF": "itf",
    "QR": "qr",
}


class DesignAnswer(TypedDict):
    fg_color: str
    bg_color: str
    logo_url: str | None
    logo_size: float
    dot_style: str
    corner_style: str


class ProtectionAnswer(TypedDict):
    password_protected: bool
    expiry_date: str | None
    #: 0 is no limit.
    max_scans: int


class StaticAnswer(TypedDict):
    """What generating answers."""

    qr_id: str
    type: str
    content: object
    format: str
    image_url: str
    download_url: str
    created_at: str


class QrAnswer(TypedDict):
    """A code, as all else answers it."""

    qr_id: str
    name: str | None
    type: str
    kind: str
    #: Of a static one.
    content: NotRequired[object]
    #: Of a dynamic one, as the next three.
    destination_url: NotRequired[str]
    short_url: NotRequired[str]
    protection: NotRequired[ProtectionAnswer]
    total_scans: NotRequired[int]
    format: str
    size: int
    error_correction: str
    image_url: str
    download_url: str
    design: DesignAnswer
    created_at: str


async def read_fields(request: Request) -> Fields:
    """The body's fields."""
    if media_type(request) != "application/json":
        raise Refusal("INVALID_PARAMETER", "The body is JSON: send it with Content-Type: application/json.")
    body = json_of(await read_body(request))
    if not isinstance(body, dict):
        raise Refusal("INVALID_PARAMETER", "The body is a JSON object.")
    return body


def part_of(fields: Fields, name: str) -> Fields:
    """An object in it, which may be missing."""
    given = fields.get(name)
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise Refusal("INVALID_PARAMETER", f"{name} must be an object.")
    return given


def text_of(fields: Fields, name: str) -> str | None:
    """A string in it; an empty one is none."""
    given = fields.get(name)
    if given is not None and not isinstance(given, str):
        raise Refusal("INVALID_PARAMETER", f"{name} must be a string.")
    return given or None


def choice_of(fields: Fields, name: str, choices: Mapping[str, object] | tuple[str, ...], default: str) -> str:
    given = fields.get(name)
    if given is None:
        return default
    if not isinstance(given, str) or given not in choices:
        raise Refusal("INVALID_PARAMETER", f"{name} must be one of {', '.join(choices)}.")
    return given


def integer_of(fields: Fields, name: str, default: int, least: int, most: int) -> int:
    given = fields.get(name)
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise Refusal("INVALID_PARAMETER", f"{name} must be a whole number from {least} to {most}.")
    return given


def flag_of(fields: Fields, name: str, *, default: bool) -> bool:
    given = fields.get(name)
    if given is None:
        return default
    if not isinstance(given, bool):
        raise Refusal("INVALID_PARAMETER", f"{name} must be true or false.")
    return given
