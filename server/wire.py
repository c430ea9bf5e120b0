"""What every HTTP room needs of HTTP: bodies, methods, keys, cursors and JSON. No room's errors: those are raised as
`HTTPException` and get the room's own shape where it catches them."""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from server.asgi import Headers, Receive, Scope, Send, bearer_in, header, headers_of, holds

MAX_BODY_BYTES = 1 << 20

#: Of a body: as many as fit into one of MAX_BODY_BYTES.
MAX_VALUES = MAX_BODY_BYTES // 2

Handler = Callable[[Request], Awaitable[Response]]


class ByMethod:
    """An endpoint that knows all its methods: ByMethod(GET=show, PATCH=change). HEAD is GET without its body;
    everything else is 405 with Allow (RFC 9110, 15.5.6)."""

    def __init__(self, **handlers: Handler) -> None:
        if "GET" in handlers:
            handlers["HEAD"] = handlers["GET"]
        self.handlers = handlers
        self._allow = ", ".join(sorted(handlers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        handler = self.handlers.get(scope["method"])
        if handler is None:
            raise HTTPException(405, f"This address knows {self._allow}.", {"allow": self._allow})
        response = await handler(Request(scope, receive, send))
        await response(scope, receive, send)


def media_type(request: Request) -> str:
    """What the body is said to be; empty where nothing is said."""
    return header(request.scope, b"content-type").partition(";")[0].strip().lower()


async def read_body(request: Request, *, max_bytes: int = MAX_BODY_BYTES) -> bytes | bytearray:
    """The body; 413 when it is larger than it may be. Raises ClientDisconnect."""
    announced = headers_of(request.scope).get(b"content-length", b"")
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    body: bytes | bytearray = b""
    more = True
    while more:  # Request.stream would cost more than most bodies do
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part, more = message.get("body", b""), message.get("more_body", False)
        if not body:
            body = part
        else:
            body = bytearray(body) if isinstance(body, bytes) else body
            body += part
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return body


def _too_large(max_bytes: int) -> HTTPException:
    return HTTPException(413, f"A body has at most {max_bytes} bytes.")


def json_of(body: bytes | bytearray) -> object:
    """What the body says; 400 when it is not JSON (RFC 8259), 413 when it says too much."""
    # What makes a body large is pictures. Millions of values would take a hundred times their bytes, and seconds in
    # which nothing else in this process gets its turn.
    if len(body) > MAX_BODY_BYTES and sum(map(body.count, b",[{")) > MAX_VALUES:
        raise HTTPException(413, f"A body has at most {MAX_VALUES} values.")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise HTTPException(400, f"The body is not JSON: {exc}.") from exc


class BytesResponse(Response):
    """Bytes with headers as ASGI has them, but for their length: 3 us less than from texts."""

    def __init__(self, body: bytes, headers: Headers) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [*headers, (b"content-length", b"%d" % len(body))]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def json_response(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A newline at the end is for whoever reads it in a terminal."""
    return Response(json_bytes(value) + b"\n", status, headers, "application/json")


def json_bytes(value: object) -> bytes:
    """Times as RFC 3339 in UTC, with a Z."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


def bearer_key(request: Request) -> str:
    """The key in "Authorization: Bearer KEY"; empty where there is none."""
    return bearer_in(request.scope)


def cursor_of(number: int) -> str:
    """An id as an opaque cursor."""
    return base64.urlsafe_b64encode(number.to_bytes(8)).decode().rstrip("=")


def cursor_number(cursor: str) -> int | None:
    """The id in a cursor; None when `cursor_of` has not written it."""
    try:
        number = int.from_bytes(base64.b64decode(cursor + "=", altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        return None
    return number if number < 1 << 63 and cursor_of(number) == cursor else None


def etags(header: str) -> list[str]:
    """The strong ETags of If-Match, which weak ones never match (RFC 9110, 13.1.1)."""
    return [each.strip()[1:-1] for each in header.split(",") if each.strip().startswith('"')]


def not_modified(request: Request, etag: str) -> bool:
    held = header(request.scope, b"if-none-match")
    return bool(held) and holds(held, etag)
