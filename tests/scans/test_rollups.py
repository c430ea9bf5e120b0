"""What is kept of counts is what the log says: in odd batches, by two writers, late, and with clocks that are wrong."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import pytest

from migrations import migrate
from server.domain.model import AccountId, Device, LinkId, Position, Scan
from server.storage import rollup
from server.storage.postgres import rebuilding, rollups
from server.storage.postgres.pool import Database
from server.storage.postgres.rebuilding import PostgresRollups
from server.storage.postgres.rollups import forget_visitors
from server.storage.postgres.scans import PostgresScanLog
from server.storage.rollup import ALL_LINKS, DIMENSIONS, OTHER, unpack, unpack_slots
from tests.faults import PostgresServer
from tests.support import DEADLINE_S, scan_us

pytestmark = pytest.mark.anyio

#: Links 1 to 6 have an account, and those above have not.
ACCOUNTS = (
    "INSERT INTO accounts SELECT number, 'Ours', now() FROM generate_series(1, 3) AS number ON CONFLICT DO NOTHING"
)
LINKS = """
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, number % 3 + 1, 'link-' || number, 'https://example.com/', now(), now()
    FROM generate_series(1, 6) AS number ON CONFLICT DO NOTHING
"""
journals = count()

Figures = dict[tuple[object, ...], object]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    """With the links, if they are not there."""
    database = Database(url, max_connections=5)
    await database.open()
    async with database.connection() as connection:
        await connection.execute(ACCOUNTS)
        await connection.execute(LINKS)
    yield database
    await database.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with opened(database_url) as database:
        yield database


def midnight() -> datetime:
    """The last one: asked by each test, as one may come while tests run."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def scan(link: int, at: datetime, *, visitor: int = 0, device: Device = "mobile", city: str | None = None) -> Scan:
    host = f"{visitor % 7}.example" if visitor % 3 else None
    return Scan(
        LinkId(link),
        scan_us(at),
        user_agent="an agent",
        referrer=host and f"https://{host}/",
        language="de-CH,de;q=0.9",
        address=None,
        visitor=visitor,
        device=device,
        os="iOS",
        browser="Safari",
        from_code=visitor % 2 == 0,
        country="CH",
        city=city,
        bot="A bot" if device == "bot" else None,
        referrer_host=host,
    )


def scans(number: int, *, days: int = 3) -> list[Scan]:
    """Some of visitors who come again and of bots, at times that are in no order, up to a day ahead of ours."""
    found, today = [], midnight()
    for _ in range(number):
        visitor = random.randrange(40)
        at = today + timedelta(days=random.randrange(1 - days, 2), seconds=random.randrange(86_400))
        device: Device = "bot" if visitor % 10 == 0 else "mobile"
        found.append(
            scan(random.randrange(1, 9), at, visitor=visitor, device=device, city=f"City {random.randrange(30)}")
        )
    return found


async def write(database: Database, scans: list[Scan], *, most: int = 1_000_000) -> None:
    """As a writer that has just begun does it, from a journal of its own; in batches of up to so many."""
    log, journal = PostgresScanLog(database), f"journal {next(journals)}"
    start: Position | None = None
    while scans:
        batch, scans = scans[: (size := random.randrange(1, most + 1))], scans[size:]
        end = Position(1, start.offset + 1 if start else 16)
        assert await (await log.prepare(batch)).write(journal, start, end)
        start = end


async def kept(database: Database) -> Figures:
    """What is in the rollups, once all that is fresh has been added."""
    await PostgresScanLog(database).fold()
    figures: Figures = {}
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scan_fresh") == 0
        for table, start in (("scan_quarters", "quarter"), ("scan_days", "day"), ("scan_months", "month")):
            for row in await connection.fetch(f"SELECT * FROM {table}"):
                of = (table, row["account_id"], row["link_id"], row[start])
                for dimension in DIMENSIONS:
                    for bots in (False, True):
                        if group := unpack(row["groups"], dimension, bots=bots):
                            figures[*of, dimension, bots] = group
                if "people" in row:
                    figures[of] = tuple(row[name] for name in ("people", "bots", "unique_people", "unique_bots"))
                if "counts" in row:
                    slots = {slot: tuple(counts) for slot, counts in unpack_slots(row["counts"]).items()}
                    figures[*of, "slots"] = slots
                    assert tuple(map(sum, zip(*slots.values(), strict=True))) == figures[of]
                if "last_scan_at" in row:
                    figures[*of, "last"] = (row["last_scan_at"], row["last_bot_at"])
    return figures


