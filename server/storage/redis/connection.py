"""Redis, as long as it is there.

It is a help and never a need. A request waits for it READ_S at most, connecting included; after MAX_FAILURES in a row
it counts as lost, and no request looks at it again until a task in the background has found it to be back.
"""

import asyncio
import logging
from contextlib import suppress

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

#: The most that a request waits, of the 50 ms that Redis may cost it: the rest is for the machine to be busy in.
READ_S = 0.02
#: For a probe, which may take its time over names and certificates.
CONNECT_S = 1.0

#: Failures in a row after which Redis counts as lost: one may be our own delay.
MAX_FAILURES = 3

#: Between probes of a lost Redis: at first, and at most, where it is lost again within STEADY_S, time after time.
RETRY_S, MAX_RETRY_S = 1.0, 30.0
STEADY_S = 60.0

#: More than images (32 reads and 16 writes at once) and requests that are counted (8) take together.
MAX_CONNECTIONS = 64

log = logging.getLogger(__name__)


class RedisConnection:
    """A client and what is known of it; to be opened and closed within one event loop.

    Whoever has asked says how that went, by `answered` or `failed`, and asks nothing while it is `lost`.
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that redis cannot read."""
        # Deadlines are ours, over the whole of what is done, and so are second tries. Its second protocol and no word
        # about itself: so connecting takes no round trip of its own.
        self.client = Redis.from_url(
            url,
            protocol=2,
            driver_info=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
            max_connections=MAX_CONNECTIONS,
        )
        self._failures = 0
        #: Looks for a lost Redis; None as long as it is not lost.
        self._probe: asyncio.Task[None] | None = None
        self._retry_s = RETRY_S
        self._back_at = float("-inf")

    @property
    def lost(self) -> bool:
        return self._probe is not None

    def answered(self) -> None:
        self._failures = 0

    def failed(self, exc: Exception) -> None:
        self._failures += 1
        if self._failures < MAX_FAILURES or self.lost:
            return
        log.warning("Redis is lost, all goes on without it: %s", str(exc) or type(exc).__name__)
        steady = asyncio.get_running_loop().time() - self._back_at > STEADY_S
        self._retry_s = RETRY_S if steady else min(2 * self._retry_s, MAX_RETRY_S)
        self._probe = asyncio.create_task(self._find())

    async def _find(self) -> None:
        """Returns when Redis answers as fast as a request needs it."""
        while True:
            await asyncio.sleep(self._retry_s)
            with suppress(Exception):
                for patience_s in (CONNECT_S, READ_S):
                    async with asyncio.timeout(patience_s):
                        await self.client.ping()
                break
        self._failures = 0
        self._back_at = asyncio.get_running_loop().time()
        self._probe = None
        log.warning("Redis is back")

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(CONNECT_S):
                await self.client.aclose()  # TLS says goodbye, and waits to hear it
