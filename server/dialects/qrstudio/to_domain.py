"""From the vendor's wire to the domain: bodies, and the picture that one asks for."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from server.dialects.dialect import Kit
from server.dialects.qrstudio.fields import REQUIRED, Broken, Fields, Said, WrongFields, read
from server.dialects.qrstudio.wire import (
    DYNAMIC,
    EYES,
    FILES,
    GENERATE,
    MAX_BODY_BYTES,
    MAX_FILES,
    MAX_PARTS,
    PATTERNS,
    PAYLOADS,
)
from server.domain import errors
from server.domain.colour import Colour, Gradient, Paint, Stop
from server.domain.content import KINDS, Content, Text
from server.domain.design import Background, Border, Center, Design, Eyes, Frame, Level, Logo, Modules, Picture, Ring
from server.domain.destination import Destination
from server.domain.label import Label
from server.domain.limits import allow_design, allow_size
from server.domain.model import Account
from server.domain.order import Order
from server.domain.plan import Plan
from server.domain.slug import Slug
from server.wire import MAX_BODY_BYTES as MAX_JSON_BYTES
from server.wire import json_of, media_type, read_body

# --- bodies -------------------------------------------------------------------------------------------------------


async def json_fields(request: Request, *, max_bytes: int = MAX_JSON_BYTES) -> dict[str, Any]:
    """The fields of a JSON body; none of one that is empty."""
    return _json_fields(request, await read_body(request, max_bytes=max_bytes))


async def fields_of(request: Request, body: bytes | bytearray) -> dict[str, Any]:
    """The fields of a body as JSON or as multipart, with files."""
    if media_type(request) == "multipart/form-data":
        return await _form_fields(request, bytes(body))
    return _json_fields(request, body)


def _json_fields(request: Request, body: bytes | bytearray) -> dict[str, Any]:
    if not body:
        return {}
    if (given := media_type(request)) != "application/json":
        raise HTTPException(415, f'Unsupported media type "{given}" in request.')
    fields = json_of(body)
    if not isinstance(fields, dict):
        said = f"Invalid data. Expected a dictionary, but got {type(fields).__name__}."
        raise WrongFields({"non_field_errors": [said]})
    return fields


async def _form_fields(request: Request, body: bytes) -> dict[str, Any]:
    """A file is its bytes; a text that is empty was not filled in."""

    async def stream() -> AsyncIterator[bytes]:
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=MAX_FILES, max_fields=MAX_PARTS)  # type: ignore[arg-type]
    parser.spool_max_size = MAX_BODY_BYTES  # no file goes to the disk
    try:
        form = await parser.parse()
    except MultiPartException as exc:
        raise HTTPException(400, f"Multipart form parse error - {exc.message}") from exc
    fields: dict[str, Any] = {}
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            fields[name] = await part.read()
        elif part:
            fields[name] = _payload(part) if name == "payload" else part
    return fields


def _payload(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as exc:
        raise WrongFields({"payload": ["Value must be valid JSON."]}) from exc


def checked(fields: Fields, given: Mapping[str, Any], *, partly: bool = False) -> dict[str, Any]:
    """The fields as they must be; raises WrongFields."""
    found, wrong = read(fields, given, partly=partly)
    if wrong:
        raise WrongFields(wrong)
    return found


# --- pictures -----------------------------------------------------------------------------------------------------


class NewDynamic(NamedTuple):
    """A dynamic code that is to be made with its picture."""

    name: Label
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A picture that is wanted, and that may be had."""

    #: As they were given, with all defaults.
    fields: Mapping[str, Any]
    says: Content | NewDynamic
    #: What it says, or is as long as what it will.
    order: Order


#: Error correction is the vendor's own choice, and the quiet zone the standard's.
LEVEL: Level = "H"
QUIET_ZONE = 4
#: From top to bottom.
DOWN = 90.0

#: A field of the domain, and what it was given by.
PLACES = {
    "text": "data",
    "size": "size_inches",
    "frame/label": "frame_label",
    "design/frame/label": "frame_label",
}


