"""How soon figures are answered, of a link with ten million scans over two years and an account with 10,000 links:
python -m bench.stats [--rows N]

The data set is what the writer would have made of as many scans: they are counted by its code (`storage.rollup`), in
the order of their times, and written as its rows. Keys have long tails, as real ones do: more cities, regions and
referrers than a row has room for. No figure is read from the log, so it is left empty; `--rows` puts that many of the
link's scans there, in case you doubt it.

Then `qredge serve`, with one worker, is asked over HTTP, one question after the other: of the link, of a code of it and
of the account, in each interval, in several time zones, for the longest period that the interval allows, with and
without groups, with bots and without them. It fails where the 95th percentile of any of these is above 20 ms. Beside
that it tells how much processor time the worker and PostgreSQL take for one, and, as redirects are answered by the same
thread, how long one of these takes while the question that takes longest is asked over and over.
"""

import argparse
import asyncio
import itertools
import json
import multiprocessing
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date, timedelta
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlencode

import asyncpg

from bench.links import DEADLINE_S, Server
from bench.links import worker as worker_of
from bench.load import PHONE_HEADERS
from bench.measure import Figures, save
from fastcore.tally import Run
from migrations import migrate
from server.domain.ids import id_text
from server.domain.model import AccountId, LinkId
from server.embedded import EmbeddedPostgres
from server.parts import accounts_in, plans_of
from server.settings import Settings
from server.storage.postgres.copying import EPOCH
from server.storage.postgres.pool import Database
from server.storage.postgres.rollups import KINDS, Key, Kind, add_fresh
from server.storage.rollup import (
    ALL_LINKS,
    DIMENSIONS,
    QUARTER_US,
    SLOTS,
    Keys,
    Row,
    agent_keys,
    place_keys,
    tally,
)

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

    from server.storage.postgres.pool import Connection

SCANS = 10_000_000
LINKS = 10_000
#: Of each link but the one that has those.
SCANS_OF_OTHERS = 20
#: Of all scans, those by bots; and those that are the first of their visitor on a day.
BY_BOTS = 0.08
FIRST = 0.75

DAYS = 730
START = date(2024, 11, 22)
#: How busy the hours of a day are.
HOURS = [1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 11, 13, 14, 12, 10, 9, 10, 12, 14, 13, 10, 7, 4, 2]
#: So many quarters of an hour at the end are not in the large tables yet.
FRESH = 4

#: Different scans, which come again and again.
DIFFERENT = 100_000
COUNTRIES = [f"{one}{other}" for one in "ABCDEFGH" for other in "KLMNOPQR"]
AGENTS = [("mobile", "iOS", "Mobile Safari"), ("mobile", "Android", "Chrome Mobile"), ("desktop", "Windows", "Edge")]
LANGUAGES = ["en", "de", "fr", "es", "pt", "zh", "ja", "ar", "it", "nl", "pl", "ru", "tr", "sv", "ko"]
NETWORKS = ["mobile", "fixed", "business", None]

BUDGET_MS = 20.0
#: Of twenty, the 95th percentile would be the second worst: two moments in which the machine did something else.
ROUNDS = 60
REDIRECTS = 5_000

# --- the data set -------------------------------------------------------------------------------------------------

FILL_LINKS = f"""
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, $1, 'bench-' || number, 'https://example.com/', now(), now()
    FROM generate_series(1, {LINKS}) AS number
"""
FILL_LOG = f"""
    INSERT INTO scans (id, account_id, link_id, scanned_at, visitor, device, os, browser, country, from_code)
    SELECT number, $1, 1, '{START}'::timestamptz + number * interval '{DAYS} days' / $2, hashint8(number),
        'mobile', 'iOS', 'Mobile Safari', 'CH', true
    FROM generate_series(1, $2::bigint) AS number
"""
HOT = LinkId(1)

SUM = """
    SELECT sum(people + bots) FROM (
        SELECT people, bots FROM scan_months WHERE account_id = $1 AND link_id = $2
        UNION ALL SELECT people, bots FROM scan_fresh WHERE account_id = $1 AND link_id = $2
    ) AS counted
"""


