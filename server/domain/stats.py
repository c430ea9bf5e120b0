"""Counts of scans, as totals, as a series over time, and by what scans have in common.

Time is counted in quarter hours since 1970, UTC: since 1979 every time zone's hours and days begin with one. So what is
counted by them can be put together to the hours, days, weeks and months of any.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache, lru_cache
from itertools import chain, pairwise
from typing import Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from server.domain.errors import InvalidValue

Interval = Literal["hour", "day", "week", "month"]
INTERVALS: tuple[Interval, ...] = get_args(Interval)

#: Whether scans by programs are left out, or in, or are all that is wanted.
Bots = Literal["exclude", "include", "only"]

#: What scans can have in common.
GroupBy = Literal[
    "device",
    "os",
    "browser",
    "browser_version",
    "bot",
    "country",
    "region",
    "city",
    "network",
    "language",
    "referrer",
    "source",
]
MAX_GROUPS = 100

#: The shortest each interval can be, from which the number of buckets is bounded.
SHORTEST: dict[Interval, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}
MAX_BUCKETS = 1000

#: No scan lies outside, and quarters are counted from the first. The ends of Python's calendar would be worse than
#: empty: to the database's driver they mean minus and plus infinity, and a series of intervals up to there has no end.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

DEFAULT_DAYS = 30

QUARTER = timedelta(minutes=15)
QUARTER_S = QUARTER // timedelta(seconds=1)
QUARTERS_OF_HOUR = 4
QUARTERS_OF_DAY = 96
#: No zone has set its clocks twice in less than six days since 1970.
STEADY = 5 * QUARTERS_OF_DAY
#: Of a zone's changes those of some months are remembered together.
SEASON = 16 * STEADY
#: No quarter hour of LATEST or before is as late.
NEVER = 1 << 40
MIDNIGHT = time()


class Totals(NamedTuple):
    """All scans there ever were."""

    scans: int
    unique_scans: int
    last_scan_at: datetime | None


class Bucket(NamedTuple):
    """Scans in one interval, from `start` to the next bucket's start."""

    start: datetime
    scans: int
    #: Those that were the first of their visitor on their day (UTC).
    unique_scans: int


