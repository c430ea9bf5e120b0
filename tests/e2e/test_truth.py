"""Every figure is what plain SQL says of the log, after 200,000 scans went through journals and the writer.

Phones and bots scan at known times: on days on which clocks are set, over the ends of a month and a year, most of them
one after the other, some long after or far from that. Writers take them in batches of odd sizes, one after the other;
some are cut off in the middle of one. The SQL that figures are compared with knows neither rollups nor how they are
read, and PostgreSQL's own time zones.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, get_args

import asyncpg
import httpx
import pytest

from server.domain.ids import id_number
from server.domain.stats import GroupBy
from server.scans import writer
from server.scans.geo import Place
from server.scans.journal import Journal
from server.scans.visitor import Visitors
from server.scans.writer import Writer
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.api.exchange import Json, new_code, new_link
from tests.support import PHONE, ServerProcess, sql

SCANS = 200_000
LINKS = 5
LATE = 0.004
DAYS = ["2025-12-31", "2026-01-01", "2026-03-08", "2026-03-29", "2026-10-25", "2026-10-31", "2026-11-01"]
#: As clocks that are wrong tell it.
WRONG = [datetime(1999, 7, 1, 11, 59, 59, tzinfo=UTC), datetime(2031, 5, 5, 5, 5, tzinfo=UTC)]

AGENTS = [
    PHONE,
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/129.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17 Safari/605.1",
    "WhatsApp/2.23.20.0 A",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "",
]
LANGUAGES = ["de-CH,de;q=0.9", "fr", "EN-us,en;q=0.5", "*", ""]
REFERRERS = ["", "", "https://News.Example/a?b=1", "http://u:p@example.com:8080", "https://[2001:db8::1]/", "nonsense"]
COUNTRIES = ["CH", "FR", "US", None]

#: Whose scans are asked for, by a part of a condition; and when one is the first of its visitor on a day there.
TRUTH = """
    CREATE TABLE truth AS SELECT link_id, scanned_at, device = 'bot' AS bot_scan,
        row_number() OVER (PARTITION BY link_id, visitor, day ORDER BY id) = 1 AS first_of_link,
        row_number() OVER (PARTITION BY visitor, day ORDER BY id) = 1 AS first_of_account,
        device, os, browser, browser || ' ' || browser_version AS browser_version, bot, country,
        coalesce(region || ', ' || country, region) AS region, coalesce(city || ', ' || country, city) AS city, network,
        lower(substring(language FROM '^[A-Za-z]+')) AS language,
        lower(substring(referrer FROM '^[a-z]+://(?:[^/@]*@)?([[][^]]*[]]|[^/:?]+)')) AS referrer,
        CASE WHEN from_code THEN 'scan' ELSE 'click' END AS source
    FROM scans, date((scanned_at AT TIME ZONE 'UTC')) AS day
    WHERE link_id IN (SELECT id FROM links WHERE account_id = (SELECT account_id FROM links WHERE id = {link}))
"""
TOTALS = """
    SELECT bot_scan, count(*), count(*) FILTER (WHERE {first}), max(scanned_at) FROM truth WHERE {whose} GROUP BY 1
"""
BIN = "date_bin('1 hour', scanned_at, $3)"
SERIES = """
    SELECT date_trunc($1, scanned_at, $2) AS start, bot_scan, count(*), count(*) FILTER (WHERE {first})
    FROM truth WHERE {whose} AND scanned_at >= $3 AND scanned_at < $4 GROUP BY 1, 2
"""
# Hours are counted from the first one, so that one that comes twice is two.
HOURS = f"WITH zone AS (SELECT $1, $2) {SERIES.replace('date_trunc($1, scanned_at, $2)', BIN)}"
#: All intervals of a time zone from one moment on and before another, and the end of the last.
STARTS = """
    SELECT start AT TIME ZONE $2 AS start, (start + ('1 ' || $1)::interval) AT TIME ZONE $2 AS until
    FROM generate_series(
        date_trunc($1, $3::timestamptz AT TIME ZONE $2), $4::timestamptz AT TIME ZONE $2 - interval '1 microsecond',
        ('1 ' || $1)::interval
    ) AS start
"""
STARTS_OF_HOURS = """
    SELECT start, start + interval '1 hour' AS until FROM generate_series(
        date_trunc($1, $3::timestamptz, $2), $4::timestamptz - interval '1 microsecond', '1 hour'
    ) AS start
"""
DIMENSIONS: tuple[GroupBy, ...] = get_args(GroupBy)
GROUPS = f"""
    SELECT bot_scan, count(*) AS scans, {", ".join(f"grouping({each}) = 0 AS by_{each}, {each}" for each in DIMENSIONS)}
    FROM truth WHERE {{whose}} AND scanned_at >= $1 AND scanned_at < $2
    GROUP BY bot_scan, GROUPING SETS ({", ".join(f"({each})" for each in DIMENSIONS)})