async def told(database: Database, most: int = rollup.MAX_KEYS) -> Figures:
    """The same by the rows of the log, one by one."""
    async with database.connection() as connection:
        rows = await connection.fetch("SELECT * FROM scans ORDER BY id")
    counts: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    groups: dict[tuple[object, ...], dict[str, int]] = defaultdict(dict)
    slots: dict[tuple[object, ...], dict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0, 0]))
    last: dict[tuple[object, ...], list[datetime | None]] = defaultdict(lambda: [None, None])
    seen = set[tuple[object, ...]]()
    for row in rows:
        at, bot = row["scanned_at"], row["device"] == "bot"
        day = at.date()
        slot = (at.hour * 60 + at.minute) // 15
        quarter = datetime(at.year, at.month, at.day, tzinfo=UTC) + timedelta(minutes=15 * slot)
        for link in (row["link_id"], ALL_LINKS):
            of = (row["account_id"] or 0, link)
            first = (*of, day, row["visitor"]) not in seen
            seen.add((*of, day, row["visitor"]))
            starts: list[tuple[str, object]] = [
                ("scan_quarters", quarter),
                ("scan_days", day),
                ("scan_months", date(at.year, at.month, 1)),
            ]
            for table, start in starts:
                key = (table, *of, start)
                if table != "scan_quarters":
                    counts[key][bot] += 1
                    counts[key][2 + bot] += first
                if table == "scan_months":
                    last[*key, "last"][bot] = max(at, last[*key, "last"][bot] or at)
                if table == "scan_days":
                    slots[*key, "slots"][slot][bot] += 1
                    slots[*key, "slots"][slot][2 + bot] += first
                for dimension, value in keys_told(row):
                    group = groups[*key, dimension, bot]
                    name = value if value in group or len(group) < most else OTHER
                    group[name] = group.get(name, 0) + 1
    return {
        **groups,
        **{key: tuple(value) for key, value in counts.items()},
        **{key: {slot: tuple(value) for slot, value in found.items()} for key, found in slots.items()},
        **{key: tuple(value) for key, value in last.items()},
    }


def keys_told(row: asyncpg.Record) -> Iterable[tuple[str, str]]:
    def named(column: str) -> str:
        return str(row[column] or "")

    for column in ("device", "os", "browser", "bot", "country", "region", "network"):
        yield column, named(column)
    yield "browser_version", f"{row['browser']} {row['browser_version']}" if row["browser_version"] else ""
    yield "city", f"{row['city']}, {row['country']}" if row["city"] else ""
    yield "referrer", named("referrer_host")
    yield "language", named("language")[:2]
    yield "source", "scan" if row["from_code"] else "click"


async def test_rollups_say_what_the_log_says(database: Database) -> None:
    random.seed(1)
    for number in (1, 7, 300):
        await write(database, scans(number))
        await PostgresScanLog(database).fold()
    assert await kept(database) == await told(database)


async def test_two_writers_and_one_who_folds_count_everything_once(database: Database) -> None:
    random.seed(2)

    async def folding() -> None:
        log = PostgresScanLog(database)
        while not all(writer.done() for writer in writers):
            await log.fold()
            await asyncio.sleep(0)

    writers = [asyncio.create_task(write(database, scans(400), most=60)) for _ in range(3)]
    await asyncio.gather(*writers, folding(), folding())
    assert await kept(database) == await told(database)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scans") == 1200


