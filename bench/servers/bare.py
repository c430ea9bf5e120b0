"""The least that an application can do to redirect, by each of Granian's interfaces."""

from typing import Any

from server.asgi import Receive, Scope, Send

LOCATION = "https://example.com/a/page/of/some/length?utm_source=qr"


async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        headers = [(b"location", LOCATION.encode()), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def rsgi(scope: Any, protocol: Any) -> None:  # noqa: ANN401 -- Granian has no types for them
    protocol.response_empty(302, [("location", LOCATION), ("content-length", "0")])
