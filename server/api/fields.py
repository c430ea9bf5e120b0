"""What all requests are made of: ids, bodies and query strings."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from server.api.problems import InvalidFields, WrongField, wrong_fields
from server.domain.ids import ALPHABET, LENGTH
from server.openapi import Json
from server.wire import MAX_BODY_BYTES, json_of, read_body

#: From here on a body is read in a thread.
LARGE_BYTES = 1 << 18


def id_schema(prefix: str) -> Json:
    return {"type": "string", "pattern": f"^{prefix}_[{ALPHABET}]{{{LENGTH}}}$"}


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
        found: Self | None = None
        try:
            found = cls.__pydantic_validator__.validate_python(given)  # as model_validate does, which asks for more
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
