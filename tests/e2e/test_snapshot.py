"""A server that starts while its database is down: it redirects from the snapshot, and goes over to the database."""

import asyncio
import os
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from server.embedded import EmbeddedPostgres
from server.storage.snapshot import Snapshot
from tests.api.exchange import problem
from tests.support import Databases, Outage, ServerProcess, phone, sql, until

Json = dict[str, Any]
Start = Callable[[str], ServerProcess]

URL = "https://example.com/menu"


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, snapshot_interval_s="1")
    yield server
    server.kill()


@pytest.fixture
def outage(databases: Databases, database_url: str) -> Outage:
    return Outage(databases, database_url)


@pytest.fixture
def silence() -> Iterator[str]:
    """The URL of a database that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"postgresql://nobody@127.0.0.1:{listener.getsockname()[1]}/nothing"


def ready(server: ServerProcess) -> Json:
    answer: Json = phone.get(f"{server.url}/readyz").json()
    return answer


def get(server: ServerProcess, slug: str) -> tuple[int, str | None]:
    answer = phone.get(f"{server.url}/{slug}")
    return answer.status_code, answer.headers.get("location", answer.headers.get("retry-after"))


def fill(server: ServerProcess) -> Json:
    """A server with links of every kind, and all of them in its snapshot; the plain one."""
    server.start()
    with server.client() as api:
        gone = api.post("/links", json={"slug": "gone", "destination": URL}).json()
        api.delete(f"/links/{gone['id']}")
        link: Json = api.post("/links", json={"slug": "menu", "destination": URL}).json()
        for guard in (
            {"slug": "paused", "active": False},
            {"slug": "moved", "active": False, "fallback_url": "https://example.com/moved"},
            {"slug": "phones", "rules": [{"when": {"device": ["mobile"]}, "destination": "https://m.example.com/"}]},
            {"slug": "thrice", "max_scans": 3},
        ):
            assert api.post("/links", json={"destination": URL, **guard}).status_code == 201
    until(lambda: in_snapshot(server.data_dir, "thrice"), what="a snapshot with the last of them")
    return link


def in_snapshot(data_dir: Path, slug: str) -> bool:
    async def slugs() -> list[str]:
        found: list[str] = []
        async for page in Snapshot(data_dir / "links.snapshot").all(1000):
            found += page.slugs
            found += [target.slug for target in page.others if target.deleted or target.guards]
        return found

    return (data_dir / "links.snapshot").exists() and slug in asyncio.run(slugs())


def test_a_server_started_during_the_outage_redirects_and_goes_over_to_the_database(
    server: ServerProcess, outage: Outage, database_url: str
) -> None:
    link = fill(server)
    server.kill()
    outage.begin()
    server.start()

    now = ready(server)
    assert (now["links_from"], now["links"]) == ("snapshot", 5)
    assert 0 < now["snapshot_age_s"] < 600
    assert 'qredge_links_from_snapshot{pid="' in phone.get(f"{server.url}/metrics").text
    assert get(server, "menu") == (302, URL)
    assert get(server, "MENU") == (302, URL)
    assert get(server, "phones") == (302, "https://m.example.com/")
    assert get(server, "moved") == (302, "https://example.com/moved")
    assert get(server, "paused") == (410, None)
    assert get(server, "gone") == (410, None)
    assert get(server, "thrice") == (503, "5")
    assert get(server, "unknown") == (503, "5")  # it may be newer than the snapshot
    with server.anyone({"authorization": "Bearer any"}) as api:
        problem(api.get("/links"), 503, "storage_unavailable")

    outage.end()
    until(lambda: ready(server)["links_from"] == "database", what="the database")
    assert get(server, "unknown") == (404, None)
    assert get(server, "thrice") == (302, URL)
    sql(database_url, "UPDATE links SET destination = 'https://example.com/new' WHERE slug = 'menu'")
    until(lambda: get(server, "menu") == (302, "https://example.com/new"), what="the change")
    counted = "SELECT scans FROM scan_totals JOIN links ON link_id = id WHERE slug = 'menu'"
    until(lambda: sql(database_url, counted) and sql(database_url, counted)[0][0] >= 3, what="the outage's scans")
    assert link["slug"] == "menu"
    assert server.stop() == 0


def test_a_database_that_hangs_is_not_waited_for(server: ServerProcess, silence: str) -> None:
    fill(server)
    assert server.stop() == 0
    server.database_url = silence
    server.start()
    assert ready(server)["links_from"] == "snapshot"
    assert get(server, "menu") == (302, URL)
    assert server.stop() == 0


def test_what_was_made_right_before_the_stop_is_in_the_snapshot(server: ServerProcess) -> None:
    server._settings["snapshot_interval_s"] = "3600"
    server.start()
    with server.client() as api:
        api.post("/links", json={"slug": "late", "destination": URL})
    assert not in_snapshot(server.data_dir, "late")
    assert server.stop(signal.SIGTERM) == 0
    assert in_snapshot(server.data_dir, "late")


def test_without_a_snapshot_it_starts_too_and_is_ready_when_the_database_is(
    databases: Databases, empty_database: str, tmp_path: Path
) -> None:
    """... which has neither tables nor an account, at that."""
    server = ServerProcess(tmp_path / "data", database_url=empty_database)
    outage = Outage(databases, empty_database)
    outage.begin()
    try:
        server.launch()
        until(lambda: answers(server), what="a worker")
        assert phone.get(f"{server.url}/readyz").status_code == 503
        assert get(server, "menu") == (503, "5")
        outage.end()
        until(server.ready, what="the database")
        until(lambda: "curl -s" in server.log.read_text(), what="the first account's key")
        assert get(server, "menu") == (404, None)
        assert server.log.read_text().count("cannot be used yet") == 1
        assert server.stop() == 0
    finally:
        server.kill()


def test_a_damaged_snapshot_is_told_of_and_is_as_if_there_were_none(server: ServerProcess, outage: Outage) -> None:
    fill(server)
    server.kill()
    path = server.data_dir / "links.snapshot"
    path.write_bytes(path.read_bytes()[:-1])
    outage.begin()
    server.launch()
    until(lambda: "the snapshot of the links cannot be used" in server.log.read_text(), what="the report")
    assert get(server, "menu") == (503, "5")
    assert phone.get(f"{server.url}/readyz").status_code == 503
    outage.end()
    until(server.ready, what="the database")
    assert get(server, "menu") == (302, URL)
    assert server.stop() == 0


def test_tables_in_a_shape_that_is_not_known_are_left_alone(server: ServerProcess, database_url: str) -> None:
    """A database that comes back may not have had the migrations of a server that was updated meanwhile."""
    fill(server)
    server.kill()
    (name, checksum), *_ = sql(database_url, "SELECT name, checksum FROM schema_migrations ORDER BY name LIMIT 1")
    sql(database_url, "DELETE FROM schema_migrations WHERE name = $1", name)  # it cannot be applied twice
    sql(database_url, "UPDATE links SET destination = 'https://example.com/new'")
    server.start()
    assert ready(server)["links_from"] == "snapshot"
    until(lambda: "the database cannot be used yet" in server.log.read_text(), what="the report")
    with server.anyone({"authorization": "Bearer any"}) as api:
        problem(api.get("/links"), 503, "storage_unavailable")
    assert get(server, "menu") == (302, URL)

    sql(database_url, "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", name, checksum)
    until(lambda: get(server, "menu") == (302, "https://example.com/new"), what="the database")
    assert server.stop() == 0


def test_an_embedded_database_that_does_not_start_ends_the_server_unless_there_is_a_snapshot() -> None:
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "data"
        server = ServerProcess(data, snapshot_interval_s="1")
        server.start()
        try:
            control, away = data / "postgres/global/pg_control", data / "postgres/global/away"
            url = EmbeddedPostgres(data / "postgres").url
            until(lambda: sql(url, "SELECT FROM accounts"), what="the first account")
            sql(url, "INSERT INTO links SELECT 1, id, 'menu', $1, NULL, now(), now() FROM accounts", URL)
            until(lambda: in_snapshot(data, "menu"), what="the snapshot")
            assert server.stop() == 0

            control.rename(away)
            server.start()
            assert ready(server)["links_from"] == "snapshot"
            assert get(server, "menu") == (302, URL)
            away.rename(control)
            until(lambda: ready(server)["links_from"] == "database", what="the database")
            assert server.stop() == 0

            control.rename(away)
            os.unlink(data / "links.snapshot")
            with pytest.raises(AssertionError, match=r"qredge: the embedded database in .* does not start"):
                server.start()
        finally:
            server.kill()


def answers(server: ServerProcess) -> bool:
    try:
        return phone.get(f"{server.url}/livez").status_code == 200
    except Exception:
        return False
