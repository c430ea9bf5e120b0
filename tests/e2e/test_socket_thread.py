"""Whom a worker's threads let go first."""

import os
from pathlib import Path

from server.socket_thread import NAME, NICENESS
from tests.support import ServerProcess, until


def niceness(worker: int) -> dict[str, list[int]]:
    """Of a worker's threads by their names; its first one, which has the event loop, is called so here."""
    found: dict[str, list[int]] = {}
    for thread in Path(f"/proc/{worker}/task").iterdir():
        name = "the loop" if int(thread.name) == worker else (thread / "comm").read_text().strip()
        found.setdefault(name, []).append(os.getpriority(os.PRIO_PROCESS, int(thread.name)))
    return found


def test_the_thread_of_the_sockets_stands_back_behind_the_loop(server: ServerProcess) -> None:
    (worker,) = server.workers()
    loop = os.getpriority(os.PRIO_PROCESS, 0)

    def stands_back() -> bool:
        return niceness(worker).get(NAME) == [loop + NICENESS]

    until(stands_back, what="the thread of the sockets stands back")
    assert niceness(worker)["the loop"] == [loop]
