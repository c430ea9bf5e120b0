"""kill -9 under load, ten times a worker and ten times the whole server: no answered scan is missing, none double."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import PostgresServer
from tests.load import Load, tally
from tests.support import ServerProcess, new_id, sql

#: For each of the two databases.
KILLS = 5

#: Answered between two kills.
SCANS = 50


@pytest.fixture
def data() -> Iterator[Path]:
    # Not pytest's own folder, into which PostgreSQL cannot look where it runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        yield Path(folder) / "data"


def test_with_a_database_elsewhere(data: Path, database_url: str) -> None:
    server = ServerProcess(data, database_url=database_url, workers="2")
    try:
        server.start()
        load = killed_again_and_again(server, database_url)
        assert server.stop() == 0
        proven(load, database_url)
    finally:
        server.kill()


def test_with_the_embedded_database_killed_as_well(data: Path) -> None:
    server = ServerProcess(data, workers="2")
    postgres = PostgresServer(data / "postgres")
    try:
        server.start()
        postgres.start()  # it runs; so its URL is known
        load = killed_again_and_again(server, postgres.url, postgres)
        assert server.stop() == 0
        postgres.start()
        proven(load, postgres.url)
    finally:
        server.kill()
        postgres.stop()


def killed_again_and_again(server: ServerProcess, url: str, postgres: PostgresServer | None = None) -> Load:
    with Load(new_link(server, url)) as load:
        for _ in range(KILLS):
            load.more(SCANS)
            os.kill(server.workers()[0], signal.SIGKILL)
            load.more(SCANS)
            server.kill()
            if postgres is not None:
                postgres.kill()
            server.start()
        load.more(SCANS)
    return load


def new_link(server: ServerProcess, url: str) -> str:
    """A link that was put in by SQL, as there is no key to what a server has made for itself."""
    account, link = new_id(), new_id()
    sql(url, "INSERT INTO accounts (id, name, created_at) VALUES ($1, 'Test', now())", account)
    sql(
        url,
        "INSERT INTO links (id, account_id, slug, destination, created_at, updated_at) "
        "VALUES ($1, $2, $3, 'https://example.com/', now(), now())",
        link,
        account,
        f"test-{link}",
    )
    return f"{server.url}/test-{link}"


def proven(load: Load, url: str) -> None:
    found = tally(load, url)
    assert found.exact, found
    assert found.unanswered <= len(load.broken), "a scan that was not answered may be in the log or not"
