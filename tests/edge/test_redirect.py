"""The redirect as an ASGI application, message by message."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from server.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
from server.domain.errors import StorageUnavailable
from server.domain.model import LinkId, Target
from server.edge.cache import LinkCache
from server.edge.redirect import redirect

pytestmark = pytest.mark.anyio


ELSEWHERE = "https://example.com/elsewhere"
NOON = "2026-11-20T12:00:00+00:00"


class Table:
    """A plain link and some that are not; can be down."""

    down = False

    async def all(self, limit: int) -> AsyncIterator[list[Target]]:
        yield [
            Target(LinkId(258), "menu", "https://example.com/menu?x=%C3%BC", deleted=False),
            Target(LinkId(2), "past", "https://example.com/", deleted=True),
            Target(LinkId(3), "moved", "https://example.com/", deleted=True, guards={"fallback_url": ELSEWHERE}),
            Target(LinkId(4), "paused", "https://example.com/", deleted=False, guards={"active": False}),
            Target(LinkId(5), "until", "https://example.com/", deleted=False, guards={"expires_at": NOON}),
            Target(
                LinkId(6),
                "query",
                "https://example.com/?a=1&b=2#part",
                deleted=False,
                guards={"forward_query": True, "redirect_status": 308},
            ),
        ]

    async def some(self, slugs: list[str]) -> list[Target]:
        if self.down:
            raise StorageUnavailable
        return []


class Edge:
    """The redirect, with everything it does written down in order."""

    def __init__(self, cache: LinkCache) -> None:
        self.done: list[tuple[str, object]] = []
        self.now = datetime.fromisoformat(NOON) - timedelta(microseconds=1)
        self.app: ASGIApp = redirect(self._inner, cache, self._record, lambda: self.now)

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.done.append(("app", scope["type"]))

    def _record(self, link_id: bytes, headers: Headers) -> None:
        self.done.append(("record", (link_id, headers)))

    async def __call__(self, method: str, path: str, headers: Headers | None = None) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            self.done.append(("send", message["type"]))
            sent.append(message)

        async def receive() -> Message:
            raise AssertionError("the redirect has no need of a body")

        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode()}
        await self.app({**scope, "headers": headers or []}, receive, send)
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


async def test_case_does_not_matter(edge: Edge) -> None:
    start, _ = await edge("GET", "/MENU")
    assert header(start, b"location") == b"https://example.com/menu?x=%C3%BC"
    assert edge.done[0][0] == "record"


async def test_head_is_answered_and_not_counted(edge: Edge) -> None:
    start, body = await edge("HEAD", "/menu")
    assert (start["status"], body["body"]) == (302, b"")
    assert "record" not in dict(edge.done)


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/past", 410), ("/PAST", 410), ("/q/nothing", 404), ("/r.php?c=past", 410)]
)
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


SPELLINGS = ["/q/{}", "/q/{}/", "/r.php?c={}", "/r.php?x=1&c={}&y"]


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("slug", ["menu", "MeNu", "query", "QUERY"])
async def test_every_spelling_of_a_short_url_leads_there_and_is_counted(edge: Edge, spelling: str, slug: str) -> None:
    plain = await edge("GET", f"/{slug}")
    recorded = edge.done[0]
    edge.done.clear()
    start, _ = await edge("GET", spelling.format(slug))
    assert start["status"] == plain[0]["status"]
    path, _, _ = (header(plain[0], b"location") or b"").partition(b"#")
    assert (header(start, b"location") or b"").startswith(path)
    assert edge.done[0] == recorded
    assert (await edge("HEAD", spelling.format(slug)))[0]["status"] == start["status"]
    assert [what for what, _ in edge.done].count("record") == 1


async def test_a_paused_link_has_ended_and_is_not_counted(edge: Edge) -> None:
    assert (await edge("GET", "/paused"))[0]["status"] == 410
    assert "record" not in dict(edge.done)


async def test_a_link_ends_at_its_moment_without_anybody_being_told(edge: Edge) -> None:
    assert (await edge("GET", "/Until"))[0]["status"] == 302
    edge.now += timedelta(microseconds=1)
    start, _ = await edge("GET", "/until")
    assert (start["status"], header(start, b"cache-control")) == (410, b"private, no-store")
    assert [what for what, _ in edge.done].count("record") == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_link_that_has_ended_leads_to_its_fallback_which_is_no_scan(edge: Edge, method: str) -> None:
    start, body = await edge(method, "/moved")
    assert (start["status"], header(start, b"location"), body["body"]) == (302, ELSEWHERE.encode(), b"")
    assert header(start, b"cache-control") == b"private, no-store"
    assert "record" not in dict(edge.done)


async def test_status_and_query_are_as_the_link_wants_them(edge: Edge) -> None:
    headers = [(b"user-agent", b"phone")]
    start, body = await edge("GET", "/query?b=3&c=4", headers)
    assert (start["status"], body["body"]) == (308, b"")
    assert start["headers"] == [
        (b"location", b"https://example.com/?a=1&b=3&c=4#part"),
        (b"cache-control", b"private, no-store"),
        (b"content-length", b"0"),
    ]
    assert edge.done[0] == ("record", ((6).to_bytes(8, "little"), headers))
    start, _ = await edge("GET", "/r.php?x=5&c=query&c=4")
    assert header(start, b"location") == b"https://example.com/?a=1&b=2&x=5&c=4#part"
    edge.done.clear()
    assert (await edge("HEAD", "/query"))[0]["status"] == 308
    assert "record" not in dict(edge.done)
    assert (await edge("POST", "/query"))[0]["status"] == 405


@pytest.mark.parametrize(
    "path",
    [
        *["/", "/v1", "/v1/links", "/V1", "/livez", "/menu/", "/men%75/x", "/favicon.ico", "/q", "/q/", "/q/menu//"],
        *["/q/v1", "/r.php", "/r.php?c=", "/r.php?cc=menu", "/r.php?c=a.b", "/r.php?c=v1", "/r.php/?c=menu"],
    ],
)
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
