"""The content of a static code, as requests describe it: {"type": "wifi", "ssid": ...}."""

from dataclasses import MISSING, fields
from functools import cache
from inspect import getdoc
from typing import Annotated, Any, Literal, Union, cast

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, WithJsonSchema, create_model
from pydantic_core import InitErrorDetails, PydanticCustomError

from server.domain.content import KINDS, Content, checks, examine, kind_of, schema_of
from server.domain.errors import InvalidValue
from server.fields import line_error


def _content(given: object) -> Content:
    """The content; or every wrong field of it, each at its place."""
    if not isinstance(given, dict):
        raise PydanticCustomError("wrong_type", "This must be an object")
    try:
        kind = kind_of(given)
        if given.keys() <= _fields(kind):
            return kind.of(given)
    except InvalidValue:
        pass  # it is said below, with all else
    wrong = [line_error(each) for each in examine(given)] + _unknown(given)
    # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
    raise ValidationError.from_exception_data("content", wrong)


def _unknown(given: dict[str, object]) -> list[InitErrorDetails]:
    """A field that the kind does not have is a mistake that should not stay unseen."""
    try:
        known = _fields(kind_of(given))
    except InvalidValue:
        return []
    unknown = PydanticCustomError("extra_forbidden", "There is no such field")
    return [InitErrorDetails(type=unknown, loc=(name,), input=None) for name in given if name not in known]


@cache
def _fields(kind: type[Content]) -> frozenset[str]:
    return frozenset(each.name for each in fields(cast("Any", kind))) | {"type"}


def _shape(kind: type[Content]) -> type[BaseModel]:
    """What JSON Schema can say of a kind, as a model for pydantic to write it down; nothing is ever read by it."""
    each_check = checks(kind)
    shapes: dict[str, Any] = {
        each.name: (
            Annotated[object, WithJsonSchema(schema_of(each_check[each.name]))],
            ... if each.default is MISSING else each.default,
        )
        for each in fields(cast("Any", kind))
    }
    literal: Any = Literal
    return create_model(
        f"{kind.__name__}Content",
        __config__=ConfigDict(extra="forbid"),
        __doc__=getdoc(kind),
        type=(literal[kind.type], ...),
        **shapes,
    )


_union: Any = Union
ContentShape: Any = Annotated[_union[tuple(_shape(kind) for kind in KINDS.values())], Field(discriminator="type")]
ContentBody = Annotated[Content, PlainValidator(_content, json_schema_input_type=ContentShape)]
