"""Phones that scan all the time, what each scan was answered, and whether the log has it, once.

Every scan carries a number of its own where a browser says which page it comes from. That number stands in its row, so
that a scan that is missing and one that is there twice cannot make up for each other.
"""

import asyncio
import itertools
import statistics
import threading
from time import perf_counter
from typing import NamedTuple, Self

from tests.support import DEADLINE_S, PHONE, sql, until

#: A scan that is not answered by then is broken.
PATIENCE_S = 10.0
#: Between two tries to reach a server that is not there.
RETRY_S = 0.02

ROWS = """
    SELECT referrer, count(*) FROM scans JOIN links ON links.id = link_id WHERE slug = $1 GROUP BY referrer
"""


class Answered(NamedTuple):
    """A scan whose answer has come, whole."""

    mark: int
    #: When it was sent, by the clock of `perf_counter`.
    at_s: float
    took_s: float


class Broken(NamedTuple):
    """A scan that was sent and not answered as it should be."""

    mark: int
    #: Which request it was on its connection.
    nth: int
    why: str


class Load:
    """Runs phones against a link from a thread of its own, from `with` to its end."""

    def __init__(self, url: str, *, kept: int = 6, fresh: int = 2, pause_s: float = 0.01) -> None:
        """`kept` phones stay connected, `fresh` ones connect anew for every scan; they pause between two scans."""
        host, _, self.slug = url.removeprefix("http://").partition("/")
        self._host, _, self._port = host.partition(":")
        self._head = f"GET /{self.slug} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {PHONE}\r\nReferer: ".encode()
        self._kept, self._fresh, self._pause_s = kept, fresh, pause_s
        self._marks = itertools.count()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load", daemon=True)
        #: How many scans were begun; their marks are the numbers below.
        self.sent = 0
        self.answered: list[Answered] = []
        self.broken: list[Broken] = []
        #: Connections that could not be made: nothing was asked on them.
        self.refused = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def more(self, scans: int) -> None:
        """Returns when so many more have been answered."""
        wanted = len(self.answered) + scans
        until(lambda: len(self.answered) >= wanted, what=f"{scans} more scans answered")

    def last(self, seconds: float) -> None:
        """Goes on for so long."""
        deadline = perf_counter() + seconds
        until(lambda: perf_counter() >= deadline, what="the end of that time", within_s=seconds + DEADLINE_S)

    def p99_ms(self, since_s: float, until_s: float) -> float:
        """Of the scans that were sent between these times."""
        took_s = [each.took_s for each in self.answered if since_s <= each.at_s < until_s]
        return statistics.quantiles(took_s, n=100)[98] * 1000

    async def _run(self) -> None:
        phones = [self._phone(keep=number < self._kept) for number in range(self._kept + self._fresh)]
        await asyncio.gather(*phones)

    async def _phone(self, *, keep: bool) -> None:
        while not self._stopping.is_set():
            try:
                reader, writer = await asyncio.open_connection(self._host, int(self._port))
            except OSError:
                self.refused += 1
                await asyncio.sleep(RETRY_S)
                continue
            try:
                nth = 1
                while await self._scan(reader, writer, nth) and keep and not self._stopping.is_set():
                    nth += 1
            finally:
                writer.close()

    async def _scan(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, nth: int) -> bool:
        """Returns whether the connection is good for another one."""
        mark = next(self._marks)
        self.sent = mark + 1
        began = perf_counter()
        try:
            writer.write(b"%b%d\r\n\r\n" % (self._head, mark))
            async with asyncio.timeout(PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")  # a redirect has no body
        except (OSError, EOFError) as exc:
            self.broken.append(Broken(mark, nth, repr(exc)))
            return False
        if not head.startswith(b"HTTP/1.1 302 "):
            self.broken.append(Broken(mark, nth, head.decode()))
            return False
        self.answered.append(Answered(mark, began, perf_counter() - began))
        await asyncio.sleep(self._pause_s)
        return b"\r\nconnection: close\r\n" not in head.lower()


class Tally(NamedTuple):
    """The log against what the phones saw."""

    #: Marks of scans that were answered and have no row.
    missing: list[int]
    #: Marks that have more than one row.
    double: list[int]
    #: What stands in rows of scans that nobody has sent.
    foreign: list[str | None]
    #: Rows of scans whose answer did not arrive whole: those may be there or not.
    unanswered: int

    @property
    def exact(self) -> bool:
        return not (self.missing or self.double or self.foreign)


def tally(load: Load, database_url: str) -> Tally:
    """Compares the answers with the rows, scan by scan."""
    rows: dict[str | None, int] = dict(map(tuple, sql(database_url, ROWS, load.slug)))
    sent = {str(mark): mark for mark in range(load.sent)}
    written = {sent[mark]: count for mark, count in rows.items() if mark in sent}
    answered = {each.mark for each in load.answered}
    return Tally(
        missing=sorted(answered - written.keys()),
        double=sorted(mark for mark, count in written.items() if count > 1),
        foreign=[mark for mark in rows if mark not in sent],
        unanswered=len(written.keys() - answered),
    )
