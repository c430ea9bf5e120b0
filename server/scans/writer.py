"""The writer: takes scans from the journals of this machine into the database, each exactly once.

A batch's rows and the journal's new position are one transaction. Whatever dies before it leaves the scans in the
journal, whatever dies after it leaves the position behind them; there is no in between. One writer serves all
journals under a folder, also those whose processes are gone, which it then removes.

While the database takes a batch the next one is read and made ready. Where it stands in its journal is then told
from the batch before; should that not be written, neither is this one, as the journal does not stand there.
"""

import asyncio
import fcntl
import gc
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from itertools import chain
from pathlib import Path
from time import monotonic, time

from server.domain.errors import StorageUnavailable
from server.domain.model import Position, Scan
from server.domain.ports import PreparedScans, ScanLog
from server.scans.classifier import Classifier
from server.scans.geo import Place
from server.scans.reader import START, Batch, JournalReader
from server.scans.record import Record
from server.scans.visitor import Visitors

#: Scans of a batch when there are as many; they take some 200 MB. Links and visitors of one batch are looked up once.
BATCH = 100_000
#: Of the first one after a pause, so that the database need not wait for long; each may have twice as many as the last.
FIRST_BATCH = 10_000
#: Records that are classified at once.
SLICE = 200
IDLE_S = 0.1
RETRY_S = 0.5
#: Objects that are made before the collector looks at them. Of other work, as telling webhooks, that is some 40 MB.
COLLECT_AFTER = 200_000
REMAINS_AGE_S = 3600
RETIRE_EVERY_S = 3600
FOLD_EVERY_S = 10.0
#: Only each so manieth time while scans wait longer than that: adding to a row takes as long for few as for many, and
#: they wait for the same processors.
FOLD_BEHIND = 6

log = logging.getLogger(__name__)


