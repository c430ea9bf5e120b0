"""Counts of scans, as totals and as a series over time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from server.domain.errors import InvalidValue

Interval = Literal["hour", "day", "week", "month"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

#: Whether scans by programs are left out, or in, or are all that is wanted.
Bots = Literal["exclude", "include", "only"]

#: By what scans are put into groups. A referrer is its host.
GroupBy = Literal["country", "city", "device", "os", "browser", "referrer"]
MAX_GROUPS = 100

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
    """All scans there ever were; of `unique_scans`, all that the log still has."""

    scans: int
    unique_scans: int
    last_scan_at: datetime | None


class Bucket(NamedTuple):
    """Scans in one interval, from `start` to the next bucket's start."""

    start: datetime
    scans: int
    #: Different visitors, each once on each day (UTC), or once in the interval where that is shorter.
    unique_scans: int


class Group(NamedTuple):
    """Scans of the period's intervals that have something in common; a key of None is for what is not known."""

    key: str | None
    scans: int
    #: Of all scans of the period's intervals, whether their group is among the largest or not.
    percentage: float


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
class Asked:
    """What is to be known of scans."""

    period: Period
    bots: Bots = "exclude"
    group_by: GroupBy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What is known of a link's scans, or of an account's."""

    asked: Asked
    totals: Totals
    series: list[Bucket]
    #: The largest ones, at most MAX_GROUPS; none where none are asked for.
    groups: list[Group]
