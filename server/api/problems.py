"""Errors of the native API: RFC 9457 problem details, with a stable `code` and every wrong field at once.

{"type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "...", "code": "invalid_fields",
 "request_id": "...", "errors": [{"pointer": "/destination", "code": "invalid_scheme", "detail": "..."}]}
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import Literal, NotRequired

from pydantic import with_config
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from server.asgi import request_id
from server.dispatch import failed
from server.domain import errors
from server.fields import detail_of
from server.openapi import shown
from server.wire import json_response


class WrongField(TypedDict, total=False):
    """One wrong field: in the body by its JSON pointer (RFC 6901), in the query by its parameter's name."""

    #: Where in the body (RFC 6901); an empty one is the whole of it.
    pointer: str
    #: Or which parameter of the query.
    parameter: str
    #: What is wrong, for machines; stable.
    code: str
    detail: str


EXAMPLE_REQUEST = "req_0f3c5d1f6b0a4e5c9a7d2b18"
INVALID = {
    "type": "about:blank",
    "title": "Unprocessable Content",
    "status": 422,
    "detail": "Not as it must be: /destination.",
    "code": "invalid_fields",
    "request_id": EXAMPLE_REQUEST,
    "errors": [
        {
            "pointer": "/destination",
            "code": "invalid_scheme",
            "detail": "A destination begins with http:// or https://.",
        }
    ],
}


@with_config(shown(INVALID))
class Problem(TypedDict):
    """What every refusal says (RFC 9457)."""

    type: Literal["about:blank"]
    title: str
    status: int
    #: What is wrong and what to do, for people.
    detail: str
    #: Stable, for machines.
    code: str
    #: By which the log has this request.
    request_id: str
    #: Every wrong field at once.
    errors: NotRequired[Sequence[WrongField]]


class InvalidFields(Exception):
    """Fields of a request that are not as they must be: all of them."""

    def __init__(self, wrong: Sequence[WrongField]) -> None:
        super().__init__(wrong)
        self.wrong = wrong


@contextmanager
def in_query() -> Iterator[None]:
    """What the domain finds wrong in here came from a parameter of the query."""
    try:
        yield
    except errors.InvalidValue as exc:
        raise InvalidFields([WrongField(parameter=exc.field or "", code=exc.reason, detail=exc.detail)]) from exc


STATUS: dict[type[errors.DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.PlanLimit: 403,
    errors.RateLimited: 429,
    errors.NotFound: 404,
    errors.SlugTaken: 409,
    errors.NotCounted: 409,
    errors.NotStatic: 409,
    errors.WebhookInactive: 409,
    errors.ChangedMeanwhile: 412,
    errors.InvalidValue: 422,
    errors.BadPicture: 400,
    errors.Unscannable: 422,
    errors.InvalidIdempotencyKey: 400,
    errors.IdempotencyKeyReused: 409,
    errors.RequestInProgress: 409,
    errors.TooManyStreams: 429,
    errors.StorageUnavailable: 503,
    errors.Busy: 503,
}

HEADERS: dict[type[errors.DomainError], Mapping[str, str]] = {
    errors.Unauthenticated: {"www-authenticate": 'Bearer realm="qredge"'},
    errors.StorageUnavailable: {"retry-after": str(errors.StorageUnavailable.retry_after_s)},
    errors.Busy: {"retry-after": str(errors.Busy.retry_after_s)},
    errors.RateLimited: {"retry-after": "1"},  # at least
    errors.RequestInProgress: {"retry-after": str(errors.RequestInProgress.retry_after_s)},
}

#: What HTTP itself can say no to.
HTTP_CODES = {400: "malformed_body", 404: "unknown_path", 405: "method_not_allowed", 413: "body_too_large"}
HTTP_DETAILS = {404: "Nothing is at this address. The API is described in docs/api.md."}

#: RFC 9110's names, where Python before 3.13 has those of an older RFC.
TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}

