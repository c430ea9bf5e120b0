"""qrcode-app: refusals, as {"error": {"code", "message", "details"}}."""

from collections.abc import Mapping
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from server.dispatch import failed
from server.domain import errors
from server.wire import json_response


class Said(NamedTuple):
    status: int
    #: In the words of the vendor's documentation.
    message: str
    details: str


#: What the vendor's documentation lists, and then what it has no code for.
CODES: Mapping[str, Said] = {
    "INVALID_API_KEY": Said(401, "Invalid API key.", "Check the Authorization header and your key validity."),
    "QUOTA_EXCEEDED": Said(
        403, "You have reached your plan limit.", "Upgrade to the Business plan for unlimited access."
    ),
    "API_NOT_AVAILABLE": Said(403, "API is not available on your plan.", "Business plan required."),
    "INVALID_TYPE": Said(400, "The specified type does not exist.", "See the list in section 5."),
    "INVALID_CONTENT": Said(400, "The content field does not match the type.", "E.g. url requires a valid URL."),
    "QR_NOT_FOUND": Said(
        404, "The qr_id does not exist or does not belong to your account.", "List yours by GET /v1/qrcodes."
    ),
    "RATE_LIMIT_EXCEEDED": Said(429, "Too many requests.", "Wait for X-RateLimit-Reset before retrying."),
    "LOGO_TOO_LARGE": Said(400, "Logo trop grand.", "Utilisez logo_size entre 0.1 et 0.4."),
    "INVALID_COLOR": Said(400, "Invalid color format.", "Use hex format: #rrggbb."),
    "INVALID_EAN": Said(
        400, "For EAN-13: provide 12 digits (checksum is calculated automatically).", "The value is none."
    ),
    "INVALID_PARAMETER": Said(400, "Missing or invalid parameters.", "See the list of the endpoint's fields."),
    "FORBIDDEN": Said(403, "Your API key may not do this.", "Use a key with the permission for it."),
    "NOT_FOUND": Said(404, "Resource not found.", "Check the path."),
    "METHOD_NOT_ALLOWED": Said(405, "This path does not know the method.", "The header Allow has those it knows."),
    "SERVER_ERROR": Said(500, "Internal error.", "Try again later, or contact support."),
}

#: By what is raised, and for what a plan does not allow, by the limit.
ERRORS: dict[type[errors.DomainError] | str, str] = {
    errors.Unauthenticated: "INVALID_API_KEY",
    errors.Forbidden: "FORBIDDEN",
    errors.NotFound: "QR_NOT_FOUND",
    errors.NotCounted: "INVALID_PARAMETER",
    errors.InvalidValue: "INVALID_PARAMETER",
    errors.BadPicture: "INVALID_PARAMETER",
    errors.PlanLimit: "QUOTA_EXCEEDED",
    errors.RateLimited: "RATE_LIMIT_EXCEEDED",
    errors.StorageUnavailable: "SERVER_ERROR",
    errors.Busy: "SERVER_ERROR",
    "api_access": "API_NOT_AVAILABLE",
}
#: Which say the same each time, in the vendor's words.
LITERAL = frozenset(["INVALID_API_KEY", "API_NOT_AVAILABLE", "QR_NOT_FOUND", "RATE_LIMIT_EXCEEDED"])
#: Limits of a plan that are about how much there is; the others are about what there may be, and say so.
AMOUNTS = frozenset(["links", "dynamic_codes", "keys"])

HTTP_ERRORS = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


class Refusal(Exception):
    """One of the codes, and what is to be said of this case."""

    def __init__(self, code: str, details: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


def problem(request: Request, exc: Exception) -> Response:
    headers: Mapping[str, str] = {}
    code, details, status = "SERVER_ERROR", None, None
    if isinstance(exc, Refusal):
        code, details = exc.code, exc.details
    elif isinstance(exc, HTTPException):
        code, status, headers = (
            HTTP_ERRORS.get(exc.status_code, "INVALID_PARAMETER"),
            exc.status_code,
            exc.headers or {},
        )
        details = None if code == "NOT_FOUND" else exc.detail
    elif isinstance(exc, errors.DomainError) and (found := _code(exc)):
        code = found
        details = None if code in LITERAL or getattr(exc, "limit", None) in AMOUNTS else _details(exc)
        if (wait_s := getattr(exc, "retry_after_s", None)) is not None:
            headers = {"retry-after": str(wait_s)}
            status = 503 if code == "SERVER_ERROR" else None
    else:
        failed(request, exc)
    said = CODES[code]
    body = {"error": {"code": code, "message": said.message, "details": details or said.details}}
    return json_response(body, status or said.status, {**headers, "cache-control": "no-store"})


def _code(exc: errors.DomainError) -> str | None:
    if isinstance(exc, errors.PlanLimit) and exc.limit in ERRORS:
        return ERRORS[exc.limit]
    if isinstance(exc, errors.InvalidValue) and exc.field is not None and exc.field.split("/")[0] == "content":
        return "INVALID_CONTENT"
    return ERRORS.get(type(exc))


def _details(exc: errors.DomainError) -> str:
    field = getattr(exc, "field", None)
    return f"{field.replace('/', '.')}: {exc.detail}" if field else exc.detail
