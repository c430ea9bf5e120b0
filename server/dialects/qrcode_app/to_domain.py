"""qrcode-app: what requests mean."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

from starlette.requests import Request

from server.dialects.qrcode_app.errors import Refusal
from server.dialects.qrcode_app.wire import (
    CORNER_STYLES,
    DEFAULT_LOGO_SIZE,
    DEFAULT_SIZE,
    DOT_STYLES,
    FORMATS,
    HEX,
    MAX_LOGO_SIZE,
    MAX_SIZE,
    MIN_LOGO_SIZE,
    MIN_SIZE,
    OBJECTS,
    PERMISSIONS,
    STRINGS,
    TYPES,
    Fields,
    choice_of,
    integer_of,
    part_of,
    text_of,
)
from server.domain.colour import BLACK, WHITE, Colour
from server.domain.content import Content, Wifi, kind_of
from server.domain.design import LEVELS, Background, Border, Center, Design, Eyes, Level, Logo, Modules, Picture
from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.guards import MAX_SCANS, Guards, expiry
from server.domain.ids import id_number
from server.domain.keys import Permission
from server.domain.label import Label
from server.domain.model import Account, QrCodeId
from server.domain.moment import a_moment
from server.domain.order import ImageFormat
from server.domain.password import Password
from server.domain.selection import Kind, QrCodeSelection

#: Of a payee's name (EPC069-12).
MAX_PAYEE = 70
#: More pages than anybody turns.
MAX_PAGE = 1_000_000
DEFAULT_LIMIT, MAX_LIMIT = 20, 100

ENCRYPTIONS = {"wpa": "WPA", "wpa2": "WPA", "wpa3": "WPA", "wep": "WEP", "nopass": "nopass", "none": "nopass"}


@contextmanager
def refused(code: str, name: str) -> Iterator[None]:
    """What the domain finds wrong in here is wrong with this field of the request."""
    try:
        yield
    except InvalidValue as exc:
        raise Refusal(code, f"{name}: {exc.detail}") from exc


# --- contents -----------------------------------------------------------------------------------------------------


def content_of(fields: Fields, account: Account) -> Content:
    """What a static code says."""
    kind = fields.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise Refusal("INVALID_TYPE", f"The types are {', '.join(TYPES)}.")
    given = fields.get("content")
    if kind in STRINGS:
        domain_type, name = STRINGS[kind]
        if not isinstance(given, str):
            raise Refusal("INVALID_CONTENT", f"The content of {kind} is a string.")
        return _made({"type": domain_type, name: given}, {name: "content"})
    domain_type, names = OBJECTS[kind]
    if not isinstance(given, dict):
        raise Refusal("INVALID_CONTENT", f"The content of {kind} is an object with {', '.join(names)}.")
    content = {names[name]: value for name, value in given.items() if name in names and value not in (None, "")}
    if kind == "wifi" and isinstance(auth := content.get("auth"), str):
        content["auth"] = ENCRYPTIONS.get(auth.lower(), auth)
    if kind == "payment":
        # The standard wants to know who is paid, which the vendor does not ask.
        content.setdefault("name", account.name[:MAX_PAYEE].strip())
    places = {field: f"content.{name}" for name, field in names.items()}
    return _made({"type": domain_type, **content}, places)


def _made(given: Mapping[str, Any], places: Mapping[str, str]) -> Content:
    kind = kind_of(given)
    wrong = kind.examine(given)
    if kind is Wifi and wrong and all(each.reason == "invalid_password" for each in wrong):
        # The vendor takes any: a network's owner knows it.
        return Wifi.stored({"auth": "WPA", **given})
    if wrong:
        field = (wrong[0].field or "").partition("/")[0]
        raise Refusal("INVALID_CONTENT", f"{places.get(field, 'content')}: {wrong[0].detail}")
    return kind.of(given)


# --- designs ------------------------------------------------------------------------------------------------------


class Look(NamedTuple):
    """What a code's picture is."""

    design: Design
    size_px: int
    format: ImageFormat


def look_of(fields: Fields, content: Content | None = None) -> Look:
    """Of a code that says this, or its short URL."""
    level = choice_of(fields, "error_correction", LEVELS, "")
    if content is not None and content.level is not None:
        level = ""  # its standard has settled that
    return Look(
        design_of(part_of(fields, "design"), cast("Level | None", level or None)),
        integer_of(fields, "size", DEFAULT_SIZE, MIN_SIZE, MAX_SIZE),
        cast("ImageFormat", choice_of(fields, "format", FORMATS, "png")),
    )


