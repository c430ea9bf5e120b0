"""What those who follow the log share, and what becomes of those who are slow."""

import asyncio
from datetime import UTC, datetime

import pytest

from server.api import streams
from server.api.streams import EventStream
from server.asgi import Message
from server.domain.errors import Busy, StorageUnavailable, TooManyStreams
from server.domain.log import LogPage, Place, Wanted
from server.domain.model import AccountId, LinkId, RecordedScan, ScanId
from server.scans import feed as feeds
from server.scans.feed import MAX_OF_ACCOUNT, PAGE, ScanFeed
from tests.support import DEADLINE_S, eventually

pytestmark = pytest.mark.anyio

MINE, THEIRS = AccountId(1), AccountId(2)
NOW = datetime.now(UTC)


class Log:
    """`RecordedScans` of which the queries are counted: scans 1, 2 and so on, as far as they are written."""

    def __init__(self) -> None:
        self.written = 0
        self.queries = 0
        self.down = False
        self.quick = asyncio.Event()
        self.quick.set()

    async def last(self) -> ScanId:
        return ScanId(self.written)

    async def after(self, account: AccountId, scan: ScanId, *, limit: int) -> list[RecordedScan]:
        self.queries += 1
        if self.down:
            raise StorageUnavailable
        seen = self.written  # what a query sees was there when it began
        await self.quick.wait()
        return [
            RecordedScan(ScanId(number), LinkId(number % 2), NOW, None, None, None, 0, "mobile", None, None, True)
            for number in range(scan + 1, min(seen, scan + limit) + 1)
        ]

    async def of_link(
        self, link: LinkId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        raise NotImplementedError

    async def of_account(
        self, account: AccountId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        raise NotImplementedError


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def feed(log: Log) -> ScanFeed:
    return ScanFeed(log)


@pytest.fixture
def never_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LOOK_EVERY_S", 1_000.0)


def numbers(scans: list[RecordedScan]) -> list[int]:
    return [scan.id or 0 for scan in scans]


async def test_many_at_the_same_place_are_one_query(log: Log, feed: ScanFeed, never_looking: None) -> None:
    followers = [await feed.follow(MINE, None) for _ in range(MAX_OF_ACCOUNT)]
    waiting = [asyncio.create_task(each.next(DEADLINE_S)) for each in followers]
    await asyncio.sleep(0)
    await eventually(lambda: not feed._reading[MINE], what="nothing new")
    queries, log.written = log.queries, 3
    feed.tell({MINE})
    assert [numbers(scans) for scans in await asyncio.gather(*waiting)] == [[1, 2, 3]] * MAX_OF_ACCOUNT
    assert log.queries == queries + 1


async def test_nobody_is_content_with_what_was_read_before_the_news(
    log: Log, feed: ScanFeed, never_looking: None
) -> None:
    follower, other = await feed.follow(MINE, None), await feed.follow(MINE, None)
    log.quick.clear()
    first = asyncio.create_task(follower.next(DEADLINE_S))
    await eventually(lambda: log.queries == 3, what="a query that hangs")
    log.written = 1
    feed.tell({MINE})
    second = asyncio.create_task(other.next(DEADLINE_S))
    await eventually(lambda: log.queries == 4, what="a query of its own")
    log.quick.set()
    assert numbers(await first) == numbers(await second) == [1]


async def test_news_of_others_wake_nobody(log: Log, feed: ScanFeed, never_looking: None) -> None:
    follower = await feed.follow(MINE, None)
    queries, log.written = log.queries, 1
    feed.tell({THEIRS})
    assert not follower.news.is_set()
    assert log.queries == queries
    feed.tell(None)
    assert numbers(await follower.next(0)) == [1]


async def test_where_nothing_is_told_everybody_looks_now_and_then(
    log: Log, feed: ScanFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "LOOK_EVERY_S", 0.05)
    follower = await feed.follow(MINE, None)
    waiting = asyncio.create_task(follower.next(DEADLINE_S))
    await eventually(lambda: log.queries > 3, what="some looks")
    log.written = 1
    assert numbers(await waiting) == [1]


async def test_while_the_database_is_down_a_stream_waits(
    log: Log, feed: ScanFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "RETRY_S", 0.05)
    follower = await feed.follow(MINE, None)
    log.down, log.written = True, 1
    waiting = asyncio.create_task(follower.next(DEADLINE_S))
    await eventually(lambda: log.queries > 3, what="some tries")
    log.down = False
    assert numbers(await waiting) == [1]
    log.down = True
    with pytest.raises(StorageUnavailable):
        await feed.follow(THEIRS, None)
    assert THEIRS not in feed._followers


async def test_whoever_is_behind_gets_it_in_pages_and_holds_up_nobody(log: Log, feed: ScanFeed) -> None:
    slow, quick = await feed.follow(MINE, ScanId(0)), await feed.follow(MINE, ScanId(0))
    log.written = 2 * PAGE + 1
    assert [len(await quick.next(0)) for _ in range(4)] == [PAGE, PAGE, 1, 0]
    assert numbers(await slow.next(0)) == list(range(1, PAGE + 1))


async def test_the_server_has_so_many_streams_and_no_more(feed: ScanFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MAX_OF_ALL", 3)
    followers = [await feed.follow(AccountId(number), None) for number in range(3)]
    with pytest.raises(Busy):
        await feed.follow(MINE, None)
    followers[0].close()
    await feed.follow(MINE, None)


async def test_an_account_has_so_many_streams(feed: ScanFeed) -> None:
    for _ in range(MAX_OF_ACCOUNT):
        await feed.follow(MINE, None)
    with pytest.raises(TooManyStreams):
        await feed.follow(MINE, None)
    await feed.follow(THEIRS, None)


async def test_when_it_ends_everybody_ends(log: Log, feed: ScanFeed, never_looking: None) -> None:
    follower = await feed.follow(MINE, None)
    waiting = asyncio.create_task(follower.next(DEADLINE_S))
    await eventually(lambda: log.queries > 1, what="somebody who waits")
    feed.end()
    assert await waiting == []
    assert follower.ended


class Client:
    """The other end of a stream."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.gone = asyncio.Event()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.sent.append(message)

    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


@pytest.fixture
def client() -> Client:
    return Client()


async def admitted() -> None: ...


async def stream(feed: ScanFeed, client: Client) -> None:
    following = await feed.follow(MINE, ScanId(0))
    answer = EventStream(following, None, lambda scan: {"id": scan.id}, admitted)
    await answer({"type": "http", "method": "GET"}, client.receive, client.send)


async def test_a_client_that_does_not_read_is_cut_off(
    log: Log, feed: ScanFeed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "PATIENCE_S", 0.05)
    running = asyncio.create_task(stream(feed, client))
    await eventually(lambda: client.sent, what="the beginning")
    client.reads.clear()
    log.written = 10 * PAGE
    feed.tell({MINE})
    await asyncio.wait_for(running, DEADLINE_S)
    assert not feed._followers
    assert client.sent[-1].get("more_body") is not False


async def test_a_client_that_goes_is_followed_no_more(feed: ScanFeed, client: Client) -> None:
    running = asyncio.create_task(stream(feed, client))
    await eventually(lambda: client.sent, what="the beginning")
    client.gone.set()
    await asyncio.wait_for(running, DEADLINE_S)
    assert not feed._followers


async def test_a_stream_on_which_nothing_happens_says_so(
    feed: ScanFeed, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "HEARTBEAT_S", 0.05)
    running = asyncio.create_task(stream(feed, client))
    await eventually(lambda: client.body().count(b": here\nid: scn_0000000000000\n\n") > 1, what="two signs of life")
    feed.end()
    await asyncio.wait_for(running, DEADLINE_S)
    assert client.sent[-1] == {"type": "http.response.body"}
