"""How long a client may take: a server that waits for each as long as they like is stopped by a few hundred that do.

A request's head has what Granian gives it (server/supervisor.py). Its body has BODY_S, and one more for each
BYTES_PER_S of it that has come, so that a large picture may come by a slow line. What was answered, and is not taken,
is given up after STALLED_S by the system.
"""

import asyncio
import socket
from contextlib import suppress
from time import perf_counter

from server.asgi import Message, Receive
from server.farewell import listeners

BODY_S = 20
BYTES_PER_S = 1 << 14

#: So often those that wait are looked at.
SWEEP_S = 0.5

STALLED_S = 60
LISTENING_S, LISTENING_TRIES = 0.05, 200


class TooSlow(Exception):
    """A body took longer than it may."""


class Patience:
    """Waits for the parts of bodies. A timer for each would cost 5 us, a tenth of what drawing a plain picture takes
    in all; so there is one for all that wait."""

    def __init__(self) -> None:
        #: Who waits, and until when.
        self._waiting: dict[asyncio.Task[object], float] = {}
        self._late: set[asyncio.Task[object]] = set()
        self._sweeping = False

    async def hear(self, receive: Receive, until: float) -> Message:
        """The next message; raises TooSlow where it has not come by this time of perf_counter."""
        task = asyncio.current_task()
        assert task is not None
        self._waiting[task] = until
        if not self._sweeping:
            self._sweep()
        try:
            return await receive()
        except asyncio.CancelledError as exc:
            # Whoever else has cancelled it as well is heeded (asyncio.Task.uncancel).
            if task in self._late and task.uncancel() == 0:
                raise TooSlow from exc
            raise
        finally:
            self._late.discard(task)
            del self._waiting[task]

    def _sweep(self) -> None:
        """Once more as long as anybody waits."""
        self._sweeping = bool(self._waiting)
        if not self._sweeping:
            return
        now = perf_counter()
        for task, until in self._waiting.items():
            if until <= now and task not in self._late:
                self._late.add(task)
                task.cancel()
        asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)


def until(began: float, heard: int) -> float:
    """When a body is given up that was begun at this time, and of which so many bytes have come."""
    return began + BODY_S + heard / BYTES_PER_S


async def part_from_stalled(stalled_s: float = STALLED_S) -> None:
    """Has the system end connections whose other end takes nothing of what is there for it (tcp(7),
    TCP_USER_TIMEOUT). Those that are accepted have it from the socket that listens, which Granian opens late."""
    for _ in range(LISTENING_TRIES):
        await asyncio.sleep(LISTENING_S)
        found = False
        for listener in listeners():
            found = True
            with suppress(OSError):  # not every system has it, nor does a Unix socket
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stalled_s * 1000))
        if found:
            return
