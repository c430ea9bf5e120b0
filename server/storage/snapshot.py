"""The link table on disk, for a process that starts while the database is down.

    qredge links 1 taken 2026-11-21T15:00:00.000000+00:00 links 000001000000 bytes 000073000000 crc32 00c0ffee
    the lines of `storage.lines`

It is written beside the one there is and takes its name when it is whole and on the disk, so there is always one that
can be used, the old or the new. It holds hashes of passwords: nobody but its owner may read it.
"""

import asyncio
import os
import re
import tempfile
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from time import time
from typing import BinaryIO, NamedTuple

from server.domain.model import Targets
from server.storage.lines import slices, targets

HEADER = "qredge links 1 taken {taken} links {links:012} bytes {bytes:012} crc32 {crc:08x}\n"
HEADER_PATTERN = re.compile(
    rb"(?P<fields>qredge links 1 taken (?P<taken>\S+\+00:00) links (?P<links>\d{12}) bytes (?P<bytes>\d{12})) "
    rb"crc32 (?P<crc>[0-9a-f]{8})\n"
)
MAX_HEADER = 128

#: What is read at a time, by a thread.
READ_BYTES = 1 << 20

REMAINS_AGE_S = 3600


class UnusableSnapshot(Exception):
    """There is no snapshot, or it is not what was written."""


class _Header(NamedTuple):
    size: int
    fields: bytes
    taken_at: datetime
    links: int
    bytes: int
    crc: int


class Snapshot:
    """`TargetSource`: the file at this path, as it is when it is asked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def taken_at(self) -> datetime | None:
        """When what there is was taken; None where there is none that says so."""
        try:
            with self._path.open("rb") as file:
                return _header(file).taken_at
        except (OSError, UnusableSnapshot):
            return None

    async def write(self, pages: AsyncIterator[bytes], taken_at: datetime) -> int:
        """Puts another one in its place, and returns how many links it has; raises OSError, and whatever comes of the
        pages, and then the old one stays."""
        self._remove_remains()
        number, name = tempfile.mkstemp(prefix=f"{self._path.name}.", dir=self._path.parent)  # for its owner only
        try:
            with os.fdopen(number, "wb") as file:
                links = await _write(file, pages, taken_at)
                await asyncio.to_thread(os.fsync, number)
            # Which of the two is found after a power cut does not matter, so the folder need not be synced.
            os.replace(name, self._path)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        return links

    def _remove_remains(self) -> None:
        """Of a process that died while it wrote."""
        for path in self._path.parent.glob(f"{self._path.name}.*"):
            with suppress(OSError):
                if time() - path.stat().st_mtime > REMAINS_AGE_S:
                    path.unlink()

    async def all(self, limit: int) -> AsyncIterator[Targets]:
        """Raises UnusableSnapshot before it gives anything out that is not what was written."""
        try:
            file = await asyncio.to_thread(self._path.open, "rb")
        except OSError as exc:
            raise UnusableSnapshot(str(exc)) from exc
        with file:
            header = await asyncio.to_thread(_check, file)
            beyond = header.links - limit
            while data := await asyncio.to_thread(_read_lines, file):
                for page in slices(data):
                    count = page.count(b"\n")
                    if beyond < count:
                        yield targets(page.split(b"\n", beyond)[beyond] if beyond > 0 else page)
                        await asyncio.sleep(0)
                    beyond -= count


async def _write(file: BinaryIO, pages: AsyncIterator[bytes], taken_at: datetime) -> int:
    links = size = crc = 0
    taken = taken_at.isoformat(timespec="microseconds")
    file.write(HEADER.format(taken=taken, links=0, bytes=0, crc=0).encode())  # as long as it will be
    async for page in pages:
        file.write(page)
        links += page.count(b"\n")
        size += len(page)
        crc = zlib.crc32(page, crc)
    fields, _, _ = HEADER.format(taken=taken, links=links, bytes=size, crc=0).partition(" crc32 ")
    crc = zlib.crc32(fields.encode(), crc)
    file.seek(0)
    file.write(HEADER.format(taken=taken, links=links, bytes=size, crc=crc).encode())
    file.flush()
    return links


def _header(file: BinaryIO) -> _Header:
    found = HEADER_PATTERN.match(file.read(MAX_HEADER))
    if not found:
        raise UnusableSnapshot("it does not begin as a snapshot of this version does")
    try:
        taken_at = datetime.fromisoformat(found["taken"].decode())
    except ValueError as exc:
        raise UnusableSnapshot("it does not say when it was taken") from exc
    return _Header(
        found.end(), found["fields"], taken_at, int(found["links"]), int(found["bytes"]), int(found["crc"], 16)
    )


def _check(file: BinaryIO) -> _Header:
    """Its header, if all of it is what was written; then the file stands at its first line."""
    try:
        header = _header(file)
        file.seek(header.size)
        size = crc = 0
        while data := file.read(READ_BYTES):
            size += len(data)
            crc = zlib.crc32(data, crc)
        if size != header.bytes:
            raise UnusableSnapshot(f"it has {size} bytes of {header.bytes}")
        if zlib.crc32(header.fields, crc) != header.crc:
            raise UnusableSnapshot("it is damaged")
        file.seek(header.size)
    except OSError as exc:
        raise UnusableSnapshot(str(exc)) from exc
    return header


def _read_lines(file: BinaryIO) -> bytes:
    return file.read(READ_BYTES) + file.readline()
