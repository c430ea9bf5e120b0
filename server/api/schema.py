"""What requests to the native API may say, as pydantic models that become values of the domain."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from server.api.contents import ContentBody
from server.api.designs import MAX_DRAWN_BYTES, DesignBody
from server.api.exports import Format
from server.api.fields import Body, Query, id_schema
from server.api.guards import GuardFields
from server.api.problems import InvalidFields, WrongField, in_query
from server.cursors import a_cursor, a_place
from server.domain.content import Content, Text
from server.domain.delivery import EVENT_TYPES, EventType, WebhookChanges, event_types
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotFound
from server.domain.ids import id_number
from server.domain.keys import ALL, PERMISSIONS, Permission, permissions
from server.domain.label import MAX_LENGTH as MAX_LABEL
from server.domain.label import Label, one_line
from server.domain.log import Place, Source, Wanted
from server.domain.many import NewCode, NewLink
from server.domain.model import Device, LinkChanges, LinkId, QrCodeChanges, QrCodeId
from server.domain.moment import a_moment
from server.domain.order import DEFAULT_SIZE_PX, MAX_DPI, MAX_SIZE_PX, MIN_DPI, MIN_SIZE_PX, ImageFormat
from server.domain.referrer import MAX_HOST
from server.domain.rules import COUNTRY, a_country
from server.domain.slug import Slug
from server.domain.stats import EARLIEST, LATEST, Asked, Bots, GroupBy, Interval, Period
from server.domain.tag import MAX_TAGS, Tag, each_once
from server.domain.time_zone import zone_named
from server.fields import MOMENT, born, in_place
from server.openapi import shown

# --- fields -------------------------------------------------------------------------------------------------------


def an_id(prefix: str) -> Callable[[str], LinkId]:
    def parse(given: str) -> LinkId:
        number = id_number(prefix, given)
        if number is None:
            raise InvalidValue("invalid_id", f"An id here begins with {prefix}_ and is as it was given.")
        return LinkId(number)

    return parse


def path_id(request: Request, prefix: str, what: str, name: str = "id") -> int:
    """The id in the path. One that we never gave is no different from one that is somebody else's: NotFound."""
    text = str(request.path_params[name])
    number = id_number(prefix, text)
    if number is None:
        raise NotFound.of(what, text)
    return number


def _a_name(given: str) -> str:
    return one_line(given.strip(), MAX_LABEL)


def _a_host(given: str) -> str:
    return one_line(given.strip(), MAX_HOST).lower()


#: Strict is a list no tuple.
Tags = Annotated[
    tuple[Annotated[Tag, born(Tag)], ...], Field(strict=False, max_length=MAX_TAGS), AfterValidator(each_once)
]


def _permissions(given: object) -> frozenset[Permission]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise PydanticCustomError("wrong_type", "This must be a list of strings")
    with in_place():
        return permissions(given)


#: In no order, and each as often as you like.
PermissionNames = Annotated[
    list[str],
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(PERMISSIONS)}}),
]
Permissions = Annotated[frozenset[Permission], PlainValidator(_permissions, json_schema_input_type=PermissionNames)]


def _events(given: object) -> tuple[EventType, ...]:
    if not isinstance(given, list) or not all(isinstance(each, str) for each in given):
        raise PydanticCustomError("wrong_type", "This must be a list of strings")
    with in_place():
        return event_types(given)


#: In no order, and each as often as you like.
EventNames = Annotated[
    list[str],
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(EVENT_TYPES)}}),
]
Events = Annotated[tuple[EventType, ...], PlainValidator(_events, json_schema_input_type=EventNames)]


Size = Annotated[int, Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)]

# --- requests -----------------------------------------------------------------------------------------------------


class KeyCreate(Body):
    model_config = shown({"name": "Till", "permissions": ["read", "links:write"], "expires_at": "2026-12-31"})

    name: Annotated[Label, born(Label)]
    #: What the key may do; no more than the key that makes it.
    permissions: Permissions = ALL
    #: From that moment on the key opens nothing. A day stands for its end.
    expires_at: Annotated[datetime, born(a_moment(day_ends=True), MOMENT)] | None = None


