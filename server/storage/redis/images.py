"""Images that processes share, in Redis: `SharedImages`. Nobody waits for what is written."""

import asyncio
import logging
from struct import Struct
from zlib import crc32

from redis.exceptions import ResponseError

from server.domain.model import Image
from server.storage.redis.connection import READ_S, RedisConnection

WRITE_S = 1.0

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
    """`SharedImages`; to be closed before its connection."""

    def __init__(self, connection: RedisConnection, *, ttl_s: int) -> None:
        self.connection = connection
        self._ttl_s = ttl_s
        self._reads = 0
        self._writes: set[asyncio.Task[None]] = set()
        self._refused = ""

    async def get(self, etag: str) -> Image | None:
        """Within READ_S."""
        if self.connection.lost or self._reads >= MAX_READS:
            return None
        self._reads += 1
        try:
            async with asyncio.timeout(READ_S):
                value = await self.connection.client.get(_key(etag))
        except ResponseError:  # it is alive, and what stands there is no text of bytes
            self.connection.answered()
            return None
        except Exception as exc:  # whatever it is, also of a client that trips over its own timeouts
            self.connection.failed(exc)
            return None
        finally:
            self._reads -= 1
        self.connection.answered()
        return unpack(etag, value)

    def put(self, image: Image) -> None:
        """Without waiting: it is written in the background, unless too much is already."""
        if self.connection.lost or len(self._writes) >= MAX_WRITES or len(image.body) > MAX_BODY_BYTES:
            return
        task = asyncio.create_task(self._write(image))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    async def _write(self, image: Image) -> None:
        try:
            async with asyncio.timeout(WRITE_S):
                await self.connection.client.set(_key(image.etag), pack(image), ex=self._ttl_s)
        except ResponseError as exc:  # it is full, or a replica, or we may not: no reason not to read
            if str(exc) != self._refused:
                self._refused = str(exc)
                log.warning("Redis takes no images: %s", exc)
        except Exception as exc:  # as above
            self.connection.failed(exc)
        else:
            self._refused = ""

    async def close(self) -> None:
        for task in self._writes:
            task.cancel()
        await asyncio.gather(*self._writes, return_exceptions=True)


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
