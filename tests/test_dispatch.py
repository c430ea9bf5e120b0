"""A table of routes as one application."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from server.asgi import Headers, Message, Receive, Scope
from server.dispatch import Dispatch
from server.requests import OTHER, Requests
from server.wire import ByMethod

pytestmark = pytest.mark.anyio


async def told(request: Request) -> Response:
    return PlainTextResponse(f"{request.url.path} {request.path_params}")


async def broken(request: Request) -> Response:
    raise KeyError("a bug")


async def gone(request: Request) -> Response:
    raise ClientDisconnect


async def half(request: Request) -> Response:
    async def body() -> AsyncIterator[str]:
        yield "half"
        raise KeyError("a bug")

    return StreamingResponse(body())


def problem(request: Request, exc: Exception) -> Response:
    return PlainTextResponse(type(exc).__name__, exc.status_code if isinstance(exc, HTTPException) else 500)


ROUTES = [
    Route("/things", ByMethod(GET=told)),
    Route("/things/{id}", ByMethod(GET=told)),
    Route("/things/{id}/parts", ByMethod(GET=told)),
    Route("/broken", ByMethod(GET=broken)),
    Route("/gone", ByMethod(GET=gone)),
    Route("/half", ByMethod(GET=half)),
]


async def asked(path: str, method: str = "GET", requests: Requests | None = None) -> list[Message]:
    """What is sent to who asks."""
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()  # nothing comes any more
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "server": ("127.0.0.1", 80),
        "scheme": "http",
    }
    await Dispatch(ROUTES, problem, requests or Requests(), under="/v1")(scope, receive, send)
    return sent


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/v1/things", "/v1/things {}"),
        ("/v1/things/7", "/v1/things/7 {'id': '7'}"),
        ("/v1/things/things", "/v1/things/things {'id': 'things'}"),
        ("/v1/things/7/parts", "/v1/things/7/parts {'id': '7'}"),
    ],
)
async def test_the_route_of_a_path_answers(path: str, text: str) -> None:
    start, body = await asked(path)
    assert (start["status"], body["body"].decode()) == (200, text)


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/", "/v1/thing", "/v1/things/", "/v1/things/7/", "/v1/things/7/part", "/v1/things/7/parts/8", "//"],
)
async def test_what_no_route_has_is_a_problem(path: str) -> None:
    start, body = await asked(path)
    assert (start["status"], body["body"]) == (404, b"HTTPException")


async def test_so_is_a_method_that_the_route_does_not_have_and_a_bug() -> None:
    assert (await asked("/v1/things", "PUT"))[0]["status"] == 405
    start, body = await asked("/v1/broken")
    assert (start["status"], body["body"]) == (500, b"KeyError")


async def test_who_has_gone_is_answered_nothing() -> None:
    assert await asked("/v1/gone") == []


async def test_an_answer_that_was_begun_is_broken_off_and_not_followed_by_another() -> None:
    with pytest.raises(KeyError):
        await asked("/v1/half")


async def test_requests_are_counted_by_route_and_not_by_what_strangers_make_up() -> None:
    requests = Requests()
    for path, method in [
        *[("/v1/things/7", "GET"), ("/v1/things/8", "GET"), ("/v1/things", "BREW"), ("/v1/broken", "GET")],
        *[("/v1/nope", "GET"), ("/v1/things/7/nope", "GET"), ("/v1/half", "GET"), ("/v1/gone", "GET")],
    ]:
        with suppress(KeyError):
            await asked(path, method, requests)
    counted = {
        key: {f"{n}xx": count for n, count in enumerate(each.statuses) if count}
        for key, each in requests.series.items()
    }
    assert counted == {
        ("/v1/things/{id}", "GET"): {"2xx": 2},
        ("/v1/things", OTHER): {"4xx": 1},
        ("/v1/broken", "GET"): {"5xx": 1},
        (OTHER, "GET"): {"4xx": 2},
        ("/v1/half", "GET"): {"2xx": 1},  # which had begun
    }
    assert all(sum(each.took.counts) == sum(each.statuses) for each in requests.series.values())


def posted(headers: Headers, parts: list[Message], heard: list[Message]) -> tuple[Scope, Receive]:
    """A request with these headers whose body comes in these parts; each that was asked for is in `heard`."""
    coming = iter(parts)

    async def receive() -> Message:
        heard.append(next(coming))
        return heard[-1]

    return {"type": "http", "method": "POST", "path": "/v1/echo", "headers": headers}, receive


@pytest.mark.parametrize(
    ("headers", "asked_for"),
    [
        ([(b"content-length", b"9")], 2),
        ([(b"transfer-encoding", b"chunked")], 3),
        ([(b"transfer-encoding", b"chunked"), (b"content-length", b"9")], 3),  # which then counts for nothing
        ([(b"content-length", b"nine")], 3),
    ],
)
async def test_nobody_asks_for_more_of_a_body_than_was_announced(headers: Headers, asked_for: int) -> None:
    parts: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in (b"five ", b"four")]
    heard: list[Message] = []
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def echo(request: Request) -> Response:
        return Response(await request.body())

    routes = [Route("/echo", ByMethod(POST=echo))]
    scope, receive = posted(headers, [*parts, {"type": "http.request", "body": b"", "more_body": False}], heard)
    await Dispatch(routes, problem, Requests(), under="/v1")(scope, receive, send)
    assert (sent[0]["status"], sent[1]["body"]) == (200, b"five four")
    assert len(heard) == asked_for
