"""What requests to the native API may say, as pydantic models that become values of the domain."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from server.api.contents import ContentBody
from server.api.problems import InvalidFields, WrongField, in_query, wrong_fields
from server.domain.content import Content, Text
from server.domain.design import MAX_MARGIN, Design, Level
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotFound
from server.domain.ids import id_number
from server.domain.label import Label
from server.domain.model import LinkChanges, LinkId, QrCodeChanges
from server.domain.ports import ImageFormat
from server.domain.slug import Slug
from server.domain.stats import Interval, Period
from server.wire import cursor_number, read_json

T = TypeVar("T")

MIN_SIZE_PX = 64
MAX_SIZE_PX = 9000
DEFAULT_SIZE_PX = 512


# --- fields -------------------------------------------------------------------------------------------------------


def born(value: Callable[[str], T]) -> PlainValidator:
    """A text field that becomes a value of the domain, with the domain's own words where it cannot."""

    def validate(given: object) -> T:
        if not isinstance(given, str):
            raise PydanticCustomError("wrong_type", "This must be a string")
        try:
            return value(given)
        except InvalidValue as exc:
            raise PydanticCustomError(exc.reason, "{detail}", {"detail": exc.detail}) from exc

    return PlainValidator(validate, json_schema_input_type=str)


def an_id(prefix: str) -> Callable[[str], LinkId]:
    def parse(given: str) -> LinkId:
        number = id_number(prefix, given)
        if number is None:
            raise InvalidValue("invalid_id", f"An id here begins with {prefix}_ and is as it was given.")
        return LinkId(number)

    return parse


def path_id(request: Request, prefix: str, what: str) -> int:
    """The id in the path. One that we never gave is no different from one that is somebody else's: NotFound."""
    text = str(request.path_params["id"])
    number = id_number(prefix, text)
    if number is None:
        raise NotFound.of(what, text)
    return number


def a_cursor(given: str) -> int:
    number = cursor_number(given)
    if number is None:
        raise InvalidValue("invalid_cursor", "A cursor is the next_cursor of an earlier page, as it was.")
    return number


def a_moment(*, day_ends: bool) -> Callable[[str], datetime]:
    """RFC 3339, or a day, which stands for its first moment or for its end; without a zone it is UTC."""

    def parse(given: str) -> datetime:
        try:
            if len(given) == len("2026-11-20"):
                return datetime.combine(date.fromisoformat(given) + timedelta(days=day_ends), time(), UTC)
            moment = datetime.fromisoformat(given)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise InvalidValue(
                "invalid_time",
                "A time is written as 2026-11-20T08:30:00Z (RFC 3339), or as a day, 2026-11-20.",
            ) from exc

    return parse


# --- requests -----------------------------------------------------------------------------------------------------


class Body(BaseModel):
    """A JSON body. A field nobody knows is a mistake that should not stay unseen."""

    model_config = ConfigDict(strict=True, extra="forbid")

    @classmethod
    async def of(cls, request: Request) -> Self:
        """The body of this request; raises InvalidFields with all that is wrong."""
        given = await read_json(request)
        wrong: list[WrongField] = []
        body = None
        try:
            body = cls.model_validate(given)
        except ValidationError as exc:
            wrong = wrong_fields(exc.errors(include_url=False))
        if isinstance(given, dict):
            wrong += cls.together(given)
        if wrong or body is None:
            raise InvalidFields(wrong)
        return body

    @classmethod
    def together(cls, given: Mapping[str, object]) -> Iterator[WrongField]:
        """What is wrong between fields."""
        return iter(())


class KeyCreate(Body):
    name: Annotated[Label, born(Label)]


class LinkCreate(Body):
    destination: Annotated[Destination, born(Destination)]
    slug: Annotated[Slug, born(Slug)] | None = None
    title: Annotated[Label, born(Label)] | None = None


class LinkChange(Body):
    destination: Annotated[Destination, born(Destination)] = Destination.stored("")  # null is not a destination
    title: Annotated[Label, born(Label)] | None = None

    def changes(self) -> LinkChanges:
        changes: LinkChanges = {}
        if "destination" in self.model_fields_set:
            changes["destination"] = self.destination
        if "title" in self.model_fields_set:
            changes["title"] = self.title
        return changes


class DesignBody(Body):
    level: Level = "M"
    margin: Annotated[int, Field(ge=0, le=MAX_MARGIN)] = 4

    def value(self) -> Design:
        return Design(level=self.level, margin=self.margin)


SAYS = ("destination", "link_id", "content")


class QrCodeCreate(Body):
    name: Annotated[Label, born(Label)] | None = None
    destination: Annotated[Destination, born(Destination)] | None = None
    link_id: Annotated[LinkId, born(an_id("lnk"))] | None = None
    content: ContentBody | None = None
    design: DesignBody = DesignBody()

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


class QrCodeChange(Body):
    name: Annotated[Label, born(Label)] | None = None
    content: ContentBody = Text("-")  # null is not a content
    design: DesignBody = DesignBody()

    def changes(self) -> QrCodeChanges:
        changes: QrCodeChanges = {}
        if "name" in self.model_fields_set:
            changes["name"] = self.name
        if "content" in self.model_fields_set:
            changes["content"] = self.content
        if "design" in self.model_fields_set:
            changes["design"] = self.design.value()
        return changes


class Query(BaseModel):
    """A query string. Parameters nobody knows are passed over, as caches and mail programs add their own."""

    @classmethod
    def of(cls, request: Request) -> Self:
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as exc:
            raise InvalidFields(wrong_fields(exc.errors(include_url=False), query=True)) from exc


class PageQuery(Query):
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[int | None, born(a_cursor)] = None


class ImageQuery(Query):
    format: ImageFormat = "png"
    size: Annotated[int, Field(ge=MIN_SIZE_PX, le=MAX_SIZE_PX)] = DEFAULT_SIZE_PX


class StatsQuery(Query):
    start: Annotated[datetime | None, born(a_moment(day_ends=False)), Field(alias="from")] = None
    end: Annotated[datetime | None, born(a_moment(day_ends=True)), Field(alias="to")] = None
    interval: Interval = "day"

    def period(self, now: datetime) -> Period:
        with in_query():
            return Period.of(self.start, self.end, self.interval, now=now)
