"""GET /openapi.json, /docs: what the API says of itself, for programs and for people."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib.metadata import version

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.fields import id_schema
from server.api.problems import EXAMPLE_REQUEST, INVALID, STATUS, Problem, problem_body
from server.api.problems import HEADERS as REFUSAL_HEADERS
from server.api.reference import SAFETY, page
from server.domain import errors
from server.domain.keys import RENDER
from server.domain.order import MEDIA_TYPES
from server.openapi import About, Described, Json, Refusal, document

ABOUT = """QR codes whose destination can be changed after printing, and counts of their scans.

Every request under `/v1` needs a key, as `Authorization: Bearer KEY` or as `X-Api-Key: KEY`. Bodies and answers are \
JSON; times are RFC 3339, in UTC; ids are opaque texts. What belongs to another account and what does not exist are \
the same: 404.

A list answers `data` and `next_cursor`, which is the `cursor` of the next page, and null on the last one.

A refusal is a problem of RFC 9457 with a stable `code`, and with every wrong field at once in `errors`.

A POST with an `Idempotency-Key` is done once, however often it is sent."""

HEADERS: dict[str, Json] = {
    "Cache-Control": {"description": "Who may keep it, and how long.", "schema": {"type": "string"}},
    "Content-Disposition": {
        "description": "The name of the file that this is to become.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "Changes with what is answered (RFC 9110, 8.8.3).", "schema": {"type": "string"}},
    "Idempotency-Key": {
        "description": "Up to 255 characters of your choice: a request that is sent again with it is done once.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "Idempotent-Omitted": {
        "description": "Fields that are null, as they are shown once.",
        "schema": {"type": "string"},
    },
    "Idempotent-Replayed": {
        "description": "Only where this is the answer to an earlier request with this Idempotency-Key.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "If-Match": {
        "description": "The ETag of what you have: where it was changed since, nothing is, and the answer is 412.",
        "schema": {"type": "string"},
    },
    "If-None-Match": {
        "description": "The ETag of what you have: where that is still right, the answer is 304, without a body.",
        "schema": {"type": "string"},
    },
    "Last-Event-ID": {
        "description": "The id of the last event that came: the stream goes on behind it.",
        "schema": {"type": "string"},
    },
    "Location": {"description": "Where the new thing is.", "schema": {"type": "string"}},
    "RateLimit": {"description": "What is left of each limit of the plan, as `r`.", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The limits of the plan, as `q`.", "schema": {"type": "string"}},
    "Retry-After": {"description": "In so many seconds, try again.", "schema": {"type": "integer", "minimum": 1}},
    "WWW-Authenticate": {"description": "How a key is sent.", "schema": {"type": "string"}},
    "X-Cache": {
        "description": "Whether the picture was there already.",
        "schema": {"type": "string", "enum": ["HIT", "MISS"]},
    },
    "X-Qr-Scannable": {
        "description": "Only of a picture that would not scan.",
        "schema": {"type": "string", "enum": ["false"]},
    },
    "X-Qr-Scannable-Reason": {"description": "Why it would not.", "schema": {"type": "string"}},
    "X-RateLimit-Limit": {
        "description": "That limit of the plan of which the least is left.",
        "schema": {"type": "integer"},
    },
    "X-RateLimit-Remaining": {"description": "What is left of it.", "schema": {"type": "integer"}},
    "X-RateLimit-Reset": {"description": "In so many seconds there is more.", "schema": {"type": "integer"}},
    "X-Render-Ms": {"description": "How many milliseconds it took to have it.", "schema": {"type": "string"}},
}

#: In every answer to an account that is known.
STANDING = ["RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]

SECURITY: dict[str, Json] = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Api-Key"},
}

#: What ids begin with: `id` by what its path is about, others by what they are called.
PREFIXES = {"links": "lnk", "qr-codes": "qr", "api-keys": "key", "webhooks": "whk", "event_id": "evt", "qr_id": "qr"}

#: As they are written; what answers sets them in lower case.
SPELLINGS = {name.lower(): name for name in HEADERS}

#: What is refused before the domain is asked, by status.
BROKEN_BODIES = {
    400: {"malformed_body": "The body is not JSON."},
    413: {"body_too_large": "The body has more bytes, or more values, than a request may have."},
}


def _tag(path: str) -> str:
    if path.startswith("/i/"):
        return "pictures"
    return path.removeprefix("/v1/").split("/")[0] if path.startswith("/v1/") else "health"


def _in_path(path: str, name: str) -> Json:
    if name == "format":
        return {"schema": {"type": "string", "enum": list(MEDIA_TYPES)}, "example": "png"}
    prefix = PREFIXES[_tag(path) if name == "id" else name]
    return {"schema": id_schema(prefix), "example": f"{prefix}_1da3xg8m2v7ks"}


def _with_common(each: Described) -> Described:
    """With what goes for all operations of its kind."""
    said = each.operation
    takes, sends, refusals = list(said.takes), list(said.sends), list(said.refusals)
    if said.permission:
        sends += STANDING
        refusals += [
            errors.Unauthenticated,
            errors.Forbidden,
            errors.PlanLimit,
            errors.RateLimited,
            errors.StorageUnavailable,
        ]
    if "{id}" in each.path:
        refusals.append(errors.NotFound)
    if said.body or said.query:
        refusals.append(errors.InvalidValue)
    if each.method == "POST" and said.permission not in (None, RENDER):
        takes.append("Idempotency-Key")
        sends += ["Idempotent-Replayed", "Idempotent-Omitted"]
        refusals += [errors.InvalidIdempotencyKey, errors.IdempotencyKeyReused, errors.RequestInProgress]
    return each._replace(operation=replace(said, takes=takes, sends=sends, refusals=refusals))


def _refusals(each: Described) -> Mapping[int, Refusal]:
    codes: dict[int, dict[str, str]] = {}
    headers: dict[int, list[str]] = {}
    for kind in each.operation.refusals:
        assert issubclass(kind, errors.DomainError), kind
        codes.setdefault(STATUS[kind], {})[kind.code] = " ".join((kind.__doc__ or "").split())
        headers.setdefault(STATUS[kind], []).extend(REFUSAL_HEADERS.get(kind, ()))
    for status, more in BROKEN_BODIES.items() if each.operation.body else ():
        codes.setdefault(status, {}).update(more)
    standing = STANDING if each.operation.permission else []
    return {
        status: _refusal(status, told, [*headers.get(status, ()), *(standing if status != 401 else ())])
        for status, told in codes.items()
    }


def _refusal(status: int, codes: Mapping[str, str], headers: Iterable[str]) -> Refusal:
    code, detail = next(iter(codes.items()))
    example = problem_body(status, code, detail, EXAMPLE_REQUEST)
    return Refusal(
        description="\n\n".join(f"`{code}`: {text}" for code, text in codes.items()),
        headers=sorted({SPELLINGS[name.lower()] for name in headers}),
        example=INVALID if (status, code) == (422, "invalid_fields") else {**example},
    )


def routes(operations: Sequence[Described], base_url: str) -> list[Route]:
    @cache
    def made() -> tuple[bytes, str]:
        """Once, when somebody wants to know, in a thread: it takes 400 ms, in which scans come."""
        found = document([_with_common(each) for each in operations], _about(base_url))
        return orjson.dumps(found), page(found)

    async def openapi(request: Request) -> Response:
        return Response((await asyncio.to_thread(made))[0], media_type="application/json")

    async def docs(request: Request) -> Response:
        made_page = (await asyncio.to_thread(made))[1]
        return Response(made_page, headers=SAFETY, media_type="text/html")

    return [Route("/openapi.json", openapi), Route("/docs", docs)]


def _about(base_url: str) -> About:
    return About(
        members={
            "info": {
                "title": "qredge",
                "version": version("qredge"),
                "description": ABOUT,
            },
            "servers": [{"url": base_url}],
        },
        tag=_tag,
        headers=HEADERS,
        security=SECURITY,
        problem=Problem,
        refusals=_refusals,
        in_path=_in_path,
    )
