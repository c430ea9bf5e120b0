"""The last minute of accounts, counted in Redis: `Windows`.

Each is a list of times, which a script of `limits` looks at and adds to in one step, whoever asks. So the minute is
exact over all processes, as far as their clocks agree.
"""

import asyncio
import logging
from contextlib import suppress
from time import time

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import ResponseError

from server.domain.model import AccountId
from server.domain.ports import Window
from server.storage.redis.connection import CONNECT_S, RedisConnection

#: The most that a request waits, of the 50 ms that Redis may cost it. As much as can be: whoever is given up is counted
#: in the database, whose minute knows nothing of this one.
TAKE_S = 0.04

#: At once; Redis does one thing at a time, and so many keep it busy. Others wait for their turn.
AT_ONCE = 8
#: With those that wait; what would be more is counted in the database.
MAX_TAKES = 256

#: Accounts that are known to have none left; to forget one costs a question.
MAX_FULL = 10_000

log = logging.getLogger(__name__)


class RedisWindows:
    """`Windows`; to be closed before its connection."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection
        pool = connection.client.connection_pool
        storage = RedisStorage(
            "async+redis://",
            implementation="redispy",
            key_prefix="qredge:requests",
            connection_pool=pool,  # type: ignore[arg-type]  # its options are meant for redis, which takes this one
        )
        self._limiter = MovingWindowRateLimiter(storage)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._asking: set[asyncio.Task[Window | None]] = set()
        #: Until when, by time(), none of so many requests is left.
        self._full_until: dict[tuple[AccountId, int], float] = {}
        self._refused = ""
        self._failed_at = 0.0

    async def take(self, account: AccountId, at_most: int) -> Window | None:
        """Within TAKE_S. Who is not answered in time is counted by Redis all the same, if it can, so that as few as can
        be are let through twice."""
        full_s = self._full_until.get((account, at_most), 0) - time()
        if full_s > 0:  # nobody can have let one go, so there is nothing to ask
            return Window(False, 0, full_s)
        if self._connection.lost or len(self._asking) >= MAX_TAKES:
            return None
        began = time()
        asking = asyncio.create_task(self._answer(account, at_most))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        await asyncio.wait([asking], timeout=TAKE_S)
        if not asking.done():
            if began > self._failed_at:  # else it is the same delay that another one has told of
                self._failed_at = time()
                self._connection.failed(TimeoutError())
            return None
        return asking.result()

    async def _answer(self, account: AccountId, at_most: int) -> Window | None:
        try:
            async with asyncio.timeout(CONNECT_S), self._turn:
                window = await self._ask(RateLimitItemPerMinute(at_most), str(account))
        except ResponseError as exc:  # it is alive, but full, or a replica, or we may not
            self._connection.answered()
            if str(exc) != self._refused:
                self._refused = str(exc)
                log.warning("Redis counts no requests, the database does: %s", exc)
            return None
        except Exception as exc:  # whatever it is, also of a client that trips over its own timeouts
            self._connection.failed(exc)
            return None
        self._connection.answered()
        self._refused = ""
        if not window.let_through:
            if len(self._full_until) >= MAX_FULL:
                self._full_until.clear()
            self._full_until[account, at_most] = time() + window.reset_s
        return window

    async def _ask(self, minute: RateLimitItem, key: str) -> Window:
        let_through = await self._limiter.hit(minute, key)
        reset_at, remaining = await self._limiter.get_window_stats(minute, key)
        return Window(let_through, remaining, reset_at - time())

    async def warm_up(self) -> None:
        """Connects, and gives Redis the scripts, so that the first request finds all as the others do."""
        with suppress(Exception):  # the first request will see
            async with asyncio.timeout(CONNECT_S):
                minute = RateLimitItemPerMinute(1)
                await self._limiter.hit(minute, "nobody", cost=2)  # more than there are, so that nothing is written
                await self._limiter.get_window_stats(minute, "nobody")

    async def close(self) -> None:
        for asking in self._asking:
            asking.cancel()
        await asyncio.gather(*self._asking, return_exceptions=True)
