"""Figures of links, codes and the account, compared with the rows of the log."""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

import httpx
import pytest

from server.domain.ids import id_number
from server.domain.model import Device, LinkId, Scan
from server.domain.stats import MAX_GROUPS
from tests.api.exchange import Json, new_code, new_link, problem, wrong
from tests.api.test_scans import write
from tests.support import PLANS, ServerProcess, sql

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

#: As the first version wrote them.
OLD = "INSERT INTO scans (link_id, scanned_at) VALUES ($1, $2)"
ROWS = """
    SELECT scanned_at, visitor, coalesce(device, '') = 'bot' AS bot, device, os, browser, referrer, country, city
    FROM scans WHERE link_id = ANY($1)
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
    return Scan(number_of(link), at, None, None, None, None, 1, said, None, None, True)._replace(**other)  # type: ignore[arg-type]


def some_scan(link: Json, chance: random.Random) -> Scan:
    country, city = chance.choice(PLACES)
    at = START + timedelta(microseconds=chance.randrange(DAYS * 86_400_000_000))
    return scan_of(
        link,
        at,
        device=chance.choice(DEVICES),
        visitor=chance.randrange(-20, 20),
        os=chance.choice(["iOS", "Android", None]),
        browser=chance.choice(["Safari", "Firefox", None]),
        referrer=chance.choice([*REFERRERS, None]),
        country=country,
        city=city,
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


def visitors(rows: Sequence[Json], interval: str = "day") -> int:
    unit = "hour" if interval == "hour" else "day"
    return len({(begin(row["scanned_at"], unit), row["visitor"]) for row in rows if row["visitor"] is not None})


def stats_of(api: httpx.Client, address: str, **query: str) -> Json:
    answer = api.get(address, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


KEYS: dict[str, Callable[[Json], str | None]] = {
    "country": lambda row: row["country"],
    "city": lambda row: row["city"] and f"{row['city']}, {row['country']}",
    "device": lambda row: row["device"],
    "os": lambda row: row["os"],
    "browser": lambda row: row["browser"],
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
        assert found["unique_scans"] == visitors(rows)
        assert datetime.fromisoformat(found["last_scan_at"]) == max(row["scanned_at"] for row in rows)
        assert "groups" not in found
        series = found["series"]
        assert datetime.fromisoformat(series[0]["start"]) == begin(datetime(2026, 10, 28, 9, tzinfo=UTC), interval)
        assert datetime.fromisoformat(series[-1]["start"]) == begin(datetime(2026, 11, 3, 0, tzinfo=UTC), interval)
        for bucket in series:
            start = datetime.fromisoformat(bucket["start"])
            inside = [row for row in rows if begin(row["scanned_at"], interval) == start]
            assert (bucket["scans"], bucket["unique_scans"]) == (len(inside), visitors(inside, interval))


@pytest.mark.parametrize("bots", WANTED)
@pytest.mark.parametrize("group_by", KEYS)
def test_groups_are_those_of_the_series_scans(
    owner: httpx.Client, server: ServerProcess, codes: list[Json], group_by: str, bots: str
) -> None:
    found = stats_of(owner, "/stats", group_by=group_by, bots=bots, **PERIOD)
    starts = {datetime.fromisoformat(bucket["start"]) for bucket in found["series"]}
    rows = [row for row in rows_of(server, codes) if WANTED[bots](row) and begin(row["scanned_at"], "day") in starts]
    counted = Counter(KEYS[group_by](row) for row in rows)
    groups = found["groups"]
    assert {group["key"]: group["scans"] for group in groups} == counted
    assert [group["scans"] for group in groups] == sorted(counted.values(), reverse=True)
    assert sum(group["scans"] for group in groups) == sum(bucket["scans"] for bucket in found["series"])
    for group in groups:
        assert group["percentage"] == pytest.approx(100 * group["scans"] / len(rows), abs=0.005001)
        assert group["label"]


def test_groups_have_readable_names(owner: httpx.Client, codes: list[Json]) -> None:
    def labels(group_by: str) -> dict[str | None, str]:
        found = stats_of(owner, "/stats", group_by=group_by, bots="include", **PERIOD)
        return {group["key"]: group["label"] for group in found["groups"]}

    assert labels("country").items() >= {("CH", "Switzerland"), ("FR", "France"), (None, "Unknown")}
    assert labels("city").items() >= {("Paris, FR", "Paris, France"), ("Zürich, CH", "Zürich, Switzerland")}
    assert labels("device").items() >= {("tv", "TV"), ("mobile", "Mobile"), ("bot", "Bot")}
    assert labels("referrer").items() >= {(None, "Direct or unknown"), ("news.example", "news.example")}


def test_the_largest_groups_are_told_and_shares_are_of_all(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    hosts = [f"h{number:03}.example" for number in range(MAX_GROUPS + 50)]
    scans = [scan_of(link, START, referrer=f"https://{host}/") for host in [*hosts, hosts[-1]]]
    write(server, scans)
    found = stats_of(api, f"/links/{link['id']}/stats", group_by="referrer", **PERIOD)
    assert [group["key"] for group in found["groups"]] == [hosts[-1], *hosts[: MAX_GROUPS - 1]]
    assert [group["percentage"] for group in found["groups"][:2]] == [1.32, 0.66]


def test_what_is_dropped_from_the_log_stays_counted(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, START), scan_of(link, START, device="bot")])
    sql(server.database_url, "DELETE FROM scans WHERE link_id = $1", number_of(link))
    for bots, scans in (("exclude", 1), ("include", 2), ("only", 1)):
        found = stats_of(api, f"/links/{link['id']}/stats", bots=bots, group_by="os", **PERIOD)
        assert (found["total_scans"], sum(bucket["scans"] for bucket in found["series"])) == (scans, scans)
        assert (found["unique_scans"], found["groups"]) == (0, [])


def test_scans_of_older_versions_are_counted_but_are_nobodys(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    sql(server.database_url, OLD, number_of(link), START)
    write(server, [scan_of(link, START, country="CH")])
    found = stats_of(api, f"/links/{link['id']}/stats", group_by="country", **PERIOD)
    assert found["unique_scans"] == 1
    assert {group["key"]: group["scans"] for group in found["groups"]} == {None: 1, "CH": 1}


def test_without_scans_there_are_zeros_and_no_groups(api: httpx.Client) -> None:
    link = new_link(api)
    found = stats_of(api, f"/links/{link['id']}/stats", group_by="city", interval="week", bots="include", **PERIOD)
    assert (found["total_scans"], found["unique_scans"], found["last_scan_at"], found["groups"]) == (0, 0, None, [])
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
            for group_by in ("country", "city"):
                refused = problem(bare.get(address, params={"group_by": group_by}), 403, "plan_limit")
                assert wrong(refused) == {"group_by": "geo_detail"}
                assert refused["detail"] == "The plan 'bare' of this account has no places of scans."
            assert stats_of(bare, address, group_by="device", **PERIOD)["groups"][0]["key"] == "mobile"
        (scan,) = bare.get(f"/links/{link['id']}/scans").json()["data"]
        assert (scan["country"], scan["region"], scan["city"]) == (None, None, None)