def kind(chance: random.Random, *, bot: bool) -> Keys:
    """What a scan has in common with others."""

    def one_of(many: int, tail: float) -> int:
        return int(chance.paretovariate(tail)) % many

    device, os, browser = ("bot", None, None) if bot else chance.choice(AGENTS)
    name = f"Bot {one_of(300, 0.7)}" if bot else None
    country = COUNTRIES[one_of(len(COUNTRIES), 0.8)]
    click = chance.random() < 0.3
    return (
        *agent_keys(device, os, browser, str(140 - one_of(60, 0.6)), name),
        *place_keys(country, f"Region {one_of(40, 0.5)}", f"City {one_of(900, 0.4)}", chance.choice(NETWORKS)),
        chance.choice(LANGUAGES),
        f"host-{one_of(5000, 0.4)}.example.com" if click else "",
        "click" if click else "scan",
    )


@cache
def kinds(*, bot: bool) -> list[Keys]:
    chance = random.Random(7)
    return [kind(chance, bot=bot) for _ in range(DIFFERENT)]


def scans_until(quarter: int) -> int:
    """How many of the hot link's scans there were before a quarter of an hour, counted from the first day's."""
    day, slot = divmod(quarter, SLOTS)
    hour, rest = divmod(slot, 4)
    part = (sum(HOURS[:hour]) + (HOURS[hour] * rest / 4 if rest else 0)) / sum(HOURS)
    return int(SCANS * (day + part) / DAYS)


