"""What of the log of scans is wanted, and pages of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from server.domain.errors import InvalidValue
from server.domain.model import RecordedScan
from server.domain.stats import EARLIEST, LATEST, Bots


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Scans from `start` on and before `end`."""

    start: datetime = EARLIEST
    end: datetime = LATEST
    bots: Bots = "exclude"

    def __post_init__(self) -> None:
        for field, moment in (("from", self.start), ("to", self.end)):
            if not EARLIEST <= moment <= LATEST:
                raise InvalidValue(
                    "out_of_range", f"A period lies between {EARLIEST.year} and {LATEST.year}.", field=field
                )
        if self.start >= self.end:
            raise InvalidValue("out_of_range", "The start of a period lies before its end.", field="from")


class Place(NamedTuple):
    """A place between two scans of a link: the time of the newer one, and its number among those of that time."""

    at: datetime
    number: int


class LogPage(NamedTuple):
    """Scans, the newest first, and where to go on behind them, unless these are the last."""

    scans: list[RecordedScan]
    next: Place | None
