"""Figures of links, codes and the account, compared with the rows of the log."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import cast
from zoneinfo import ZoneInfo

import httpx
import pytest

from server.domain.ids import id_number
from server.domain.model import Device, LinkId, Scan
from server.domain.referrer import host_of
from server.domain.stats import MAX_GROUPS
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.api.exchange import Json, new_code, new_link, problem, wrong
from tests.api.test_scans import write
from tests.support import PLANS, ServerProcess, scan_us, sql, until

START = datetime(2026, 10, 28, tzinfo=UTC)
DAYS = 9  # over the end of a week, and of a month
PERIOD = {"from": "2026-10-28T09:30:00Z", "to": "2026-11-03T01:00:00Z"}

DEVICES = ["mobile", "mobile", "tablet", "desktop", "tv", "other", "bot"]
PLACES = [("CH", "Zürich"), ("FR", "Paris"), ("US", "Paris"), ("FR", None), ("KR", None), (None, None)]
REFERRERS = {
    "https://News.Example/a?b=http://other.example/": "news.example",
    "http://news.example:8080": "news.example",
    "https://me:secret@example.com/": "example.com",
    "https://[2001:db8::1]:443/x": "[2001:db8::1]",
    "android-app://com.google.android.gm/": "com.google.android.gm",
    "no url": None,
}

ROWS = """
    SELECT scanned_at, visitor, coalesce(device, '') = 'bot' AS bot, device, os, browser, browser_version, bot AS name,
        referrer, country, region, city, network, language, from_code
    FROM scans WHERE link_id = ANY($1) ORDER BY id
