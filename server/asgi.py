"""The words of ASGI (https://asgi.readthedocs.io/en/latest/specs/main.html), as this program uses them."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# ASGI is a protocol of dicts; what stands under each key is for the reader of the key to know.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

Headers = list[tuple[bytes, bytes]]


def holds(if_none_match: str, etag: str) -> bool:
    """Whether a client that says so holds the bytes of this strong ETag (RFC 9110, 13.1.2)."""
    if if_none_match.strip() == "*":
        return True
    return any(each.strip().removeprefix("W/") == f'"{etag}"' for each in if_none_match.split(","))
