"""mask: refusals, as {"error": {"code", "message"}}, with what else there is to say beside these."""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from server.dialects.dialect import retry_after
from server.dialects.mask.fields import Wrong, WrongFields
from server.dialects.mask.wire import SCOPES
from server.dispatch import failed
from server.domain import errors
from server.domain.keys import Permission
from server.wire import json_response

#: By what is raised. What the vendor's pages have no code for is named as the rest of them is.
ERRORS: dict[type[errors.DomainError], tuple[int, str]] = {
    errors.Unauthenticated: (401, "unauthorized"),
    errors.Forbidden: (403, "insufficient_scope"),
    errors.PlanLimit: (403, "plan_limit_exceeded"),
    errors.NotFound: (404, "not_found"),
    errors.ChangedMeanwhile: (409, "conflict"),
    errors.IdempotencyKeyReused: (409, "conflict"),
    errors.RequestInProgress: (409, "conflict"),
    errors.RateLimited: (429, "rate_limit_exceeded"),
    errors.StorageUnavailable: (503, "service_unavailable"),
    errors.Busy: (503, "service_unavailable"),
}
HTTP_ERRORS = {400: "validation_error", 404: "not_found", 405: "method_not_allowed", 413: "payload_too_large"}
HTTP_DETAILS = {404: "Nothing is at this path."}

#: What Idempotency takes for refusals, and not for bugs.
REFUSALS = (errors.DomainError, HTTPException, WrongFields)

#: What the domain's fields are called here; the first that one begins with.
FIELDS = {
    "design/logo": "logo_url",
    "design/modules": "foreground_color",
    "design/background": "background_color",
    "design/level": "error_correction",
    "destination": "url",
    "logo": "logo_url",
    "from": "start",
    "to": "end",
    "group_by": "groupBy",
}


def problem(request: Request, exc: Exception) -> Response:
    headers: Mapping[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(exc, WrongFields):
        status, code, message = 400, "validation_error", "The request has fields that are not valid."
        more = {"details": [each._asdict() for each in exc.wrong]}
    elif isinstance(exc, HTTPException):
        status, code = exc.status_code, HTTP_ERRORS[exc.status_code]
        message, headers = HTTP_DETAILS.get(status, exc.detail), exc.headers or {}
        more = {"details": [Wrong("body", message)._asdict()]} if status == 400 else {}
    elif isinstance(exc, errors.InvalidValue | errors.SlugTaken | errors.InvalidIdempotencyKey):
        return problem(request, WrongFields([Wrong(_field(exc), exc.detail)]))
    elif isinstance(exc, errors.DomainError) and type(exc) in ERRORS:
        (status, code), message = ERRORS[type(exc)], exc.detail
        more, headers = _more(exc), retry_after(exc)
    else:
        failed(request, exc)
        status, code, message = 500, "internal_error", "This is our mistake. Try again later."
    body = {"error": {"code": code, "message": message, **more}}
    return json_response(body, status, {**headers, "cache-control": "no-store"})


def _field(exc: errors.DomainError) -> str:
    if isinstance(exc, errors.SlugTaken):
        return "slug"
    if isinstance(exc, errors.InvalidIdempotencyKey):
        return "Idempotency-Key"
    field = getattr(exc, "field", None) or "body"
    return next((name for ours, name in FIELDS.items() if f"{field}/".startswith(f"{ours}/")), field)


def _more(exc: errors.DomainError) -> dict[str, Any]:
    if isinstance(exc, errors.Forbidden) and exc.permission is not None:
        return {"required_scope": SCOPES[Permission(exc.permission)]}
    if isinstance(exc, errors.PlanLimit) and exc.field is not None:
        return {"details": [Wrong(_field(exc), exc.detail)._asdict()]}
    if isinstance(exc, errors.RateLimited):
        return {"retry_after": exc.retry_after_s}
    return {}