"""

WANTED: dict[str, Callable[[Json], bool]] = {
    "exclude": lambda row: not row["bot"],
    "include": lambda row: True,
    "only": lambda row: bool(row["bot"]),
}


def number_of(link: Json) -> LinkId:
    number = id_number("lnk", link["id"])
    assert number is not None
    return LinkId(number)


def scan_of(link: Json, at: datetime, **other: object) -> Scan:
    said = cast("Device", other.pop("device", "mobile"))
    referrer = cast("str | None", other.get("referrer"))
    other["referrer_host"] = host_of(referrer) if referrer else None
    return Scan(number_of(link), scan_us(at), None, None, None, None, 1, said, None, None, True)._replace(**other)  # type: ignore[arg-type]


def some_scan(link: Json, chance: random.Random) -> Scan:
    country, city = chance.choice(PLACES)
    at = START + timedelta(microseconds=chance.randrange(DAYS * 86_400_000_000))
    device = chance.choice(DEVICES)
    return scan_of(
        link,
        at,
        device=device,
        visitor=chance.randrange(-20, 20) if device != "bot" else chance.randrange(-25, -20),
        os=chance.choice(["iOS", "Android", None]),
        browser=chance.choice(["Safari", "Firefox", None]),
        browser_version=chance.choice(["18", "99", None]),
        bot=chance.choice(["Googlebot", "WhatsApp", None]) if device == "bot" else None,
        referrer=chance.choice([*REFERRERS, None]),
        country=country,
        region=chance.choice(["North", None]),
        city=city,
        network=chance.choice(["mobile", "fixed", None]),
        language=chance.choice(["de-CH,de;q=0.9", "DE", "pt-BR", "*", None]),
        from_code=chance.random() < 0.5,
    )


@pytest.fixture(scope="module")
def owner(server: ServerProcess) -> Iterator[httpx.Client]:
    with server.client() as owner:
        yield owner


@pytest.fixture(scope="module")
def codes(owner: httpx.Client, server: ServerProcess) -> list[Json]:
    """Two, and a link that was deleted, with all the scans that the owner has."""
    codes = [new_code(owner), new_code(owner)]
    links = [{"id": code["link_id"]} for code in codes] + [new_link(owner)]
    chance = random.Random(7)
    for _ in range(3):
        write(server, [some_scan(chance.choice(links), chance) for _ in range(400)])
    assert owner.delete(f"/links/{links[2]['id']}").status_code == 204
    return [*codes, {"link_id": links[2]["id"]}]


def rows_of(server: ServerProcess, codes: Sequence[Json]) -> list[Json]:
    numbers = [number_of({"id": code["link_id"]}) for code in codes]
    return [dict(row) for row in sql(server.database_url, ROWS, numbers)]


def begin(at: datetime, interval: str) -> datetime:
    at = at.replace(minute=0, second=0, microsecond=0)
    if interval == "hour":
        return at
    at = at.replace(hour=0)
    if interval == "week":
        return at - timedelta(days=at.weekday())
    return at.replace(day=1) if interval == "month" else at


def firsts(rows: Sequence[Json]) -> list[Json]:
    """Of each visitor the first scan of each day, in the order of the log."""
    found: dict[object, Json] = {}
    for row in rows:
        found.setdefault((row["scanned_at"].date(), row["visitor"]), row)
    return list(found.values())


def stats_of(api: httpx.Client, address: str, **query: str) -> Json:
    answer = api.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def in_country(name: str | None, country: str | None) -> str | None:
    return f"{name}, {country}" if name and country else name


KEYS: dict[str, Callable[[Json], str | None]] = {
    "country": lambda row: row["country"],
    "region": lambda row: in_country(row["region"], row["country"]),
    "city": lambda row: in_country(row["city"], row["country"]),
    "network": lambda row: row["network"],
    "device": lambda row: row["device"],
    "os": lambda row: row["os"],
    "browser": lambda row: row["browser"],
    "browser_version": lambda row: (
        f"{row['browser']} {row['browser_version']}" if row["browser"] and row["browser_version"] else None
    ),
    "bot": lambda row: row["name"],
    "language": lambda row: {"de-CH,de;q=0.9": "de", "DE": "de", "pt-BR": "pt"}.get(row["language"]),
    "source": lambda row: "scan" if row["from_code"] else "click",
    "referrer": lambda row: REFERRERS.get(row["referrer"]),
}


@pytest.mark.parametrize("bots", WANTED)
@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
def test_every_figure_is_that_of_the_log(
    owner: httpx.Client, server: ServerProcess, codes: list[Json], interval: str, bots: str
) -> None:
    for address, which in (
        (f"/links/{codes[0]['link_id']}/stats", codes[:1]),
        (f"/qr-codes/{codes[1]['id']}/stats", codes[1:2]),
        ("/stats", codes),
    ):
        rows = [row for row in rows_of(server, which) if WANTED[bots](row)]
        found = stats_of(owner, address, interval=interval, bots=bots, **PERIOD)
        assert found["total_scans"] == len(rows)
        first = firsts(rows)
        assert found["unique_scans"] == len(first)
        assert datetime.fromisoformat(found["last_scan_at"]) == max(row["scanned_at"] for row in rows)
        assert (found["groups"], found["time_zone"]) == ({}, "UTC")
        series = found["series"]
        assert datetime.fromisoformat(series[0]["start"]) == begin(datetime(2026, 10, 28, 9, tzinfo=UTC), interval)
        assert datetime.fromisoformat(series[-1]["start"]) == begin(datetime(2026, 11, 3, 0, tzinfo=UTC), interval)
        for bucket in series:
            start = datetime.fromisoformat(bucket["start"])
            scans, unique = ([row for row in of if begin(row["scanned_at"], interval) == start] for of in (rows, first))
            assert (bucket["scans"], bucket["unique_scans"]) == (len(scans), len(unique))


@pytest.mark.parametrize("bots", WANTED)
def test_groups_are_those_of_the_series_scans(
    owner: httpx.Client, server: ServerProcess, codes: list[Json], bots: str
) -> None:
    found = stats_of(owner, "/stats", group_by=",".join(KEYS), bots=bots, **PERIOD)
    starts = {datetime.fromisoformat(bucket["start"]) for bucket in found["series"]}
    rows = [row for row in rows_of(server, codes) if WANTED[bots](row) and begin(row["scanned_at"], "day") in starts]
    assert list(found["groups"]) == list(KEYS)
    for group_by, groups in found["groups"].items():
        of = [row for row in rows if row["bot"] or group_by != "bot"]
        counted = Counter(KEYS[group_by](row) for row in of)
        assert {group["key"]: group["scans"] for group in groups} == counted
        assert [group["scans"] for group in groups] == sorted(counted.values(), reverse=True)
        for group in groups:
            assert group["percentage"] == pytest.approx(100 * group["scans"] / len(of), abs=0.005001)
            assert group["label"]
            assert not group["rest"]


def test_groups_have_readable_names(owner: httpx.Client, codes: list[Json]) -> None:
    def labels(group_by: str) -> dict[str | None, str]:
        found = stats_of(owner, "/stats", group_by=group_by, bots="include", **PERIOD)
        return {group["key"]: group["label"] for group in found["groups"][group_by]}

    assert labels("country").items() >= {("CH", "Switzerland"), ("FR", "France"), (None, "Unknown")}
    assert labels("city").items() >= {("Paris, FR", "Paris, France"), ("Zürich, CH", "Zürich, Switzerland")}
    assert labels("region").items() >= {("North, US", "North, United States"), ("North", "North"), (None, "Unknown")}
    assert labels("source") == {"scan": "Scan", "click": "Click"}
    assert labels("network").items() >= {("mobile", "Mobile"), (None, "Unknown")}
    assert labels("bot").items() >= {("WhatsApp", "WhatsApp"), (None, "Unknown")}
    assert labels("device").items() >= {("tv", "TV"), ("mobile", "Mobile"), ("bot", "Bot")}
    assert labels("referrer").items() >= {(None, "Direct or unknown"), ("news.example", "news.example")}


def test_the_largest_groups_are_told_and_shares_are_of_all(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    hosts = [f"h{number:03}.example" for number in range(MAX_GROUPS + 50)]
    scans = [scan_of(link, START, referrer=f"https://{host}/") for host in [*hosts, hosts[-1]]]
    write(server, scans)
    found = stats_of(api, f"/links/{link['id']}/stats", group_by="referrer", **PERIOD)
    *groups, rest = found["groups"]["referrer"]
    assert [group["key"] for group in groups] == [hosts[-1], *hosts[: MAX_GROUPS - 1]]
    assert [group["percentage"] for group in groups[:2]] == [1.32, 0.66]
    assert rest == {"key": None, "label": "All others", "scans": 50, "percentage": 33.11, "rest": True}


def test_what_is_dropped_from_the_log_stays_counted(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, START, os="iOS"), scan_of(link, START, device="bot", visitor=2, os="iOS")])
    before = [stats_of(api, f"/links/{link['id']}/stats", bots=bots, group_by="os", **PERIOD) for bots in WANTED]
    sql(server.database_url, "DELETE FROM scans WHERE link_id = $1", number_of(link))
    for bots, scans, found in zip(WANTED, (1, 2, 1), before, strict=True):
        assert (found["total_scans"], found["unique_scans"], len(found["groups"]["os"])) == (scans, scans, 1)
        assert stats_of(api, f"/links/{link['id']}/stats", bots=bots, group_by="os", **PERIOD) == found


def test_intervals_and_days_are_those_of_the_zone(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    # In Kathmandu, 5:45 ahead, the last quarter of the 19th, and the first of the 20th, of which the first one is.
    write(server, [scan_of(link, datetime(2026, 11, 19, 18, minute, tzinfo=UTC), os="iOS") for minute in (14, 15)])
    query = {"from": "2026-11-20", "to": "2026-11-20", "time_zone": "Asia/Kathmandu", "group_by": "os"}
    found = stats_of(api, f"/links/{link['id']}/stats", **query)
    assert (found["from"], found["to"]) == ("2026-11-20T00:00:00+05:45", "2026-11-21T00:00:00+05:45")
    assert found["series"] == [{"start": "2026-11-20T00:00:00+05:45", "scans": 1, "unique_scans": 0}]
    assert [group["scans"] for group in found["groups"]["os"]] == [1]
    found = stats_of(api, f"/links/{link['id']}/stats", **query | {"from": "2026-11-19T23:59:59", "interval": "hour"})
    starts = [datetime(2026, 11, 19, 17, 15, tzinfo=UTC) + timedelta(hours=hour) for hour in range(25)]
    assert [datetime.fromisoformat(bucket["start"]) for bucket in found["series"]] == starts
    assert [bucket["scans"] for bucket in found["series"]] == [1, 1] + 23 * [0]


def fold(server: ServerProcess) -> None:
    """What is fresh becomes rows of days, as the writer makes them now and then."""

    async def run() -> None:
        database = Database(server.database_url)
        await database.open()
        try:
            await PostgresScanLog(database).fold()
        finally:
            await database.close()

    asyncio.run(run())


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Auckland", "UTC"])
def test_days_that_count_in_every_quarter_are_cut_by_the_zone(
    api: httpx.Client, server: ServerProcess, zone: str
) -> None:
    link = new_link(api)
    # Four days, each with scans in all of its quarters; clocks in Los Angeles go back on the second one.
    quarters = [datetime(2026, 10, 31, tzinfo=UTC) + timedelta(minutes=15 * number) for number in range(4 * 96)]
    scans = [
        scan_of(link, quarter, visitor=number, device="bot" if number % 5 == 0 else "mobile")
        for number, quarter in enumerate(quarters)
        for _ in range(1 + number % 3)
    ]
    write(server, scans)
    whole = "SELECT count(*) FROM scan_days WHERE link_id = $1 AND length(counts) = 96 * 17"

    def are_whole() -> bool:
        fold(server)
        return bool(sql(server.database_url, whole, number_of(link))[0][0] == 4)

    until(are_whole, what="days with counts in every quarter")
    for bots, wanted in {"exclude": [False], "include": [False, True], "only": [True]}.items():
        counted, unique = Counter[date](), Counter[date]()
        for number, quarter in enumerate(quarters):
            if (number % 5 == 0) in wanted:
                day = quarter.astimezone(ZoneInfo(zone)).date()
                counted[day] += 1 + number % 3
                unique[day] += 1
        found = stats_of(
            api, f"/links/{link['id']}/stats", time_zone=zone, bots=bots, **{"from": "2026-10-30", "to": "2026-11-04"}
        )
        days = [(datetime.fromisoformat(each["start"]).date(), each) for each in found["series"]]
        assert [each["scans"] for _, each in days] == [counted[day] for day, _ in days]
        assert [each["unique_scans"] for _, each in days] == [unique[day] for day, _ in days]
        assert sum(each["scans"] for _, each in days) == found["total_scans"] > 0


def test_several_groups_are_asked_for_at_once(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, START, os="iOS", country="CH")])
    address = f"/links/{link['id']}/stats"
    for query in ("group_by=os,country", "group_by=os&group_by=country", "group_by=os&group_by=country,os"):
        found = api.get(f"{address}?{query}&from=2026-10-28").json()["groups"]
        assert {name: [group["key"] for group in groups] for name, groups in found.items()} == {
            "os": ["iOS"],
            "country": ["CH"],
        }


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"time_zone": "Europe/Zuerich"}, {"time_zone": "unknown_timezone"}),
        ({"time_zone": ""}, {"time_zone": "unknown_timezone"}),
        ({"group_by": "country,colour"}, {"group_by": "unknown_value"}),
        ({"group_by": ""}, {"group_by": "unknown_value"}),
        ({"interval": "quarter"}, {"interval": "unknown_value"}),
        ({"from": "2026-01-01", "to": "2026-12-31", "interval": "hour"}, {"interval": "too_long"}),
        ({"from": "9998-01-01", "time_zone": "Asia/Kathmandu"}, {"from": "out_of_range"}),
    ],
)
def test_what_cannot_be_asked_is_refused(api: httpx.Client, query: dict[str, str], where: dict[str, str]) -> None:
    assert wrong(problem(api.get("/stats", params=query), 422, "invalid_fields")) == where


def test_without_scans_there_are_zeros_and_no_groups(api: httpx.Client) -> None:
    link = new_link(api)
    found = stats_of(api, f"/links/{link['id']}/stats", group_by="city", interval="week", bots="include", **PERIOD)
    assert (found["total_scans"], found["unique_scans"], found["last_scan_at"]) == (0, 0, None)
    assert found["groups"] == {"city": []}
    starts = ["2026-10-26T00:00:00Z", "2026-11-02T00:00:00Z"]
    assert found["series"] == [{"start": start, "scans": 0, "unique_scans": 0} for start in starts]


def test_another_accounts_scans_are_not_in_it(codes: list[Json], server: ServerProcess) -> None:
    with server.client() as stranger:
        assert stats_of(stranger, "/stats", bots="include", **PERIOD)["total_scans"] == 0


def test_a_plan_tells_of_places_what_it_says(server: ServerProcess) -> None:
    with server.client(PLANS.named("bare")) as bare:
        link = new_link(bare)
        write(server, [scan_of(link, START, country="CH", city="Zürich")._replace(region="Zurich")])
        for address in ("/stats", f"/links/{link['id']}/stats"):
            for group_by in ("country", "region", "os,city"):
                refused = problem(bare.get(address, params={"group_by": group_by}), 403, "plan_limit")
                assert wrong(refused) == {"group_by": "geo_detail"}
                assert refused["detail"] == "The plan 'bare' of this account has no places of scans."
            assert stats_of(bare, address, group_by="device", **PERIOD)["groups"]["device"][0]["key"] == "mobile"
        (scan,) = bare.get(f"/links/{link['id']}/scans").json()["data"]
        assert (scan["country"], scan["region"], scan["city"]) == (None, None, None)
