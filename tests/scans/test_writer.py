"""Every scan comes into the database exactly once, whatever dies in between."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from datetime import date
from ipaddress import ip_network
from pathlib import Path
from zlib import crc32

import pytest

from server.domain.errors import StorageUnavailable
from server.domain.model import Position, Scan
from server.scans import geo, reader
from server.scans import writer as writing_process
from server.scans.countries import Countries
from server.scans.geo import NOWHERE, Place
from server.scans.journal import MIN_SEGMENT_BYTES, Journal
from server.scans.record import FRAME, tags
from server.scans.visitor import ALWAYS, Keep, Salting, Visitors
from server.scans.writer import Writer
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog, Prepared
from tests.support import PHONE, eventually, nowhere

pytestmark = pytest.mark.anyio


#: Takes everybody's word on an address.
TRUSTING = Visitors(trusted=(ip_network("0.0.0.0/0"), ip_network("::/0")), keep="full", salting="never")

#: In which a CDN says where somebody is.
SAID = (b"x-country", b"x-region", b"x-city")


COUNTED = "SELECT coalesce(sum(people + bots), 0) FROM scan_fresh WHERE link_id <> 0"


def writing(root: Path, log: PostgresScanLog, *, keep: Keep = "truncated", salting: Salting = "daily") -> Writer:
    visitors = Visitors(trusted=(), keep=keep, salting=salting)
    return Writer(root, log, visitors, nowhere)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, max_connections=3)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, max_bytes=1 << 20, sync_s=1, segment_bytes=MIN_SEGMENT_BYTES)


@pytest.fixture
def journal_behind_cdn(tmp_path: Path) -> Journal:
    kept = tags(country="X-Country", region="X-Region", city="X-City")
    return Journal(tmp_path, max_bytes=1 << 20, sync_s=1, tags=kept, segment_bytes=MIN_SEGMENT_BYTES)


def scan(journal: Journal, *numbers: int, agent: str = PHONE, client: str = "203.0.113.77") -> None:
    for number in numbers:
        scope = {"path": "/menu", "headers": [(b"user-agent", agent.encode())], "client": (client, 50_000)}
        journal.append(number.to_bytes(8, "little"), scope)


async def rows(database: Database) -> list[int]:
    """The link ids of all scans, and a check that what is counted from them agrees."""
    async with database.connection() as connection:
        links = [row[0] for row in await connection.fetch("SELECT link_id FROM scans ORDER BY link_id")]
        counted = await connection.fetchval(COUNTED)
        totals = await connection.fetchval("SELECT coalesce(sum(scans + bots), 0) FROM scan_totals")
    assert counted == totals == len(links)
    return links


class Counting(PostgresScanLog):
    """Notes how many scans each batch has."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.batches: list[int] = []

    async def prepare(self, scans: Iterable[Scan]) -> Prepared:
        each = list(scans)
        self.batches.append(len(each))
        return await super().prepare(each)


async def drained(writer: Writer) -> None:
    while await writer.drain():
        pass


class Failing(PostgresScanLog):
    """Fails the next write, before or after it has been committed."""

    fail: str | None = None

    async def prepare(self, scans: Iterable[Scan]) -> Prepared:
        return FailingScans(self, await super().prepare(scans))


class FailingScans(Prepared):
    def __init__(self, log: Failing, prepared: Prepared) -> None:
        vars(self).update(vars(prepared))
        self.log = log

    async def write(self, journal: str, start: Position | None, end: Position) -> bool:
        fail, self.log.fail = self.log.fail, None
        if fail == "before":
            raise StorageUnavailable
        written = await super().write(journal, start, end)
        if fail == "after":
            raise StorageUnavailable
        return written


