"""What the processes of a server count, added up: whichever worker is asked tells of all.

Everywhere else plain numbers are counted, and read here: once a second each process writes its own into a file, and
whoever is asked adds up the files. What has ended since the server began still counts, so that no sum ever falls; of
gauges, which say how things stand, each living process has its own, by `pid`.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate
from pathlib import Path
from typing import Literal, NamedTuple
from uuid import uuid4

import orjson
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from server.requests import BOUNDS_S

Kind = Literal["counter", "gauge", "histogram"]

PUBLISH_EVERY_S = 1.0

log = logging.getLogger(__name__)

_BOUNDS = [*map(str, BOUNDS_S), "+Inf"]

#: What has been counted by processes that have ended.
ENDED = "ended.json"
#: Held by whoever adds to that, and shared by those who read all.
FOLDER_LOCK = "folder.lock"


#: The labels' values, and the number; of a histogram, those of `Durations`.
Labelled = tuple[tuple[str, ...], float | list[float]]


class Family(NamedTuple):
    name: str
    kind: Kind
    text: str
    labels: tuple[str, ...]


#: By family, by the labels' values. A histogram's numbers are a list, another one's a list of one.
Numbers = dict[Family, dict[tuple[str, ...], list[float]]]


class Metrics:
    """A process's own. Has its name in the folder, and holds a lock there for as long as it lives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._families: list[tuple[Family, Callable[[], Iterable[Labelled]]]] = []
        self._path: Path | None = None
        self._lock = -1
        #: Whether it has been said that the disk does not take it.
        self._silent = False

    def tell(
        self, name: str, kind: Kind, text: str, read: Callable[[], Iterable[Labelled]], *, labels: tuple[str, ...] = ()
    ) -> None:
        """`read` is asked for what there is to tell now. No label has a value that strangers choose."""
        self._families.append((Family(f"qredge_{name}", kind, text, labels), read))

    def count(self, name: str, text: str, read: Callable[[], float]) -> None:
        """One counter, without a label."""
        self.tell(name, "counter", text, lambda: [((), read())])

    def gauge(self, name: str, text: str, read: Callable[[], float | None]) -> None:
        """One gauge; None as long as there is nothing to tell."""

        def known() -> Iterator[Labelled]:
            value = read()
            if value is not None:
                yield (), value

        self.tell(name, "gauge", text, known)

    def publish(self) -> None:
        """Writes what there is to tell, for the others; raises OSError where the disk does not take it."""
        if self._path is None:
            self._path = self._open()
        _write(self._path, self._own())

    async def keep_published(self) -> None:
        """For as long as the process lives."""
        while True:
            try:
                self.publish()
            except OSError as exc:
                if not self._silent:
                    log.warning("metrics of this process cannot be told by the others: %s", exc)
                self._silent = True
            else:
                self._silent = False
            await asyncio.sleep(PUBLISH_EVERY_S)

    def close(self) -> None:
        """For the last time."""
        if self._path is not None:
            with suppress(OSError):
                self.publish()
            os.close(self._lock)
            self._path = None

    def collect(self) -> Iterator[Metric]:
        """All there is to tell of the server, as Prometheus has it."""
        yield from _families(self._sum())

    def _open(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        _gather_ended(self._folder)
        path = self._folder / f"{os.getpid()}-{uuid4().hex}.json"
        self._lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return path

    def _own(self) -> Numbers:
        return {
            family: {labels: value if isinstance(value, list) else [value] for labels, value in read()}
            for family, read in self._families
        }

    def _sum(self) -> Numbers:
        total: Numbers = {}
        _add(total, self._own(), pid=os.getpid())
        with _held(self._folder, fcntl.LOCK_SH):
            for path in self._folder.glob("*.json"):
                if path != self._path:
                    _add(total, _read(path), pid=_pid(path) if _lives(path) else None)
        return total


def _add(total: Numbers, more: Numbers, *, pid: int | None) -> None:
    """`pid` is that of a process that lives: how things stand is told of those alone."""
    for family, values in more.items():
        if family.kind != "gauge":
            sums = total.setdefault(family, {})
            for labels, numbers in values.items():
                before = sums.get(labels)
                sums[labels] = numbers if before is None else [a + b for a, b in zip(before, numbers, strict=True)]
        elif pid is not None:
            family = family._replace(labels=(*family.labels, "pid"))
            standing = total.setdefault(family, {})
            standing.update({(*labels, str(pid)): numbers for labels, numbers in values.items()})


def _families(numbers: Numbers) -> Iterator[Metric]:
    for (name, kind, text, labels), values in sorted(numbers.items()):
        if kind == "histogram":
            histogram = HistogramMetricFamily(name, text, labels=labels)
            for of, (*counts, seconds) in sorted(values.items()):
                buckets = list(zip(_BOUNDS, accumulate(counts), strict=True))
                histogram.add_metric(of, buckets, seconds)
            yield histogram
        else:
            plain = (CounterMetricFamily if kind == "counter" else GaugeMetricFamily)(name, text, labels=labels)
            for of, (value,) in sorted(values.items()):
                plain.add_metric(of, value)
            yield plain


# --- the files -----------------------------------------------------------------------------------------------------


def _write(path: Path, numbers: Numbers) -> None:
    """Whoever reads it meanwhile has the file before."""
    rest = path.with_suffix(".new")
    rest.write_bytes(orjson.dumps([[*family, list(values.items())] for family, values in numbers.items()]))
    rest.replace(path)


def _read(path: Path) -> Numbers:
    """Nothing of a file that has gone, or that is none of this version's."""
    try:
        told = orjson.loads(path.read_bytes())
        return {
            Family(name, kind, text, tuple(labels)): {tuple(of): value for of, value in values}
            for name, kind, text, labels, values in told
        }
    except (OSError, ValueError, TypeError):
        return {}


def _pid(path: Path) -> int:
    return int(path.name.partition("-")[0])


def _lives(path: Path) -> bool:
    """Whether somebody holds the lock beside it."""
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(lock)


def _gather_ended(folder: Path) -> None:
    """Puts the files of processes that have ended into one, as there may be any number of them."""
    with _held(folder, fcntl.LOCK_EX):
        ended = folder / ENDED
        total = _read(ended)
        over = [path for path in folder.glob("*-*.json") if not _lives(path)]
        for path in over:
            _add(total, _read(path), pid=None)
        if over:
            _write(ended, total)
        for path in over:
            path.unlink(missing_ok=True)
            path.with_suffix(".lock").unlink(missing_ok=True)


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    lock = os.open(folder / FOLDER_LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, how)
        yield
    finally:
        os.close(lock)
