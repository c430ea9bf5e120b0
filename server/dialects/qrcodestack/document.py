"""qrcodestack: GET /openapi.yaml, /openapi.json: what the routes say of themselves, as OpenAPI 3.0, which is what the
vendor's clients are generated from (https://spec.openapis.org/oas/v3.0.3.html)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.dialect import url_of
from server.dialects.qrcodestack.errors import CODES, HTTP_CODES, Code, ErrorBody, body_of
from server.dialects.qrcodestack.from_domain import uuid_of
from server.dialects.qrcodestack.wire import ROOT
from server.openapi import About, Described, Json, Refusal, described, document
from server.wire import ByMethod

AS_YAML, AS_JSON = "/openapi.yaml", "/openapi.json"
PATHS = frozenset([AS_YAML, AS_JSON])

HEADERS: dict[str, Json] = {
    "Cache-Control": {"description": "Who may keep it, and how long.", "schema": {"type": "string"}},
    "ETag": {"description": "Changes with the picture.", "schema": {"type": "string"}},
    "Retry-After": {"description": "In so many seconds, try again.", "schema": {"type": "integer", "minimum": 1}},
}
#: Those of them that refusals have.
WAITING: Mapping[int, Sequence[str]] = {429: ["Retry-After"], 503: ["Retry-After"]}

#: What is wrong, where it is of fields.
WRONG = {"destination_url": "This is required."}
EXAMPLE_ID = str(uuid_of(465_293_019_283_456_001))


def routes(table: Sequence[Route]) -> list[Route]:
    """Of what is in this table."""

    @cache
    def made() -> Json:
        """Once, when somebody wants to know, in a thread, as it takes a while."""
        operations = [each._replace(path=each.path.removeprefix(ROOT)) for each in described(table)]
        return as_3_0(document(operations, ABOUT))

    def answering(media_type: str, written: Callable[[Json], bytes]) -> ByMethod:
        async def openapi(request: Request) -> Response:
            servers = [{"url": url_of(request, ROOT)}]
            found = await asyncio.to_thread(lambda: written({**made(), "servers": servers}))
            return Response(found, media_type=media_type)

        return ByMethod(GET=openapi)

    return [
        Route(AS_YAML, answering("application/yaml", yaml_of)),
        Route(AS_JSON, answering("application/json", orjson.dumps)),
    ]


def _refusals(each: Described) -> Mapping[int, Refusal]:
    codes: list[Code] = [
        *("UNAUTHORIZED", "PLAN_FORBIDDEN", "FORBIDDEN", "RATE_LIMITED", "MONTHLY_QUOTA_EXCEEDED"),
        *("INTERNAL_ERROR", "SERVICE_UNAVAILABLE"),
    ]
    if each.method == "POST":
        codes.append("QR_LIMIT_REACHED")
    if "{id}" in each.path:
        codes.append("NOT_FOUND")
    if each.operation.body or each.operation.query:
        codes.append("VALIDATION_ERROR")
    if each.operation.body:
        codes += [HTTP_CODES[413], HTTP_CODES[415]]
    by_status: dict[int, list[Code]] = {}
    for code in codes:
        by_status.setdefault(CODES[code].status, []).append(code)
    return {status: _refusal(status, some) for status, some in by_status.items()}


def _refusal(status: int, codes: Sequence[Code]) -> Refusal:
    fields = WRONG if status == 422 else None
    return Refusal(
        description="\n\n".join(f"`{code}`: {CODES[code].error}" for code in codes),
        headers=WAITING.get(status, ()),
        example={**body_of(codes[0], fields=fields)},
    )


ABOUT = About(
    members={
        "info": {
            "title": "QRCodeStack",
            "version": "1.0.0",
            "description": "Create, manage and track dynamic QR codes, as qrcodestack.com's API does it.",
        }
    },
    tag=lambda path: "account" if path == "/me" else "qr-codes",
    headers=HEADERS,
    security={"bearer": {"type": "http", "scheme": "bearer"}},
    in_path=lambda path, name: {"schema": {"type": "string", "format": "uuid"}, "example": EXAMPLE_ID},
    problem=ErrorBody,
    problem_type="application/json",
    refusals=_refusals,
)


# --- OpenAPI 3.0 --------------------------------------------------------------------------------------------------


def as_3_0(found: Json) -> Json:
    """A document of OpenAPI 3.1 in the words of 3.0, whose schemas have no type null, one example, no constants, and
    nothing beside a $ref."""
    schemas = {name: _schema(each) for name, each in found["components"]["schemas"].items()}
    whole = _with_schemas({**found, "openapi": "3.0.3"})
    return {**whole, "components": {**whole["components"], "schemas": schemas}}


def _with_schemas(value: object) -> Any:  # noqa: ANN401 -- as it was
    """The same, with each member `schema` as 3.0 has it."""
    if isinstance(value, dict):
        return {name: _schema(part) if name == "schema" else _with_schemas(part) for name, part in value.items()}
    return [_with_schemas(each) for each in value] if isinstance(value, list) else value


def _schema(schema: Json) -> Json:
    found = dict(schema)
    kinds = found.pop("type", None)
    if isinstance(kinds, list):  # of one kind, or null
        found["nullable"] = True
        (kinds,) = (kind for kind in kinds if kind != "null")
    if kinds is not None:
        found["type"] = kinds
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "examples" in found:
        found["example"] = found.pop("examples")[0]
    if "anyOf" in found:
        others = [each for each in found["anyOf"] if each != {"type": "null"}]
        if len(others) < len(found["anyOf"]):
            found["nullable"] = True
        if len(others) == 1:
            found = {**others[0], **{name: part for name, part in found.items() if name != "anyOf"}}
            return _schema(found)
        found["anyOf"] = [_schema(each) for each in others]
    if "$ref" in found and len(found) > 1:
        found["allOf"] = [{"$ref": found.pop("$ref")}]
    for name in ("items", "additionalProperties"):
        if isinstance(found.get(name), dict):
            found[name] = _schema(found[name])
    if "properties" in found:
        found["properties"] = {name: _schema(part) for name, part in found["properties"].items()}
    return found


# --- YAML ---------------------------------------------------------------------------------------------------------


def yaml_of(value: Json) -> bytes:
    """As YAML in blocks. Texts and names are those of JSON, which YAML has in it (https://yaml.org/spec/1.2.2/)."""
    return "".join(f"{line}\n" for line in _lines(value)).encode()


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _member(f"{_scalar(name)}:", part)
    elif isinstance(value, list) and value:
        for part in value:
            yield from _member("-", part)
    else:
        yield _scalar(value)


def _member(head: str, part: object) -> Iterator[str]:
    if part and isinstance(part, dict | list):
        yield head
        yield from (f"  {line}" for line in _lines(part))
    else:
        yield f"{head} {_scalar(part)}"


def _scalar(value: object) -> str:
    """A name that means nothing else in YAML stands by itself."""
    if isinstance(value, str) and value.isascii() and value.isidentifier() and value.lower() not in MEAN_MORE:
        return value
    return orjson.dumps(value).decode()


#: In YAML 1.1, which many still read.
MEAN_MORE = frozenset(["true", "false", "yes", "no", "on", "off", "null", "y", "n"])
