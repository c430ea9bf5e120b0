"""qrlogo.org, API v1: https://qrlogo.org/api-docs.php, read on 2026-11-20.

| endpoint | |
|---|---|
| `POST /qr` | covered |
| `GET /qr` | covered; static codes, which this service does not have, are left out |
| `GET /qr/{short_code}` | covered |
| `/r.php?c={short_code}` | covered, by the redirect, which knows it for every link |

Different on purpose: colours are answered in lower case, `#RRGGBB` as they are stored; a colour that is none is
`invalid_color`, the one error that the vendor's list does not have. There is no endpoint for pictures, as the vendor
has none: what is printed is `scan_url`, and whoever wants it drawn asks the native API.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, TypedDict

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Dialect, Endpoint, Kit, Law, retry_after
from server.dispatch import failed
from server.domain import errors
from server.domain.colour import BLACK, WHITE, Colour, first_colour
from server.domain.design import Background, Design, Modules
from server.domain.destination import Destination
from server.domain.label import Label
from server.domain.model import Caller, Link, QrCode
from server.domain.selection import QrCodeSelection
from server.domain.slug import Slug
from server.wire import ByMethod, json_of, json_response, read_body

LAW = Law(
    vendor="qrlogo.org",
    documentation="https://qrlogo.org/api-docs.php",
    read=date(2026, 11, 20),
    endpoints=[
        Endpoint("POST", "/qr", "different", "colours are answered in lower case; `invalid_color` where one is none"),
        Endpoint("GET", "/qr"),
        Endpoint("GET", "/qr/{short_code}"),
    ],
)

# --- the wire -----------------------------------------------------------------------------------------------------


class Qr(TypedDict):
    """A code, as every answer has it."""

    id: int
    short_code: str
    label: str
    qr_type: str
    target_url: str
    scan_url: str
    scan_count: int
    fg_color: str
    bg_color: str
    created_at: str
    updated_at: str


#: Of a list.
MOST = 200
#: How many codes a page of the store has at most.
PAGE = 100

SHORT_CODE_LENGTH = 7
#: Lower-case letters and digits without vowels and look-alikes.
SHORT_CODE_ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"

#: Types that the vendor's dashboard has, and its API has not.
DASHBOARD_TYPES = frozenset(
    ["menu", "landing", "vcard", "wifi", "pdf", "social", "app", "event", "text", "email", "sms", "phone"]
)

HEX = re.compile(r"#[0-9A-Fa-f]{6}")


class Refusal(Exception):
    """One of the vendor's errors."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.message = message


# --- to the domain ------------------------------------------------------------------------------------------------


async def _fields(request: Request) -> Mapping[str, Any]:
    """The body's fields; one that is no JSON object has none."""
    try:
        body = json_of(await read_body(request))
    except HTTPException as exc:
        if exc.status_code != 400:
            raise
        return {}
    return body if isinstance(body, dict) else {}


def _label(fields: Mapping[str, Any]) -> Label:
    try:
        return Label(_text(fields.get("label")))
    except errors.InvalidValue as exc:
        raise Refusal(400, "missing_label", f"label is required. {exc.detail}") from exc


def _target(fields: Mapping[str, Any]) -> Destination:
    try:
        return Destination(_text(fields.get("target_url")))
    except errors.InvalidValue as exc:
        raise Refusal(400, "invalid_url", f"target_url must be a valid URL. {exc.detail}") from exc


def _check_type(fields: Mapping[str, Any]) -> None:
    given = fields.get("qr_type")
    if given is None or given == "url":
        return
    if isinstance(given, str) and given.lower() in DASHBOARD_TYPES:
        raise Refusal(400, "unsupported_type", f"qr_type {given!r} is not available in this API. Send url.")
    raise Refusal(400, "invalid_type", f"Unknown qr_type {_text(given)[:40]!r}. Send url.")


def _colour(fields: Mapping[str, Any], name: str, default: Colour) -> Colour:
    given = fields.get(name)
    if given is None:
        return default
    if not isinstance(given, str) or not HEX.fullmatch(given):
        raise Refusal(400, "invalid_color", f"{name} must be a colour such as #1d4ed8.")
    return Colour.of(given)


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""


def _short_code() -> Slug:
    return Slug("".join(secrets.choice(SHORT_CODE_ALPHABET) for _ in range(SHORT_CODE_LENGTH)))


# --- from the domain ----------------------------------------------------------------------------------------------


