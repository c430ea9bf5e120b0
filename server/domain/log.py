"""What of the log of scans is wanted, and pages of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from server.domain.errors import InvalidValue
from server.domain.model import Device, RecordedScan
from server.domain.stats import EARLIEST, LATEST, Bots

#: Of a symbol, or on the short URL.
Source = Literal["scan", "click"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Scans from `start` on and before `end`, of which also all else that is said here is so."""

    start: datetime = EARLIEST
    end: datetime = LATEST
    bots: Bots = "exclude"
    country: str | None = None
    device: Device | None = None
    os: str | None = None
    browser: str | None = None
    referrer_host: str | None = None
    source: Source | None = None

    def __post_init__(self) -> None:
        for field, moment in (("from", self.start), ("to", self.end)):
            if not EARLIEST <= moment <= LATEST:
                raise InvalidValue(
                    "out_of_range", f"A period lies between {EARLIEST.year} and {LATEST.year}.", field=field
                )
        if self.start >= self.end:
            raise InvalidValue("out_of_range", "The start of a period lies before its end.", field="from")


class Place(NamedTuple):
    """A place between two scans: the time of the newer one, and its number among those of that time. In an account's
    log, that is in the order of the numbers, which are ids, the time does not matter."""

    at: datetime
    number: int


class LogPage(NamedTuple):
    """Scans, the newest first, and where to go on behind them, unless these are the last. There may be fewer than were
    asked for, also none, and yet more behind them: where those that are wanted are rare."""

    scans: list[RecordedScan]
    next: Place | None


class Pages(Protocol):
    """A part of the log, page by page."""

    async def __call__(self, *, before: Place | None, limit: int, skip: int = 0) -> LogPage:
        """`skip` is for who knows pages by their number only: it takes longer the more there are to skip."""
