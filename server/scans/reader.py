"""Reads a journal that its owner may still be writing, or that its owner left behind."""

import fcntl
import logging
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from server.domain.model import Position
from server.scans.journal import HEADER_BYTES, LOCK, MAGIC, SEGMENT, SPARE, write_blank
from server.scans.record import Record, Unpacked, unpack_all, unpack_all_1

#: By a segment's first bytes: how its records are read.
FORMATS: dict[bytes, Callable[[bytes], Unpacked]] = {MAGIC: unpack_all, b"qredge journal 1": unpack_all_1}

START = Position(segment=1, offset=HEADER_BYTES)
CHUNK_BYTES = 1 << 20
MAX_SPARES = 4

log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Scans that stand in a journal up to `end`."""

    scans: list[Record]
    end: Position


class JournalReader:
    """One journal, from outside."""

    def __init__(self, folder: Path) -> None:
        self.name = folder.name
        self._folder = folder

    def owned(self) -> bool:
        """Whether the process that writes this journal is still there."""
        try:
            lock = os.open(self._folder / LOCK, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def read(self, start: Position, *, most: int, owned: bool) -> Batch:
        """At least one chunk's scans behind `start`, and about `most` of them; none when all have been read.

        What is damaged is reported and left out, up to the end of its segment.
        """
        scans: list[Record] = []
        segment, offset = start
        while len(scans) < most:
            # Looked up before the segment is read: once it is finished, what is read is all there is.
            following = self._following(segment)
            state, offset = self._read_segment(segment, offset, scans, most)
            if state == "more":
                break
            # The last segment ends where nothing is written; a record torn by a crash will not be completed either.
            if following is None and (owned or state != "bad"):
                break
            if state != "end":
                self._report(segment, offset)
            segment, offset = following or segment + 1, HEADER_BYTES
        return Batch(scans, Position(segment, offset))

    def _read_segment(self, segment: int, offset: int, scans: list[Record], most: int) -> tuple[str, int]:
        """Adds a segment's scans from `offset` on; returns why it stopped, and where.

        "more": there are enough scans; "end": the segment has no more; "empty": nothing is written there yet;
        "bad": what is written there is not a record, or not a whole one yet.
        """
        try:
            file = os.open(self._path(segment), os.O_RDONLY)
        except FileNotFoundError:
            return "empty", offset
        try:
            read = FORMATS.get(os.pread(file, HEADER_BYTES, 0))
            if read is None:
                return "bad", offset
            while len(scans) < most:
                chunk = os.pread(file, CHUNK_BYTES, offset)
                found, used, state = read(chunk)
                scans += found
                offset += used
                if state != "cut":
                    return state, offset
                if used == 0:  # the file ends here: in what was never written, or in the middle of something
                    return ("empty" if chunk and not any(chunk) else "bad"), offset
        finally:
            os.close(file)
        return "more", offset

    def recycle(self, end: Position) -> None:
        """Gives the segments before `end`, whose scans are all in the database, back to their owner, blank; but no more
        than it needs to be ahead, so that what piled up during an outage is given back to the disk."""
        spares = sum(1 for _ in self._folder.glob(f"{SPARE}*"))
        for path in self._folder.glob("*.seg"):
            if int(path.stem) < end.segment:
                if spares < MAX_SPARES and _blanked(path):
                    path.rename(self._folder / f"{SPARE}{path.stem}")
                    spares += 1
                else:
                    path.unlink()

    def remove(self) -> None:
        """Removes the journal of a process that is gone, once all of it is in the database."""
        hidden = self._folder.with_name(f".{self.name}")
        with suppress(FileNotFoundError):
            self._folder.rename(hidden)  # at once, so that half a journal is never found
        shutil.rmtree(hidden, ignore_errors=True)

    def _following(self, segment: int) -> int | None:
        """The next segment there is. It is not the very next number where the database has been set back to an older
        state, and what stands between is gone."""
        if self._path(segment + 1).exists():
            return segment + 1
        numbers = (int(path.stem) for path in self._folder.glob("*.seg"))
        return min((number for number in numbers if number > segment), default=None)

    def _path(self, segment: int) -> Path:
        return self._folder / SEGMENT.format(segment)

    def _report(self, segment: int, offset: int) -> None:
        log.error(
            "journal %s: segment %d is damaged or missing at byte %d; the scans from there to its end are lost",
            self.name,
            segment,
            offset,
        )


def _blanked(path: Path) -> bool:
    """Whether a segment could be made blank, for good: after a power cut, too, old scans must not stand under a new
    number. Done here, and not by its owner, whose processor the redirects need."""
    file = os.open(path, os.O_RDWR)
    try:
        write_blank(file, os.fstat(file).st_size)
        os.fdatasync(file)
    except OSError:
        return False
    finally:
        os.close(file)
    return True