def _qr(code: QrCode, base_url: str) -> Qr:
    link = code.content
    assert isinstance(link, Link), "only dynamic codes are looked for"
    return {
        "id": code.id,
        "short_code": link.slug,
        "label": code.name or "",
        "qr_type": "url",
        "target_url": link.destination,
        "scan_url": f"{base_url}/r.php?c={link.slug}",
        "scan_count": link.scans,
        "fg_color": str(first_colour(code.design.modules.color)),
        "bg_color": str(first_colour(code.design.background.color)),
        "created_at": _time(code.created_at),
        "updated_at": _time(max(code.updated_at, link.updated_at)),
    }


def _time(at: datetime) -> str:
    """Without a zone, as the vendor writes it; it is UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


# --- ERRORS -------------------------------------------------------------------------------------------------------


#: By what is raised, and for what a plan does not allow, by the limit.
ERRORS: dict[type[errors.DomainError] | str, tuple[int, str]] = {
    errors.Unauthenticated: (401, "invalid_token"),
    errors.Forbidden: (403, "forbidden"),
    errors.NotFound: (404, "not_found"),
    errors.RateLimited: (429, "quota_exceeded"),
    errors.StorageUnavailable: (503, "unavailable"),
    errors.Busy: (503, "unavailable"),
    "api_access": (403, "api_not_available"),
    "dynamic_codes": (402, "quota_dynamic_qrs"),
    "links": (402, "quota_dynamic_qrs"),
}
HTTP_ERRORS = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}


def problem(request: Request, exc: Exception) -> Response:
    """{"error": "code", "message": "human-readable text"}"""
    headers: Mapping[str, str] = {}
    if isinstance(exc, Refusal):
        status, error, message = exc.status, exc.error, exc.message
    elif isinstance(exc, HTTPException):
        status, error, message = exc.status_code, HTTP_ERRORS[exc.status_code], exc.detail
        headers = exc.headers or {}
    elif isinstance(exc, errors.DomainError) and (found := ERRORS.get(_kind(exc))):
        (status, error), message = found, exc.detail
        headers = retry_after(exc)
    else:
        failed(request, exc)
        status, error, message = 500, "server_error", "This is our mistake. Try again later."
    return json_response({"error": error, "message": message}, status, {**headers, "cache-control": "no-store"})


def _kind(exc: errors.DomainError) -> type[errors.DomainError] | str:
    return exc.limit if isinstance(exc, errors.PlanLimit) else type(exc)


# --- routes -------------------------------------------------------------------------------------------------------


def routes(kit: Kit) -> list[Route]:
    access = Access(kit, _key)

    async def create(request: Request, caller: Caller) -> Response:
        fields = await _fields(request)
        label, target = _label(fields), _target(fields)
        _check_type(fields)
        design = Design(
            modules=Modules(color=_colour(fields, "fg_color", BLACK)),
            background=Background(color=_colour(fields, "bg_color", WHITE)),
        )
        # The vendor stores colours and draws nothing: whether they scan is for whoever draws.
        code = await kit.codes.create(
            caller.account, target, name=label, design=design, allow_unscannable=True, new_slug=_short_code
        )
        return json_response(_qr(code, kit.base_url), 201)

    async def show_all(_: Request, caller: Caller) -> Response:
        selection = QrCodeSelection(kind="dynamic")
        page = await kit.codes.list(caller.account.id, selection, limit=PAGE)
        codes = page.items
        while page.next is not None and len(codes) < MOST:
            page = await kit.codes.list(caller.account.id, selection, after=page.next, limit=PAGE)
            codes += page.items
        return json_response({"count": len(codes), "qrs": [_qr(code, kit.base_url) for code in codes]})

    async def show(request: Request, caller: Caller) -> Response:
        slug = str(request.path_params["short_code"]).lower()
        page = await kit.codes.list(caller.account.id, QrCodeSelection(kind="dynamic", slug=slug), limit=1)
        if not page.items:
            raise errors.NotFound("There is no QR code with this short_code.")
        return json_response(_qr(page.items[0], kit.base_url))

    return [
        Route("/api/v1/qr", ByMethod(GET=access("qr-codes:read", show_all), POST=access("qr-codes:write", create))),
        Route("/api/v1/qr/{short_code}", ByMethod(GET=access("qr-codes:read", show))),
    ]


def _key(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise Refusal(401, "missing_or_invalid_token", "Send your key as Authorization: Bearer <key>.")
    return key.strip()


# --- scan forms ---------------------------------------------------------------------------------------------------

# A printed code says /r.php?c={short_code}, which edge/redirect.py resolves like any other spelling.

DIALECT = Dialect(name="qrlogo", law=LAW, root="/api/v1", routes=routes, problem=problem)
