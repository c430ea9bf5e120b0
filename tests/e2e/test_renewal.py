"""SIGHUP: every worker is a new one, and nobody has noticed."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server.settings import Settings
from server.supervisor import Supervisor
from tests.api.exchange import new_link
from tests.load import Load, tally
from tests.support import Databases, Outage, ServerProcess, until

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(database_url: str, tmp_path: Path) -> Iterator[Start]:
    servers: list[ServerProcess] = []

    def start(**settings: str) -> ServerProcess:
        servers.append(server := ServerProcess(tmp_path / "data", database_url=database_url, **settings))
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


def renew(server: ServerProcess, times: int = 1) -> None:
    """Returns when it is done; `times` is how often it will have been."""
    os.kill(server.group(), signal.SIGHUP)
    until(lambda: server.log.read_text().count("the workers are new") == times, what="new workers", within_s=60)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_under_load_nobody_is_refused_or_broken_off_and_no_scan_is_lost(start: Start, workers: str) -> None:
    server = start(workers=workers)
    until(lambda: len(server.workers()) == int(workers), what="all workers")
    with server.client() as api:
        link = new_link(api)
    with Load(link["short_url"], kept=6, fresh=6, pause_s=0.02) as load:
        for times in (1, 2):
            before = (server.workers(), server.writer())
            load.more(100)
            renew(server, times)
            load.more(100)
            assert set(server.workers()).isdisjoint(before[0])
            assert len(server.workers()) == int(workers)
            assert server.writer() != before[1]
    assert server.stop(signal.SIGTERM) == 0
    assert load.refused == 0
    assert load.broken == []
    found = tally(load, server.database_url)
    assert found.exact, found
    assert not found.unanswered


def test_the_settings_are_read_anew(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "qredge.toml"
    file.write_text("request_log = true\n")
    server = start(settings_file=str(file))
    with server.client() as api:
        api.get("/account").raise_for_status()
        file.write_text("request_log = false\n")
        renew(server)
        until(server.ready, what="ready")
        told = server.log.read_text().count("/v1/account")
        api.get("/account").raise_for_status()
        assert server.stop(signal.SIGTERM) == 0
        assert server.log.read_text().count("/v1/account") == told == 1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("prot = 1", "there is no setting prot"),
        ("tls_certificate = '/nowhere.pem'\ntls_key = '/nowhere.pem'", "these cannot be used"),
    ],
)
def test_with_settings_that_are_wrong_all_goes_on(start: Start, tmp_path: Path, wrong: str, complaint: str) -> None:
    file = tmp_path / "qredge.toml"
    file.write_text("")
    server = start(settings_file=str(file))
    workers = server.workers()
    file.write_text(wrong)
    os.kill(server.group(), signal.SIGHUP)
    until(lambda: "all goes on as it is" in server.log.read_text(), what="a complaint")
    assert complaint in server.log.read_text()
    assert server.workers() == workers
    assert server.ready()
    assert server.stop() == 0


def test_without_its_database_all_goes_on(start: Start, databases: Databases) -> None:
    server = start()
    outage = Outage(databases, server.database_url)
    outage.begin()
    os.kill(server.group(), signal.SIGHUP)
    until(lambda: "all goes on as it is" in server.log.read_text(), what="a complaint")
    outage.end()
    assert server.ready()
    renew(server)
    assert server.stop() == 0


def test_a_data_directory_is_for_as_long_as_the_server_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Supervisor(Settings(data_dir=tmp_path / "here"))
    monkeypatch.setenv("QREDGE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert not supervisor._may_renew()


def test_where_new_workers_do_not_start_the_old_ones_go_on(start: Start) -> None:
    server = start()
    workers = server.workers()
    journals = server.data_dir / "journal"
    aside = journals.rename(journals.with_name("aside"))
    journals.write_text("in the way")
    os.kill(server.group(), signal.SIGHUP)
    until(lambda: "the new workers do not start" in server.log.read_text(), what="they give up", within_s=60)
    journals.unlink()
    aside.rename(journals)
    assert server.workers() == workers
    assert server.ready()
    assert server.stop() == 0


def test_a_terminal_that_closes_ends_no_process(start: Start) -> None:
    server = start()
    writer = server.writer()
    os.killpg(server.group(), signal.SIGHUP)
    until(lambda: "the workers are new" in server.log.read_text(), what="new workers", within_s=60)
    assert "died" not in server.log.read_text()
    assert server.writer() != writer
    assert server.stop() == 0


def test_workers_that_never_start_are_given_up(database_url: str, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url)
    server.data_dir.mkdir()
    (server.data_dir / "metrics").symlink_to("/dev/null")
    (server.data_dir / "journal").write_text("in the way")
    began = time.monotonic()
    server.launch()
    with pytest.raises(AssertionError, match="qredge: no worker starts; why stands above"):
        until(server.ready, what="ready", within_s=90)
    assert time.monotonic() - began > 3, "tries have pauses between them"
    assert server.log.read_text().count("Unexpected exit from worker-1") == 3
