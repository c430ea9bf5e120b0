"""The words of ASGI (https://asgi.readthedocs.io/en/latest/specs/main.html), as this program uses them, and what
requests say in headers."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

# ASGI is a protocol of dicts; what stands under each key is for the reader of the key to know.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]

#: Where in a scope its headers are by their names, once somebody has asked for one.
BY_NAME = "qredge.headers"

#: Where in a scope it is said who calls (`domain.model.Caller`), once that is known, and by which id the log has the
#: request.
CALLER = "qredge.caller"
REQUEST_ID = "qredge.request"


def request_id(scope: Scope) -> str:
    """One for each request: in its answer, if that is a refusal, and in the log."""
    if REQUEST_ID not in scope:
        scope[REQUEST_ID] = f"req_{secrets.token_hex(12)}"
    return str(scope[REQUEST_ID])


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """By name, in lower case; of several with one name the first. Starlette's take 1.5 us for each look into them, and
    most requests are looked into five times."""
    found: dict[bytes, bytes] | None = scope.get(BY_NAME)
    if found is None:
        found = scope[BY_NAME] = dict(reversed(scope["headers"]))
    return found


def header(scope: Scope, name: bytes) -> str:
    """Empty where there is none of this name."""
    return headers_of(scope).get(name, b"").decode("latin-1")


def in_bytes(headers: Mapping[str, str]) -> Headers:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def bearer_in(scope: Scope) -> str:
    """The key in "Authorization: Bearer KEY" (RFC 6750, 2.1); empty where there is none."""
    shown = headers_of(scope).get(b"authorization", b"")
    return shown[7:].decode("latin-1").strip() if shown[:7].lower() == b"bearer " else ""


def key_in(scope: Scope) -> str:
    """The key that a request of ours shows, which may be in X-Api-Key, too."""
    return bearer_in(scope) or header(scope, b"x-api-key")


def holds(if_none_match: str, etag: str) -> bool:
    """Whether a client that says so holds the bytes of this strong ETag (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return any(each.strip().removeprefix("W/") == f'"{etag}"' for each in if_none_match.split(","))
