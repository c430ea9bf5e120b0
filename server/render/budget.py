"""How much is drawn at once."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from server.domain.errors import Busy

#: Requests that wait, for pixels or for a thread; more are told to come back.
MAX_WAITING = 256

#: How many may be drawn before one that came earlier and has no room yet: small pictures should not wait for a large
#: one, but a stream of them should not keep it out for ever.
MAX_OVERTAKING = 64

#: How much later than anything else in this process drawing gets its turn at a processor, [0, 19].
NICENESS = 10

T = TypeVar("T")


@dataclass(eq=False)
class _Waiter:
    pixels: int
    turn: asyncio.Future[None]


class PixelBudget:
    """Runs drawing in threads, never more than `max_pixels` at a time, so that memory and processors are left for the
    redirects. What is larger than the whole budget is drawn alone."""

    def __init__(self, max_pixels: int, *, threads: int | None = None) -> None:
        self._max_pixels = max_pixels
        self._taken = 0
        #: Those that have their pixels, and no thread or one that draws.
        self._running = 0
        #: In the order in which they came.
        self._waiting: list[_Waiter] = []
        #: How many have gone before the first of them.
        self._overtaken = 0
        # One thread is always free for small pictures, also while a large one is drawn.
        self._size = threads or max(2, os.cpu_count() or 1)
        self._threads = ThreadPoolExecutor(self._size, "render", _stand_back)

    async def run(self, pixels: int, draw: Callable[[], T]) -> T:
        """What `draw` returns; raises Busy when too many wait already."""
        loop = asyncio.get_running_loop()
        pixels = min(pixels, self._max_pixels)
        await self._take(pixels, loop)
        try:
            work = self._threads.submit(draw)
        except RuntimeError:  # closed
            self._give_back(pixels)
            raise
        # Not when the request ends: whoever hangs up leaves a thread behind that goes on drawing.
        work.add_done_callback(lambda _: _in(loop, self._give_back, pixels))
        return await asyncio.wrap_future(work)

    async def _take(self, pixels: int, loop: asyncio.AbstractEventLoop) -> None:
        if len(self._waiting) + max(0, self._running - self._size) >= MAX_WAITING:
            raise Busy
        waiter = _Waiter(pixels, loop.create_future())
        self._waiting.append(waiter)
        self._let_in()
        try:
            await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.cancelled():
                self._leave(waiter)
                self._let_in()
            else:  # its turn had come in the same moment
                self._give_back(pixels)
            raise

    def _let_in(self) -> None:
        """Whoever fits; behind one that does not, only so many. What takes no room is in nobody's way."""
        for waiter in list(self._waiting):
            overtakes = waiter is not self._waiting[0] and waiter.pixels > 0
            barred = overtakes and self._overtaken >= MAX_OVERTAKING
            if waiter.turn.cancelled() or barred or self._taken + waiter.pixels > self._max_pixels:
                continue
            self._taken += waiter.pixels
            self._running += 1
            self._leave(waiter)
            self._overtaken += overtakes
            waiter.turn.set_result(None)

    def _leave(self, waiter: _Waiter) -> None:
        if waiter is self._waiting[0]:
            self._overtaken = 0
        self._waiting.remove(waiter)

    def _give_back(self, pixels: int) -> None:
        self._taken -= pixels
        self._running -= 1
        self._let_in()

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _in(loop: asyncio.AbstractEventLoop, call: Callable[[int], None], pixels: int) -> None:
    with suppress(RuntimeError):  # the loop has ended before its last picture
        loop.call_soon_threadsafe(call, pixels)


def _stand_back() -> None:
    """Lets this thread, and on Linux this thread alone, give way to others."""
    if hasattr(os, "setpriority"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
