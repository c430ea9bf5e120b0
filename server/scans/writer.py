"""The writer: takes scans from the journals of this machine into the database, each exactly once.

A batch's rows and the journal's new position are one transaction. Whatever dies before it leaves the scans in the
journal, whatever dies after it leaves the position behind them; there is no in between. One writer serves all
journals under a folder, also those whose processes are gone, which it then removes.
"""

import asyncio
import fcntl
import logging
import os
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from time import monotonic, time

from server.domain.errors import StorageUnavailable
from server.domain.model import Position, Scan
from server.domain.ports import ScanLog
from server.scans.classifier import DAY_US, Classifier
from server.scans.geo import Place
from server.scans.reader import START, JournalReader
from server.scans.record import Record
from server.scans.visitor import Visitors

BATCH = 20_000
IDLE_S = 0.1
RETRY_S = 0.5
REMAINS_AGE_S = 3600
RETIRE_EVERY_S = 3600

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
        #: How far each journal has been written; None when none of it has.
        self._positions: dict[str, Position | None] = {}
        self._down = False
        self._retention_days = retention_days
        self._retire_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Drains until `stop` is set, and then until nothing is left or the database cannot take it."""
        self._root.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._root / "writer.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            if not await self._alone(lock, stop):
                return
            self._remove_remains()
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
            os.close(lock)

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
        """One batch of each journal; returns whether any had one. Raises StorageUnavailable."""
        busy = False
        for folder in sorted(self._root.iterdir()):
            if folder.is_dir() and not folder.name.startswith("."):
                reader = self._readers.setdefault(folder.name, JournalReader(folder))
                busy |= await self._drain(reader)
        return busy

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
            self._positions[reader.name] = await self._scans.position(reader.name)
        written = self._positions[reader.name]
        # Asked before reading: when the owner is gone by now, nothing can come behind what is read.
        owned = reader.owned()
        batch = reader.read(written or START, most=BATCH, owned=owned)
        if batch.end != (written or START):
            scans = await self._classified(batch.scans)
            if not await self._scans.write(reader.name, written, batch.end, scans):
                log.warning("journal %s was written on by another writer; reading its position again", reader.name)
                del self._positions[reader.name]
                return True
            self._positions[reader.name] = batch.end
            reader.recycle(batch.end)
            return True
        if not owned:
            reader.remove()
            await self._scans.forget(reader.name)
            del self._readers[reader.name], self._positions[reader.name]
        return False

    async def _classified(self, records: list[Record]) -> list[Scan]:
        """The scans, with all that follows from what their requests said."""
        days = self._classifier.days(records)
        self._salts = {day: self._salts.get(day) or await self._scans.salt(day) for day in set(days.values())}
        salts = {number: self._salts[day] for number, day in days.items()}
        return [self._classifier.scan(record, salts[record.time_us // DAY_US]) for record in records]

    def _report_down(self) -> None:
        if not self._down:
            log.warning("the database cannot be reached; scans wait in their journals")
        self._down = True

    def _report_up(self) -> None:
        if self._down:
            log.info("the database is back; writing the scans that waited")
        self._down = False


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits, but not past the moment when `stop` is set; where it is set already, the full time."""
    if stop.is_set():
        await asyncio.sleep(seconds)
        return
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
