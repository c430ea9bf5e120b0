"""The redirect as an ASGI application, message by message."""

from collections.abc import AsyncIterator

import pytest

from server.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
from server.domain.errors import StorageUnavailable
from server.domain.model import LinkId, Target
from server.edge.cache import LinkCache
from server.edge.redirect import redirect

pytestmark = pytest.mark.anyio


class Table:
    """Two links, of which one was deleted; can be down."""

    down = False

    async def all(self, limit: int) -> AsyncIterator[list[Target]]:
        yield [
            Target(LinkId(258), "menu", "https://example.com/menu?x=%C3%BC", deleted=False),
            Target(LinkId(2), "past", "https://example.com/", deleted=True),
        ]

    async def some(self, slugs: list[str]) -> list[Target]:
        if self.down:
            raise StorageUnavailable
        return []


class Edge:
    """The redirect, with everything it does written down in order."""

    def __init__(self, cache: LinkCache) -> None:
        self.done: list[tuple[str, object]] = []
        self.app: ASGIApp = redirect(self._inner, cache, self._record)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.done.append(("app", scope["type"]))

    def _record(self, link_id: bytes, scope: Scope) -> None:
        self.done.append(("record", (link_id, scope["headers"])))

    async def __call__(self, method: str, path: str, headers: Headers | None = None) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            self.done.append(("send", message["type"]))
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError("the redirect has no need of a body")

        await self.app({"type": "http", "method": method, "path": path, "headers": headers or []}, receive, send)
        return sent


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
async def edge(table: Table) -> Edge:
    cache = LinkCache(table, max_links=100, report=pytest.fail)
    await cache.load()
    return Edge(cache)


def header(message: Message, name: bytes) -> bytes | None:
    return dict(message["headers"]).get(name)


async def test_a_scan_is_kept_before_it_is_answered_and_answered_in_two_sends(edge: Edge) -> None:
    headers = [(b"user-agent", b"phone")]
    start, body = await edge("GET", "/menu", headers)
    assert start["status"] == 302
    assert header(start, b"location") == b"https://example.com/menu?x=%C3%BC"
    assert header(start, b"cache-control") == b"private, no-store"
    assert header(start, b"content-length") == b"0"
    assert body == {"type": "http.response.body", "body": b""}
    assert edge.done == [
        ("record", ((258).to_bytes(8, "little"), headers)),
        ("send", "http.response.start"),
        ("send", "http.response.body"),
    ]


@pytest.mark.parametrize("path", ["/MENU", "/Menu"])
async def test_case_does_not_matter(edge: Edge, path: str) -> None:
    start, _ = await edge("GET", path)
    assert header(start, b"location") == b"https://example.com/menu?x=%C3%BC"
    assert edge.done[0][0] == "record"


async def test_head_is_answered_and_not_counted(edge: Edge) -> None:
    start, body = await edge("HEAD", "/menu")
    assert (start["status"], body["body"]) == (302, b"")
    assert "record" not in dict(edge.done)


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/past", 410), ("/PAST", 410)])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_what_leads_nowhere_says_so_and_is_not_counted(edge: Edge, method: str, path: str, status: int) -> None:
    start, body = await edge(method, path)
    assert start["status"] == status
    assert header(start, b"content-type") == b"text/html; charset=utf-8"
    assert header(start, b"cache-control") == b"private, no-store"
    assert (body["body"] == b"") is (method == "HEAD")
    assert "record" not in dict(edge.done)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused_and_not_counted(edge: Edge, method: str) -> None:
    start, _ = await edge(method, "/menu")
    assert (start["status"], header(start, b"allow")) == (405, b"GET, HEAD")
    assert "record" not in dict(edge.done)


async def test_a_slug_nobody_can_look_up_now_is_not_called_unknown(edge: Edge, table: Table) -> None:
    table.down = True
    start, _ = await edge("GET", "/nothing")
    assert (start["status"], header(start, b"retry-after")) == (503, b"5")
    assert (await edge("GET", "/menu"))[0]["status"] == 302


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/links", "/V1", "/livez", "/menu/", "/men%75/x", "/favicon.ico"])
async def test_what_is_no_slug_goes_on_to_the_application(edge: Edge, path: str) -> None:
    assert await edge("GET", path) == []
    assert edge.done == [("app", "http")]


async def test_other_protocols_go_on_to_the_application(edge: Edge) -> None:
    async def unused() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    await edge.app({"type": "lifespan"}, unused, send)
    assert edge.done == [("app", "lifespan")]
