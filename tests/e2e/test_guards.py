"""Guards on a server of two workers."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.api.exchange import new_link
from tests.support import PHONE, Databases, Outage, ServerProcess, phone, sql, until

LIMIT = 500
CLIENTS = 8


@pytest.fixture
def two_workers(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers="2")
    try:
        server.start()
        # Each says so when it has begun to listen to the database.
        until(lambda: server.log.read_text().count("links in memory") == 2, what="two workers")
        yield server
    finally:
        server.kill()


def test_a_scan_limit_is_exact_over_two_workers(two_workers: ServerProcess) -> None:
    with two_workers.client() as api:
        link = new_link(api, max_scans=LIMIT)

        def scan(_: int) -> Counter[int]:
            statuses: Counter[int] = Counter()
            while statuses[410] < 5:
                # On a connection of its own each, so that both workers get their share.
                with httpx.Client(verify=False, headers={"user-agent": PHONE}) as client:
                    statuses.update(client.get(link["short_url"]).status_code for _ in range(10))
            return statuses

        with ThreadPoolExecutor(CLIENTS) as clients:
            statuses = sum(clients.map(scan, range(CLIENTS)), Counter[int]())
        assert statuses.keys() == {302, 410}
        assert statuses[302] == LIMIT
        until(lambda: api.get(f"/links/{link['id']}").json()["scans"] >= LIMIT, what="the scans")
        assert sql(two_workers.database_url, "SELECT count(*) FROM scans")[0][0] == LIMIT
        assert api.get(f"/links/{link['id']}").json()["scans"] == LIMIT


def test_only_a_link_with_a_limit_waits_for_the_database(two_workers: ServerProcess, databases: Databases) -> None:
    outage = Outage(databases, two_workers.database_url)
    with two_workers.client() as api, two_workers.anyone() as anyone:
        limited, locked, plain = new_link(api, max_scans=2), new_link(api, password="secret"), new_link(api)
        for url in [link["short_url"] for link in (limited, locked, plain)] * 10:
            assert phone.head(url).status_code in (200, 302)  # on both workers, before they can hear of it no more
        outage.begin()
        answer = anyone.get(limited["short_url"])
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert anyone.get(plain["short_url"]).status_code == 302
        assert anyone.post(locked["short_url"], data={"password": "secret"}).status_code == 303
        outage.end()
        until(lambda: anyone.get(limited["short_url"]).status_code == 302, what="the database is back")
        assert [anyone.get(limited["short_url"]).status_code for _ in range(2)] == [302, 410]
        ids = [link["id"] for link in (limited, locked, plain)]
        until(lambda: [api.get(f"/links/{each}").json()["scans"] for each in ids] == [2, 1, 1], what="the scans")


def test_whoever_guesses_slugs_is_told_to_wait_and_still_finds_the_links_there_are(
    database_url: str, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url, unknown_slugs_per_min="3")
    try:
        server.start()
        with server.client() as api, server.anyone() as anyone:
            link = new_link(api)
            answers = [anyone.get(f"{server.url}/guess-{number}") for number in range(4)]
            assert [answer.status_code for answer in answers] == [404, 404, 404, 429]
            assert 0 < int(answers[-1].headers["retry-after"]) <= 20
            assert anyone.get(link["short_url"]).status_code == 302
            fresh = new_link(api)
            assert anyone.get(fresh["short_url"]).status_code == 302
    finally:
        server.kill()