class LinkCreate(GuardFields):
    model_config = shown({"destination": "https://example.com/menu", "slug": "menu", "title": "Menu"})

    destination: Annotated[Destination, born(Destination)]
    slug: Annotated[Slug, born(Slug)] | None = None
    title: Annotated[Label, born(Label)] | None = None
    tags: Tags = ()

    def wanted(self) -> NewLink:
        return NewLink(
            destination=self.destination,
            slug=self.slug,
            title=self.title,
            tags=self.tags,
            guards=self.guards(),
            password=self.password,
        )


class LinkChange(GuardFields):
    model_config = shown({"destination": "https://example.com/menu?season=winter"})

    destination: Annotated[Destination, born(Destination)] = Destination.stored("")  # null is not a destination
    title: Annotated[Label, born(Label)] | None = None
    tags: Tags = ()

    def changes(self) -> LinkChanges:
        """Each field is called as what it changes; but for a new password, which is still to be hashed."""
        changes = {name: getattr(self, name) for name in self.model_fields_set - {"password"}}
        if "password" in self.model_fields_set and self.password is None:
            changes["password_hash"] = None
        return cast("LinkChanges", changes)


SAYS = ("destination", "link_id", "content")


class QrCodeCreate(Body):
    model_config = shown({"destination": "https://example.com/menu", "name": "Table 7"})
    max_bytes = MAX_DRAWN_BYTES

    name: Annotated[Label, born(Label)] | None = None
    tags: Tags = ()
    destination: Annotated[Destination, born(Destination)] | None = None
    link_id: Annotated[LinkId, born(an_id("lnk"), id_schema("lnk"))] | None = None
    content: ContentBody | None = None
    design: DesignBody = DesignBody()
    #: Of its picture, in pixels, where nobody asks for another one; 512, or what the plan allows of it, if you do not
    #: say. A WebP has at most 4,096.
    size: Size | None = None
    format: ImageFormat = "png"
    allow_unscannable: bool = False

    @classmethod
    def together(cls, given: Mapping[str, object]) -> Iterator[WrongField]:
        said = [field for field in SAYS if given.get(field) is not None]
        if len(said) != 1:
            what = "None is given." if not said else f"Given are {' and '.join(said)}."
            yield WrongField(
                pointer="",
                code="one_of_required",
                detail=f"A code says exactly one of {', '.join(SAYS)}. {what}",
            )

    def says(self) -> Destination | LinkId | Content:
        says = self.content or self.destination or self.link_id
        assert says is not None, "together() has seen to it"
        return says

    def wanted(self) -> NewCode:
        return NewCode(
            says=self.says(),
            name=self.name,
            tags=self.tags,
            design=self.design.value,
            size_px=self.size,
            format=self.format,
            allow_unscannable=self.allow_unscannable,
        )


class QrCodeChange(Body):
    model_config = shown({"design": {"modules": {"shape": "rounded", "color": "#1a237e"}}})
    max_bytes = MAX_DRAWN_BYTES

    name: Annotated[Label, born(Label)] | None = None
    tags: Tags = ()
    #: Of a static code; as a whole.
    content: ContentBody = Text("-")  # null is not a content
    #: Takes also a design that no reader would read.
    allow_unscannable: bool = False
    #: As a whole.
    design: DesignBody = DesignBody()
    size: Size = DEFAULT_SIZE_PX
    format: ImageFormat = "png"

    def changes(self) -> QrCodeChanges:
        changes: QrCodeChanges = {}
        if "name" in self.model_fields_set:
            changes["name"] = self.name
        if "tags" in self.model_fields_set:
            changes["tags"] = self.tags
        if "content" in self.model_fields_set:
            changes["content"] = self.content
        if "design" in self.model_fields_set:
            changes["design"] = self.design.value
        if "size" in self.model_fields_set:
            changes["size_px"] = self.size
        if "format" in self.model_fields_set:
            changes["format"] = self.format
        return changes


class WebhookCreate(Body):
    model_config = shown({"url": "https://example.com/told", "events": ["link.created", "link.deleted"]})

    url: Annotated[Destination, born(Destination)]
    events: Events
    name: Annotated[Label, born(Label)] | None = None
    active: bool = True


class WebhookChange(Body):
    model_config = shown({"active": True})

    url: Annotated[Destination, born(Destination)] = Destination.stored("")  # null is not a URL
    events: Events = EVENT_TYPES  # nor a list
    name: Annotated[Label, born(Label)] | None = None
    active: bool = True

    def changes(self) -> WebhookChanges:
        """Each field is called as what it changes."""
        return cast("WebhookChanges", {name: getattr(self, name) for name in self.model_fields_set})