def design_of(fields: Fields, level: Level | None) -> Design:
    border, center = CORNER_STYLES[choice_of(fields, "corner_style", CORNER_STYLES, "square")]
    return Design(
        level=level,
        modules=Modules(
            shape=DOT_STYLES[choice_of(fields, "dot_style", DOT_STYLES, "square")],
            color=_colour(fields, "fg_color", BLACK),
        ),
        eyes=Eyes(border=Border(shape=border), center=Center(shape=center)),
        background=Background(color=_colour(fields, "bg_color", WHITE)),
        logo=_logo(fields),
    )


def _colour(fields: Fields, name: str, default: Colour) -> Colour:
    given = fields.get(name)
    if given is None:
        return default
    if not isinstance(given, str) or not HEX.fullmatch(given):
        raise Refusal("INVALID_COLOR", f"design.{name}: use hex format: #rrggbb.")
    return Colour.of(given)


def _logo(fields: Fields) -> Logo | None:
    ratio = fields.get("logo_size")
    if ratio is None:
        ratio = DEFAULT_LOGO_SIZE
    if isinstance(ratio, bool) or not isinstance(ratio, int | float):
        raise Refusal("INVALID_PARAMETER", "design.logo_size must be a number.")
    if not MIN_LOGO_SIZE <= ratio <= MAX_LOGO_SIZE:
        raise Refusal("LOGO_TOO_LARGE")
    url = text_of(fields, "logo_url")
    if url is None:
        return None
    with refused("INVALID_PARAMETER", "design.logo_url"):
        return Logo(image=Picture(url=str(Destination(url))), ratio=float(ratio))


# --- dynamic codes ------------------------------------------------------------------------------------------------


def name_of(fields: Fields) -> Label | None:
    name = text_of(fields, "name")
    with refused("INVALID_PARAMETER", "name"):
        return None if name is None else Label(name)


def destination_of(fields: Fields) -> Destination:
    url = text_of(fields, "destination_url")
    if url is None:
        raise Refusal("INVALID_PARAMETER", "destination_url is required.")
    with refused("INVALID_CONTENT", "destination_url"):
        return Destination(url)


def protection_of(fields: Fields) -> tuple[Guards, Password | None]:
    protection = part_of(fields, "protection")
    password = text_of(protection, "password")
    expires = text_of(protection, "expiry_date")
    with refused("INVALID_PARAMETER", "protection.expiry_date"):
        expires_at = None if expires is None else expiry(a_moment(day_ends=True)(expires))
    max_scans = integer_of(protection, "max_scans", 0, 0, MAX_SCANS)
    with refused("INVALID_PARAMETER", "protection.password"):
        return (
            Guards(expires_at=expires_at, max_scans=max_scans or None),
            None if password is None else Password(password),
        )


# --- which ones ---------------------------------------------------------------------------------------------------


def code_id(request: Request) -> QrCodeId:
    """The one in the path."""
    text = str(request.path_params["qr_id"])
    number = id_number("qr", f"qr_{text.removeprefix('qr_dyn_')}" if text.startswith("qr_dyn_") else text)
    if number is None:
        raise Refusal("QR_NOT_FOUND")
    return QrCodeId(number)


class PageAsked(NamedTuple):
    selection: QrCodeSelection
    page: int
    limit: int

    @property
    def skip(self) -> int:
        return (self.page - 1) * self.limit


def page_of(request: Request) -> PageAsked:
    query = request.query_params
    kind = query.get("kind")
    if kind not in (None, "", "static", "dynamic"):
        raise Refusal("INVALID_PARAMETER", "kind must be static or dynamic.")
    selection = QrCodeSelection(kind=cast("Kind | None", kind or None), types=_types(query.get("type") or None))
    return PageAsked(
        selection,
        _number(query.get("page"), "page", 1, MAX_PAGE),
        _number(query.get("limit"), "limit", DEFAULT_LIMIT, MAX_LIMIT),
    )


def _types(given: str | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if given not in TYPES:
        raise Refusal("INVALID_TYPE", f"The types are {', '.join(TYPES)}.")
    found = STRINGS[given][0] if given in STRINGS else OBJECTS[given][0]
    # The domain has two ways of writing a contact; the vendor has one word for them.
    return ("vcard", "mecard") if found == "vcard" else (found,)


def _number(given: str | None, name: str, default: int, most: int) -> int:
    if not given:
        return default
    if not (given.isascii() and given.isdigit() and len(given) < 10 and 1 <= int(given) <= most):
        raise Refusal("INVALID_PARAMETER", f"{name} must be a whole number from 1 to {most}.")
    return int(given)


# --- keys ---------------------------------------------------------------------------------------------------------


def permissions_of(fields: Fields) -> frozenset[Permission]:
    given = fields.get("permissions")
    if given is None:
        return frozenset(map(Permission, PERMISSIONS))
    if not isinstance(given, list) or not given or any(each not in PERMISSIONS for each in given):
        raise Refusal("INVALID_PARAMETER", f"permissions must be a list of {' and '.join(PERMISSIONS)}.")
    return frozenset(map(Permission, given))
