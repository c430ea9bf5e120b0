"""The log of a link's scans, row by row."""

import asyncio
import csv
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from server.domain.ids import id_number
from server.domain.model import Address, LinkId, Position, Scan
from server.domain.referrer import host_of
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog
from tests.api.exchange import Json, new_code, new_link, problem, wrong
from tests.support import PLANS, ServerProcess, scan_us, sql

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

#: As the first version wrote them.
OLD = "INSERT INTO scans (link_id, scanned_at, referrer) VALUES ($1, $2, $3)"


def scan_of(link: Json, at: datetime, *, bot: bool = False, mark: str | None = None) -> Scan:
    number = id_number("lnk", link["id"])
    assert number is not None
    return Scan(
        LinkId(number),
        scan_us(at),
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


# --- filters ------------------------------------------------------------------------------------------------------


def varied(link: Json) -> list[Scan]:
    """Scans that differ in one thing each, from the first."""
    usual = scan_of(link, AT, mark="https://News.example/a")
    others: dict[str, dict[str, object]] = {
        "country": {"country": "FR"},
        "device": {"device": "tablet"},
        "os": {"os": "Android"},
        "browser": {"browser": "Firefox Mobile"},
        "referrer_host": {"referrer": "https://other.example/", "referrer_host": "other.example"},
        "source": {"from_code": False},
        "bots": {"device": "bot", "bot": "Twitterbot"},
    }
    changed = [usual._replace(user_agent=name, **facts) for name, facts in others.items()]  # type: ignore[arg-type]
    return [each._replace(time_us=scan_us(AT - number * SECOND)) for number, each in enumerate([usual, *changed])]


#: What is asked for -> which of the scans that is; the first is 0.
FILTERS: list[tuple[dict[str, str], set[int]]] = [
    ({}, {0, 1, 2, 3, 4, 5, 6}),
    ({"country": "fr"}, {1}),
    ({"country": "CH"}, {0, 2, 3, 4, 5, 6}),
    ({"device": "tablet"}, {2}),
    ({"device": "bot"}, set()),
    ({"device": "bot", "bots": "include"}, {7}),
    ({"os": "Android"}, {3}),
    ({"os": "android"}, set()),
    ({"browser": " Firefox Mobile "}, {4}),
    ({"referrer_host": "OTHER.example"}, {5}),
    ({"source": "click"}, {6}),
    ({"source": "scan", "country": "CH", "os": "iOS", "device": "mobile"}, {0, 4, 5}),
    ({"bots": "only"}, {7}),
    ({"from": "2026-11-20T11:59:58Z", "to": "2026-11-20T12:00:00Z"}, {1, 2}),
]


def test_a_list_has_what_its_filters_ask_for(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, varied(link))
    for query, expected in FILTERS:
        for limit in (1, 100):
            found = walk(api, link, limit=limit, **query)
            assert {(AT - moment(scan)) // SECOND for scan in found} == expected, query
            assert len(found) == len(expected)


def moment(scan: Json) -> datetime:
    return datetime.fromisoformat(scan["scanned_at"])


def test_a_referrers_host_is_found_also_where_a_version_before_did_not_keep_it(
    api: httpx.Client, server: ServerProcess
) -> None:
    link = new_link(api)
    for referrer in ("https://me@Old.example:8443/a?b", "http://[2001:DB8::1]:80/", "nowhere", None):
        sql(server.database_url, OLD, id_number("lnk", link["id"]), AT, referrer)
    assert marks(walk(api, link, referrer_host="old.EXAMPLE")) == ["https://me@Old.example:8443/a?b"]
    assert marks(walk(api, link, referrer_host="[2001:db8::1]")) == ["http://[2001:DB8::1]:80/"]


# --- the account's log --------------------------------------------------------------------------------------------


def account_page(api: httpx.Client, **query: object) -> Json:
    answer = api.get("/scans", params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def account_walk(api: httpx.Client, **query: object) -> list[Json]:
    body = account_page(api, **query)
    found = list(body["data"])
    while body["next_cursor"]:
        body = account_page(api, cursor=body["next_cursor"], **query)
        found += body["data"]
    return found


def test_an_accounts_log_has_all_its_scans_in_the_order_in_which_they_came(
    server: ServerProcess, stranger: httpx.Client
) -> None:
    with server.client() as own:
        links = [new_link(own) for _ in range(2)]
        write(server, [scan_of(links[0], AT, mark="0"), scan_of(links[1], AT - 40 * 86_400 * SECOND, mark="1")])
        write(server, [scan_of(links[0], AT - SECOND, mark="2"), scan_of(links[1], AT, bot=True, mark="bot")])
        assert marks(account_walk(own)) == ["2", "1", "0"]
        for limit in (1, 2):
            assert account_walk(own, limit=limit) == account_walk(own)
        assert marks(account_walk(own, bots="include", limit=1)) == ["bot", "2", "1", "0"]
        assert marks(account_walk(own, **{"from": "2026-11-01"})) == ["2", "0"]
        assert marks(account_walk(own, link_id=links[0]["id"])) == ["0", "2"]
        assert marks(account_walk(own, country="FR")) == []
    assert account_walk(stranger, bots="include", **{"from": "2026-11-01"}) == []


def test_an_accounts_log_of_a_code_is_that_of_its_link(api: httpx.Client, server: ServerProcess) -> None:
    code = new_code(api)
    link = api.get(f"/links/{code['link_id']}").json()
    write(server, [scan_of(link, AT, mark="mine")])
    assert marks(account_walk(api, qr_code_id=code["id"])) == ["mine"]
    static = new_code(api, content={"type": "text", "text": "hello"})
    problem(api.get("/scans", params={"qr_code_id": static["id"]}), 409, "not_counted")
    both = {"link_id": link["id"], "qr_code_id": code["id"]}
    assert wrong(problem(api.get("/scans", params=both), 422, "invalid_fields")) == {"qr_code_id": "one_of"}


def test_of_somebody_elses_link_there_is_no_log(api: httpx.Client, stranger: httpx.Client) -> None:
    link = new_link(api)
    for path in ("/scans", "/scans/export"):
        problem(stranger.get(path, params={"link_id": link["id"]}), 404, "not_found")


@pytest.mark.parametrize("path", ["/scans", "/scans/export"])
@pytest.mark.parametrize(
    ("query", "where"),
    [
        ({"country": "FRA"}, {"country": "invalid_country"}),
        ({"device": "phone", "source": "web"}, {"device": "unknown_value", "source": "unknown_value"}),
        ({"os": "", "browser": "x" * 201}, {"os": "empty", "browser": "too_long"}),
        ({"os": "i\0S", "referrer_host": "x" * 256}, {"os": "invalid_character", "referrer_host": "too_long"}),
        ({"link_id": "qr_1da3xg8m2v7kq"}, {"link_id": "invalid_id"}),
        ({"qr_code_id": "7"}, {"qr_code_id": "invalid_id"}),
        ({"bots": "some"}, {"bots": "unknown_value"}),
        ({"to": "9999-01-01"}, {"to": "out_of_range"}),
    ],
)
def test_a_filter_that_cannot_be_is_named(
    api: httpx.Client, path: str, query: dict[str, str], where: dict[str, str]
) -> None:
    assert wrong(problem(api.get(path, params=query), 422, "invalid_fields")) == where


def test_where_a_plan_tells_no_places_nobody_finds_them_by_asking(server: ServerProcess) -> None:
    with server.client(PLANS.named("bare")) as bare:
        link = new_link(bare)
        for path in ("/scans", "/scans/export", f"/links/{link['id']}/scans"):
            refused = problem(bare.get(path, params={"country": "CH"}), 403, "plan_limit")
            assert wrong(refused) == {"country": "geo_detail"}


# --- export -------------------------------------------------------------------------------------------------------


def test_an_export_has_what_the_list_has(api: httpx.Client, server: ServerProcess) -> None:
    link = new_link(api)
    write(server, [*varied(link), scan_of(link, AT - timedelta(days=1), mark='=HYPERLINK("x")')])
    listed = walk(api, link, limit=100)
    query = {"link_id": link["id"]}
    lines = api.get("/scans/export", params={**query, "format": "ndjson"})
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert lines.headers["content-disposition"] == 'attachment; filename="scans.ndjson"'
    assert [json.loads(line) for line in lines.text.splitlines()] == listed
    table = api.get("/scans/export", params=query)
    assert table.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert table.headers["content-disposition"] == 'attachment; filename="scans.csv"'
    rows = list(csv.DictReader(StringIO(table.text, newline=""), strict=True))
    assert [list(row) for row in rows] == [list(scan) for scan in listed]
    assert rows[-1]["referrer"] == """'=HYPERLINK("x")"""
    assert [{**row, "referrer": None} for row in rows] == [
        {name: _cell(value) for name, value in scan.items()} | {"referrer": None} for scan in listed
    ]
    rare = api.get("/scans/export", params={**query, "format": "ndjson", "os": "Android", "limit": "1"})
    assert [json.loads(line)["os"] for line in rare.text.splitlines()] == ["Android"]


def _cell(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def test_an_export_of_nothing_is_a_header(api: httpx.Client) -> None:
    query = {"link_id": new_link(api)["id"]}
    table = api.get("/scans/export", params=query).text
    assert table.startswith("id,scanned_at,link_id,source,bot,device,os,browser,")
    assert table.count("\n") == 1
    assert api.get("/scans/export", params={**query, "format": "ndjson"}).content == b""


MANY = 200_000
MANY_SCANS = f"""
    INSERT INTO scans (id, account_id, link_id, scanned_at, referrer, visitor, device, os, browser, from_code)
    SELECT (SELECT last FROM scan_ids) - {MANY} + number, account_id, id,
        $2::timestamptz - number * interval '1 second', 'https://example.com/' || number, number,
        'mobile', 'iOS', 'Mobile Safari', true
    FROM links, generate_series(1, {MANY}) AS number WHERE id = $1
"""

#: More than the server's processes may grow by while they send some 60 MB.
MAX_GROWTH_BYTES = 24 << 20


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_however_long_an_export_is_it_takes_no_more_memory(server: ServerProcess, kind: str) -> None:
    with server.client() as own:
        link = new_link(own)
        write(server, [scan_of(link, AT)])
        before_it = {"to": "2026-11-19T00:00:00Z", "format": kind}
        sql(server.database_url, MANY_SCANS, id_number("lnk", link["id"]), AT - timedelta(days=2))
        own.get("/scans/export", params={**before_it, "from": "2026-11-18T11:00:00Z"})  # what is made once is there
        resident = _resident(server)
        grown = lines = read = 0
        with own.stream("GET", "/scans/export", params=before_it, timeout=120) as answer:
            for number, chunk in enumerate(answer.iter_bytes(1 << 18)):
                lines += chunk.count(b"\n")
                read += len(chunk)
                if number % 16 == 0:
                    grown = max(grown, _resident(server) - resident)
        assert lines == MANY + (kind == "csv")
        assert read > MAX_GROWTH_BYTES
        assert grown < MAX_GROWTH_BYTES


def _resident(server: ServerProcess) -> int:
    """Bytes of memory that the workers have."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in server.workers()]
    return sum(pages) * os.sysconf("SC_PAGE_SIZE")