"""

WANTED = {"exclude": (False,), "include": (False, True), "only": (True,)}
ZONES = ("UTC", "Europe/Zurich", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu")
#: In which groups are compared, too.
GROUPED = ("UTC", "Asia/Kathmandu")
PERIODS = {
    "hour": ("2026-10-24T05:30:00Z", "2026-11-02T12:00:00Z"),
    "day": ("2025-12-20", "2026-11-05"),
    "week": ("2025-12-20", "2026-10-31"),
    "month": ("2025-12-31", "2026-11-01T03:00:00Z"),
}


class Asked(NamedTuple):
    """Whose figures, where they are asked for, and by which condition and column SQL knows them."""

    address: str
    whose: str
    first: str


def place_of(address: str) -> Place:
    """As an address says it here: by its last two bytes."""
    third, last = (int(part) for part in address.split(".")[2:])
    return Place(
        country=COUNTRIES[last % 4],
        region=f"Region {last % 7}" if last % 3 else None,
        city=f"City {third % 12}-{last % 6}" if last % 5 else None,
        network="mobile" if last % 2 else None,
    )


def times(chance: random.Random) -> list[datetime]:
    """When each scan is made, in the order in which they come."""
    days = [datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in DAYS]
    found = sorted(chance.choice(days) + timedelta(microseconds=chance.randrange(86_400_000_000)) for _ in range(SCANS))
    for place in chance.sample(range(SCANS), int(LATE * SCANS)):
        found[place] = chance.choice(found)
    for number, moment in enumerate(WRONG * 2):
        found[(number + 1) * SCANS // 5] = moment
    return found


def scans(chance: random.Random, links: list[int]) -> Iterator[tuple[bytes, Json]]:
    """Each scan's link and request."""
    visitors = [(f"100.64.{chance.randrange(60)}.{chance.randrange(256)}", chance.choice(AGENTS)) for _ in range(9_000)]
    for _ in range(SCANS):
        address, agent = chance.choice(visitors)
        language, referrer = chance.choice(LANGUAGES), chance.choice(REFERRERS)
        said = ((b"user-agent", agent), (b"accept-language", language), (b"referer", referrer))
        headers = [(name, value.encode()) for name, value in said if value]
        link = chance.choices(links, [5, 4, 3, 2, 1])[0].to_bytes(8, "little")
        yield link, {"path": chance.choice(["/MENU", "/menu"]), "headers": headers, "client": (address, 50_000)}