async def test_scans_come_into_the_database(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, *range(1, 301))
    await drained(writing(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == list(range(1, 301))
    journal.close()


async def test_what_piled_up_is_written_in_batches_that_grow_to_the_largest_one(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "CHUNK_BYTES", 1 << 10)  # a few scans
    monkeypatch.setattr(writing_process, "FIRST_BATCH", 100)
    monkeypatch.setattr(writing_process, "BATCH", 350)
    journal = Journal(tmp_path, max_bytes=1 << 24, sync_s=1)
    scan(journal, *range(1, 1_501))
    log = Counting(database)
    writer = writing(tmp_path, log)
    await drained(writer)
    for batch, most in zip(log.batches, (100, 200, 350, 350, 350), strict=False):
        assert most <= batch < most + 10
    assert await rows(database) == list(range(1, 1_501))
    scan(journal, *range(1_501, 1_801))
    await drained(writer)
    assert log.batches[6] < 110, "it begins small again"
    journal.close()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_write_that_fails_or_only_seems_to_is_neither_lost_nor_doubled(
    database: Database, journal: Journal, tmp_path: Path, moment: str
) -> None:
    log = Failing(database)
    writer = writing(tmp_path, log)
    scan(journal, 1, 2)
    await drained(writer)
    scan(journal, 3, 4)
    log.fail = moment
    with pytest.raises(StorageUnavailable):
        await writer.drain()
    scan(journal, 5)
    await drained(writer)
    assert await rows(database) == [1, 2, 3, 4, 5]
    journal.close()


async def test_a_new_writer_goes_on_where_the_last_one_died(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    scan(journal, *range(1, 100))
    await drained(writing(tmp_path, PostgresScanLog(database)))
    scan(journal, *range(100, 501))
    await drained(writing(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == list(range(1, 501))
    journal.close()


async def test_two_writers_at_once_write_each_scan_once(database: Database, journal: Journal, tmp_path: Path) -> None:
    writers = [writing(tmp_path, PostgresScanLog(database)) for _ in range(2)]
    for first in range(1, 201, 10):
        scan(journal, *range(first, first + 10))
        await asyncio.gather(*(writer.drain() for writer in writers))
    for writer in writers:
        await drained(writer)
    assert await rows(database) == list(range(1, 201))
    journal.close()


async def test_the_journal_of_a_process_that_is_gone_is_written_and_removed(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    scan(journal, 1, 2, 3)
    journal.close()
    await drained(writing(tmp_path, PostgresScanLog(database)))
    assert await rows(database) == [1, 2, 3]
    assert list(tmp_path.iterdir()) == []
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM journal_positions") == 0


async def test_a_scan_lands_in_its_own_hour_and_month(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, 9)
    await drained(writing(tmp_path, PostgresScanLog(database)))
    async with database.connection() as connection:
        at = await connection.fetchval("SELECT scanned_at FROM scans")
        quarter = await connection.fetchval("SELECT quarter FROM scan_fresh WHERE link_id = 9")
        part = await connection.fetchval("SELECT tableoid::regclass::text FROM scans")
        parts = await connection.fetchval("SELECT count(*) FROM pg_inherits WHERE inhparent = 'scans'::regclass")
    assert quarter == at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    assert part == f"scans_{at:%Y_%m}"
    assert parts == 3  # this month, the next one, and the default
    journal.close()


async def test_the_journal_of_the_version_before_is_written(database: Database, tmp_path: Path) -> None:
    """As a server that was upgraded in the middle of a segment finds it: some of it has been written already."""
    folder = tmp_path / "left-behind"
    folder.mkdir()
    bodies = [
        struct.pack("<Q8sHHH", 1_790_000_000_000_000_000 + number, number.to_bytes(8, "little"), 5, 0, 2)
        + b"phone"
        + b"de"
        for number in range(1, 4)
    ]
    records = [FRAME.pack(len(body), crc32(body)) + body for body in bodies]
    (folder / "00000001.seg").write_bytes((b"qredge journal 1" + b"".join(records)).ljust(MIN_SEGMENT_BYTES, b"\0"))
    log = PostgresScanLog(database)
    assert await (await log.prepare([])).write("left-behind", None, Position(1, 16 + len(records[0])))
    await drained(writing(tmp_path, log))
    assert await rows(database) == [2, 3]
    async with database.connection() as connection:
        row = await connection.fetchrow("SELECT * FROM scans WHERE link_id = 2")
    assert row is not None
    assert (row["user_agent"], row["language"], row["referrer"], row["address"]) == ("phone", "de", None, None)
    assert list(tmp_path.iterdir()) == []


async def test_whatever_a_request_says_can_be_stored(
    database: Database, journal_behind_cdn: Journal, tmp_path: Path
) -> None:
    """One row that the database refuses would keep all others from it for ever."""
    journal = journal_behind_cdn
    texts = [
        bytes(range(256)).replace(b"\n", b""),
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\x00",
        "Android \U0001f600".encode(),
    ]
    names = [b"user-agent", b"referer", b"accept-language", b"x-forwarded-for", b"forwarded", *SAID]
    for client in ("", "testserver", "999.1.1.1", "::", "fe80::1%eth0", "\x00"):
        for text in texts:
            scope = {"path": "/X", "headers": [(name, text) for name in names], "client": (client, 1)}
            journal.append((1).to_bytes(8, "little"), scope)
    await drained(Writer(tmp_path, PostgresScanLog(database), TRUSTING, nowhere))
    assert len(await rows(database)) == 30
    journal.close()


async def test_a_scan_is_where_its_address_was_and_each_address_is_looked_up_once(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    asked = []

    def place(address: str) -> Place:
        asked.append(address)
        return {"203.0.113.77": Place("CH", "ZH", "Zürich", "mobile"), "2001:db8::7": Place("FR")}.get(address, NOWHERE)

    for number, client in enumerate(["203.0.113.77", "2001:db8::7", "203.0.113.77", "198.51.100.1", ""], 1):
        scan(journal, number, client=client)
    visitors = Visitors(trusted=(), keep="none", salting="daily")
    await drained(Writer(tmp_path, PostgresScanLog(database), visitors, place))
    async with database.connection() as connection:
        found = await connection.fetch("SELECT country, region, city, network, address FROM scans ORDER BY link_id")
    assert [tuple(row) for row in found] == [
        ("CH", "ZH", "Zürich", "mobile", None),
        ("FR", None, None, None, None),
        ("CH", "ZH", "Zürich", "mobile", None),
        (None, None, None, None, None),
        (None, None, None, None, None),
    ]
    assert asked == ["203.0.113.77", "2001:db8::7", "198.51.100.1"]
    journal.close()


async def test_a_scan_is_where_a_cdn_says(database: Database, journal_behind_cdn: Journal, tmp_path: Path) -> None:
    said = [(b"FR", b"", b"Ch%C3%A2tel"), (b"CH", b"Valais", b""), (b"XX", b"", b""), (b"", b"", b"")]
    for number, values in enumerate(said):
        headers = [each for each in zip(SAID, values, strict=True) if each[1]]
        scope = {"path": "/menu", "headers": headers, "client": ("203.0.113.77", 1)}
        journal_behind_cdn.append(number.to_bytes(8, "little"), scope)
    journal_behind_cdn.close()

    def place(_: str) -> Place:
        return Place("CH", "Geneva", "Carouge", "fixed")

    visitors = Visitors(trusted=(), keep="none", salting="daily")
    await drained(Writer(tmp_path, PostgresScanLog(database), visitors, place))
    async with database.connection() as connection:
        found = await connection.fetch("SELECT country, region, city, network FROM scans ORDER BY link_id")
    assert [tuple(row) for row in found] == [
        ("FR", None, "Châtel", "fixed"),
        ("CH", "Valais", "Carouge", "fixed"),
        ("CH", "Geneva", "Carouge", "fixed"),
        ("CH", "Geneva", "Carouge", "fixed"),
    ]


async def test_a_database_of_places_that_fails_costs_no_scan(
    database: Database, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("this file is not what it was")

    place = geo.places(None)
    monkeypatch.setattr(Countries, "of", broken)
    scan(journal, 1, 2, 3)
    await drained(Writer(tmp_path, PostgresScanLog(database), TRUSTING, place))
    assert await rows(database) == [1, 2, 3]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(country) FROM scans") == 0
    journal.close()


@pytest.mark.parametrize(("behind_s", "times"), [(0.0, 1), (3600.0, writing_process.FOLD_BEHIND)])
async def test_counts_are_added_to_the_rollups_less_often_while_scans_wait(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind_s: float, times: int
) -> None:
    passed: list[int] = []
    folded_at: list[int] = []

    class Folding(PostgresScanLog):
        async def fold(self) -> None:
            folded_at.append(len(passed))

    def behind(_: Writer) -> float:
        passed.append(1)
        return behind_s

    monkeypatch.setattr(writing_process, "FOLD_EVERY_S", 0.001)
    monkeypatch.setattr(Writer, "behind_s", behind)
    stop = asyncio.Event()
    running = asyncio.create_task(writing(tmp_path, Folding(database)).run(stop))
    await eventually(lambda: len(folded_at) >= 3, what="three times")
    stop.set()
    await running
    assert folded_at[:3] == [times, 2 * times, 3 * times]


async def test_a_running_writer_writes_the_last_scans_before_it_stops(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    stop = asyncio.Event()
    running = asyncio.create_task(writing(tmp_path, PostgresScanLog(database)).run(stop))
    await eventually((tmp_path / "writer.lock").exists, what="a writer")
    scan(journal, 1, 2, 3)
    journal.close()
    stop.set()
    await running
    assert await rows(database) == [1, 2, 3]


async def test_a_scan_is_kept_with_what_follows_from_its_request(
    database: Database, journal: Journal, tmp_path: Path
) -> None:
    came = (b"referer", b"https://me@News.Example:8443/a?b")
    requests = [[(b"user-agent", PHONE.encode()), came], [(b"user-agent", b"Twitterbot/1.0"), (b"referer", b"nowhere")]]
    for number, headers in enumerate(requests):
        scope = {"path": "/menu", "headers": headers, "client": ("203.0.113.77", 1)}
        journal.append(number.to_bytes(8, "little"), scope)
    await drained(writing(tmp_path, PostgresScanLog(database)))
    async with database.connection() as connection:
        row, other = await connection.fetch("SELECT * FROM scans ORDER BY link_id")
    assert row["user_agent"] == PHONE
    assert (row["device"], row["os"], row["browser"]) == ("mobile", "iOS", "Mobile Safari")
    assert (row["browser_version"], row["bot"]) == ("18", None)
    assert (row["referrer"], row["referrer_host"]) == ("https://me@News.Example:8443/a?b", "news.example")
    assert (other["device"], other["bot"]) == ("bot", "Twitterbot")
    assert (other["referrer"], other["referrer_host"]) == ("nowhere", None)
    journal.close()


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ("full", {"203.0.113.77/32", "2001:db8:1:2:3:4:5:6/128"}),
        ("truncated", {"203.0.113.0/24", "2001:db8:1::/48"}),
        ("none", {None}),
    ],
)
async def test_of_an_address_is_kept_what_the_operator_wants(
    database: Database, journal: Journal, tmp_path: Path, keep: Keep, kept: set[str | None]
) -> None:
    scan(journal, 1)
    scan(journal, 2, client="2001:db8:1:2:3:4:5:6")
    await drained(writing(tmp_path, PostgresScanLog(database), keep=keep))
    async with database.connection() as connection:
        assert {row[0] for row in await connection.fetch("SELECT address::text FROM scans")} == kept
        assert await connection.fetchval("SELECT count(DISTINCT visitor) FROM scans") == 2
    journal.close()


async def test_bots_are_counted_apart(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, 1, 1, 2, agent="WhatsApp/2.23.20.0 A")
    scan(journal, 1)
    writer = writing(tmp_path, PostgresScanLog(database))
    await drained(writer)
    scan(journal, 1, agent="Twitterbot/1.0")
    await drained(writer)
    async with database.connection() as connection:
        totals = await connection.fetch("SELECT link_id, scans, bots, last_scan_at FROM scan_totals ORDER BY link_id")
        fresh = await connection.fetch("SELECT link_id, sum(people), sum(bots) FROM scan_fresh GROUP BY 1 ORDER BY 1")
        person = await connection.fetchval("SELECT scanned_at FROM scans WHERE device <> 'bot'")
    assert [tuple(row) for row in totals] == [(1, 1, 3, person), (2, 0, 1, None)]
    assert [tuple(row) for row in fresh] == [(0, 1, 4), (1, 1, 3), (2, 0, 1)]
    journal.close()


async def test_visitors_are_told_apart_for_a_day(database: Database, journal: Journal, tmp_path: Path) -> None:
    scan(journal, 1, 2, 3)
    scan(journal, 4, client="203.0.113.78")
    scan(journal, 5, agent="another phone")
    await drained(writing(tmp_path, PostgresScanLog(database)))
    await drained(writing(tmp_path, PostgresScanLog(database)))
    scan(journal, 6)
    await drained(writing(tmp_path, PostgresScanLog(database)))  # another writer, with the same salt
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT visitor FROM scans ORDER BY link_id")
        assert await connection.fetchval("SELECT count(*) FROM visitor_salts") == 1
    one, two, three, other, another, later = (row[0] for row in rows)
    assert one == two == three == later
    assert len({one, other, another}) == 3
    journal.close()


async def test_a_days_salt_is_the_same_for_all_and_forgotten_after_it(database: Database) -> None:
    logs = [PostgresScanLog(database) for _ in range(3)]
    yesterday, today = date(2026, 11, 20), date(2026, 11, 21)
    first = set(await asyncio.gather(*(log.salt(yesterday) for log in logs)))
    ever = await logs[0].salt(ALWAYS)
    assert len(first) == 1
    async with database.connection() as connection:
        await connection.execute("UPDATE visitor_salts SET made_at = made_at - interval '49 hours'")
    assert {await log.salt(today) for log in logs}.isdisjoint(first)
    async with database.connection() as connection:
        kept = {row[0] for row in await connection.fetch("SELECT day FROM visitor_salts")}
    assert kept == {today, ALWAYS}
    assert await logs[1].salt(ALWAYS) == ever
    assert await logs[1].salt(yesterday) not in first


async def test_a_salt_is_forgotten_also_when_nobody_scans(database: Database, tmp_path: Path) -> None:
    log = PostgresScanLog(database)
    await log.salt(date(2026, 11, 20))
    async with database.connection() as connection:
        await connection.execute("UPDATE visitor_salts SET made_at = made_at - interval '49 hours'")
        await writing(tmp_path, log).retire()
        assert await connection.fetchval("SELECT count(*) FROM visitor_salts") == 0
