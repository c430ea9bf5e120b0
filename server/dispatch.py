"""A table of routes as one application: it finds who answers, hears the request out, and has what goes wrong answered.

Starlette's application does this, too, by way of a router that tries each route in turn and two middlewares: 40 us a
request, where the plainest picture is drawn in 14 (bench.http).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from time import perf_counter

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from server.asgi import Message, Receive, Scope, Send, headers_of, request_id
from server.patience import Patience, TooSlow, until
from server.requests import METHODS, OTHER, Requests

#: What is still read of a body nobody wants, before its request is refused.
MAX_REST_BYTES = 32 << 20  # twice the largest that anybody takes
MAX_REST_S = 5

#: Where in a scope the headers are that go with its answer, whoever makes it.
TOLD = "qredge.told"
#: And which route it is at, as the table has it, and that the answer is a picture, or that it has not changed.
ROUTE = "qredge.route"
IN_PICTURES = "qredge.in_pictures"

log = logging.getLogger(__name__)

#: What is raised, as an answer.
Problem = Callable[[Request, Exception], Response]


class Dispatch:
    """These routes, whose paths begin with `under`; each endpoint is an ASGI application. `problem` answers what is
    raised before an answer was begun, and what is at no route's path (HTTPException 404)."""

    def __init__(
        self,
        routes: Iterable[Route],
        problem: Problem,
        requests: Requests,
        *,
        under: str = "",
        dialect: str | None = None,
        id_of: Callable[[Scope], str] = request_id,
    ) -> None:
        """`requests` counts them, and notes them by the id that `id_of` gives them."""
        self._problem = problem
        self._requests = requests
        self._under = under
        self._dialect = dialect
        self._id_of = id_of
        #: Its path below here -> the route's whole path.
        self._named: dict[str, str] = {}
        self._patience = Patience()
        self._whole: dict[str, Route] = {}
        #: Of paths with parameters, by what they begin with.
        self._patterns: dict[str, list[Route]] = {}
        for route in routes:
            self._named[route.path] = under + route.path
            if route.param_convertors:
                self._patterns.setdefault(_first(route.path), []).append(route)
            else:
                self._whole[route.path] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send, self._requests, self._note, self._patience)
        try:
            route = self._route(scope)
            scope[ROUTE] = self._named[route.path]
            await route.endpoint(scope, exchange.hear, exchange.answer)
        except ClientDisconnect:
            return  # who asked has gone
        except TooSlow:
            await exchange.give_up()
        except Exception as exc:
            if exchange.answered:
                raise  # what was begun is broken off
            response = self._problem(Request(scope), exc)
            await response(scope, exchange.hear, exchange.answer)

    def _note(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        if self._requests.note is not None:
            self._requests.note(scope, self._id_of(scope), route, status, seconds, self._dialect)

    def _route(self, scope: Scope) -> Route:
        path = scope["path"].removeprefix(self._under)
        whole = self._whole.get(path)
        if whole is not None:
            scope["path_params"] = {}
            return whole
        for route in self._patterns.get(_first(path), ()):
            if found := route.path_regex.match(path):
                scope["path_params"] = found.groupdict()
                return route
        raise HTTPException(404)


def failed(request: Request, exc: Exception) -> None:
    """Says in the log that a request has failed by our mistake, and where; not what it said."""
    method = request.method if request.method in METHODS else OTHER
    route = request.scope.get(ROUTE, OTHER)
    log.error("request %s failed: %s %s", request_id(request.scope), method, route, exc_info=exc)


def _first(path: str) -> str:
    """The first step of a path."""
    return path.split("/", 2)[1] if "/" in path else ""


class _Exchange:
    """A request and its answer, which is sent only after the whole body has come, wanted or not.

    The connection is closed when an answer ends before its request; whoever is still sending then sees a broken
    connection, and not why it was refused. What was not begun, because its sender waits to be asked for it ("Expect:
    100-continue"), and what has no end are not waited for.
    """

    __slots__ = (
        *("_awaited", "_began", "_heard", "_note", "_patience", "_receive", "_requests", "_rest", "_scope", "_send"),
        "answered",
    )

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        requests: Requests,
        note: Callable[[Scope, str, int, float], None],
        patience: Patience,
    ) -> None:
        self._began = perf_counter()
        self._heard = 0
        self._patience = patience
        self._scope = scope
        self._requests = requests
        self._note = note
        self._receive = receive
        self._send = send
        headers = headers_of(scope)
        #: The bytes of the body that are still to come; None where it is not said how many there are.
        self._rest = _announced(headers)
        self._awaited = b"expect" in headers
        #: Whether an answer has begun.
        self.answered = False

    async def hear(self) -> Message:
        """The next part of the body; raises TooSlow. Behind the last byte that was announced nobody asks for more: each
        time somebody does, Granian's threads wake each other, which takes 12 us; drawing a plain picture takes 14."""
        if self._rest == 0:  # whoever still listens wants to know when the client leaves
            return await self._receive()
        self._awaited = False
        message = await self._patience.hear(self._receive, until(self._began, self._heard))
        size = len(message.get("body", b""))
        self._heard += size
        if not message.get("more_body", False):
            self._rest = 0
        elif self._rest is not None:
            self._rest -= size
            message["more_body"] = self._rest > 0
        return message

    def answer(self, message: Message) -> Awaitable[None]:
        if self.answered:
            return self._send(message)
        if self._rest == 0 or self._awaited:
            return self._begin(message)
        return self._begin_late(message)

    def _begin(self, message: Message) -> Awaitable[None]:
        self.answered = True
        if TOLD in self._scope:
            message["headers"] = [*message["headers"], *self._scope[TOLD]]
        route, status, took_s = self._scope.get(ROUTE, OTHER), message["status"], perf_counter() - self._began
        self._requests.of(route, self._scope["method"]).count(status, took_s)
        if status >= 400 or IN_PICTURES not in self._scope:
            self._note(self._scope, route, status, took_s)
        return self._send(message)

    async def give_up(self) -> None:
        """Answers whoever has not said all in time, as the HTTP server answers those whose head it cannot take."""
        if not self.answered:
            headers = [(b"connection", b"close"), (b"content-length", b"0")]
            await self._begin({"type": "http.response.start", "status": 408, "headers": headers})
            await self._send({"type": "http.response.body"})

    async def _begin_late(self, message: Message) -> None:
        with suppress(TimeoutError, TooSlow):
            async with asyncio.timeout(MAX_REST_S):
                size = 0
                while self._rest != 0 and size < MAX_REST_BYTES:
                    size += len((await self.hear()).get("body", b""))
        await self._begin(message)


def _announced(headers: Mapping[bytes, bytes]) -> int | None:
    """How many bytes a body has (RFC 9112, 6.3); None where that is not said."""
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and b"transfer-encoding" not in headers else None
