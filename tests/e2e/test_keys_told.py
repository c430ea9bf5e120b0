"""A key that was revoked opens nothing any more, on any worker, whoever has revoked it and however.

How soon is measured as in test_links_told: half of a few changes within a quarter of a second, on a machine that does
ten other things beside. The worker that was asked to revoke it knows when it answers.
"""

import statistics
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from bench.links import CUT, connections
from tests.support import DEADLINE_S, Databases, Outage, ServerProcess, sql

REVOCATIONS = 20
HALF_WITHIN_S = 0.25
WORKERS = 2


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers=str(WORKERS))
    server.start()
    yield server
    server.kill()


def opens(worker: HTTPConnection, key: str, path: str = "/account") -> int:
    """The status that a worker answers whoever has this key."""
    worker.request("GET", f"/v1{path}", headers={"x-api-key": key})
    answer = worker.getresponse()
    answer.read()
    return answer.status


def known(api: httpx.Client, workers: list[HTTPConnection], count: int) -> list[dict[str, str]]:
    """New keys, which every worker has in memory."""
    made = [api.post("/api-keys", json={"name": "Till"}).raise_for_status().json() for _ in range(count)]
    for key in made:
        assert [opens(worker, key["key"]) for worker in workers for _ in range(2)] == [200] * 2 * WORKERS
    return made


def waited(status: int, worker: HTTPConnection, key: dict[str, str]) -> float:
    """How long it took until this is what the worker answers."""
    began = time.monotonic()
    while opens(worker, key["key"]) != status:
        assert time.monotonic() < began + DEADLINE_S
    return time.monotonic() - began


def test_a_revoked_key_opens_nothing_on_any_worker(server: ServerProcess, database_url: str) -> None:
    took: dict[str, list[float]] = {"by the API": [], "by SQL": []}
    with server.client() as api, connections(server.port, WORKERS) as workers:
        keys = known(api, workers, REVOCATIONS)
        for number, key in enumerate(keys):
            if number % 2:
                sql(database_url, "DELETE FROM api_keys WHERE name = 'Till' AND last4 = $1", key["last4"])
            else:
                # By a worker that we know, with another key: it answers when it has dropped what it knew.
                by = workers[number // 2 % WORKERS]
                by.request("DELETE", f"/v1/api-keys/{key['id']}", headers={"x-api-key": keys[-1]["key"]})
                answer = by.getresponse()
                assert (answer.status, answer.read()) == (204, b"")
                assert opens(by, key["key"]) == 401
            took["by SQL" if number % 2 else "by the API"].append(sum(waited(401, worker, key) for worker in workers))
    assert [how for how, delays in took.items() if statistics.median(delays) > HALF_WITHIN_S] == [], took


def test_what_a_key_may_do_changes_at_once(server: ServerProcess, database_url: str) -> None:
    with server.client() as api, connections(server.port, WORKERS) as workers:
        [key] = known(api, workers, 1)
        sql(database_url, "UPDATE api_keys SET permissions = '{links:read}' WHERE last4 = $1", key["last4"])
        for worker in workers:
            waited(403, worker, key)
            assert opens(worker, key["key"], "/links") == 200


def test_nothing_is_missed_while_nobody_listens(server: ServerProcess, database_url: str) -> None:
    """What told of changes is cut off right before each."""
    with server.client() as api, connections(server.port, WORKERS) as workers:
        for key in known(api, workers, 10):
            sql(database_url, CUT)
            sql(database_url, "DELETE FROM api_keys WHERE last4 = $1", key["last4"])
            for worker in workers:
                waited(401, worker, key)


def test_while_the_database_is_away_no_key_opens_by_what_was_known_of_it(
    server: ServerProcess, databases: Databases, database_url: str
) -> None:
    with server.client() as api, connections(server.port, WORKERS) as workers:
        kept, revoked = known(api, workers, 2)
        outage = Outage(databases, database_url)
        outage.begin()
        try:
            for worker in workers:
                waited(503, worker, kept)
        finally:
            outage.end()
        sql(database_url, "DELETE FROM api_keys WHERE last4 = $1", revoked["last4"])
        for worker in workers:
            waited(200, worker, kept)
            assert opens(worker, revoked["key"]) == 401