Limit = Annotated[int, Field(ge=1, le=100)]


class PageQuery(Query):
    limit: Limit = 20
    cursor: Annotated[int | None, born(a_cursor)] = None


class ImageQuery(Query):
    #: The code's own, if you do not say.
    format: ImageFormat | None = None
    #: In pixels, kept exactly; the code's own, if you do not say. A WebP has at most 4,096.
    size: Size | None = None
    #: Pixels per inch: how large it is on paper.
    dpi: Annotated[float | None, Field(ge=MIN_DPI, le=MAX_DPI)] = None
    #: To be saved as a file.
    download: bool = False
    #: Draws also what no reader would read.
    allow_unscannable: bool = False


class LogFilters(Query):
    start: Annotated[datetime | None, born(a_moment(day_ends=False), MOMENT), Field(alias="from")] = None
    end: Annotated[datetime | None, born(a_moment(day_ends=True), MOMENT), Field(alias="to")] = None
    bots: Bots = "exclude"
    country: Annotated[str | None, born(a_country, {"pattern": f"^{COUNTRY.pattern}$"})] = None
    device: Device | None = None
    #: As the log has it, to the letter; and so the browser.
    os: Annotated[str | None, born(_a_name, {"minLength": 1, "maxLength": MAX_LABEL})] = None
    browser: Annotated[str | None, born(_a_name, {"minLength": 1, "maxLength": MAX_LABEL})] = None
    #: In any case.
    referrer_host: Annotated[str | None, born(_a_host, {"minLength": 1, "maxLength": MAX_HOST})] = None
    source: Source | None = None

    def wanted(self) -> Wanted:
        with in_query():
            return Wanted(
                start=self.start or EARLIEST,
                end=self.end or LATEST,
                bots=self.bots,
                country=self.country,
                device=self.device,
                os=self.os,
                browser=self.browser,
                referrer_host=self.referrer_host,
                source=self.source,
            )


class LogQuery(LogFilters):
    limit: Limit = 20
    cursor: Annotated[Place | None, born(a_place)] = None


class AccountLogFilters(LogFilters):
    #: One of the two at most.
    link_id: Annotated[LinkId | None, born(an_id("lnk"), id_schema("lnk"))] = None
    qr_code_id: Annotated[LinkId | None, born(an_id("qr"), id_schema("qr"))] = None

    def one(self) -> tuple[LinkId | None, QrCodeId | None]:
        if self.link_id is not None and self.qr_code_id is not None:
            detail = "A code has the scans of its link. Ask for those of a link, or of a code."
            raise InvalidFields([WrongField(parameter="qr_code_id", code="one_of", detail=detail)])
        return self.link_id, None if self.qr_code_id is None else QrCodeId(self.qr_code_id)


class AccountLogQuery(AccountLogFilters, LogQuery):
    """GET /scans."""


class LogExportQuery(AccountLogFilters):
    #: With a header; or a JSON object in each line.
    format: Format = "csv"


class StreamQuery(Query):
    link_id: Annotated[LinkId | None, born(an_id("lnk"), id_schema("lnk"))] = None


def _each(given: list[str]) -> tuple[str, ...]:
    """What a parameter that may come several times says between commas, none of it twice."""
    return tuple(dict.fromkeys(part for text in given for part in text.split(",")))


class StatsQuery(Query):
    repeatable: ClassVar[frozenset[str]] = frozenset(["group_by"])

    #: Without an offset, and days: in `time_zone`.
    start: Annotated[datetime | None, born(a_moment(day_ends=False, zone=None), MOMENT), Field(alias="from")] = None
    end: Annotated[datetime | None, born(a_moment(day_ends=True, zone=None), MOMENT), Field(alias="to")] = None
    interval: Interval = "day"
    #: By whose clocks and calendar intervals begin: a name in IANA's list.
    time_zone: Annotated[ZoneInfo, born(zone_named, {"examples": ["Europe/Zurich"]})] = ZoneInfo("UTC")
    #: One or several, also with commas between them.
    group_by: Annotated[tuple[GroupBy, ...], BeforeValidator(_each)] = ()
    bots: Bots = "exclude"

    def asked(self, now: datetime) -> Asked:
        with in_query():
            period = Period.of(self.start, self.end, self.interval, self.time_zone, now=now)
        return Asked(period=period, bots=self.bots, group_by=self.group_by)
