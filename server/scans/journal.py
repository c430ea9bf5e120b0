"""The journal: where a process keeps its scans until the writer has put them into the database.

    <data>/journal/<name>/          one process's; the name is never used again
        lock                        flock'ed by its owner for as long as it lives
        00000001.seg, ...           segments, in order; the last one is being written
        spare-*                     segments whose scans are in the database, blank again
        next-*                      segments that are made ready

Strategy. A segment is a file of fixed size, mapped into memory; appending is one copy of some 250 bytes into the
mapping, so the kernel holds the scan when `append` returns and `kill -9` cannot undo it. Everything slow is done by
threads. One keeps AHEAD segments ready, their blocks allocated and zeroed, their pages mapped for writing. The other
one makes what is new survive a power cut, every `sync_s`; while it waits for the disk, the first one goes on. A full
disk shows when a segment is made, never as a fault in the mapping; then scans are counted as dropped, and
redirects go on.
"""

import fcntl
import logging
import mmap
import os
import threading
from collections import deque
from contextlib import suppress
from pathlib import Path
from time import monotonic
from uuid import uuid4

from typing_extensions import Buffer

from server.asgi import Scope
from server.scans.record import END, MAX_RECORD, TAGS, form_of, pack, put

MAGIC = b"qredge journal 2"
HEADER_BYTES = len(MAGIC)
SEGMENT_BYTES = 4 << 20
MIN_SEGMENT_BYTES = 16 << 10

SEGMENT = "{:08d}.seg"
SPARE = "spare-"
LOCK = "lock"

#: Segments that are ready before they are needed: half a second of 50,000 scans a second.
AHEAD = 2

log = logging.getLogger(__name__)

MADV_POPULATE_WRITE = 23  # Linux 5.14; not in the mmap module of Python 3.11
RETRY_S = 1.0


