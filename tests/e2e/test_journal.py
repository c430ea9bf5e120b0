"""Journals at their worst, with a real server: full, torn and damaged."""

import struct
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from server.scans.journal import HEADER_BYTES
from tests.support import PHONE, Databases, Outage, ServerProcess, phone, sql, until


@pytest.fixture
def own_server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, journal_max_bytes=str(16 << 20))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def outage(databases: Databases, database_url: str) -> Outage:
    return Outage(databases, database_url)


def new_link(server: ServerProcess) -> str:
    """The path of its short URL."""
    with server.client() as api:
        return "/" + str(api.post("/links", json={"destination": "https://example.com/"}).json()["slug"])


def test_a_full_journal_redirects_on_and_every_scan_is_written_or_counted_as_dropped(
    own_server: ServerProcess, outage: Outage, database_url: str
) -> None:
    path, scans = new_link(own_server), 7_000
    outage.begin()
    # The longest records there are, so that few of them fill it.
    headers = {
        "user-agent": PHONE.ljust(512, "x"),
        "x-forwarded-for": "1.1.1.1, " * 50,
        "forwarded": "for=1.1.1.1, " * 35,
    }
    connection = HTTPConnection("127.0.0.1", own_server.port)
    for number in range(scans):
        connection.request(
            "GET", path, headers=headers | {"referer": f"https://example.com/{number}/".ljust(2048, "x")}
        )
        answer = connection.getresponse()
        answer.read()
        assert (answer.status, answer.headers["location"]) == (302, "https://example.com/")
    connection.close()
    assert dropped(own_server) > 0
    until(lambda: "scans were answered and dropped" in own_server.log.read_text(), what="word of it in the log")

    outage.end()
    until(lambda: count(database_url) + dropped(own_server) == scans, what="all the others in the database")
    assert phone.get(f"{own_server.url}{path}").status_code == 302
    until(lambda: count(database_url) + dropped(own_server) == scans + 1, what="the one after")
    different = sql(database_url, "SELECT count(DISTINCT coalesce(referrer, 'none')) FROM scans")[0][0]
    assert different == count(database_url), "none of them twice"
    assert own_server.stop() == 0


def dropped(server: ServerProcess) -> int:
    return int(phone.get(f"{server.url}/readyz").json()["scans_dropped"])


def count(url: str) -> int:
    return int(sql(url, "SELECT count(*) FROM scans")[0][0])


@pytest.mark.parametrize("damage", ["torn", "corrupt", "overlong"])
def test_a_last_record_that_is_damaged_costs_itself_only_and_is_reported(
    own_server: ServerProcess, outage: Outage, database_url: str, damage: str
) -> None:
    path = new_link(own_server)
    outage.begin()
    for _ in range(20):
        assert phone.get(f"{own_server.url}{path}").status_code == 302
    own_server.kill()
    (segment,) = (own_server.data_dir / "journal").glob("*/*.seg")
    start, end = last_record(segment)
    with segment.open("r+b") as file:
        if damage == "torn":  # as if the disk had got only the first half of it
            file.seek((start + end) // 2)
            file.write(bytes(end - (start + end) // 2))
        elif damage == "corrupt":
            file.seek(end - 1)
            file.write(b"\xee")
        else:
            file.seek(start)
            file.write(struct.pack("<I", 0xFFFFFFF0))
    outage.end()

    own_server.start()
    until(lambda: len(list((own_server.data_dir / "journal").glob("*/lock"))) == 1, what="the old journal is removed")
    assert count(database_url) == 19
    assert f"segment 1 is damaged or missing at byte {start}" in own_server.log.read_text()
    assert phone.get(f"{own_server.url}{path}").status_code == 302
    until(lambda: count(database_url) == 20, what="the next scan")
    assert own_server.stop() == 0


def last_record(segment: Path) -> tuple[int, int]:
    """Where it begins and ends."""
    data = segment.read_bytes()
    start = end = HEADER_BYTES
    while length := struct.unpack_from("<I", data, end)[0]:
        start, end = end, end + 8 + length
    return start, end