async def write(root: Path, url: str, links: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """All scans, into three journals, by writers that each take some of them and then are gone."""
    chance = random.Random(11)
    moments = iter(times(chance))
    clock = [0]
    monkeypatch.setattr("server.scans.record.time_ns", lambda: clock[0])
    journals = [Journal(root, max_bytes=1 << 30, sync_s=60, segment_bytes=1 << 20) for _ in range(3)]
    requests = scans(chance, links)
    left = SCANS
    journal, many = 0, 0
    while left:
        if not many:  # the next of the three goes on
            journal, many = chance.randrange(3), chance.choice([1, 7, 977, 20_011, 33_333])
        some = min(left, many)
        for _ in range(some):
            clock[0] = _nanoseconds(next(moments))
            journals[journal].append(*next(requests))
        left, many = left - some, 0
        await one_writer(root, url, chance, monkeypatch)
    for each in journals:
        each.close()
        assert each.dropped == 0
    while any(each.is_dir() for each in root.iterdir()):
        await one_writer(root, url, chance, monkeypatch)


def _nanoseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000


async def one_writer(root: Path, url: str, chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """It writes what there is, or is cut off before; and perhaps adds to the rollups."""
    monkeypatch.setattr(writer, "BATCH", chance.choice([613, 5_003, 17_389, 50_000]))
    database = Database(url, max_connections=3)
    await database.open()
    log = PostgresScanLog(database)
    visitors = Visitors(trusted=(), keep="truncated", salting="daily")
    draining = asyncio.create_task(Writer(root, log, visitors, place_of).drain())
    if chance.random() < 0.3:
        await asyncio.wait([draining], timeout=chance.random() / 5)
        draining.cancel()
    await asyncio.wait([draining])
    if not draining.cancelled():
        draining.result()
    if chance.random() < 0.2:
        await log.fold()
    await database.close()


@pytest.fixture(scope="module")
def asked(
    server: ServerProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, list[Asked]]]:
    with server.client() as owner, pytest.MonkeyPatch.context() as monkeypatch:
        code = new_code(owner)
        links = [new_link(owner)["id"] for _ in range(LINKS - 2)] + [code["link_id"], new_link(owner)["id"]]
        assert owner.delete(f"/links/{links[-1]}").status_code == 204
        numbers = [id_number("lnk", link) or 0 for link in links]
        asyncio.run(write(tmp_path_factory.mktemp("journals"), server.database_url, numbers, monkeypatch))
        sql(server.database_url, TRUTH.format(link=numbers[0]))
        yield (
            owner,
            [
                Asked(f"/links/{links[0]}/stats", f"link_id = {numbers[0]}", "first_of_link"),
                Asked(f"/qr-codes/{code['id']}/stats", f"link_id = {numbers[-2]}", "first_of_link"),
                Asked("/stats", "true", "first_of_account"),
            ],
        )
        sql(server.database_url, "DROP TABLE truth")


def stats_of(api: httpx.Client, address: str, **query: str) -> Json:
    answer = api.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def summed(rows: list[asyncpg.Record], bots: str) -> tuple[int, int]:
    """Of rows that end with whether they are of bots, scans and firsts."""
    wanted = [row for row in rows if row["bot_scan"] in WANTED[bots]]
    return sum(row[-2] for row in wanted), sum(row[-1] for row in wanted)


def test_all_figures_are_those_of_the_log(asked: tuple[httpx.Client, list[Asked]], server: ServerProcess) -> None:
    api, questions = asked
    assert sql(server.database_url, "SELECT count(*) FROM truth")[0][0] == SCANS
    for address, whose, first in questions:
        totals = sql(server.database_url, TOTALS.format(whose=whose, first=first))
        assert {row["bot_scan"] for row in totals} == {False, True}
        for zone in ZONES:
            for interval, (start, end) in PERIODS.items():
                query = {"from": start, "to": end, "interval": interval, "time_zone": zone}
                if zone in GROUPED:
                    query["group_by"] = ",".join(DIMENSIONS)
                answers = {bots: stats_of(api, address, bots=bots, **query) for bots in WANTED}
                period = [datetime.fromisoformat(answers["only"][end]) for end in ("from", "to")]
                which = (STARTS_OF_HOURS, HOURS) if interval == "hour" else (STARTS, SERIES)
                intervals = sql(server.database_url, which[0], interval, zone, *period)
                begin, until = intervals[0]["start"], intervals[-1]["until"]
                by_interval = which[1].format(whose=whose, first=first)
                counted = sql(server.database_url, by_interval, interval, zone, begin, until)
                for bots, found in answers.items():
                    same_totals(found, totals, bots)
                    same_series(found["series"], [row["start"] for row in intervals], counted, bots)
                if zone in GROUPED:
                    rows = sql(server.database_url, GROUPS.format(whose=whose), begin, until)
                    for bots, found in answers.items():
                        same_groups(found["groups"], rows, bots)


def same_totals(found: Json, totals: list[asyncpg.Record], bots: str) -> None:
    wanted = [row for row in totals if row["bot_scan"] in WANTED[bots]]
    scans, unique, last = zip(*([*row][1:] for row in wanted), strict=True)
    assert (found["total_scans"], found["unique_scans"]) == (sum(scans), sum(unique))
    assert datetime.fromisoformat(found["last_scan_at"]) == max(last)


def same_series(series: list[Json], starts: list[datetime], counted: list[asyncpg.Record], bots: str) -> None:
    expected = dict.fromkeys(starts, (0, 0))
    for start in {row["start"] for row in counted}:
        expected[start] = summed([row for row in counted if row["start"] == start], bots)
    found = [(datetime.fromisoformat(each["start"]), (each["scans"], each["unique_scans"])) for each in series]
    assert found == list(expected.items())


def same_groups(groups: Json, rows: list[asyncpg.Record], bots: str) -> None:
    assert list(groups) == list(DIMENSIONS)
    for dimension, found in groups.items():
        expected: Counter[str | None] = Counter()
        for row in rows:
            if row[f"by_{dimension}"] and row["bot_scan"] in WANTED[bots] and (row["bot_scan"] or dimension != "bot"):
                expected[row[dimension]] += row["scans"]
        largest = sorted(expected.items(), key=lambda group: (-group[1], group[0] is None, group[0] or ""))
        total = sum(expected.values())
        shown = [(group["key"], group["scans"]) for group in found if not group["rest"]]
        assert shown == largest[:100]
        rest = sum(count for _, count in largest[100:])
        assert [group["scans"] for group in found if group["rest"]] == ([rest] if rest else [])
        for group in found:
            assert group["percentage"] == round(10_000 * group["scans"] / total + 1e-9) / 100
