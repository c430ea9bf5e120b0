"""Granian's thread of the sockets, which stands back behind the event loop (ADR 23).

It is woken by each request that comes, and by each answer that is to go out. If it has the loop's processor each time,
the two take turns three times a request, and find one request each; standing back a little, it finds several.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path

from server.listeners import OPEN_EVERY_S, OPEN_TRIES

#: What tokio, by which Granian does it, calls it.
NAME = "tokio-rt-worker"

#: How much later than the loop it gets its turn, [0, 19].
NICENESS = 5


async def stand_back() -> None:
    """Returns when it does, or when it is not to be found; on another system than Linux, where a thread has no niceness
    of its own, at once."""
    if sys.platform != "linux":
        return
    niceness = min(os.getpriority(os.PRIO_PROCESS, 0) + NICENESS, 19)
    for _ in range(OPEN_TRIES):  # Granian starts it when it opens the sockets
        if threads := _threads(NAME):
            for thread in threads:
                with suppress(OSError):  # it has ended, or whoever runs this has forbidden it
                    os.setpriority(os.PRIO_PROCESS, thread, niceness)
            return
        await asyncio.sleep(OPEN_EVERY_S)


def _threads(name: str) -> list[int]:
    """Of this process (proc_pid_task(5))."""
    found = []
    for thread in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended meanwhile
            if (thread / "comm").read_text().strip() == name:
                found.append(int(thread.name))
    return found