class Group(NamedTuple):
    """Scans of the period's intervals that have something in common; a key of None is for what is not known."""

    key: str | None
    scans: int
    #: Of all scans of the period's intervals.
    percentage: float
    #: Whether these are all that are in none of the other groups; then there is no key.
    rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of time in whole intervals: every interval that begins before `end` and ends after `start`."""

    start: datetime
    end: datetime
    interval: Interval
    #: By whose clocks and calendar intervals begin.
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.interval not in INTERVALS:
            raise InvalidValue("invalid_interval", f"An interval is one of {', '.join(INTERVALS)}.", field="interval")
        for field, moment in (("from", self.start), ("to", self.end)):
            if not EARLIEST <= moment <= LATEST:
                raise _out_of_range(field)
        if self.start >= self.end:
            raise InvalidValue("out_of_range", "The start of a period lies before its end.", field="from")
        if (self.end - self.start) / SHORTEST[self.interval] > MAX_BUCKETS:
            raise InvalidValue(
                "too_long",
                f"A period has at most {MAX_BUCKETS} intervals. Choose a longer interval or a shorter period.",
                field="interval",
            )

    @classmethod
    def of(
        cls, start: datetime | None, end: datetime | None, interval: Interval, zone: ZoneInfo, *, now: datetime
    ) -> "Period":
        """The period asked for; by default the 30 days up to now. Times without an offset are the zone's."""
        start = start and _in_zone(start, zone, "from")
        end = _in_zone(end, zone, "to") if end else now
        try:
            start = start or end - timedelta(days=DEFAULT_DAYS)
        except OverflowError as exc:
            raise InvalidValue("out_of_range", "The end of a period is later than that.", field="to") from exc
        return cls(start=start, end=end, interval=interval, zone=zone)

    def quarters(self) -> list[int]:
        """The quarter hours at which intervals begin, and then the one at which the last of them has ended."""
        end = -((EARLIEST - self.end) // QUARTER)
        begin = self._hours(end) if self.interval == "hour" else self._midnights(end)
        # A day that a zone has left out ends where it begins (Pacific/Apia, 2011-12-30).
        found = [next(begin)]
        while found[-1] < end:
            if (following := next(begin)) > found[-1]:
                found.append(following)
        return found

    def starts(self, quarters: Sequence[int]) -> list[datetime]:
        """The beginnings of these quarter hours, which are in order, as the zone's clocks show them."""
        if self.interval not in ("hour", "day"):
            return [self.local(quarter) for quarter in quarters]
        found: list[datetime] = []
        changes = _changes(self.zone, quarters[0], quarters[-1])
        while len(found) < len(quarters):
            at = len(found)
            found.append(local := self.local(quarters[at]))
            if local.fold:  # clocks show it for the second time, which a sum would not know
                continue
            end = bisect_left(quarters, _next(changes, quarters[at]), at)
            for before, each in pairwise(quarters[at:end]):
                found.append(local := local + _later(each - before))
        return found

    def local(self, quarter: int) -> datetime:
        """The beginning of a quarter hour, as the zone's clocks show it."""
        return _local(self.zone, quarter)

    def _hours(self, end: int) -> Iterator[int]:
        """Where the zone's clocks show a full hour, or were set: so an hour that comes twice is two."""
        at = (self.start - EARLIEST) // QUARTER
        while (at + self._offset(at)) % QUARTERS_OF_HOUR and self._offset(at - 1) == self._offset(at):
            at -= 1
        for change in chain(_changes(self.zone, at, end + QUARTERS_OF_HOUR), [NEVER]):
            yield at
            full = at + QUARTERS_OF_HOUR - (at + self._offset(at)) % QUARTERS_OF_HOUR
            yield from range(full, change, QUARTERS_OF_HOUR)
            at = change

    def _offset(self, quarter: int) -> int:
        return _offset(self.zone, quarter)

    def _midnights(self, end: int) -> Iterator[int]:
        """Those before the days on which intervals begin. Where clocks skip a midnight, they are set at that moment."""
        day = self.start.astimezone(self.zone).date()
        if self.interval == "week":
            day -= timedelta(days=day.weekday())
        elif self.interval == "month":
            day = day.replace(day=1)
        while True:
            at = int(datetime.combine(day, MIDNIGHT, self.zone).timestamp()) // QUARTER_S
            yield at
            if self.interval == "month":
                day = (day + timedelta(days=31)).replace(day=1)
                continue
            day += SHORTEST[self.interval]
            if self.interval == "day" and (at + self._offset(at)) % QUARTERS_OF_DAY == 0:
                change = min(_next(_changes(self.zone, at, end), at), end)
                following = range(at + QUARTERS_OF_DAY, change, QUARTERS_OF_DAY)
                yield from following
                day += len(following) * SHORTEST["day"]


# --- clocks -------------------------------------------------------------------------------------------------------


def _local(zone: ZoneInfo, quarter: int) -> datetime:
    return datetime.fromtimestamp(quarter * QUARTER_S, zone)


def _offset(zone: ZoneInfo, quarter: int) -> int:
    """By how many quarter hours the zone's clocks are ahead of UTC."""
    offset = _local(zone, quarter).utcoffset()
    assert offset is not None, "it has a zone"
    return offset // QUARTER


def _changes(zone: ZoneInfo, first: int, last: int) -> list[int]:
    """The quarter hours with which the zone's clocks were set, of those behind `first` up to `last`."""
    found = [each for season in range(first // SEASON, last // SEASON + 1) for each in _changes_in(zone, season)]
    return found[bisect_right(found, first) : bisect_right(found, last)]


def _next(changes: list[int], quarter: int) -> int:
    """The first one behind it."""
    at = bisect_right(changes, quarter)
    return changes[at] if at < len(changes) else NEVER


@lru_cache(1 << 12)
def _changes_in(zone: ZoneInfo, season: int) -> tuple[int, ...]:
    """Those of one SEASON, counted from the first, as zones tell an offset, and not since when it holds."""
    found = []
    for at in range(season * SEASON, (season + 1) * SEASON, STEADY):
        offset = _offset(zone, at - 1)
        if _offset(zone, at + STEADY - 1) != offset:
            others = range(at, at + STEADY)
            found.append(others[bisect_left(others, True, key=lambda each: _offset(zone, each) != offset)])
    return tuple(found)


@cache
def _later(quarters: int) -> timedelta:
    """As a product takes longer than all else that is done for a bucket."""
    return quarters * QUARTER


# --- what is asked ------------------------------------------------------------------------------------------------


def _in_zone(moment: datetime, zone: ZoneInfo, field: str) -> datetime:
    if moment.tzinfo is not None:
        return moment
    if not EARLIEST.year <= moment.year <= LATEST.year:  # else the zone may reach over the ends of the calendar
        raise _out_of_range(field)
    return moment.replace(tzinfo=zone).astimezone(UTC)


def _out_of_range(field: str) -> InvalidValue:
    return InvalidValue("out_of_range", f"A period lies between {EARLIEST.year} and {LATEST.year}.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be known of scans."""

    period: Period
    bots: Bots = "exclude"
    group_by: tuple[GroupBy, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """What is known of a link's scans, or of an account's."""

    asked: Asked
    totals: Totals
    series: list[Bucket]
    #: By each of `asked.group_by`.
    groups: Mapping[GroupBy, list[Group]]

    @property
    def in_period(self) -> tuple[int, int]:
        """The scans of the period's intervals, and those of them that are unique."""
        return sum(each.scans for each in self.series), sum(each.unique_scans for each in self.series)


def largest(counted: Mapping[str | None, int], total: int) -> list[Group]:
    """The largest groups, at most MAX_GROUPS, and then the rest of `total` scans, if these are not all."""
    found = sorted(counted.items(), key=_order)[:MAX_GROUPS]
    groups = [Group(key, scans, percentage(scans, total)) for key, scans in found if scans]
    if rest := total - sum(group.scans for group in groups):
        groups.append(Group(None, rest, percentage(rest, total), rest=True))
    return groups


def _order(group: tuple[str | None, int]) -> tuple[int, bool, str]:
    """The largest first; of the same size by their keys, and last what is not known."""
    key, scans = group
    return (-scans, key is None, key or "")


def percentage(part: int, whole: int) -> float:
    """With two digits; half of the last one is rounded up."""
    return (20_000 * part + whole) // (2 * whole) / 100
