"""Images that processes share, in Redis: `SharedImages`.

Redis is a help and never a need. A request waits for it READ_S at most, connecting included; after MAX_FAILURES in a
row Redis counts as lost, and no request looks at it again until a task in the background has found it to be back.
Nobody waits for what is written.
"""

import asyncio
import logging
from contextlib import suppress
from struct import Struct
from zlib import crc32

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from server.domain.model import Image

#: The most that a request waits, of the 50 ms that Redis may cost it: the rest is for the machine to be busy in.
READ_S = 0.02
WRITE_S = 1.0
#: For a probe, which may take its time over names and certificates.
CONNECT_S = 1.0

#: Failures in a row after which Redis counts as lost: one may be our own delay.
MAX_FAILURES = 3

#: Between probes of a lost Redis: at first, and at most, where it is lost again within STEADY_S, time after time.
RETRY_S, MAX_RETRY_S = 1.0, 30.0
STEADY_S = 60.0

#: At once, and then no more: what would have to queue is drawn, or not written.
MAX_READS, MAX_WRITES = 32, 16

#: A larger body is not shared: it would take half of READ_S at 1 Gbit/s, and the event loop a millisecond.
MAX_BODY_BYTES = 1 << 20

#: The 1 is the version of what follows: a CRC-32 of the ETag and all behind the CRC, flags, the lengths of the media
#: type and the reason; then these two and the body. Little-endian.
MAGIC = b"qri1"
HEADER = Struct("<4sIBBH")
SCANNABLE = 1

log = logging.getLogger(__name__)


class RedisImages:
    """`SharedImages`; to be opened and closed within one event loop."""

    def __init__(self, url: str, *, ttl_s: int) -> None:
        """Raises ValueError for a URL that redis cannot read."""
        self._ttl_s = ttl_s
        # Deadlines are ours, over the whole of what is done, and so are second tries. Its second protocol and no word
        # about itself: so connecting takes no round trip of its own.
        self._redis = Redis.from_url(
            url,
            protocol=2,
            driver_info=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
            max_connections=MAX_READS + MAX_WRITES + 1,
        )
        self._reads = 0
        self._writes: set[asyncio.Task[None]] = set()
        self._failures = 0
        #: Looks for a lost Redis; None as long as it is not lost.
        self._probe: asyncio.Task[None] | None = None
        self._retry_s = RETRY_S
        self._back_at = float("-inf")
        self._refused = ""

    @property
    def lost(self) -> bool:
        return self._probe is not None

    async def get(self, etag: str) -> Image | None:
        """Within READ_S."""
        if self.lost or self._reads >= MAX_READS:
            return None
        self._reads += 1
        try:
            async with asyncio.timeout(READ_S):
                value = await self._redis.get(_key(etag))
        except ResponseError:  # it is alive, and what stands there is no text of bytes
            self._failures = 0
            return None
        except Exception as exc:  # whatever it is, also of a client that trips over its own timeouts
            self._failed(exc)
            return None
        finally:
            self._reads -= 1
        self._failures = 0
        return unpack(etag, value)

    def put(self, image: Image) -> None:
        """Without waiting: it is written in the background, unless too much is already."""
        if self.lost or len(self._writes) >= MAX_WRITES or len(image.body) > MAX_BODY_BYTES:
            return
        task = asyncio.create_task(self._write(image))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _write(self, image: Image) -> None:
        try:
            async with asyncio.timeout(WRITE_S):
                await self._redis.set(_key(image.etag), pack(image), ex=self._ttl_s)
        except ResponseError as exc:  # it is full, or a replica, or we may not: no reason not to read
            if str(exc) != self._refused:
                self._refused = str(exc)
                log.warning("Redis takes no images: %s", exc)
        except Exception as exc:  # as above
            self._failed(exc)
        else:
            self._refused = ""

    def _failed(self, exc: Exception) -> None:
        self._failures += 1
        if self._failures < MAX_FAILURES or self.lost:
            return
        log.warning("Redis is lost, images are drawn without it: %s", str(exc) or type(exc).__name__)
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
                        await self._redis.ping()
                break
        self._failures = 0
        self._back_at = asyncio.get_running_loop().time()
        self._probe = None
        log.warning("Redis is back")

    async def close(self) -> None:
        tasks = [*self._writes, *([self._probe] if self._probe is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Exception):
            async with asyncio.timeout(CONNECT_S):
                await self._redis.aclose()  # TLS says goodbye, and waits to hear it


def _key(etag: str) -> str:
    return f"qredge:image:{etag}"


def pack(image: Image) -> bytes:
    """An image as Redis keeps it, under a key that holds its ETag."""
    media_type, reason = image.media_type.encode(), (image.reason or "").encode()
    flags = SCANNABLE if image.scannable else 0
    value = HEADER.pack(MAGIC, 0, flags, len(media_type), len(reason)) + media_type + reason + image.body
    return MAGIC + _checksum(image.etag, value).to_bytes(4, "little") + value[8:]


def unpack(etag: str, value: object) -> Image | None:
    """The image that `pack` has made; None for anything else, be it damaged, another's, or of another version."""
    if not isinstance(value, bytes) or len(value) < HEADER.size or not value.startswith(MAGIC):
        return None
    _, checksum, flags, media_type_length, reason_length = HEADER.unpack_from(value)
    if checksum != _checksum(etag, value):
        return None
    reason_at = HEADER.size + media_type_length
    body_at = reason_at + reason_length
    return Image(
        value[body_at:],
        value[HEADER.size : reason_at].decode(),
        etag,
        scannable=bool(flags & SCANNABLE),
        reason=value[reason_at:body_at].decode() or None,
    )


def _checksum(etag: str, value: bytes) -> int:
    """Over the ETag too: an answer to another question would be a picture of something else."""
    return crc32(memoryview(value)[8:], crc32(etag.encode()))