async def test_a_fold_that_cannot_give_its_lock_back_keeps_nobody_from_folding(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(6)
    await write(database, scans(100))
    log = PostgresScanLog(database)
    with monkeypatch.context() as broken:
        broken.setattr(rollups, "FOLDED", "SELECT 1 / 0")
        with pytest.raises(asyncpg.DivisionByZeroError):
            await log.fold()
    await write(database, scans(100))

    async def all_folded() -> bool:
        await log.fold()
        async with database.connection() as connection:
            return not await connection.fetchval("SELECT EXISTS (SELECT FROM scan_fresh)")

    deadline = asyncio.get_running_loop().time() + DEADLINE_S
    while not await all_folded():
        assert asyncio.get_running_loop().time() < deadline
    assert await kept(database) == await told(database)


async def test_beyond_the_most_keys_the_first_ones_are_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(3)
    monkeypatch.setattr(rollup, "MAX_KEYS", 5)
    await write(database, scans(500), most=40)
    figures = await kept(database)
    assert figures == await told(database, most=5)
    assert any(OTHER in group for group in figures.values() if isinstance(group, dict))


async def test_who_scanned_on_a_day_that_was_forgotten_is_known_from_the_log(database: Database) -> None:
    today = midnight()
    random.seed(4)
    await write(database, scans(300, days=5), most=50)
    async with database.connection() as connection:
        await connection.execute("UPDATE scan_visitor_days SET made_at = made_at - interval '2 days'")
        before = await connection.fetchval("SELECT count(*) FROM scan_visitors")
    await forget_visitors(database)
    async with database.connection() as connection:
        days = {row[0] for row in await connection.fetch("SELECT day FROM scan_visitors")}
        assert await connection.fetchval("SELECT count(*) FROM scan_visitors") < before
    assert days == {(today + timedelta(days=day)).date() for day in (-1, 0, 1)}
    await write(database, scans(300, days=5), most=50)
    await PostgresScanLog(database).fold()
    async with database.connection() as connection:
        await connection.execute("DELETE FROM scan_visitors; DELETE FROM scan_visitor_days")
    await write(database, scans(300, days=5), most=50)
    assert await kept(database) == await told(database)


async def test_who_has_scanned_is_known_from_the_log_after_a_crash_of_the_database() -> None:
    random.seed(5)
    with TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = PostgresServer(Path(folder) / "postgres")
        await asyncio.to_thread(postgres.start)
        try:
            await migrate(postgres.url)
            async with opened(postgres.url) as database:
                await write(database, scans(300), most=50)
            await asyncio.to_thread(postgres.kill)
            await asyncio.to_thread(postgres.start)
            async with opened(postgres.url) as database:
                async with database.connection() as connection:
                    assert await connection.fetchval("SELECT count(*) FROM scan_visitors") == 0
                await write(database, scans(300), most=50)
                assert await kept(database) == await told(database)
        finally:
            await asyncio.to_thread(postgres.kill)


async def test_a_visitor_counts_once_on_a_day_and_in_the_quarter_of_the_hour_of_the_first_scan_written(
    database: Database,
) -> None:
    today = midnight()
    late = [scan(1, today + timedelta(hours=hour), visitor=5) for hour in (9, 3, 3, 27)]
    for each in late:
        await write(database, [each])
    figures = await kept(database)
    account, link, day = AccountId(2), LinkId(1), today.date()
    assert figures["scan_days", account, link, day, "slots"] == {36: (1, 0, 1, 0), 12: (2, 0, 0, 0)}
    assert figures["scan_days", account, link, day + timedelta(days=1), "slots"] == {12: (1, 0, 1, 0)}


async def test_a_visitor_of_two_links_is_one_of_the_account(database: Database) -> None:
    today = midnight()
    await write(database, [scan(link, today, visitor=5) for link in (1, 4, 2)])
    figures = await kept(database)
    uniques = {of[1:3]: value[2] for of, value in figures.items() if of[0] == "scan_days" and isinstance(value, tuple)}
    assert uniques == {(2, 1): 1, (2, 4): 1, (2, 0): 1, (3, 2): 1, (3, 0): 1}


# --- counted anew -------------------------------------------------------------------------------------------------


async def rebuilt(database: Database) -> dict[date, int | None]:
    rollups = PostgresRollups(database)
    return {month: await rollups.rebuild(month) for month in await rollups.months()}


async def stored(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """The rollups to the byte."""
    async with database.connection() as connection:
        return {
            table: sorted(map(tuple, await connection.fetch(f"SELECT * FROM {table}")))
            for table in ("scan_quarters", "scan_days", "scan_months", "scan_totals")
        }


async def test_counted_anew_everything_is_the_same_to_the_byte(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    random.seed(5)
    monkeypatch.setattr(rollup, "MAX_KEYS", 5)
    monkeypatch.setattr(rebuilding, "CHUNK", 7)
    for _ in range(3):
        await write(database, scans(150, days=70), most=40)
        await PostgresScanLog(database).fold()
    before = await stored(database)
    months = await rebuilt(database)
    assert await stored(database) == before
    assert sum(filter(None, months.values())) == 450
    await write(database, scans(150, days=70), most=40)
    assert await kept(database) == await told(database, most=5)


async def test_what_is_lost_of_the_rollups_comes_back_from_the_log(database: Database) -> None:
    random.seed(6)
    await write(database, scans(200))
    before = await kept(database)
    async with database.connection() as connection:
        await connection.execute("TRUNCATE scan_quarters, scan_days, scan_months, scan_visitors, scan_visitor_days")
    await rebuilt(database)
    assert await kept(database) == before


async def test_counting_anew_while_writers_write_loses_nothing(database: Database) -> None:
    random.seed(7)
    writers = [asyncio.create_task(write(database, scans(400), most=60)) for _ in range(2)]
    while not all(writer.done() for writer in writers):
        await rebuilt(database)
        await PostgresScanLog(database).fold()
    await asyncio.gather(*writers)
    assert await kept(database) == await told(database)


#: As the version before counts, and as one before that had it, with rows of which nothing is known.
HOURS = """
    INSERT INTO scan_hours (link_id, hour, scans, bots) VALUES ($1, $2, $3, $4)
    ON CONFLICT (link_id, hour) DO UPDATE SET scans = scan_hours.scans + excluded.scans, bots = excluded.bots
"""
ROW = "INSERT INTO scans (link_id, scanned_at, referrer, visitor, device) VALUES ($1, $2, $3, $4, $5)"


async def test_what_a_version_before_counts_is_counted_anew(database: Database) -> None:
    today = midnight()
    at = today + timedelta(hours=5, minutes=20)
    await write(database, [scan(1, at, visitor=8)])
    assert await PostgresRollups(database).stale() == []
    async with database.connection() as connection:
        for visitor, device in ((8, "mobile"), (9, "mobile"), (9, "mobile"), (7, "bot")):
            await connection.execute(ROW, 1, at, "https://example.com/page", visitor, device)
        await connection.execute(HOURS, 1, today + timedelta(hours=5), 3, 1)
    assert await PostgresRollups(database).stale() == [today.date().replace(day=1)]
    await write(database, [scan(1, at, visitor=9)])
    assert await PostgresRollups(database).rebuild(today.date().replace(day=1)) == 6
    assert await PostgresRollups(database).stale() == []
    await write(database, [scan(1, at, visitor=visitor) for visitor in (6, 8, 9, 10)])
    figures = await kept(database)
    for link in (1, ALL_LINKS):
        assert figures["scan_days", 2, link, today.date(), "slots"] == {21: (9, 1, 4, 1)}
        assert figures["scan_days", 2, link, today.date(), "referrer", True] == {"example.com": 1}
        referrers = figures["scan_months", 2, link, today.date().replace(day=1), "referrer", False]
        assert isinstance(referrers, dict)
        assert referrers["example.com"] == 3


async def test_what_was_counted_by_the_hour_stays_where_rows_are_gone(database: Database) -> None:
    at = datetime(2026, 3, 5, 7, 40, tzinfo=UTC)
    async with database.connection() as connection:
        await connection.execute("INSERT INTO scan_rollups (month, stale) VALUES ('-infinity', true)")
        for link in (1, 1, 2, 99):
            await connection.execute(ROW, link, at, None, None, None)
        for link in (1, 2, 99):
            await connection.execute(HOURS, link, at.replace(minute=0), 10, link)
    assert await PostgresRollups(database).stale() == [date(2026, 3, 1)]
    assert await PostgresRollups(database).rebuild(date(2026, 3, 1)) == 30 + 102
    figures = await kept(database)
    day = ("scan_days", 2, 1, at.date())
    assert figures[day] == (10, 1, 0, 0)
    assert figures[*day, "slots"] == {28: (8, 1, 0, 0), 30: (2, 0, 0, 0)}
    assert (figures[*day, "city", False], figures[*day, "city", True]) == ({"": 10}, {"": 1})
    assert figures["scan_months", 0, 99, date(2026, 3, 1)] == (10, 99, 0, 0)
    assert figures["scan_months", 3, ALL_LINKS, date(2026, 3, 1)] == (10, 2, 0, 0)


async def test_what_was_counted_stays_when_rows_are_dropped_and_is_not_counted_anew(database: Database) -> None:
    random.seed(8)
    log = PostgresScanLog(database)
    await write(database, scans(200, days=100))
    before = await kept(database)
    assert await log.retire(40)
    assert await kept(database) == before
    months = await rebuilt(database)
    assert None in months.values()
    assert await kept(database) == before


async def test_a_month_that_is_to_be_counted_anew_is_not_dropped_before(database: Database) -> None:
    log = PostgresScanLog(database)
    await write(database, [scan(1, datetime(2026, 3, 5, tzinfo=UTC)), scan(1, datetime(2010, 3, 5, tzinfo=UTC))])
    async with database.connection() as connection:
        await connection.execute(HOURS, 1, datetime(2026, 3, 5, tzinfo=UTC), 1, 0)
        await connection.execute(HOURS, 1, datetime(2010, 3, 5, tzinfo=UTC), 1, 0)
    assert set(await log.retire(40)) == {"scans_2026_04", "scans_2010_04"}  # in which there is nothing
    for month in await PostgresRollups(database).stale():
        await PostgresRollups(database).rebuild(month)
    assert set(await log.retire(40)) == {"scans_2026_03", "scans_2010_03"}
