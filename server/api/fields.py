"""What all requests are made of: fields that become values of the domain, bodies and query strings."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, ValidationError
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from server.api.problems import InvalidFields, WrongField, wrong_fields
from server.domain.errors import InvalidValue
from server.wire import MAX_BODY_BYTES, read_json

T = TypeVar("T")


@contextmanager
def in_place() -> Iterator[None]:
    """What the domain finds wrong in here is wrong with the field that is being validated."""
    try:
        yield
    except InvalidValue as exc:
        raise PydanticCustomError(exc.reason, "{detail}", {"detail": exc.detail}) from exc


def born(value: Callable[[str], T]) -> PlainValidator:
    """A text field that becomes a value of the domain, with the domain's own words where it cannot."""

    def validate(given: object) -> T:
        if not isinstance(given, str):
            raise PydanticCustomError("wrong_type", "This must be a string")
        with in_place():
            return value(given)

    return PlainValidator(validate, json_schema_input_type=str)


class Body(BaseModel):
    """A JSON body. A field nobody knows is a mistake that should not stay unseen."""

    model_config = ConfigDict(strict=True, extra="forbid")
    #: What a body of this kind may take.
    max_bytes: ClassVar[int] = MAX_BODY_BYTES

    @classmethod
    async def of(cls, request: Request) -> Self:
        """The body of this request; raises InvalidFields with all that is wrong."""
        given = await read_json(request, max_bytes=cls.max_bytes)
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


class Query(BaseModel):
    """A query string. Parameters nobody knows are passed over, as caches and mail programs add their own."""

    @classmethod
    def of(cls, request: Request) -> Self:
        try:
            return cls.model_validate(dict(request.query_params))
        except ValidationError as exc:
            raise InvalidFields(wrong_fields(exc.errors(include_url=False), query=True)) from exc
