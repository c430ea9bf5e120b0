"""Scans have ids in the order in which they are committed, so that who reads behind one misses none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, takewhile
from typing import Any

import pytest

import migrations
from migrations import files, migrate
from server.domain import ids
from server.domain.errors import Busy, StorageUnavailable
from server.domain.log import LogPage, Wanted
from server.domain.model import AccountId, LinkId, Position, RecordedScan, Scan, ScanId
from server.storage.postgres import recorded
from server.storage.postgres.indexes import ALONE, index_scans
from server.storage.postgres.notify import MANY_IDS, SCANS, News, changes, listed
from server.storage.postgres.pool import Database
from server.storage.postgres.recorded import PostgresRecordedScans
from server.storage.postgres.scans import IDS, PostgresScanLog
from tests.support import DEADLINE_S, scan_us

pytestmark = pytest.mark.anyio

NOW = datetime.now(UTC)
MINE = AccountId(1)
BEGINNING = ScanId(0)

SEED = """
    INSERT INTO accounts SELECT number, 'Test', now() FROM generate_series(1, 2) AS number;
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, number % 2 + 1, 'slug-' || number, 'https://example.com/', now(), now()
    FROM generate_series(1, 10) AS number
"""  # the even ones are mine
INSERT = "INSERT INTO scans (id, account_id, link_id, scanned_at) VALUES ($1, 1, 2, now())"
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'scans_account'::regclass"
UNINDEX = """
    DROP INDEX scans_account;
    CREATE INDEX scans_account ON ONLY scans (account_id, id) WHERE id IS NOT NULL