#: pydantic's kinds of error that are one kind to us; the others keep their name.
FIELD_CODES = {
    "missing": "required",
    "extra_forbidden": "unknown_field",
    "string_type": "wrong_type",
    "bool_type": "wrong_type",
    "bool_parsing": "wrong_type",
    "list_type": "wrong_type",
    "tuple_type": "wrong_type",
    "float_type": "wrong_type",
    "float_parsing": "wrong_type",
    "int_type": "wrong_type",
    "int_parsing": "wrong_type",
    "int_from_float": "wrong_type",
    "int_parsing_size": "out_of_range",
    "model_type": "wrong_type",
    "model_attributes_type": "wrong_type",
    "union_tag_not_found": "required",
    "union_tag_invalid": "unknown_type",
    "literal_error": "unknown_value",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
    "greater_than": "out_of_range",
    "less_than": "out_of_range",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "invalid_format",
}


def wrong_fields(found: Sequence[ErrorDetails], *, query: bool = False) -> list[WrongField]:
    """What pydantic has found, in our words."""
    return [
        WrongField(
            **_place(each["loc"], query=query),
            code=FIELD_CODES.get(each["type"], each["type"]),
            detail=detail_of(each),
        )
        for each in found
    ]


def _place(path: Sequence[int | str], *, query: bool) -> WrongField:
    if query:
        return {"parameter": str(path[0])}
    return {"pointer": "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)}


def problem_body(status: int, code: str, detail: str, request: str) -> Problem:
    return {
        "type": "about:blank",
        "title": TITLES.get(status, HTTPStatus(status).phrase),
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request,
    }


def _problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    wrong: Sequence[WrongField] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    body = problem_body(status, code, detail, request_id(request.scope))
    if wrong:
        body["errors"] = wrong
    response = json_response(body, status, {**(headers or {}), "cache-control": "no-store"})
    response.headers["content-type"] = "application/problem+json"
    return response


def design_pointer(finding: errors.Finding, within: str = "") -> str:
    """The field of a request that a finding is about; `within` is where in it the order stands."""
    return f"/{within}{finding.field}" if finding.field == "size" else f"/{within}design/{finding.field}"


def on_domain_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, errors.DomainError)
    kind = type(exc)
    wrong: list[WrongField] = []
    if isinstance(exc, errors.InvalidValue):
        wrong = [WrongField(pointer=f"/{exc.field}" if exc.field else "", code=exc.reason, detail=exc.detail)]
    elif isinstance(exc, errors.PlanLimit):
        wrong = [_refused(request, exc)]
    elif isinstance(exc, errors.Unscannable):
        wrong = [
            WrongField(pointer=design_pointer(each, exc.within), code=each.code, detail=each.detail)
            for each in exc.findings
        ]
    return _problem(request, STATUS[kind], kind.code, exc.detail, wrong=wrong, headers=_headers(exc))


def _headers(exc: errors.DomainError) -> Mapping[str, str] | None:
    return {"retry-after": str(exc.retry_after_s)} if isinstance(exc, errors.RateLimited) else HEADERS.get(type(exc))


def _refused(request: Request, exc: errors.PlanLimit) -> WrongField:
    """What asks for more than the plan allows. A request without a body asks in its query (RFC 9110, 9.3.1)."""
    if request.method in ("GET", "HEAD"):
        return WrongField(parameter=exc.field or "", code=exc.limit, detail=exc.detail)
    return WrongField(pointer=f"/{exc.field}" if exc.field else "", code=exc.limit, detail=exc.detail)


def on_invalid_fields(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, InvalidFields)
    names = ", ".join(each.get("parameter") or each.get("pointer") or "the body" for each in exc.wrong)
    return _problem(request, 422, "invalid_fields", f"Not as it must be: {names}.", wrong=exc.wrong)


def on_http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _problem(
        request,
        exc.status_code,
        HTTP_CODES[exc.status_code],
        HTTP_DETAILS.get(exc.status_code, exc.detail),
        headers=exc.headers,
    )


def on_bug(request: Request, exc: Exception) -> Response:
    failed(request, exc)
    return _problem(request, 500, "internal_error", "This is our mistake. Its request_id finds it in the log.")


HANDLERS = {
    errors.DomainError: on_domain_error,
    InvalidFields: on_invalid_fields,
    HTTPException: on_http_error,
    Exception: on_bug,
}

#: Those that are not bugs.
REFUSALS = (errors.DomainError, InvalidFields, HTTPException)


def problem_of(request: Request, exc: Exception) -> Response:
    """What a refusal is answered, for who wants to know it before it is."""
    return next(HANDLERS[kind] for kind in type(exc).__mro__ if kind in HANDLERS)(request, exc)