async def wanted_of(kit: Kit, account: Account, given: Mapping[str, Any]) -> Wanted:
    """What these fields ask for. Raises WrongFields for all that are wrong, and PlanLimit, and makes nothing."""
    fields, wrong = read(GENERATE, given)
    wrong |= _between(fields)
    says = _says(fields, wrong)
    pictures = await _pictures(kit, account, fields, wrong)
    if wrong or says is None:
        raise WrongFields(wrong)
    size_px = round(fields["size_inches"] * fields["dpi"])
    _allow_inches(account.plan, fields["size_inches"])
    allow_size(account.plan, size_px, fields["dpi"])
    design = design_of(fields, pictures)
    allow_design(account.plan, design)
    order = Order(
        # As long as a short URL will be, where there is none yet.
        text=says.says if isinstance(says, Content) else f"{kit.base_url}/{Slug.random()}",
        design=design,
        format=fields["format"],
        size_px=size_px,
        # How large it is on paper is nothing that an SVG says.
        dpi=fields["dpi"] if fields["format"] == "png" else None,
    )
    try:
        kit.studio.check(order)
    except errors.InvalidValue as exc:
        place = PLACES.get(exc.field or "", "non_field_errors")
        if place == "data" and fields["data_type"] not in ("url", "text"):
            place = "payload"
        raise WrongFields({place: [exc.detail]}) from exc
    return Wanted(fields=fields, says=says, order=order)


def max_inches(plan: Plan) -> float | None:
    """How wide a picture may be; None where the plan does not say. The vendor's plans have their widths at the highest
    resolution."""
    return None if plan.size_px is None or plan.dpi is None else plan.size_px / plan.dpi


def _allow_inches(plan: Plan, inches: float) -> None:
    most = max_inches(plan)
    if most is not None and inches > most:
        detail = f"The plan {plan.name!r} has at most {most:g} inches in width."
        raise errors.PlanLimit(detail, plan=plan.name, limit="size_inches", allowed=most, field="size_inches")


def _between(fields: Mapping[str, Any]) -> dict[str, Said]:
    """What is wrong between fields, each of which is right by itself."""
    wrong: dict[str, Said] = {}
    for one, other in (("gradient_from", "gradient_to"), ("gradient_to", "gradient_from")):
        if fields.get(one) and other in fields and not fields[other]:
            wrong[other] = "gradient_from and gradient_to must be given together."
    for file, url in (("logo_file", "logo_url"), ("bg_image_file", "bg_image_url")):
        if fields.get(file) and fields.get(url):
            wrong[url] = f"Provide either {file} or {url}, not both."
    return wrong


def _says(fields: Mapping[str, Any], wrong: dict[str, Said]) -> Content | NewDynamic | None:
    kind = fields.get("data_type")
    if kind in ("url", "text"):
        if "data" in wrong:
            return None
        if fields["data"] is None:
            wrong["data"] = [REQUIRED]
            return None
        try:
            return Text(fields["data"])  # as it was sent, whatever it is
        except errors.InvalidValue as exc:
            wrong["data"] = [exc.detail]
    elif kind is not None and "payload" not in wrong:
        if fields["payload"] is None:
            wrong["payload"] = [REQUIRED]
            return None
        try:
            return _dynamic(fields["payload"]) if kind == "dynamic" else _content(kind, fields["payload"])
        except WrongFields as exc:
            wrong["payload"] = sentences(exc)
    return None


def sentences(exc: WrongFields) -> list[str]:
    """What is wrong, where there is no place for each field."""
    return [f"{name}: {said if isinstance(said, str) else ' '.join(said)}" for name, said in exc.wrong.items()]


def _dynamic(payload: Mapping[str, Any]) -> NewDynamic:
    fields = checked(DYNAMIC, payload)
    return NewDynamic(label(fields["name"]), destination(fields["destination_url"]))


def label(name: str) -> Label:
    try:
        return Label(name)
    except errors.InvalidValue as exc:
        raise WrongFields({"name": [exc.detail]}) from exc


def destination(url: str, field: str = "destination_url") -> Destination:
    try:
        return Destination(url)
    except errors.InvalidValue as exc:
        raise WrongFields({field: [exc.detail]}) from exc


