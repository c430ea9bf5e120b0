"""The log of a link's scans, row by row."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from server.domain.ids import id_number
from server.domain.model import Address, LinkId, Position, Scan
from server.domain.referrer import host_of
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.api.exchange import Json, new_code, new_link, problem, wrong
from tests.support import ServerProcess, sql

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

#: As the first version wrote them.
OLD = "INSERT INTO scans (link_id, scanned_at, referrer) VALUES ($1, $2, $3)"


def scan_of(link: Json, at: datetime, *, bot: bool = False, mark: str | None = None) -> Scan:
    number = id_number("lnk", link["id"])
    assert number is not None
    return Scan(
        LinkId(number),
        at,
        "Safari",
        mark,
        "fr-CH,fr;q=0.9",
        Address(bytes([203, 0, 113, 0]), 24),
        -2,
        "bot" if bot else "mobile",
        "iOS",
        "Mobile Safari",
        True,
        country="CH",
        region="Zurich",
        city="Zürich",
        network="mobile",
        browser_version="18",
        bot="Twitterbot" if bot else None,
        referrer_host=host_of(mark) if mark else None,
    )


def write(server: ServerProcess, scans: Sequence[Scan]) -> None:
    async def run() -> None:
        database = Database(server.database_url)
        await database.open()
        try:
            prepared = await PostgresScanLog(database).prepare(list(scans))
            assert await prepared.write(uuid4().hex, None, Position(1, 16))
        finally:
            await database.close()

    asyncio.run(run())


def page(api: httpx.Client, link: Json, **query: object) -> Json:
    answer = api.get(f"/links/{link['id']}/scans", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert body.keys() == {"data", "next_cursor"}
    return body


def walk(api: httpx.Client, link: Json, **query: object) -> list[Json]:
    """All pages."""
    body = page(api, link, **query)
    found = list(body["data"])
    while body["next_cursor"]:
        body = page(api, link, cursor=body["next_cursor"], **query)
        assert body["data"]
        found += body["data"]
    return found


def marks(scans: list[Json]) -> list[str | None]:
    return [scan["referrer"] for scan in scans]


def test_a_scan_is_told_as_it_was(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, AT + timedelta(microseconds=208_114), mark="https://example.com/menu")])
    (scan,) = page(api, link)["data"]
    assert scan.pop("id").startswith("scn_")
    assert scan == {
        "scanned_at": "2026-11-20T12:00:00.208114Z",
        "link_id": link["id"],
        "source": "scan",
        "bot": False,
        "device": "mobile",
        "os": "iOS",
        "browser": "Mobile Safari",
        "browser_version": "18",
        "bot_name": None,
        "language": "fr-CH,fr;q=0.9",
        "country": "CH",
        "region": "Zurich",
        "city": "Zürich",
        "network": "mobile",
        "referrer": "https://example.com/menu",
        "referrer_host": "example.com",
        "address": "203.0.113.0/24",
        "visitor": "fffffffffffffffe",
    }


def test_pages_are_newest_first_whenever_scans_were_written(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    for seconds in ([5, 1, 3], [4, 0], [2]):
        write(server, [scan_of(link, AT + second * SECOND, mark=str(second)) for second in seconds])
    for limit in (1, 2, 100):
        assert marks(walk(api, link, limit=limit)) == ["5", "4", "3", "2", "1", "0"]


def test_pages_stay_right_while_scans_are_added(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, AT + number * SECOND, mark=str(number)) for number in range(4)])
    first = page(api, link, limit=2)
    write(
        server, [scan_of(link, AT + 10 * SECOND, mark="new"), scan_of(link, AT + 3 * SECOND, mark="of the same time")]
    )
    second = page(api, link, limit=2, cursor=first["next_cursor"])
    assert marks(first["data"] + second["data"]) == ["3", "2", "1", "0"]
    assert second["next_cursor"] is None


def test_scans_of_the_same_moment_and_of_older_versions_are_each_listed_once(
    api: httpx.Client, server: ServerProcess
) -> None:
    link = new_link(api)
    number = id_number("lnk", link["id"])
    for mark in range(5):
        sql(server.database_url, OLD, number, AT, f"old {mark}")
    write(server, [scan_of(link, AT, mark=f"new {mark}") for mark in range(5)])
    everything = walk(api, link, limit=100)
    assert len(everything) == 10
    assert sorted(filter(None, marks(everything))) == sorted(
        f"{age} {mark}" for age in ("old", "new") for mark in range(5)
    )
    for limit in (1, 2, 3):
        assert walk(api, link, limit=limit) == everything
    old = [scan for scan in everything if scan["id"] is None]
    assert len(old) == 5
    assert {(scan["source"], scan["visitor"], scan["bot"], scan["device"]) for scan in old} == {
        (None, None, False, None)
    }


def test_bots_are_left_out_unless_they_are_wanted(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [scan_of(link, AT, mark="person"), scan_of(link, AT - SECOND, bot=True, mark="bot")])
    sql(server.database_url, OLD, id_number("lnk", link["id"]), AT - 2 * SECOND, "old")
    assert marks(walk(api, link)) == marks(walk(api, link, bots="exclude")) == ["person", "old"]
    assert marks(walk(api, link, bots="include")) == ["person", "bot", "old"]
    assert marks(walk(api, link, bots="only")) == ["bot"]
    assert [scan["bot"] for scan in walk(api, link, bots="include")] == [False, True, False]
    assert [scan["bot_name"] for scan in walk(api, link, bots="include")] == [None, "Twitterbot", None]


def test_a_period_begins_with_its_start_and_ends_before_its_end(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    day = datetime(2026, 11, 20, tzinfo=UTC)
    moments = {
        "before": day - SECOND,
        "first": day,
        "last": day + timedelta(days=1) - SECOND,
        "after": day + timedelta(days=1),
    }
    write(server, [scan_of(link, at, mark=mark) for mark, at in moments.items()])
    assert marks(walk(api, link, **{"from": "2026-11-20", "to": "2026-11-20"})) == ["last", "first"]
    assert marks(walk(api, link, **{"from": "2026-11-20T00:00:01Z"})) == ["after", "last"]
    assert marks(walk(api, link, to="2026-11-20T00:00:00Z", limit=1)) == ["before"]


def test_scans_of_all_months_are_one_log(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    moments = [AT - timedelta(days=31 * months) for months in range(5)]
    write(server, [scan_of(link, at, mark=str(number)) for number, at in enumerate(moments)])
    assert marks(walk(api, link, limit=2)) == list("01234")


def test_a_code_has_the_scans_of_its_link(api: httpx.Client, server: ServerProcess) -> None:
    code = new_code(api)
    link = api.get(f"/links/{code['link_id']}").json()
    write(server, [scan_of(link, AT + number * SECOND) for number in range(3)])
    answer = api.get(f"/qr-codes/{code['id']}/scans", params={"limit": "2"})
    assert answer.json() == page(api, link, limit=2)
    static = new_code(api, content={"type": "text", "text": "hello"})
    problem(api.get(f"/qr-codes/{static['id']}/scans"), 409, "not_counted")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"cursor": "x"}, {"cursor": "invalid_cursor"}),
        ({"cursor": "AAAAAAAAAAA"}, {"cursor": "invalid_cursor"}),
        ({"cursor": "f_________8AAAAAAAAAAA"}, {"cursor": "invalid_cursor"}),
        ({"bots": "some", "limit": "101"}, {"bots": "unknown_value", "limit": "out_of_range"}),
        ({"from": "2026-11-21", "to": "2026-11-20T00:00:00Z"}, {"from": "out_of_range"}),
        ({"from": "0001-01-01"}, {"from": "out_of_range"}),
        ({"to": "9999-01-01"}, {"to": "out_of_range"}),
    ],
)
def test_what_cannot_be_asked_is_refused(api: httpx.Client, query: dict[str, str], where: dict[str, str]) -> None:
    link = new_link(api)
    assert wrong(problem(api.get(f"/links/{link['id']}/scans", params=query), 422, "invalid_fields")) == where
