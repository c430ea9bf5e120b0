"""What all requests are made of: fields that become values of the domain, bodies and query strings."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError
from starlette.requests import Request

from server.api.problems import InvalidFields, WrongField, wrong_fields
from server.domain.errors import InvalidValue
from server.wire import MAX_BODY_BYTES, json_of, read_body

T = TypeVar("T")

#: From here on a body is read in a thread.
LARGE_BYTES = 1 << 18


@contextmanager
def in_place() -> Iterator[None]:
    """What the domain finds wrong in here is wrong with the field that is being validated, or with a field in it."""
    try:
        yield
    except InvalidValue as exc:
        wrong = PydanticCustomError(exc.reason, "{detail}", {"detail": exc.detail})
        if exc.field is None:
            raise wrong from exc
        # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
        place = InitErrorDetails(type=wrong, loc=tuple(exc.field.split("/")), input=None)
        raise ValidationError.from_exception_data("value", [place]) from exc


def line_error(found: InvalidValue) -> InitErrorDetails:
    """What the domain finds wrong with a part of a field, for a validator that finds several things."""
    steps = found.field.split("/") if found.field else []
    return InitErrorDetails(
        type=PydanticCustomError(found.reason, "{detail}", {"detail": found.detail}),
        loc=tuple(step.replace("~1", "/").replace("~0", "~") for step in steps),
        input=None,
    )


def born(value: Callable[[str], T]) -> PlainValidator:
    """A text field that becomes a value of the domain, with the domain's own words where it cannot."""

    def validate(given: object) -> T:
        if not isinstance(given, str):
            raise PydanticCustomError("wrong_type", "This must be a string")
        with in_place():
            return value(given)

    return PlainValidator(validate, json_schema_input_type=str)


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


class Body(BaseModel):
    """A JSON body. A field nobody knows is a mistake that should not stay unseen."""

    model_config = ConfigDict(strict=True, extra="forbid")
    #: What a body of this kind may take.
    max_bytes: ClassVar[int] = MAX_BODY_BYTES

    @classmethod
    async def of(cls, request: Request) -> Self:
        """The body of this request; raises InvalidFields with all that is wrong."""
        body = await read_body(request, max_bytes=cls.max_bytes)
        # A large one has pictures in it, whose bytes take their time.
        return await asyncio.to_thread(cls.read, body) if len(body) > LARGE_BYTES else cls.read(body)

    @classmethod
    def read(cls, body: bytes | bytearray) -> Self:
        """What a body says; raises InvalidFields with all that is wrong."""
        return cls.of_json(json_of(body))

    @classmethod
    def of_json(cls, given: object) -> Self:
        """The same for what has been read already, as a part of a body."""
        wrong: list[WrongField] = []
        found = None
        try:
            found = cls.model_validate(given)
        except ValidationError as exc:
            wrong = wrong_fields(exc.errors(include_url=False))
        if isinstance(given, dict):
            wrong += cls.together(given)
        if wrong or found is None:
            raise InvalidFields(wrong)
        return found

    @classmethod
    def together(cls, given: Mapping[str, object]) -> Iterator[WrongField]:
        """What is wrong between fields."""
        return iter(())


class Query(BaseModel):
    """A query string. Parameters nobody knows are passed over, as caches and mail programs add their own."""

    @classmethod
    def of(cls, request: Request) -> Self:
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as exc:
            raise InvalidFields(wrong_fields(exc.errors(include_url=False), query=True)) from exc
