"""qrcodestack: what requests mean."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request

from server.dialects.qrcodestack.errors import CODES, WrongFields
from server.dialects.qrcodestack.from_domain import number_of
from server.dialects.qrcodestack.wire import Body, PeriodQuery, QrCodeCreate, QrCodeUpdate, RenderCustomizationsInput
from server.domain.colour import BLACK
from server.domain.design import PLAIN, Design, Logo, Picture
from server.domain.errors import InvalidValue, NotFound
from server.domain.log import Wanted
from server.domain.many import NewCode
from server.domain.model import LinkChanges, QrCodeChanges, QrCodeId
from server.domain.selection import QrCodeSelection
from server.domain.stats import EARLIEST, LATEST, MAX_BUCKETS, Period
from server.fields import detail_of
from server.wire import json_of, media_type, read_body

B = TypeVar("B", bound=BaseModel)
M = TypeVar("M", bound=Body)

UTC_ZONE = ZoneInfo("UTC")

#: Fields that are as at first where they are null.
NULLABLE = frozenset(["render_customizations"])

#: Those that the vendor has.
DYNAMIC = QrCodeSelection(kind="dynamic")


# --- bodies and queries -------------------------------------------------------------------------------------------


async def body_of(request: Request, kind: type[M]) -> M:
    """What the body says; raises WrongFields."""
    if media_type(request) != "application/json":
        raise HTTPException(415, CODES["UNSUPPORTED_MEDIA_TYPE"].error)
    try:
        given = json_of(await read_body(request, max_bytes=kind.max_bytes))
    except HTTPException as exc:
        if exc.status_code != 400:
            raise
        raise WrongFields({"body": exc.detail}) from exc
    return read(kind, given)


def query_of(request: Request, kind: type[B]) -> B:
    """What the query says; raises WrongFields."""
    return read(kind, dict(request.query_params))


def read(kind: type[B], given: object) -> B:
    """What JSON that was read already says, as an item of a body; raises WrongFields."""
    try:
        return kind.model_validate(given)
    except ValidationError as exc:
        raise WrongFields(_wrong(exc.errors(include_url=False))) from exc


def _wrong(found: Sequence[ErrorDetails]) -> dict[str, str]:
    """The first thing that is wrong with each field, by its path with full stops."""
    wrong: dict[str, str] = {}
    for each in found:
        wrong.setdefault(".".join(map(str, each["loc"])) or "body", detail_of(each))
    return wrong


def code_id(request: Request) -> QrCodeId:
    """The one in the path."""
    number = number_of(str(request.path_params["id"]))
    if number is None:
        raise NotFound
    return QrCodeId(number)


# --- codes --------------------------------------------------------------------------------------------------------


def new_code(body: QrCodeCreate) -> NewCode:
    # What would not scan is stored all the same, as the vendor does; its picture says so.
    return NewCode(
        says=body.destination_url,
        name=body.name,
        design=design_of(body.render_customizations or AS_AT_FIRST, PLAIN),
        allow_unscannable=True,
    )


#: All of it null.
AS_AT_FIRST = RenderCustomizationsInput(**dict.fromkeys(RenderCustomizationsInput.model_fields))


def design_of(given: RenderCustomizationsInput, before: Design) -> Design:
    """The design with what is said; null is as at first."""
    modules, frame, logo = before.modules, before.frame, before.logo
    if "dot_color" in given.model_fields_set:
        modules = replace(modules, color=given.dot_color or BLACK)
    if "dot_shape" in given.model_fields_set:
        modules = replace(modules, shape=given.dot_shape or "square")
    if "frame" in given.model_fields_set:
        frame = replace(frame, style=given.frame or "none")
    if "logo_url" in given.model_fields_set and (logo is None or logo.image.url != given.logo_url):
        image = None if given.logo_url is None else Picture(url=given.logo_url)
        logo = None if image is None else replace(logo, image=image) if logo else Logo(image=image)
    return replace(before, modules=modules, frame=frame, logo=logo)


def code_changes(body: QrCodeUpdate, before: Design) -> QrCodeChanges:
    """Raises WrongFields for what may not be null."""
    nulls = [name for name in body.model_fields_set - NULLABLE if getattr(body, name) is None]
    if nulls:
        raise WrongFields(dict.fromkeys(nulls, "This may not be null."))
    changes: QrCodeChanges = {}
    if body.name is not None:
        changes["name"] = body.name
    if "render_customizations" in body.model_fields_set:
        changes["design"] = design_of(body.render_customizations or AS_AT_FIRST, before)
    return changes


def link_changes(body: QrCodeUpdate) -> LinkChanges:
    changes: LinkChanges = {}
    if body.destination_url is not None:
        changes["destination"] = body.destination_url
    if body.name is not None:
        changes["title"] = body.name
    return changes


# --- scans --------------------------------------------------------------------------------------------------------


def period_of(query: PeriodQuery, now: datetime) -> Period:
    """By days; without anything said, the last 30. Raises WrongFields for more than there may be."""
    try:
        return Period.of(query.start, query.end, "day", UTC_ZONE, now=now)
    except InvalidValue as exc:
        if exc.reason != "too_long":
            raise
        raise WrongFields({"from": f"A period has at most {MAX_BUCKETS:,} days."}) from exc


def wanted_of(query: PeriodQuery) -> Wanted:
    return Wanted(start=query.start or EARLIEST, end=query.end or LATEST)
