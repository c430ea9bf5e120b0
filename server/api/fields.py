"""What all requests are made of: fields that become values of the domain, bodies and query strings."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import InitErrorDetails, PydanticCustomError
from starlette.requests import Request

from server.api.problems import InvalidFields, WrongField, wrong_fields
from server.domain.colour import NAMES, Colour
from server.domain.destination import MAX_BYTES as MAX_DESTINATION_BYTES
from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.ids import ALPHABET, LENGTH
from server.domain.label import MAX_LENGTH as MAX_LABEL
from server.domain.label import Label
from server.domain.password import MAX_LENGTH as MAX_PASSWORD
from server.domain.password import Password
from server.domain.slug import MAX_LENGTH as MAX_SLUG
from server.domain.slug import Slug
from server.openapi import Json
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


#: What JSON Schema can say of texts that become values of the domain.
TEXTS: Mapping[Callable[[str], object], Json] = {
    Destination: {
        "format": "uri",
        "minLength": 1,
        "maxLength": MAX_DESTINATION_BYTES,
        "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://",
    },
    Slug: {"minLength": 1, "maxLength": MAX_SLUG, "pattern": "^[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?$"},
    Label: {"minLength": 1, "maxLength": MAX_LABEL},
    Password: {"minLength": 1, "maxLength": MAX_PASSWORD},
    Colour.of: {
        "pattern": f"^(?:{'|'.join(NAMES)}|#(?:[0-9A-Fa-f]{{3}}|[0-9A-Fa-f]{{6}}|[0-9A-Fa-f]{{8}}))$",
        "examples": ["#1a237e"],
    },
}

#: As `a_moment` reads it.
MOMENT: Json = {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]}


def id_schema(prefix: str) -> Json:
    return {"type": "string", "pattern": f"^{prefix}_[{ALPHABET}]{{{LENGTH}}}$"}


def born(value: Callable[[str], T], schema: Json | None = None) -> PlainValidator:
    """A text field that becomes a value of the domain, with the domain's own words where it cannot. `schema` is what
    JSON Schema can say of it, if it does not stand in TEXTS."""

    def validate(given: object) -> T:
        if not isinstance(given, str):
            raise PydanticCustomError("wrong_type", "This must be a string")
        with in_place():
            return value(given)

    told = {"type": "string", **(TEXTS.get(value, {}) if schema is None else schema)}
    return PlainValidator(validate, json_schema_input_type=Annotated[str, WithJsonSchema(told)])


def like(kind: object) -> PlainValidator:
    """A part of an answer that looks as this part of a request does."""
    return PlainValidator(lambda answer: answer, json_schema_input_type=kind)


class Body(BaseModel):
    """A JSON body. A field nobody knows is a mistake that should not stay unseen."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
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

    #: Parameters that may come several times; of any other the last one counts.
    repeatable: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def of(cls, request: Request) -> Self:
        given = request.query_params
        several = {name: given.getlist(name) for name in cls.repeatable if name in given}
        try:
            return cls.model_validate({**given, **several})
        except ValidationError as exc:
            raise InvalidFields(wrong_fields(exc.errors(include_url=False), query=True)) from exc
