"""How long a body may take to come: BODY_S, and a second more for each BYTES_PER_S of it, so that a large picture may
come by a slow line. (A head has what Granian gives it, server/workers.py; of answers see server/listeners.py.)"""

import asyncio
from time import perf_counter

from server.asgi import Message, Receive

BODY_S = 20
BYTES_PER_S = 1 << 14

#: So often those that wait are looked at.
SWEEP_S = 0.5


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
