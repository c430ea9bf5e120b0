"""SIGTERM under load: nobody's connection is broken off, and no scan is lost."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from server.socket_thread import NAME
from tests.api.exchange import new_link
from tests.load import Load, tally
from tests.support import ServerProcess


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """One of its own, with two workers, which a test ends."""
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers="2")
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.mark.parametrize("everybody", [False, True], ids=["to the first process", "to all of them at once"])
def test_who_is_connected_or_connects_is_answered_and_every_answer_is_in_the_log(
    server: ServerProcess, everybody: bool
) -> None:
    with load_on(server) as load:
        assert server.stop(signal.SIGTERM, everybody=everybody) == 0
    assert_all_answered(load, server)


@pytest.mark.alone
def test_so_are_they_where_the_thread_of_the_sockets_hardly_gets_its_turn(server: ServerProcess) -> None:
    processor, *others = os.sched_getaffinity(0)
    with load_on(server) as load, busy(processor, 4):
        for worker in server.workers():
            for thread in Path(f"/proc/{worker}/task").iterdir():
                if (thread / "comm").read_text().strip() == NAME:
                    # Of a processor that others want it gets a thousandth, and it waits for that by the second.
                    os.sched_setaffinity(int(thread.name), {processor})
                    os.sched_setscheduler(int(thread.name), os.SCHED_IDLE, os.sched_param(0))
                else:
                    os.sched_setaffinity(int(thread.name), set(others) or {processor})
        load.more(40)  # by then it has had more than its part
        assert server.stop(signal.SIGTERM, everybody=False) == 0
    assert_all_answered(load, server)


@contextmanager
def load_on(server: ServerProcess) -> Iterator[Load]:
    with server.client() as api:
        link = new_link(api)
    with Load(link["short_url"], kept=8, fresh=8, pause_s=0.002) as load:
        load.more(500)
        yield load


@contextmanager
def busy(processor: int, processes: int) -> Iterator[None]:
    """So many processes that compute on it."""
    with ExitStack() as started:
        for _ in range(processes):
            process = started.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            started.callback(process.kill)
            os.sched_setaffinity(process.pid, {processor})
        yield


def assert_all_answered(load: Load, server: ServerProcess) -> None:
    assert load.broken == []
    found = tally(load, server.database_url)
    assert found.exact, found
    assert not found.unanswered
