"""The content of a static code, as requests describe it: {"type": "wifi", "ssid": ...}."""

from dataclasses import fields
from typing import Annotated, Any, cast

from pydantic import PlainValidator, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from server.api.fields import line_error
from server.domain.content import Content, content_of, examine, kind_of
from server.domain.errors import InvalidValue


def _content(given: object) -> Content:
    """The content; or every wrong field of it, each at its place."""
    if not isinstance(given, dict):
        raise PydanticCustomError("wrong_type", "This must be an object")
    wrong = [line_error(each) for each in examine(given)] + _unknown(given)
    if wrong:
        # Inside a validator, pydantic takes the errors of another one over, with its own place before theirs.
        raise ValidationError.from_exception_data("content", wrong)
    return content_of(given)


def _unknown(given: dict[str, object]) -> list[InitErrorDetails]:
    """A field that the kind does not have is a mistake that should not stay unseen."""
    try:
        known = {each.name for each in fields(cast("Any", kind_of(given)))} | {"type"}
    except InvalidValue:
        return []
    unknown = PydanticCustomError("extra_forbidden", "There is no such field")
    return [InitErrorDetails(type=unknown, loc=(name,), input=None) for name in given if name not in known]


ContentBody = Annotated[Content, PlainValidator(_content, json_schema_input_type=dict[str, object])]