def _content(kind: str, payload: Mapping[str, Any]) -> Content:
    """What a payload says. A field that is null or empty is none."""
    names = {name: PAYLOADS[kind][name] for name in PAYLOADS[kind] if payload.get(name) not in (None, "")}
    given = {ours: payload[name] for name, ours in names.items()}
    if kind == "vcard" and "name" not in given:
        raise WrongFields({"name": [REQUIRED]})
    if found := KINDS[kind].examine(given):
        called = {ours: name for name, ours in names.items()}
        wrong: dict[str, Said] = {}
        for exc in found:
            ours = (exc.field or "").partition("/")[0]
            wrong[called.get(ours, ours)] = [REQUIRED if exc.reason == "required" else exc.detail]
        raise WrongFields(wrong)
    return KINDS[kind].of(given)


async def _pictures(
    kit: Kit, account: Account, fields: Mapping[str, Any], wrong: dict[str, Said]
) -> dict[str, Picture]:
    """The logo and the background's picture, with their bytes where the plan allows one; by the first word of their
    fields."""
    found = {}
    for part, allowed in (("logo", account.plan.logo), ("bg_image", account.plan.background_image)):
        name = next((each for each in (f"{part}_file", f"{part}_url") if fields.get(each)), None)
        if name is None or name in wrong:
            continue
        try:
            given = _picture(fields[name])
            if allowed:
                given = (await kit.studio.complete(Design(background=Background(image=given)), account.id)).pictures[
                    "background/image"
                ]
        except (errors.InvalidValue, Broken) as exc:
            wrong[name] = exc.detail if isinstance(exc, errors.InvalidValue) else exc.said
        else:
            found[part] = given
    return found


def _picture(given: str | bytes) -> Picture:
    return Picture(data=given) if isinstance(given, bytes) else Picture(url=str(Destination(given)))


def design_of(fields: Mapping[str, Any], pictures: Mapping[str, Picture]) -> Design:
    return Design(
        level=LEVEL,
        margin=QUIET_ZONE,
        modules=Modules(shape=PATTERNS[fields["pattern"]], color=_ink(fields)),
        eyes=_eyes(fields),
        background=Background(
            color=Colour.of(fields["background"]),
            image=pictures.get("bg_image"),
            opacity=fields["bg_image_opacity"],
        ),
        logo=_logo(fields, pictures.get("logo")),
        frame=Frame(
            style=fields["frame_style"],
            color=Colour.of(fields["frame_color"]),
            # The vendor's other frames have none.
            label=fields["frame_label"] or None if fields["frame_style"].startswith("scan-me") else None,
            label_color=Colour.of(fields["frame_label_color"]),
        ),
    )


def _eyes(fields: Mapping[str, Any]) -> Eyes:
    border, center = EYES[fields["eye_shape"]]
    one = fields["eye_color"]
    border_color, center_color = _colour(fields["eye_border_color"] or one), _colour(fields["eye_center_color"] or one)
    return Eyes(
        border=Border(shape=fields["eye_border_shape"] or border, color=border_color),
        center=Center(
            shape=fields["eye_center_shape"] or center,
            # The border's colour is its own, and not that of a middle for which nothing is said.
            color=center_color or (_ink(fields) if border_color else None),
        ),
        ring=_ring(fields),
    )


def _ink(fields: Mapping[str, Any]) -> Paint:
    if fields["gradient_from"] is None:
        return Colour.of(fields["color"])
    stops = (Stop(0, Colour.of(fields["gradient_from"])), Stop(1, Colour.of(fields["gradient_to"])))
    return Gradient(type="linear", angle=DOWN, stops=stops)


def _colour(given: str | None) -> Colour | None:
    return None if given is None else Colour.of(given)


def _ring(fields: Mapping[str, Any]) -> Ring:
    return "none" if not fields["eye_outer_frame"] else "match" if fields["eye_outer_frame_match"] else "subtle"


def _logo(fields: Mapping[str, Any], image: Picture | None) -> Logo | None:
    if image is None:
        return None
    return Logo(
        image=image,
        ratio=fields["logo_size_ratio"],
        clear_zone="rounded" if fields["logo_clear_zone"] else "none",
        neon_alpha=fields["logo_neon_alpha"],
    )


def echoed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as JSON can have them."""
    return {name: value for name, value in fields.items() if name not in FILES}