class Journal:
    """This process's journal. `append` is for one thread only, that of the event loop."""

    def __init__(
        self,
        root: Path,
        *,
        max_bytes: int,
        sync_s: float,
        tags: dict[bytes, bytes] = TAGS,
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """`tags` are the headers that are kept (`record.tags`)."""
        assert segment_bytes >= MIN_SEGMENT_BYTES > MAX_RECORD
        self.name = uuid4().hex
        self.folder = root / self.name
        #: Scans that are kept, and those that were answered but could not be; and whether the last one could.
        self.kept = 0
        self.dropped = 0
        self.dropping = False
        self._form = form_of(tags)
        self._segment_bytes = segment_bytes
        self._max_segments = max(2, max_bytes // segment_bytes)
        self._limit = segment_bytes - len(END)
        self._number = self._made = 0
        self._at = self._limit  # full, so that the first append opens a segment
        self._current: _Segment | None = None
        self._map: Buffer = b""  # the current one's
        self._ready: deque[_Segment] = deque()
        self._retired: list[_Segment] = []
        self._retry_at = 0.0
        self._making = threading.Lock()
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._lock = self._create(root)
        self._make_ahead(1)
        self._open_next()
        self._threads = [
            threading.Thread(target=self._make_segments, name="journal-ahead", daemon=True),
            threading.Thread(target=self._sync_segments, args=(sync_s,), name="journal-sync", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _create(self, root: Path) -> int:
        """Makes the folder with its lock taken: it appears under its name only then, so that nobody can find it
        without an owner."""
        root.mkdir(parents=True, exist_ok=True)
        hidden = root / f".{self.name}"
        hidden.mkdir()
        lock = os.open(hidden / LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        hidden.rename(self.folder)
        _sync_folder(root)
        return lock

    # --- hot -------------------------------------------------------------------------------------------------------

    def append(self, link_id: bytes, scope: Scope) -> None:
        """Keeps a scan of the link (its id in eight bytes) by this request."""
        end = put(self._map, self._at, self._limit, link_id, scope, self._form)
        if end:
            self._at = end
            self.kept += 1
        else:
            self._append_rare(pack(link_id, scope, self._form))

    # --- warm: once per segment, and for what has to be cut ---------------------------------------------------------

    def _append_rare(self, record: bytes) -> None:
        if self._at + len(record) > self._limit:
            self.dropping = not self._open_next()
            if self.dropping:
                self.dropped += 1
                return
        assert self._current is not None
        end = self._at + len(record)
        self._current.map[self._at : end] = record
        self._at = end
        self.kept += 1

    def _open_next(self) -> bool:
        """Ends the current segment and goes on in the next; False where there is none to be had."""
        if not self._ready:
            self._make_ahead(1)  # the thread was too slow; better a scan that waits than one that is lost
        if not self._ready:
            return False
        segment, ended = self._ready[0], self._current
        if ended is not None:
            ended.map[self._at : self._at + len(END)] = END  # first: a reader takes a followed segment for finished
        try:
            segment.path.rename(self.folder / SEGMENT.format(self._number + 1))
        except OSError as exc:
            log.error("journal %s cannot go on in its next segment: %s", self.name, exc)
            return False
        self._number += 1
        self._current, self._map, self._at = segment, segment.map, HEADER_BYTES
        self._ready.popleft()
        if ended is not None:
            self._retired.append(ended)  # last: a thread closes what it finds there
        self._wake.set()
        return True

    # --- cold: the threads -----------------------------------------------------------------------------------------

    def _make_segments(self) -> None:
        while not self._closing.is_set():
            self._make_ahead(AHEAD)
            # Woken when one is taken; else it looks again when a disk or journal that was full may have room.
            self._wake.wait(RETRY_S)
            self._wake.clear()

    def _sync_segments(self, sync_s: float) -> None:
        synced = (0, 0)
        reported = 0
        while not self._closing.wait(sync_s):
            try:
                while self._retired:
                    segment = self._retired.pop()
                    try:
                        segment.sync()
                    finally:
                        segment.close()
                here = (self._number, self._at)
                if here[0] != synced[0]:
                    _sync_folder(self.folder)  # under which name a segment stands has to survive, too
                if here != synced and self._current is not None:
                    self._current.sync()
                    synced = here
            except OSError as exc:  # the kernel still holds the scans; only a power cut would lose them
                log.error("journal %s cannot be made to survive a power cut: %s", self.name, exc)
            if self.dropped > reported + reported // 8:  # at the first, and then as they grow
                reported = self.dropped
                log.error("journal %s is full, or its disk: %d scans were answered and dropped", self.name, reported)

    def _make_ahead(self, most: int) -> None:
        """Makes segments until so many are ready, or there is no room."""
        with self._making:
            while len(self._ready) < most and monotonic() >= self._retry_at:
                try:
                    segment = self._make()
                except OSError:  # the disk is full, or worse; the scans that this costs are counted by `append`
                    segment = None
                if segment is None:
                    self._retry_at = monotonic() + RETRY_S
                    return
                self._ready.append(segment)

    def _make(self) -> "_Segment | None":
        """A segment ready to be written, made from a spare one where there is one; None where the journal is as
        large as it may be."""
        spares = [each for each in self.folder.glob(f"{SPARE}*") if each.stat().st_size == self._segment_bytes]
        if not spares and len(self._ready) + sum(1 for _ in self.folder.glob("*.seg")) >= self._max_segments:
            return None
        self._made += 1
        path = self.folder / f"next-{self._made}"
        return _Segment(path, self._segment_bytes, made_of=spares[0] if spares else None)

    def close(self) -> None:
        """Ends the journal in good order; the writer drains it and removes it."""
        self._closing.set()
        self._wake.set()
        for thread in self._threads:
            thread.join()
        if self._current is not None:
            self._current.map[self._at : self._at + len(END)] = END
            self._current.sync()
        for segment in (*self._retired, self._current, *self._ready):
            if segment is not None:
                segment.close()
        self._at = self._limit
        self._ready.clear()
        self._retry_at = float("inf")
        os.close(self._lock)


def _sync_folder(folder: Path) -> None:
    """Makes the names in a folder survive a power cut."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def write_blank(file: int, size: int) -> None:
    """Makes a file a segment that nothing is written in; raises OSError, also where the disk is full.

    Written out, not only allocated: zeros are what tells the reader where to stop, and the page cache is where the
    mapping's pages come from.
    """
    if os.pwritev(file, [MAGIC, bytes(size - HEADER_BYTES)], 0) != size:
        raise OSError("the disk took only a part of the segment")


class _Segment:
    """A file whose blocks are there and whose pages are mapped for writing."""

    def __init__(self, path: Path, size: int, *, made_of: Path | None) -> None:
        """`made_of` is a spare one: of this size, and blank."""
        self.path = path
        if made_of is not None:
            made_of.rename(path)
        self._file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if made_of is None:
                write_blank(self._file, size)
            self.map = mmap.mmap(self._file, size)
        except OSError:
            os.close(self._file)
            with suppress(OSError):
                path.unlink()
            raise
        with suppress(OSError, ValueError):  # an older kernel: then each page faults once, at its first record
            self.map.madvise(MADV_POPULATE_WRITE)

    def sync(self) -> None:
        os.fdatasync(self._file)

    def close(self) -> None:
        self.map.close()
        os.close(self._file)
