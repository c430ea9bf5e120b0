"""Fields of requests that become values of the domain, and what is said of those that cannot."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, TypeVar

from pydantic import PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from server.domain.colour import NAMES, Colour
from server.domain.destination import MAX_BYTES as MAX_DESTINATION_BYTES
from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.label import MAX_LENGTH as MAX_LABEL
from server.domain.label import Label
from server.domain.password import MAX_LENGTH as MAX_PASSWORD
from server.domain.password import Password
from server.domain.slug import MAX_LENGTH as MAX_SLUG
from server.domain.slug import Slug
from server.openapi import Json

T = TypeVar("T")

#: What pydantic says of a field, in our words; the rest it says well enough itself.
DETAILS = {
    "missing": "This is required.",
    "extra_forbidden": "There is no such field.",
    "tuple_type": "This must be a list.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
}


def detail_of(found: ErrorDetails) -> str:
    """What is wrong with a field, as a sentence."""
    return DETAILS.get(found["type"], found["msg"].removesuffix(".") + ".")


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