class Month:
    """The rows of a month, made in the order of time and written day by day."""

    def __init__(self, account: AccountId, connection: "Connection") -> None:
        self._account = account
        self._connection = connection
        self._chance = random.Random(7)

    async def write(self, days: list[int]) -> None:
        quarters, of_days, months = KINDS
        rows: dict[Key, Row] = {}
        for day in days:
            day_rows: dict[Key, Row] = {}
            quarter_rows: dict[Key, Row] = {}
            for quarter in range(day * SLOTS, (day + 1) * SLOTS):
                runs = self._runs(quarter)
                if quarter >= DAYS * SLOTS - FRESH:
                    await add_fresh(self._connection, runs, quarter << 32)
                    continue
                for run in runs:
                    for kind, into in ((quarters, quarter_rows), (of_days, day_rows), (months, rows)):
                        into.setdefault(kind.key(run), Row()).add(run)
            await self._copy(quarters, quarter_rows)
            await self._copy(of_days, day_rows)
        await self._copy(months, rows)

    def _runs(self, quarter: int) -> list[Run]:
        """The scans of a quarter of an hour, counted."""
        chance = self._chance
        first, end = scans_until(quarter), scans_until(quarter + 1)
        others = (LINKS - 1) * SCANS_OF_OTHERS
        links = [HOT] * (end - first)
        links += [LinkId(2 + each % (LINKS - 1)) for each in range(others * first // SCANS, others * end // SCANS)]
        begin = (FIRST_QUARTER + quarter) * QUARTER_US
        scans = {bot: chance.choices(kinds(bot=bot), k=len(links)) for bot in (False, True)}
        told = [
            (self._account, each, begin + number, scans[bot][number], bot)
            for number, link in enumerate(links)
            for bot in [chance.random() < BY_BOTS]
            for each in (link, ALL_LINKS)
        ]
        found = tally()
        found.add(told)
        found.add_firsts(number for number in range(len(told)) if chance.random() < FIRST)
        return found.close()

    async def _copy(self, kind: Kind, rows: dict[Key, Row]) -> None:
        records = [(*key, *kind.values(row)) for key, row in rows.items()]
        columns = ("account_id", "link_id", kind.start, *kind.columns)
        await self._connection.copy_records_to_table(kind.table, records=records, columns=columns)


FIRST_QUARTER = (START - EPOCH.date()).days * SLOTS


def write_months(url: str, account: AccountId, months: list[list[int]]) -> None:
    async def run() -> None:
        database = Database(url, max_connections=1)
        await database.open()
        async with database.connection() as connection:
            for days in months:
                await Month(account, connection).write(days)
        await database.close()

    asyncio.run(run())


async def prepare(url: str) -> tuple[AccountId, str]:
    """The account, with its links and a key."""
    await migrate(url)
    async with accounts_in(url, plans_of(Settings())) as accounts:
        key = await accounts.create_first()
    assert key is not None
    connection = await asyncpg.connect(url)
    account = AccountId(await connection.fetchval("SELECT id FROM accounts"))
    await connection.execute("SET session_replication_role = replica")  # nobody need be told
    await connection.execute(FILL_LINKS, account)
    await connection.close()
    return account, key


def build(url: str, account: AccountId, log_rows: int) -> None:
    months: dict[str, list[int]] = {}
    for day in range(DAYS):
        months.setdefault(f"{START + timedelta(days=day):%Y-%m}", []).append(day)
    each = list(months.values())
    processes = [
        multiprocessing.get_context("spawn").Process(target=write_months, args=(url, account, each[number::2]))
        for number in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    asyncio.run(check(url, account, log_rows))


async def check(url: str, account: AccountId, log_rows: int) -> None:
    connection = await asyncpg.connect(url)
    assert await connection.fetchval(SUM, account, HOT) == SCANS
    others = (LINKS - 1) * SCANS_OF_OTHERS
    assert await connection.fetchval(SUM, account, ALL_LINKS) == SCANS + others
    assert await connection.fetchval("SELECT count(DISTINCT link_id) FROM scan_months") == LINKS + 1
    if log_rows:
        await connection.execute(FILL_LOG, account, log_rows, timeout=3600)
    # Nobody writes two years in a minute: what is left to do of that is none of the questions' cost.
    await connection.execute("VACUUM ANALYZE", timeout=3600)
    await connection.execute("CHECKPOINT", timeout=3600)
    await connection.close()


# --- questions ----------------------------------------------------------------------------------------------------

END = START + timedelta(days=DAYS)
#: By interval, the longest period it allows; nearly two months of days and a day of quarters are beside whole months.
PERIODS = {
    "hour": {"from": f"{END - timedelta(days=41)}T09:37:11", "to": f"{END - timedelta(days=1)}T21:03:05"},
    "day": {"from": f"{START + timedelta(days=10)}T13:59:59", "to": "2026-10-30T00:00:01"},
    "week": {"from": f"{START}", "to": f"{END}"},
    "month": {"from": f"{START}", "to": f"{END}"},
}
ZONES = ("UTC", "America/Los_Angeles", "Asia/Kolkata")
BOTS = ("exclude", "include", "only")
GROUPS = {
    "no groups": [""],
    "by one": DIMENSIONS,
    "by four": ["country,device,browser,referrer"],
    "by all": [",".join(DIMENSIONS)],
}


class Question(NamedTuple):
    of: str
    interval: str
    groups: str
    address: str


def questions(addresses: dict[str, str]) -> Iterator[Question]:
    """By each dimension alone it is asked in one way of a zone and bots, as that is many questions."""
    for of, interval, groups, zone, bots in itertools.product(addresses, PERIODS, GROUPS, ZONES, BOTS):
        for group_by in GROUPS[groups]:
            if groups == "by one" and (zone, bots) != ("Asia/Kolkata", "include"):
                continue
            query = {"interval": interval, "time_zone": zone, "bots": bots, **PERIODS[interval]}
            if group_by:
                query["group_by"] = group_by
            yield Question(of, interval, groups, f"{addresses[of]}?{urlencode(query)}")


class Took(NamedTuple):
    """Milliseconds: until it was answered, and of the processors, by the worker and by PostgreSQL."""

    all: float
    worker: float
    database: float


class Asker:
    def __init__(self, port: int, key: str) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"X-Api-Key": key, "Content-Type": "application/json"}
        self._worker = [int(worker_of(self._connection))]
        #: The processes that answer the worker's queries, once it has asked any.
        self.database: list[int] = []

    def close(self) -> None:
        self._connection.close()

    def ask(self, method: str, address: str, body: str | None = None) -> bytes:
        self._connection.request(method, f"/v1{address}", body, self._headers)
        answer = self._connection.getresponse()
        told = answer.read()
        assert answer.status < 300, told
        return told

    def timed(self, question: Question) -> Took:
        worker, database = processor_ms(self._worker), processor_ms(self.database)
        began = time.perf_counter()
        self.ask("GET", question.address)
        took = (time.perf_counter() - began) * 1000
        return Took(took, taken(worker, processor_ms(self._worker)), taken(database, processor_ms(self.database)))


def processor_ms(pids: list[int]) -> dict[int, float]:
    """What each of these processes has taken so far, by the number of its clock (clock_getcpuclockid(3))."""
    found = {}
    for pid in pids:
        with suppress(OSError):  # it has ended, as a connection does that was idle for minutes
            found[pid] = time.clock_gettime_ns(~pid << 3 | 2) / 1e6
    return found


def taken(before: dict[int, float], after: dict[int, float]) -> float:
    return sum(after[pid] - before[pid] for pid in after)


def measure(asker: Asker, database_url: str) -> dict[Question, list[Took]]:
    hot = id_text("lnk", HOT)
    code = json.loads(asker.ask("POST", "/qr-codes", json.dumps({"link_id": hot})))["id"]
    link = f"/links/{hot}/stats"
    whole = json.loads(asker.ask("GET", f"{link}?bots=include&interval=month&from={START}&to={END}"))
    assert whole["total_scans"] == sum(each["scans"] for each in whole["series"]) == SCANS
    asked = [*questions({"a link": link, "a code": f"/qr-codes/{code}/stats", "the account": "/stats"})]
    for question in asked:
        asker.ask("GET", question.address)
    took: dict[Question, list[Took]] = {question: [] for question in asked}
    for _ in range(ROUNDS):
        asker.database = asyncio.run(backends(database_url))
        for question in asked:
            took[question].append(asker.timed(question))
    return took


async def backends(database_url: str) -> list[int]:
    connection = await asyncpg.connect(database_url)
    found = await connection.fetch("SELECT pid FROM pg_stat_activity WHERE application_name = 'qredge'")
    await connection.close()
    return [pid for (pid,) in found]


def figures(took: dict[Question, list[Took]]) -> Figures:
    """By what was asked, the slowest of its time zones, of its dimensions and of what it says of bots; and, of each
    endpoint, all that was asked of it."""
    found: Figures = {}
    whole: dict[str, list[Took]] = {}
    for question, times in took.items():
        whole.setdefault(f"{question.of}, whatever is asked", []).extend(times)
        name, those = f"{question.of}, by {question.interval}, {question.groups}", _of(times)
        if name not in found or those["p95"] > found[name]["p95"]:
            found[name] = those
    return found | {name: _of(times) for name, times in whole.items()}


def _of(times: list[Took]) -> dict[str, float]:
    all_ms, worker_ms, database_ms = (sorted(each) for each in zip(*times, strict=True))
    return {
        "p50": statistics.median(all_ms),
        "p95": all_ms[len(times) * 95 // 100 - 1],
        "worker": statistics.median(worker_ms),
        "database": statistics.median(database_ms),
    }


def redirects(port: int) -> dict[str, float]:
    """How long redirects take, one after the other on one connection."""
    times: list[float] = []
    with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
        while len(times) < REDIRECTS:
            began = time.perf_counter()
            connection.request("GET", "/bench-1", headers=PHONE_HEADERS)
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - began) * 1000)
            assert answer.status == 302
    times.sort()
    return {"p50": times[len(times) // 2], "p95": times[len(times) * 95 // 100], "p99": times[len(times) * 99 // 100]}


def ask_on(port: int, key: str, question: Question, begun: "Event") -> None:
    asker = Asker(port, key)
    while True:
        asker.ask("GET", question.address)
        begun.set()


@contextmanager
def asked_on(port: int, key: str, question: Question) -> Iterator[None]:
    """While it is asked over and over."""
    spawn = multiprocessing.get_context("spawn")
    begun = spawn.Event()
    process = spawn.Process(target=ask_on, args=(port, key, question, begun))
    process.start()
    try:
        assert begun.wait(DEADLINE_S)
        yield
    finally:
        process.terminate()
        process.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=0, help="rows of the log, which no figure is read from")
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            account, key = asyncio.run(prepare(postgres.url))
            began = time.monotonic()
            build(postgres.url, account, rows)
            print(f"{SCANS:,} scans of a link and {LINKS:,} links in {time.monotonic() - began:.0f} s", flush=True)
            server = Server(Path(folder), postgres.url, workers=1)
            with server.running():
                results = ask(server.port, key, postgres.url)
        finally:
            postgres.stop()
    save("stats", results)
    if slow := [name for name, times in results["questions"].items() if times["p95"] > BUDGET_MS]:
        sys.exit(f"above {BUDGET_MS:.0f} ms: {'; '.join(slow)}")


def ask(port: int, key: str, database_url: str) -> dict[str, Figures]:
    with closing(Asker(port, key)) as asker:
        took = measure(asker, database_url)
    found = figures(took)
    for name, ms in found.items():
        print(
            f"{name:40}{ms['p50']:8.1f} ms{ms['p95']:8.1f} ms p95, of the processor {ms['worker']:5.1f} ms"
            f" and in PostgreSQL {ms['database']:5.1f} ms",
            flush=True,
        )
    longest = max(took, key=lambda question: statistics.median(each.all for each in took[question]))
    beside = {"nothing beside them": redirects(port)}
    with asked_on(port, key, longest):
        beside["figures asked for, over and over"] = redirects(port)
    for name, ms in beside.items():
        print(f"redirects, {name:40}" + "".join(f"{ms[each]:8.2f} ms {each}" for each in ms), flush=True)
    return {"questions": found, "redirects": beside}


if __name__ == "__main__":
    main()
