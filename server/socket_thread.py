"""Granian's thread of the sockets, which stands back behind the event loop (ADR 23).

It is woken by each request that comes, and by each answer that is to go out. If it has the loop's processor each time,
the two take turns three times a request, and find one request each; standing back a little, it finds several.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from server.listeners import OPEN_EVERY_S, OPEN_TRIES

#: What tokio, by which Granian does it, calls it.
NAME = "tokio-rt-worker"

#: How much later than the loop it gets its turn, [0, 19].
NICENESS = 5


class Thread(NamedTuple):
    id: int
    name: str
    #: Has its turn, or waits for one.
    runs: bool


async def stand_back() -> None:
    """Returns when it does, or when it is not to be found; on another system than Linux, where a thread has no niceness
    of its own, at once."""
    if sys.platform != "linux":
        return
    niceness = min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
    for _ in range(OPEN_TRIES):  # Granian starts it when it opens the sockets
        if found := [thread for thread in threads() if thread.name == NAME]:
            for thread in found:
                with suppress(OSError):  # it has ended, or whoever runs this has forbidden it
                    os.setpriority(os.PRIO_PROCESS, thread.id, niceness)
            return
        await asyncio.sleep(OPEN_EVERY_S)


def threads() -> Iterator[Thread]:
    """Of this process (proc_pid_task(5)); none where the system does not tell."""
    with suppress(OSError):  # not on every system
        for task in os.listdir("/proc/self/task"):
            with suppress(OSError):  # it has ended meanwhile
                # A name may have spaces and brackets (proc_pid_stat(5)).
                head, _, state = Path(f"/proc/self/task/{task}/stat").read_text().rpartition(") ")
                yield Thread(int(task), head.partition(" (")[2], state.startswith("R"))
