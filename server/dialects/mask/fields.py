"""mask: how the fields of a request are read, each as its table says, with all that is wrong at once."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request

from server.domain.errors import InvalidValue
from server.wire import json_of, media_type, read_body

WHOLE = re.compile(r"[0-9]{1,9}", re.ASCII)


class Wrong(NamedTuple):
    field: str
    message: str


class WrongFields(Exception):
    """Fields of a request that are not as they must be: all of them."""

    def __init__(self, wrong: list[Wrong]) -> None:
        super().__init__(wrong)
        self.wrong = wrong


class Field(NamedTuple):
    #: Raises InvalidValue.
    read: Callable[[Any], object]
    required: bool = False
    #: What stands for a field that is not there; a change leaves such a one as it is.
    default: object = None


Fields = Mapping[str, Field]


def wrong(field: str, message: str) -> WrongFields:
    return WrongFields([Wrong(field, message)])


@contextmanager
def within(field: str) -> Iterator[None]:
    """What the domain finds wrong in here is wrong with this field."""
    try:
        yield
    except InvalidValue as exc:
        raise wrong(field, exc.detail) from exc


async def body_of(request: Request) -> Mapping[str, Any]:
    """The fields of a JSON body."""
    if media_type(request) != "application/json":
        raise HTTPException(400, "The body is JSON: send it with Content-Type: application/json.")
    body = json_of(await read_body(request))
    if not isinstance(body, dict):
        raise HTTPException(400, "The body is a JSON object.")
    return body


def query_of(request: Request) -> Mapping[str, str]:
    """The parameters of the query; an empty one is none."""
    return {name: value for name, value in request.query_params.items() if value}


def read(fields: Fields, given: Mapping[str, Any], *, partly: bool = False) -> dict[str, Any]:
    """The fields with their defaults, or, `partly`, those that are given; null is for a field that has no value. Others
    are passed over. Raises WrongFields."""
    found: dict[str, Any] = {}
    refused = []
    for name, field in fields.items():
        value = given.get(name)
        if name not in given and partly:
            continue
        if value is None:
            if field.required:
                refused.append(Wrong(name, "This field is required."))
            found[name] = field.default
            continue
        try:
            found[name] = field.read(value)
        except InvalidValue as exc:
            refused.append(Wrong(name, exc.detail))
    if refused:
        raise WrongFields(refused)
    return found


# --- what JSON holds, or a query, in which all is text ------------------------------------------------------------


def text(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidValue("wrong_type", "This must be a string.")
    return given


def texts(given: object) -> list[str]:
    if not isinstance(given, list):
        raise InvalidValue("wrong_type", "This must be a list of strings.")
    return [text(each) for each in given]


def choice(*names: str) -> Callable[[object], str]:
    def check(given: object) -> str:
        if given not in names:
            raise InvalidValue("unknown_value", f"This must be one of {', '.join(names)}.")
        return str(given)

    return check


def integer(least: int, most: int) -> Callable[[object], int]:
    def check(given: object) -> int:
        number = int(given) if isinstance(given, str) and WHOLE.fullmatch(given) else given
        if type(number) is not int or not least <= number <= most:
            raise InvalidValue("out_of_range", f"This must be a whole number from {least} to {most}.")
        return number

    return check
