"""How much is drawn at once."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from server.domain.errors import Busy

#: Requests that wait for pixels; more are told to come back.
MAX_WAITING = 256

#: How much later than anything else in this process drawing gets its turn at a processor, [0, 19].
NICENESS = 10

T = TypeVar("T")


class PixelBudget:
    """Runs drawing in threads, never more than `max_pixels` at a time, so that memory and processors are left for the
    redirects. What is larger than the whole budget is drawn alone."""

    def __init__(self, max_pixels: int, *, threads: int | None = None) -> None:
        self._max_pixels = max_pixels
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        # One thread is always free for small pictures, also while a large one is drawn.
        self._threads = ThreadPoolExecutor(threads or max(2, os.cpu_count() or 1), "render", _stand_back)

    async def run(self, pixels: int, draw: Callable[[], T]) -> T:
        """What `draw` returns; raises Busy when too many wait already."""
        loop = asyncio.get_running_loop()
        pixels = min(pixels, self._max_pixels)
        await self._room_for(pixels, loop)
        self._taken += pixels
        work = self._threads.submit(draw)
        # Not when the request ends: whoever hangs up leaves a thread behind that goes on drawing.
        work.add_done_callback(lambda _: _in(loop, self._give_back, pixels))
        return await asyncio.wrap_future(work)

    async def _room_for(self, pixels: int, loop: asyncio.AbstractEventLoop) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise Busy
        while self._taken + pixels > self._max_pixels:
            waiter = loop.create_future()
            self._waiting.append(waiter)
            await waiter

    def _give_back(self, pixels: int) -> None:
        self._taken -= pixels
        # All of them look whether they fit now: small pictures do not wait behind a large one that does not.
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _in(loop: asyncio.AbstractEventLoop, call: Callable[[int], None], pixels: int) -> None:
    with suppress(RuntimeError):  # the loop has ended before its last picture
        loop.call_soon_threadsafe(call, pixels)


def _stand_back() -> None:
    """Lets this thread, and on Linux this thread alone, give way to others."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