"""

#: What the version before had, and how it wrote.
BEFORE = dict(takewhile(lambda migration: not migration[0].endswith("_scan_ids.sql"), files().items()))
OLD_COPY = "INSERT INTO scans (link_id, scanned_at, device) VALUES ($1, $2, 'mobile')"


def scanned(link: int, at: datetime = NOW) -> Scan:
    return Scan(LinkId(link), scan_us(at), None, None, None, None, 7, "mobile", "iOS", None, True)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await database.open()
    async with database.connection() as connection:
        await connection.execute(SEED)
    yield database
    await database.close()


journals = map(str, count())


async def write(database: Database, *links: int) -> None:
    log = PostgresScanLog(database)
    scans = await log.prepare([scanned(link) for link in links])
    assert await scans.write(f"journal {next(journals)}", None, Position(1, 16))


async def walk(reader: PostgresRecordedScans, behind: ScanId = BEGINNING) -> list[RecordedScan]:
    """All of mine behind this one, in pages."""
    found: list[RecordedScan] = []
    while page := await reader.after(MINE, behind, limit=3):
        found += page
        behind = id_of(page[-1])
    return found


def id_of(scan: RecordedScan) -> ScanId:
    assert scan.id is not None
    return scan.id


async def test_an_accounts_scans_are_read_in_the_order_in_which_they_came(database: Database) -> None:
    reader = PostgresRecordedScans(database)
    await write(database, 2, 4, 3, 6)
    between = await reader.last()
    await write(database, 5, 8, 2)
    everything = await walk(reader)
    assert [scan.link_id for scan in everything] == [2, 4, 6, 8, 2]
    assert await walk(reader, between) == everything[3:]
    assert await walk(reader, await reader.last()) == []
    numbers = [id_of(scan) for scan in everything]
    assert numbers == sorted(set(numbers))
    assert everything[0] == RecordedScan(numbers[0], LinkId(2), NOW, None, None, None, 7, "mobile", "iOS", None, True)


async def test_an_id_says_when_it_was_given_as_all_ids_do(database: Database) -> None:
    await write(database, 2)
    (scan,) = await walk(PostgresRecordedScans(database))
    given = ids.EPOCH + timedelta(milliseconds=id_of(scan) >> ids.RANDOM_BITS)
    assert timedelta(0) <= datetime.now(UTC) - given < timedelta(seconds=20)


async def test_whoever_takes_ids_later_commits_later(database: Database) -> None:
    """Else the scans of another server could come in behind the back of who has read beyond them."""
    reader = PostgresRecordedScans(database)
    async with database.connection() as slow:
        transaction = slow.transaction()
        await transaction.start()
        first = ScanId(await slow.fetchval(IDS, 1, "1"))
        quick = asyncio.create_task(write(database, 4))
        async with database.connection() as looking:
            while not await looking.fetchval(WAITING):
                await asyncio.sleep(0.01)
        assert await walk(reader) == []
        assert await reader.last() < first
        await slow.execute(INSERT, first)
        await transaction.commit()
    await quick
    assert [scan.link_id for scan in await walk(reader)] == [2, 4]


async def test_whoever_follows_many_writers_misses_none_and_sees_none_twice(database: Database) -> None:
    reader = PostgresRecordedScans(database)
    writers = [asyncio.create_task(write(database, *[2] * size)) for size in range(1, 25)]
    seen: list[RecordedScan] = []
    while not all(writer.done() for writer in writers):
        seen += await walk(reader, id_of(seen[-1]) if seen else BEGINNING)
    await asyncio.gather(*writers)
    seen += await walk(reader, id_of(seen[-1]) if seen else BEGINNING)
    assert len(seen) == sum(range(1, 25))
    assert seen == await walk(reader)


async def test_ids_never_go_back_where_the_clock_does(database: Database) -> None:
    reader = PostgresRecordedScans(database)
    async with database.connection() as connection:
        ahead = await connection.fetchval("INSERT INTO scan_ids (last) VALUES (1::bigint << 60) RETURNING last")
    await write(database, 2, 2)
    await write(database, 2)
    assert [id_of(scan) for scan in await walk(reader)] == [ahead + 1, ahead + 2, ahead + 3]


async def test_a_scan_of_a_link_that_is_gone_is_kept(database: Database) -> None:
    await write(database, 2, 77)
    assert [scan.link_id for scan in await walk(PostgresRecordedScans(database))] == [2]
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scans WHERE link_id = 77 AND account_id IS NULL") == 1


async def test_a_writer_of_the_version_before_may_run_beside(database: Database) -> None:
    await write(database, 2)
    async with database.connection() as connection:
        await connection.execute(OLD_COPY, 4, NOW)
        assert await connection.fetchval("SELECT count(*) FROM scans") == 2
    assert [scan.link_id for scan in await walk(PostgresRecordedScans(database))] == [2]


async def test_a_large_log_is_indexed_while_it_is_written(empty_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "files", lambda: BEFORE)
    await migrate(empty_database)
    database = Database(empty_database)
    await database.open()
    async with database.connection() as connection:
        await connection.execute(SEED)
        await connection.execute("SELECT make_scans_month($1)", NOW)
        await connection.execute(OLD_COPY, 2, NOW)
    now = {name: text.replace("< 256 * 1024 * 1024", "= 0") for name, text in files().items()}
    monkeypatch.setattr(migrations, "files", lambda: now)
    await migrate(empty_database)

    reader = PostgresRecordedScans(database)
    await write(database, 2, 4)
    with pytest.raises(Busy):
        await reader.after(MINE, BEGINNING, limit=10)
    async with database.connection() as somebody, somebody.transaction():
        await somebody.execute("LOCK TABLE scans_default IN ACCESS SHARE MODE")
        assert await index_scans(database) == [f"scans_{NOW:%Y_%m}"]
    assert [scan.link_id for scan in await walk(reader)] == [2, 4]
    assert await index_scans(database) == []
    await database.close()


@pytest.mark.parametrize(
    "left",
    [
        "SELECT",
        "CREATE INDEX scans_default_account ON scans_default (account_id, id) WHERE id IS NOT NULL",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'scans_default_account'::regclass",
    ],
)
async def test_an_index_that_was_broken_off_is_built_all_the_same(database: Database, left: str) -> None:
    async with database.connection() as connection:
        await connection.execute(UNINDEX)
        if "UPDATE" in left:
            await connection.execute("CREATE INDEX scans_default_account ON scans_default (visitor)")
        await connection.execute(left)
        assert await index_scans(database) == ["scans_default"]
        assert await connection.fetchval(VALID)
        assert await connection.fetchval(ALONE), "the next one may"


async def test_two_writers_do_not_build_the_same_index(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(UNINDEX)
        await connection.execute(ALONE)
        with pytest.raises(StorageUnavailable):
            await index_scans(database)


async def test_whose_scans_were_written_is_told(database_url: str, database: Database) -> None:
    news = changes(database_url, SCANS)
    assert await told(news) is None
    await write(database, 2, 4)
    assert await told(news) == {"1"}
    await write(database, 3, 2)
    both = await told(news)
    assert both is not None
    assert {frozenset(accounts.split(",")) for accounts in both} == {frozenset(["1", "2"])}


async def told(news: AsyncIterator[News | None]) -> set[str] | None:
    heard = await asyncio.wait_for(anext(news), DEADLINE_S)
    assert heard is not None
    return heard[SCANS]


async def test_of_very_many_accounts_anybody_is_told(database: Database) -> None:
    longest = (1 << 63) - 1
    most = [longest - number for number in range(MANY_IDS)]
    async with database.connection() as connection:
        await connection.execute("SELECT pg_notify('x', $1)", listed(most))
    assert listed([*most, 1]) == ""


# --- pages --------------------------------------------------------------------------------------------------------


async def pages(read: Callable[..., Awaitable[LogPage]], limit: int, **wanted: Any) -> list[list[RecordedScan]]:  # noqa: ANN401
    page = await read(Wanted(**wanted), before=None, limit=limit)
    found = [page.scans]
    while page.next is not None:
        page = await read(Wanted(**wanted), before=page.next, limit=limit)
        found.append(page.scans)
    return found


async def test_what_is_rare_is_found_a_bounded_stretch_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page ends where enough has been looked at, and the next one goes on there: none is missed, none comes twice."""
    monkeypatch.setattr(recorded, "MAX_SEEN", 16)
    monkeypatch.setattr(recorded, "MAX_SEEN_FOR_PAGE", 40)
    scans = [scanned(2, NOW - timedelta(seconds=number // 3))._replace(visitor=number) for number in range(300)]
    rare = [each._replace(os="Plan 9") if each.visitor % 70 == 69 else each for each in scans]
    prepared = await PostgresScanLog(database).prepare(rare)
    assert await prepared.write("many", None, Position(1, 16))
    reader = PostgresRecordedScans(database)
    for read in (partial(reader.of_account, MINE), partial(reader.of_link, LinkId(2))):
        for limit in (1, 3, 100):
            found = await pages(read, limit, os="Plan 9")
            assert sorted(scan.visitor or 0 for page in found for scan in page) == [69, 139, 209, 279]
            assert all(len(page) <= limit for page in found)
        assert [] in await pages(read, 3, os="Plan 9")
        assert await pages(read, 3, os="Plan 10") == [[]] * len(await pages(read, 3, os="Plan 10"))
        everything = await pages(read, 7)
        assert [len(page) for page in everything] == [7] * 42 + [6]
        assert len({scan.id for page in everything for scan in page}) == 300


async def test_a_page_known_by_its_number_has_what_stands_there(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many stretches are looked at before it, and whatever is not wanted among what is skipped."""
    monkeypatch.setattr(recorded, "MAX_SEEN", 16)
    monkeypatch.setattr(recorded, "MAX_SEEN_FOR_PAGE", 400)
    scans = [scanned(2, NOW - timedelta(seconds=number // 3))._replace(visitor=number) for number in range(300)]
    prepared = await PostgresScanLog(database).prepare(
        [each._replace(device="bot") if each.visitor % 5 == 1 else each for each in scans]
    )
    assert await prepared.write("numbered", None, Position(1, 16))
    reader = PostgresRecordedScans(database)
    for read in (partial(reader.of_account, MINE), partial(reader.of_link, LinkId(2))):
        everything = [scan for page in await pages(read, 100) for scan in page]
        assert len(everything) == 240
        for skip in (0, 1, 12, 13, 90, 233, 239, 240, 500):
            found = await read(Wanted(), before=None, limit=7, skip=skip)
            assert found.scans == everything[skip : skip + 7]
            assert (found.next is None) == (skip + 7 >= 240)
