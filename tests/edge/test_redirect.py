"""The redirect as an ASGI application, message by message."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from itertools import islice
from urllib.parse import urlencode

import pytest

from server.asgi import ASGIApp, Headers, Message, Receive, Scope, Send
from server.domain.errors import StorageUnavailable
from server.domain.model import LinkId, Target, Targets
from server.edge.cache import LinkCache
from server.edge.guarded import MAX_FORM_BYTES, TRIES, GuardedScans
from server.edge.redirect import Redirects, redirect
from server.passwords import HASHER as ARGON
from server.passwords import MAX_WAITING, Passwords
from server.scans.profile import Profiles

pytestmark = pytest.mark.anyio


ELSEWHERE = "https://example.com/elsewhere"
HERE, THERE = "192.0.2.1", "192.0.2.2"
HASHER = Passwords()
UNKNOWN = 5
SECRET = ARGON.hash("sésame")
NOON = "2026-11-20T12:00:00+00:00"


class Table:
    """A plain link and some that are not; can be down."""

    down = False

    async def all(self, limit: int) -> AsyncIterator[Targets]:
        others = [
            Target(LinkId(258), "menu", "https://example.com/menu?x=%C3%BC", deleted=False),
            Target(LinkId(2), "past", "https://example.com/", deleted=True),
            Target(LinkId(3), "moved", "https://example.com/", deleted=True, guards={"fallback_url": ELSEWHERE}),
            Target(LinkId(4), "paused", "https://example.com/", deleted=False, guards={"active": False}),
            Target(LinkId(7), "locked", "https://example.com/", deleted=False, guards={"password_hash": SECRET}),
            Target(LinkId(8), "other", "https://example.com/", deleted=False, guards={"password_hash": SECRET}),
            Target(
                LinkId(9),
                "spent",
                "https://example.com/",
                deleted=False,
                guards={"password_hash": "by hand", "expires_at": NOON, "fallback_url": ELSEWHERE},
            ),
            Target(LinkId(10), "thrice", "https://example.com/", deleted=False, guards={"max_scans": 3}),
            Target(
                LinkId(11),
                "ticket",
                "https://example.com/",
                deleted=False,
                guards={"max_scans": 1, "password_hash": SECRET, "fallback_url": ELSEWHERE},
            ),
            Target(LinkId(5), "until", "https://example.com/", deleted=False, guards={"expires_at": NOON}),
            Target(
                LinkId(6),
                "query",
                "https://example.com/?a=1&b=2#part",
                deleted=False,
                guards={"forward_query": True, "redirect_status": 308},
            ),
        ]
        yield Targets([], [], others)

    async def some(self, slugs: list[str]) -> list[Target]:
        if self.down:
            raise StorageUnavailable
        return []


class Uses:
    """The counts of links with a limit; can be down."""

    down = False

    def __init__(self) -> None:
        self.used: Counter[LinkId] = Counter()

    async def take(self, link: LinkId, at_most: int) -> bool:
        left = await self.left(link, at_most)
        self.used[link] += left
        return left

    async def left(self, link: LinkId, at_most: int) -> bool:
        if self.down:
            raise StorageUnavailable
        return self.used[link] < at_most


class Edge:
    """The redirect, with everything it does written down in order."""

    def __init__(self, cache: LinkCache, uses: Uses, *, unknown_per_min: int) -> None:
        self.done: list[tuple[str, object]] = []
        self.now = datetime.fromisoformat(NOON) - timedelta(microseconds=1)
        guarded = GuardedScans(
            self._record,
            now=lambda: self.now,
            address=lambda scope: str(scope["client"][0]),
            hasher=HASHER,
            uses=uses,
            visitor=Profiles(
                country_header="CF-IPCountry",
                address=lambda scope: str(scope["client"][0]),
                country=lambda address: None,
            ).of,
        )
        self.redirects = Redirects()
        self.app: ASGIApp = redirect(
            self._inner,
            cache,
            self._record,
            guarded,
            self.redirects,
            address=lambda scope: str(scope["client"][0]),
            unknown_per_min=unknown_per_min,
        )

    async def _inner(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.done.append(("app", scope["type"]))

    def _record(self, link_id: bytes, scope: Scope) -> None:
        self.done.append(("record", (link_id, scope["headers"])))

    async def __call__(
        self,
        method: str,
        path: str,
        headers: Headers | None = None,
        *,
        body: list[Message] | None = None,
        of: str = HERE,
    ) -> list[Message]:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            self.done.append(("send", message["type"]))
            sent.append(message)

        parts = iter(body or [])

        async def receive() -> Message:
            return next(parts)  # nobody asks for a body who has no need of it

        path, _, query = path.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "client": (of, 5)}
        await self.app({**scope, "headers": headers or []}, receive, send)
        return sent


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def uses() -> Uses:
    return Uses()


@pytest.fixture
async def edge(table: Table, uses: Uses) -> Edge:
    cache = LinkCache(table, max_links=100, report=pytest.fail)
    await cache.load()
    return Edge(cache, uses, unknown_per_min=UNKNOWN)


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


# --- passwords -------------------------------------------------------------------------------------------------------


def form(password: str, **more: str) -> list[Message]:
    """What a browser sends, in two parts."""
    body = urlencode({**more, "password": password}).encode()
    return [
        {"type": "http.request", "body": body[:4], "more_body": True},
        {"type": "http.request", "body": body[4:], "more_body": False},
    ]


def recorded(edge: Edge) -> int:
    return [what for what, _ in edge.done].count("record")


@pytest.mark.parametrize("path", ["/locked", "/LOCKED", "/q/locked/", "/r.php?c=locked"])
async def test_a_locked_link_asks_and_leads_on_by_the_right_password_which_is_the_scan(edge: Edge, path: str) -> None:
    start, body = await edge("GET", path)
    assert (start["status"], header(start, b"cache-control")) == (200, b"private, no-store")
    assert b'<form method="post">' in body["body"]
    assert (await edge("HEAD", path))[1]["body"] == b""
    assert recorded(edge) == 0
    headers = [(b"user-agent", b"phone")]
    for spelt in ("s\u00e9same", "se\u0301same"):  # the same letters, from two keyboards
        start, body = await edge("POST", path, headers, body=form(spelt, x="y"))
        assert (start["status"], header(start, b"location"), body["body"]) == (303, b"https://example.com/", b"")
        assert header(start, b"cache-control") == b"private, no-store"
    assert [what for what in edge.done if what[0] == "record"] == [("record", ((7).to_bytes(8, "little"), headers))] * 2


@pytest.mark.parametrize(
    "body",
    [
        form("sesame"),
        form(""),
        form("x" * 4000),
        [{"type": "http.request"}],
        [{"type": "http.request", "body": b"\xff=%ff&password"}],
        [{"type": "http.request", "body": b"pass=s%C3%A9same"}],
        [{"type": "http.request", "body": b'{"password": "s\xc3\xa9same"}'}],
    ],
    ids=lambda body: repr(body)[:50],
)
async def test_whatever_is_not_the_password_is_answered_by_the_form_again(edge: Edge, body: list[Message]) -> None:
    start, page = await edge("POST", "/locked", body=body)
    assert (start["status"], header(start, b"location")) == (401, None)
    assert b'<form method="post">' in page["body"]
    assert recorded(edge) == 0


async def test_too_many_tries_are_refused_to_one_address_on_one_link(edge: Edge) -> None:
    for _ in range(TRIES):
        assert (await edge("POST", "/locked", body=form("wrong")))[0]["status"] == 401
    start, _ = await edge("POST", "/locked", body=form("sésame"))
    assert start["status"] == 429
    assert 0 < int(header(start, b"retry-after") or b"") <= 30
    assert (await edge("GET", "/locked"))[0]["status"] == 200
    assert (await edge("POST", "/other", body=form("wrong")))[0]["status"] == 401
    assert (await edge("POST", "/locked", body=form("sésame"), of=THERE))[0]["status"] == 303


async def test_the_right_password_is_no_try_that_failed(edge: Edge) -> None:
    for _ in range(TRIES + 1):
        assert (await edge("POST", "/locked", body=form("wrong")))[0]["status"] == 401
        assert (await edge("POST", "/locked", body=form("sésame")))[0]["status"] == 303


async def test_a_form_has_an_end(edge: Edge) -> None:
    endless = ({"type": "http.request", "body": b"x" * 1000, "more_body": True} for _ in range(1000))
    start, _ = await edge("POST", "/locked", body=list(islice(endless, MAX_FORM_BYTES // 1000 + 1)))
    assert start["status"] == 413
    assert await edge("POST", "/locked", body=[{"type": "http.disconnect"}]) == []
    assert recorded(edge) == 0


async def test_more_passwords_than_can_be_checked_wait_elsewhere(edge: Edge) -> None:
    answers = await asyncio.gather(
        *(edge("POST", "/locked", body=form("wrong"), of=f"198.51.100.{each}") for each in range(MAX_WAITING + 5))
    )
    statuses = [start["status"] for start, _ in answers]
    assert (statuses.count(401), statuses.count(503)) == (MAX_WAITING, 5)
    busy = next(start for start, _ in answers if start["status"] == 503)
    assert header(busy, b"retry-after") == b"1"


async def test_a_link_that_ends_while_its_password_is_entered_has_ended(edge: Edge) -> None:
    assert (await edge("POST", "/spent", body=form("by hand")))[0]["status"] == 401  # nothing matches what is no hash
    edge.now += timedelta(microseconds=1)
    start, _ = await edge("GET", "/spent")
    assert (start["status"], header(start, b"location")) == (302, ELSEWHERE.encode())
    assert (await edge("POST", "/spent"))[0]["status"] == 405
    assert recorded(edge) == 0


@pytest.mark.parametrize(("path", "allow"), [("/locked", b"GET, HEAD, POST"), ("/until", b"GET, HEAD")])
async def test_a_guarded_link_says_what_may_be_sent_to_it(edge: Edge, path: str, allow: bytes) -> None:
    start, _ = await edge("PUT", path)
    assert (start["status"], header(start, b"allow")) == (405, allow)


# --- scan limits -----------------------------------------------------------------------------------------------------


async def test_a_link_ends_with_its_last_scan_and_head_takes_none(edge: Edge, uses: Uses) -> None:
    for left in (3, 2, 1):
        assert (await edge("HEAD", "/thrice"))[0]["status"] == 302
        assert uses.used[LinkId(10)] == 3 - left
        assert (await edge("GET", "/thrice"))[0]["status"] == 302
    for method in ("GET", "HEAD"):
        assert (await edge(method, "/thrice"))[0]["status"] == 410
    assert recorded(edge) == uses.used[LinkId(10)] == 3


async def test_previews_are_led_on_while_scans_are_left_and_use_none_up(edge: Edge, uses: Uses) -> None:
    preview = [(b"user-agent", b"WhatsApp/2.23.20.0 A")]
    for _ in range(4):
        assert (await edge("GET", "/thrice", preview))[0]["status"] == 302
    assert (recorded(edge), uses.used[LinkId(10)]) == (4, 0)
    for _ in range(3):
        assert (await edge("GET", "/thrice"))[0]["status"] == 302
    assert (await edge("GET", "/thrice", preview))[0]["status"] == 410


async def test_a_locked_link_counts_what_the_right_password_opens(edge: Edge, uses: Uses) -> None:
    assert (await edge("GET", "/ticket"))[0]["status"] == 200
    assert (await edge("POST", "/ticket", body=form("wrong")))[0]["status"] == 401
    assert uses.used[LinkId(11)] == 0
    assert (await edge("POST", "/ticket", body=form("sésame")))[0]["status"] == 303
    start, _ = await edge("POST", "/ticket", body=form("sésame"))
    assert (start["status"], header(start, b"location")) == (303, ELSEWHERE.encode())
    assert recorded(edge) == uses.used[LinkId(11)] == 1


async def test_a_link_that_cannot_be_counted_waits_and_no_other_does(edge: Edge, uses: Uses) -> None:
    uses.down = True
    for method in ("GET", "HEAD"):
        start, _ = await edge(method, "/thrice")
        assert (start["status"], header(start, b"retry-after")) == (503, b"5")
        assert (await edge(method, "/menu"))[0]["status"] == 302
        assert (await edge(method, "/until"))[0]["status"] == 302
    uses.down = False
    assert (await edge("GET", "/thrice"))[0]["status"] == 302
    assert recorded(edge) == 3


# --- slugs that no link has ------------------------------------------------------------------------------------------


async def test_only_unknown_slugs_are_limited_and_only_for_one_address(edge: Edge) -> None:
    statuses = [(await edge("GET", f"/nothing-{number}"))[0]["status"] for number in range(UNKNOWN + 2)]
    assert statuses == [404] * UNKNOWN + [429] * 2
    start, body = await edge("HEAD", "/q/nothing")
    assert (start["status"], body["body"]) == (429, b"")
    assert 0 < int(header(start, b"retry-after") or b"") <= 12
    assert header(start, b"cache-control") == b"private, no-store"
    for path, status in (("/menu", 302), ("/MENU", 302), ("/past", 410), ("/query", 308), ("/locked", 200)):
        assert (await edge("GET", path))[0]["status"] == status
    assert (await edge("GET", "/nothing", of=THERE))[0]["status"] == 404


async def test_known_slugs_are_no_unknown_ones(edge: Edge) -> None:
    for _ in range(UNKNOWN * 3):
        assert (await edge("GET", "/Menu"))[0]["status"] == 302
        assert (await edge("GET", "/past"))[0]["status"] == 410
    assert (await edge("GET", "/nothing"))[0]["status"] == 404


async def test_without_a_limit_there_is_none(table: Table, uses: Uses) -> None:
    cache = LinkCache(table, max_links=100, report=pytest.fail)
    await cache.load()
    edge = Edge(cache, uses, unknown_per_min=0)
    assert {(await edge("GET", "/nothing"))[0]["status"] for _ in range(100)} == {404}
