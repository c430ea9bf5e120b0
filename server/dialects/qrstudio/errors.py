"""What is raised, as the vendor answers it: {"detail": "text"}, or what is wrong with each field."""

import secrets
import time
from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from server.asgi import REQUEST_ID, Headers, Scope
from server.dialects.dialect import retry_after
from server.dialects.qrstudio.fields import WrongFields
from server.dialects.qrstudio.from_domain import plan_name
from server.dispatch import failed
from server.domain import errors
from server.domain.ids import ALPHABET
from server.wire import json_response


class Refusal(Exception):
    """One of the vendor's answers."""

    def __init__(self, status: int, body: Mapping[str, object]) -> None:
        super().__init__(status, body)
        self.status = status
        self.body = body


#: What Idempotency takes for refusals, and not for bugs.
REFUSALS = (errors.DomainError, HTTPException, Refusal, WrongFields)

NOT_FOUND = "Not found."

#: By what is raised. A text of None is the domain's own.
ERRORS: dict[type[errors.DomainError], tuple[int, str | None]] = {
    errors.Unauthenticated: (401, "Invalid or revoked API key."),
    errors.Forbidden: (403, None),
    errors.NotFound: (404, NOT_FOUND),
    errors.ChangedMeanwhile: (409, None),
    errors.WebhookInactive: (409, None),
    errors.InvalidIdempotencyKey: (400, None),
    errors.IdempotencyKeyReused: (409, None),
    errors.RequestInProgress: (409, None),
    errors.StorageUnavailable: (503, None),
    errors.Busy: (503, None),
}

#: For what a plan does not allow, by the limit: a status, and what is said of the plan.
PLAN_LIMITS: dict[str, tuple[int, str]] = {
    "size_inches": (403, 'allows up to {allowed:g}". Upgrade for larger sizes.'),
    "size_px": (403, "allows up to {allowed} px. Upgrade for larger sizes."),
    "dpi": (403, "allows up to {allowed} DPI. Upgrade for higher resolutions."),
    "logo": (403, "does not allow custom logos. Upgrade to Starter or higher."),
    "background_image": (403, "does not allow background images. Upgrade to Starter or higher."),
    "dynamic_codes": (403, "allows up to {allowed} active dynamic QR codes."),
    "destination_edits": (402, "allows up to {allowed} change of a destination. Upgrade to edit without limit."),
    "bulk_items": (403, "allows up to {allowed} items in one request."),
}
#: Where it allows none.
NOT_AT_ALL: dict[str, tuple[int, str]] = {
    "bulk_items": (403, "does not allow bulk generation. Upgrade to Starter or higher."),
    "webhooks": (403, "does not allow webhooks. Upgrade to Pro or higher."),
}
OTHER_LIMIT = (403, "does not allow this. {detail}")

HTTP_ERRORS = {404: NOT_FOUND, 405: 'Method "{method}" not allowed.'}


def problem(request: Request, exc: Exception) -> Response:
    headers: Mapping[str, str] = {}
    if isinstance(exc, Refusal):
        return _answer(exc.status, exc.body)
    if isinstance(exc, WrongFields):
        return _answer(400, exc.wrong)
    if isinstance(exc, errors.InvalidValue):
        return _answer(400, {exc.field or "non_field_errors": [exc.detail]})
    if isinstance(exc, HTTPException):
        status = exc.status_code
        detail = HTTP_ERRORS[status].format(method=request.method) if status in HTTP_ERRORS else exc.detail
        headers = exc.headers or {}
    elif isinstance(exc, errors.PlanLimit):
        status, detail = said_of(exc)
    elif isinstance(exc, errors.RateLimited):
        status, headers = 429, {"retry-after": str(exc.retry_after_s)}
        detail = f"Request was throttled. Expected available in {exc.retry_after_s} seconds."
        if exc.limit == "renders_per_month":
            detail = f"Monthly quota of {exc.allowed} exceeded for plan '{plan_name(exc.plan)}'."
    elif isinstance(exc, errors.DomainError) and type(exc) in ERRORS:
        status, text = ERRORS[type(exc)]
        detail = text or exc.detail
        headers = retry_after(exc)
    else:
        found = request_id(request.scope)
        failed(request, exc)
        status, detail = 500, f"Render engine failed. Retry once; include X-Request-Id {found} in your support ticket."
    return _answer(status, {"detail": detail}, headers)


def said_of(exc: errors.PlanLimit) -> tuple[int, str]:
    """The status and the text of what a plan does not allow."""
    known = PLAN_LIMITS if exc.allowed else {**PLAN_LIMITS, **NOT_AT_ALL}
    status, said = known.get(exc.limit, OTHER_LIMIT)
    return status, f"Plan '{plan_name(exc.plan)}' {said.format(allowed=exc.allowed, detail=exc.detail)}"


def _answer(status: int, body: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    return json_response(body, status, {**(headers or {}), "cache-control": "no-store"})


# --- X-Request-Id -------------------------------------------------------------------------------------------------


def request_id(scope: Scope) -> str:
    """As the vendor writes it."""
    if REQUEST_ID not in scope:
        scope[REQUEST_ID] = ulid(time.time_ns() // 1_000_000)
    return str(scope[REQUEST_ID])


def ulid(at_ms: int) -> str:
    """48 bits of time and 80 random ones, in Crockford's base32 (https://github.com/ulid/spec)."""
    number = at_ms << 80 | secrets.randbits(80)
    return "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)).upper()


def headers(scope: Scope) -> Headers:
    return [(b"x-request-id", request_id(scope).encode())]
