"""qrcodestack: refusals, as {"success": false, "error": "text", "code": "CODE"}, "fields" where they are wrong."""

from collections.abc import Mapping
from typing import Literal, NamedTuple, NotRequired, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from server.dialects.dialect import retry_after
from server.dispatch import failed
from server.domain import errors
from server.wire import json_response

Code = Literal[
    "UNAUTHORIZED",
    "PLAN_FORBIDDEN",
    "QR_LIMIT_REACHED",
    "FORBIDDEN",
    "NOT_FOUND",
    "METHOD_NOT_ALLOWED",
    "PAYLOAD_TOO_LARGE",
    "UNSUPPORTED_MEDIA_TYPE",
    "VALIDATION_ERROR",
    "RATE_LIMITED",
    "MONTHLY_QUOTA_EXCEEDED",
    "INTERNAL_ERROR",
    "SERVICE_UNAVAILABLE",
]

#: What is wrong with each field, by its name, or by its name in each item.
Wrong = Mapping[str, str | Mapping[str, str]]


class ErrorBody(TypedDict):
    success: bool
    #: For people.
    error: str
    #: For machines; stable.
    code: Code
    #: Of VALIDATION_ERROR: what is wrong, by field. Of a bulk by the item's index, and then by field.
    fields: NotRequired[Mapping[str, str | Mapping[str, str]]]


class Meaning(NamedTuple):
    status: int
    #: What is said where nothing else is.
    error: str


CODES: Mapping[Code, Meaning] = {
    "UNAUTHORIZED": Meaning(401, "Missing or invalid API key. Send it as Authorization: Bearer qrs_<your_key>."),
    "PLAN_FORBIDDEN": Meaning(403, "Your plan does not include this."),
    "QR_LIMIT_REACHED": Meaning(403, "Your plan's number of dynamic QR codes is reached."),
    "FORBIDDEN": Meaning(403, "This API key may not do this."),
    "NOT_FOUND": Meaning(404, "Not found."),
    "METHOD_NOT_ALLOWED": Meaning(405, "This address does not know the method."),
    "PAYLOAD_TOO_LARGE": Meaning(413, "The body is too large."),
    "UNSUPPORTED_MEDIA_TYPE": Meaning(415, "The body must be JSON, sent as application/json."),
    "VALIDATION_ERROR": Meaning(422, "Request validation failed."),
    "RATE_LIMITED": Meaning(429, "Too many requests per minute."),
    "MONTHLY_QUOTA_EXCEEDED": Meaning(429, "This month's requests are used up."),
    "INTERNAL_ERROR": Meaning(500, "Something went wrong on our side. Retry with backoff."),
    "SERVICE_UNAVAILABLE": Meaning(503, "The service is busy or unavailable. Retry with backoff."),
}
assert CODES.keys() == set(get_args(Code))

#: By what is raised, and for what a plan does not allow, or has no more of, by the limit.
ERRORS: Mapping[type[errors.DomainError] | str, Code] = {
    errors.Unauthenticated: "UNAUTHORIZED",
    errors.Forbidden: "FORBIDDEN",
    errors.NotFound: "NOT_FOUND",
    errors.NotCounted: "NOT_FOUND",
    errors.PlanLimit: "PLAN_FORBIDDEN",
    errors.RateLimited: "RATE_LIMITED",
    errors.StorageUnavailable: "SERVICE_UNAVAILABLE",
    errors.Busy: "SERVICE_UNAVAILABLE",
    "dynamic_codes": "QR_LIMIT_REACHED",
    "links": "QR_LIMIT_REACHED",
    "requests_per_month": "MONTHLY_QUOTA_EXCEEDED",
    "renders_per_month": "MONTHLY_QUOTA_EXCEEDED",
}
HTTP_CODES: Mapping[int, Code] = {
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
}

#: What a plan does not allow, where the vendor has words for it.
PLAN_LIMITS = {
    "api_access": "The API is not available on your plan. Upgrade to Pro or Advanced.",
    "dynamic_codes": "Your plan allows {allowed} dynamic QR codes. Delete some, or upgrade.",
    "bulk_items": "Your plan allows {allowed} items in one request.",
}
NO_BULK = "The bulk endpoint is available on the Advanced plan only."


class WrongFields(Exception):
    """Fields of a request that are not as they must be: all of them."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__(wrong)
        self.wrong = wrong


def problem(request: Request, exc: Exception) -> Response:
    code: Code
    headers: Mapping[str, str] = {}
    if isinstance(exc, WrongFields):
        return answer("VALIDATION_ERROR", fields=exc.wrong)
    if isinstance(exc, errors.InvalidValue):
        return answer("VALIDATION_ERROR", fields=wrong_of(exc))
    if isinstance(exc, HTTPException) and exc.status_code in HTTP_CODES:
        code, headers = HTTP_CODES[exc.status_code], exc.headers or {}
        return answer(code, None if exc.status_code == 404 else exc.detail, headers)
    if isinstance(exc, errors.DomainError) and (type(exc) in ERRORS):
        code = ERRORS.get(getattr(exc, "limit", ""), ERRORS[type(exc)])
        return answer(code, said_of(exc), retry_after(exc))
    failed(request, exc)
    return answer("INTERNAL_ERROR")


def wrong_of(exc: errors.InvalidValue) -> dict[str, str]:
    """What the domain finds wrong, by the vendor's field."""
    field = exc.field or ""
    if field.startswith("design/logo"):
        return {"render_customizations.logo_url": exc.detail}
    return {"render_customizations" if field.startswith("design/") else field or "body": exc.detail}


def said_of(exc: errors.DomainError) -> str | None:
    """None is what its code says."""
    if isinstance(exc, errors.PlanLimit):
        if exc.limit == "bulk_items" and not exc.allowed:
            return NO_BULK
        return PLAN_LIMITS.get(exc.limit, exc.detail).format(allowed=exc.allowed)
    return None if isinstance(exc, errors.Unauthenticated | errors.NotFound | errors.NotCounted) else exc.detail


def body_of(code: Code, error: str | None = None, fields: Wrong | None = None) -> ErrorBody:
    body: ErrorBody = {"success": False, "error": error or CODES[code].error, "code": code}
    if fields is not None:
        body["fields"] = fields
    return body


def answer(
    code: Code, error: str | None = None, headers: Mapping[str, str] | None = None, *, fields: Wrong | None = None
) -> Response:
    return json_response(
        body_of(code, error, fields), CODES[code].status, {**(headers or {}), "cache-control": "no-store"}
    )