class Writer:
    """Drains the journals under `root` into the scan log."""

    def __init__(
        self,
        root: Path,
        scans: ScanLog,
        visitors: Visitors,
        place: Callable[[str], Place],
        *,
        retention_days: int = 0,
    ) -> None:
        """`place` says where an address is, and never raises. Scans are kept for so many days; 0 is for ever."""
        self._root = root
        self._scans = scans
        self._classifier = Classifier(visitors, place)
        #: Those of the last batch only, as whoever had more of them could tell more of who was here.
        self._salts: dict[date, bytes] = {}
        self._readers: dict[str, JournalReader] = {}
        #: How far each journal has been written, or is being; None when none of it has.
        self._positions: dict[str, Position | None] = {}
        self._writing: asyncio.Task[None] | None = None
        self._most = FIRST_BATCH
        self._down = False
        #: Scans that this process has put into the database.
        self.written = 0
        #: When the first scan was made of those that are being written, by journal: Unix time, in microseconds.
        self._oldest_us: dict[str, int] = {}
        self._retention_days = retention_days
        self._retire_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Drains until `stop` is set, and then until nothing is left or the database cannot take it."""
        self._root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._root / "writer.lock", os.O_CREAT | os.O_RDWR, 0o600)
        folding: asyncio.Task[None] | None = None
        try:
            if not await self._alone(lock, stop):
                return
            self._remove_remains()
            folding = asyncio.create_task(self._fold(stop))
            while True:
                stopping = stop.is_set()
                try:
                    busy = await self.drain()
                except StorageUnavailable:
                    self._report_down()
                    if stopping:
                        return
                    await _pause(stop, RETRY_S)
                    continue
                if busy:
                    self._report_up()
                else:
                    if stopping:
                        return
                    await self.retire()
                    await _pause(stop, IDLE_S)
        finally:
            if folding is not None:
                folding.cancel()
            os.close(lock)

    async def _fold(self, stop: asyncio.Event) -> None:
        """Adds what was counted to the rollups, every now and then, beside the writing."""
        passed = 0
        while not stop.is_set():
            await _pause(stop, FOLD_EVERY_S)
            passed += 1
            if self.behind_s() > FOLD_EVERY_S and passed < FOLD_BEHIND:
                continue
            passed = 0
            with suppress(StorageUnavailable):
                await self._scans.fold()

    async def _alone(self, lock: int, stop: asyncio.Event) -> bool:
        """Waits until no other writer serves this folder; False when stopped before."""
        while not stop.is_set():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await _pause(stop, IDLE_S)
            else:
                os.ftruncate(lock, 0)
                os.write(lock, f"{os.getpid()}\n".encode())  # for whoever wonders
                return True
        return False

    def _remove_remains(self) -> None:
        """Removes what a process has left that died while it made its journal, or while we removed one."""
        for folder in self._root.glob(".*"):
            if not JournalReader(folder).owned() and time() - folder.stat().st_mtime > REMAINS_AGE_S:
                shutil.rmtree(folder, ignore_errors=True)

    async def drain(self) -> bool:
        """Writes all that the journals have, a batch of each in turn; False if there was nothing. Raises
        StorageUnavailable."""
        busy = False
        self._most = FIRST_BATCH
        try:
            while await self._round():
                busy = True
            await self._written()
        except BaseException:
            self._positions.clear()
            if self._writing is not None:
                await asyncio.gather(self._writing, return_exceptions=True)
                self._writing = None
            raise
        return busy

    async def _round(self) -> bool:
        """A batch of each journal, of which the last one may be still under way."""
        busy = False
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                busy |= await self._drain(self._readers.setdefault(folder.name, JournalReader(folder)))
        return busy

    async def _written(self) -> None:
        """Waits for the batch that is under way."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing

    def behind_s(self) -> float:
        """How long the oldest scan has waited that is not in the database, as far as this process has read."""
        return time() - min(self._oldest_us.values()) / 1_000_000 if self._oldest_us else 0.0

    def journal_bytes(self) -> int:
        """What the journals take on disk, blank segments included."""
        size = 0
        for path in self._root.glob("*/*"):
            with suppress(OSError):  # segments get other names, and journals go
                size += path.stat().st_size
        return size

    async def retire(self) -> None:
        """Forgets what is to be kept no longer, every now and then, when there is nothing to write."""
        if monotonic() >= self._retire_at:
            self._retire_at = monotonic() + RETIRE_EVERY_S
            self._salts = {}
            try:
                dropped = await self._scans.retire(self._retention_days)
            except StorageUnavailable:
                log.warning("what is to be kept no longer could not be dropped; trying again later")
            else:
                for name in dropped:
                    log.info("dropped %s, whose scans are older than %d days", name, self._retention_days)

    async def _drain(self, reader: JournalReader) -> bool:
        if reader.name not in self._positions:
            await self._written()
            self._positions[reader.name] = await self._scans.position(reader.name)
        start = self._positions[reader.name]
        # Asked before reading: when the owner is gone by now, nothing can come behind what is read.
        owned = reader.owned()
        batch = await _read(reader, start or START, most=min(self._most, BATCH), owned=owned)
        if batch.scans:
            self._oldest_us[reader.name] = batch.scans[0].time_us
        else:
            self._oldest_us.pop(reader.name, None)
        if batch.end != (start or START):
            prepared = await self._scans.prepare(await self._classified(batch.scans))
            await self._written()
            self._most = min(2 * self._most, BATCH)
            self._positions[reader.name] = batch.end
            self._writing = asyncio.create_task(self._write(reader, prepared, len(batch.scans), start, batch.end))
            return True
        if not owned:
            await self._written()
            if self._positions.get(reader.name) == start:  # all of it has been written
                reader.remove()
                await self._scans.forget(reader.name)
                del self._readers[reader.name], self._positions[reader.name]
        return False

    async def _write(
        self, reader: JournalReader, scans: PreparedScans, count: int, start: Position | None, end: Position
    ) -> None:
        """So many scans, which stand in the journal from `start` to `end`."""
        if await scans.write(reader.name, start, end):
            self.written += count
            reader.recycle(end)
        else:
            log.warning("journal %s was written on by another writer; reading its position again", reader.name)
            self._positions.pop(reader.name, None)

    async def _classified(self, records: list[Record]) -> Iterator[Scan]:
        """The scans, with all that follows from what their requests said."""
        days = self._classifier.days(records)
        self._salts = {day: self._salts.get(day) or await self._scans.salt(day) for day in set(days.values())}
        salts = {number: self._salts[day] for number, day in days.items()}
        slices = (records[at : at + SLICE] for at in range(0, len(records), SLICE))
        return chain.from_iterable(self._classifier.scans(some, salts) for some in slices)

    def _report_down(self) -> None:
        if not self._down:
            log.warning("the database takes no scans now; they wait in their journals")
        self._down = True

    def _report_up(self) -> None:
        if self._down:
            log.info("the database takes scans again; writing those that waited")
        self._down = False


def spare_collector() -> None:
    """Has the garbage collector look less often, for a process that writes scans: a batch makes a hundred thousand
    tuples, none of them in a cycle, and looking at them again and again costs more than a third of what they do."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


async def _read(reader: JournalReader, start: Position, *, most: int, owned: bool) -> Batch:
    """A batch behind `start`, of about so many scans at most, read in parts, between which others have their turn."""
    scans: list[Record] = []
    end = start
    while len(scans) < most:
        some = reader.read(end, most=1, owned=owned)
        if some.end == end:
            break
        scans += some.scans
        end = some.end
        await asyncio.sleep(0)
    return Batch(scans, end)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, but not past the moment when `stop` is set; where it is set already, the full time."""
    if stop.is_set():
        await asyncio.sleep(seconds)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
