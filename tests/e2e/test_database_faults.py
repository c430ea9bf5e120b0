"""A database that stops, hangs, is slow, refuses connections and fails in the middle of a write, under load.

No redirect notices, and afterwards every answered scan is in the log, once. One server for all, which has a PostgreSQL
of its own and a proxy on the way there.
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.api.exchange import Json, new_link, problem
from tests.faults import PostgresServer, Proxy
from tests.load import Load, tally
from tests.support import ServerProcess, phone, sql, until

OUTAGE_S = 20.0
QUIET_S = 5.0

#: How long the other faults last.
FAULT_S = 2.0

#: Answered before and after each fault.
SCANS = 100

#: Of the 99th percentile, where the quiet one is so short that twice as long is the machine's own noise.
FLOOR_MS = 50.0


class Site(NamedTuple):
    """What the tests share."""

    postgres: PostgresServer
    proxy: Proxy
    server: ServerProcess


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = PostgresServer(Path(folder) / "postgres")
        postgres.start()
        proxy = Proxy(postgres.url)
        proxy.start()
        server = ServerProcess(tmp_path_factory.mktemp("server") / "data", database_url=proxy.url)
        try:
            server.start()
            yield Site(postgres, proxy, server)
            assert server.stop() == 0
        finally:
            server.kill()
            proxy.stop()
            postgres.kill()


@contextmanager
def scanned(site: Site) -> Iterator[Load]:
    """A link that phones scan from here to the end; then all is well again, and the log has to be right."""
    with site.server.client() as api:
        link, other = new_link(api), new_link(api)
        with Load(link["short_url"]) as load:
            load.more(SCANS)
            yield load
            load.more(SCANS)
        assert load.broken == []
        assert not load.refused

        def written(link: Json) -> int:
            return int(api.get(f"/links/{link['id']}").json().get("scans", 0))

        until(lambda: written(link) >= len(load.answered), what="every scan")
        # A journal is written in its order: whatever were to be written again, would be so before this one.
        assert phone.get(other["short_url"]).status_code == 302
        until(lambda: written(other) == 1, what="a scan behind all those")
        assert written(link) == len(load.answered)
        found = tally(load, site.postgres.url)
        assert found.exact, found
        assert not found.unanswered


def test_stopped_for_20_s_nobody_waits_and_management_says_when_to_come_back(site: Site) -> None:
    with site.server.client() as api, scanned(site) as load:
        quiet = time.perf_counter()
        load.last(QUIET_S)
        site.postgres.stop()
        outage = time.perf_counter()
        while time.perf_counter() < outage + OUTAGE_S:
            answer = api.get("/account")
            problem(answer, 503, "storage_unavailable")
            assert answer.headers["retry-after"] == "5"
            assert phone.get(f"{site.server.url}/readyz").status_code == 200
            load.last(1)
        over = time.perf_counter()
        site.postgres.start()
    before_ms, meanwhile_ms = load.p99_ms(quiet, outage), load.p99_ms(outage, over)
    print(f"p99 in quiet {before_ms:.1f} ms, without the database {meanwhile_ms:.1f} ms, of {len(load.answered)} scans")
    assert meanwhile_ms < max(2 * before_ms, FLOOR_MS)


def test_hanging(site: Site) -> None:
    with scanned(site) as load:
        site.postgres.hang()
        load.last(FAULT_S)
        site.postgres.go_on()


def test_slow(site: Site) -> None:
    with scanned(site) as load:
        site.proxy.delay_s = 0.2
        load.last(FAULT_S)
        site.proxy.delay_s = 0


def test_refusing_connections(site: Site) -> None:
    with scanned(site) as load:
        site.proxy.refuse()
        load.last(FAULT_S)
        site.proxy.accept()


def test_gone_in_the_middle_of_a_copy(site: Site) -> None:
    with scanned(site):
        site.proxy.copies_to_cut = 3
        until(lambda: not site.proxy.copies_to_cut, what="three that were cut")


def test_gone_when_a_commit_was_to_be_answered(site: Site) -> None:
    """What was written is written, though the writer could not know."""
    with scanned(site):
        site.proxy.commits_to_cut = 3
        until(lambda: not site.proxy.commits_to_cut, what="three that were cut")


def test_refusing_a_row_in_the_middle_of_a_copy(site: Site) -> None:
    """As it may by a trigger of the operator's own, or with a bug of ours: the writer dies of it, nobody else does."""
    sql(
        site.postgres.url,
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$;
        """,
    )
    with scanned(site):
        sql(
            site.postgres.url,
            "CREATE TRIGGER refuse BEFORE INSERT ON scans FOR EACH ROW "
            "WHEN (NEW.referrer LIKE '%7') EXECUTE FUNCTION refuse()",
        )
        until(lambda: "not this one" in site.server.log.read_text(), what="a row that was refused")
        sql(site.postgres.url, "DROP TRIGGER refuse ON scans")
