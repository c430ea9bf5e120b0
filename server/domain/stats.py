"""Counts of scans, as totals and as a series over time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from server.domain.errors import InvalidValue

Interval = Literal["hour", "day", "week", "month"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

#: The shortest each interval can be, from which the number of buckets is bounded.
SHORTEST: dict[Interval, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}
MAX_BUCKETS = 1000

#: No scan lies outside. The ends of Python's calendar would be worse than empty: to the database's driver they mean
#: minus and plus infinity, and a series of intervals up to there has no end.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

DEFAULT_DAYS = 30


class Totals(NamedTuple):
    """All scans there ever were."""

    scans: int
    last_scan_at: datetime | None


class Bucket(NamedTuple):
    """Scans in one interval, from `start` to the next bucket's start."""

    start: datetime
    scans: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time in whole intervals, UTC: every interval that begins before `end` and ends after `start`."""

    start: datetime
    end: datetime
    interval: Interval

    def __post_init__(self) -> None:
        if self.interval not in INTERVALS:
            raise InvalidValue("invalid_interval", f"An interval is one of {', '.join(INTERVALS)}.", field="interval")
        for field, moment in (("from", self.start), ("to", self.end)):
            if not EARLIEST <= moment <= LATEST:
                raise InvalidValue(
                    "out_of_range", f"A period lies between {EARLIEST.year} and {LATEST.year}.", field=field
                )
        if self.start >= self.end:
            raise InvalidValue("out_of_range", "The start of a period lies before its end.", field="from")
        if (self.end - self.start) / SHORTEST[self.interval] > MAX_BUCKETS:
            raise InvalidValue(
                "too_long",
                f"A period has at most {MAX_BUCKETS} intervals. Choose a longer interval or a shorter period.",
                field="interval",
            )

    @classmethod
    def of(cls, start: datetime | None, end: datetime | None, interval: Interval, *, now: datetime) -> "Period":
        """The period asked for; by default the 30 days up to now."""
        end = end or now
        try:
            start = start or end - timedelta(days=DEFAULT_DAYS)
        except OverflowError as exc:
            raise InvalidValue("out_of_range", "The end of a period is later than that.", field="to") from exc
        return cls(start=start, end=end, interval=interval)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What is known of a link's scans."""

    totals: Totals
    period: Period
    series: list[Bucket]
