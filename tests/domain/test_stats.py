"""Periods of statistics, in any time zone, and groups."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo, available_timezones

import pytest

from server.domain.errors import InvalidValue
from server.domain.stats import MAX_BUCKETS, MAX_GROUPS, STEADY, Group, Interval, Period, largest, percentage
from server.domain.time_zone import zone_named

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
GREENWICH = ZoneInfo("UTC")


def starts(first: str, last: str, interval: str, zone: str) -> list[str]:
    """Of the buckets, as the zone's clocks show them, and at the end that at which the last one ends."""
    start, end = (datetime.fromisoformat(moment) for moment in (first, last))
    period = Period.of(start, end, cast("Interval", interval), zone_named(zone), now=NOW)
    return [each.isoformat(timespec="minutes") for each in period.starts(period.quarters())]


def hours(first: str, last: str, zone: str, interval: str = "day") -> list[float]:
    """How long each bucket is."""
    start, end = (datetime.fromisoformat(moment) for moment in (first, last))
    quarters = Period.of(start, end, cast("Interval", interval), zone_named(zone), now=NOW).quarters()
    return [(after - before) / 4 for before, after in pairwise(quarters)]


def test_by_default_it_is_the_thirty_days_up_to_now() -> None:
    period = Period.of(None, None, "day", GREENWICH, now=NOW)
    assert (period.start, period.end) == (datetime(2026, 10, 21, 12, 30, tzinfo=UTC), NOW)


def test_a_given_end_has_thirty_days_before_it() -> None:
    end = NOW - timedelta(days=365)
    assert Period.of(None, end, "day", GREENWICH, now=NOW).start == end - timedelta(days=30)


def test_a_given_start_lasts_until_now() -> None:
    assert Period.of(NOW - timedelta(hours=2), None, "hour", GREENWICH, now=NOW).end == NOW


def test_a_time_without_an_offset_is_the_zones() -> None:
    period = Period.of(datetime(2026, 7, 1, 9), datetime(2026, 12, 1), "day", ZoneInfo("Europe/Zurich"), now=NOW)
    assert (period.start, period.end) == (
        datetime(2026, 7, 1, 7, tzinfo=UTC),
        datetime(2026, 11, 30, 23, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("first", "last", "interval", "zone", "expected"),
    [
        # Every interval that the period touches is in it as a whole.
        (
            *("2026-10-28T09:30+00:00", "2026-10-28T11:00+00:00", "hour", "UTC"),
            ["2026-10-28T09:00+00:00", "2026-10-28T10:00+00:00", "2026-10-28T11:00+00:00"],
        ),
        (
            *("2026-10-28T09:30+00:00", "2026-10-29T00:00:01+00:00", "day", "UTC"),
            ["2026-10-28T00:00+00:00", "2026-10-29T00:00+00:00", "2026-10-30T00:00+00:00"],
        ),
        (
            *("2026-11-01T00:00", "2026-11-09T00:00", "week", "Europe/Zurich"),
            ["2026-10-26T00:00+01:00", "2026-11-02T00:00+01:00", "2026-11-09T00:00+01:00"],
        ),
        (
            *("2026-12-31T23:30+00:00", "2027-01-01T00:00+00:00", "month", "Europe/Zurich"),
            ["2027-01-01T00:00+01:00", "2027-02-01T00:00+01:00"],
        ),
        (
            *("2026-01-31T12:00", "2026-03-01T00:00", "month", "America/New_York"),
            ["2026-01-01T00:00-05:00", "2026-02-01T00:00-05:00", "2026-03-01T00:00-05:00"],
        ),
        # Clocks go forward at 2 (Zurich, 2026-03-29; New York, 2026-03-08) ...
        (
            *("2026-03-29T01:00", "2026-03-29T04:00", "hour", "Europe/Zurich"),
            ["2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00", "2026-03-29T04:00+02:00"],
        ),
        (
            *("2026-03-08T00:00", "2026-03-09T00:00", "day", "America/New_York"),
            ["2026-03-08T00:00-05:00", "2026-03-09T00:00-04:00"],
        ),
        # ... and back at 3 (Zurich, 2026-10-25) and 2 (New York, 2026-11-01): the hour before comes twice.
        (
            *("2026-10-25T01:00", "2026-10-25T03:00", "hour", "Europe/Zurich"),
            ["2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
        ),
        (
            *("2026-11-01T05:30+00:00", "2026-11-01T06:30+00:00", "hour", "America/New_York"),
            ["2026-11-01T01:00-04:00", "2026-11-01T01:00-05:00", "2026-11-01T02:00-05:00"],
        ),
        # In the second of the two, the first is over.
        (
            *("2026-10-25T01:30+00:00", "2026-10-25T02:00+00:00", "hour", "Europe/Zurich"),
            ["2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"],
        ),
        # Half and quarter hours ahead of UTC.
        (
            *("2026-11-20T00:00+00:00", "2026-11-20T01:00+00:00", "hour", "Asia/Kolkata"),
            ["2026-11-20T05:00+05:30", "2026-11-20T06:00+05:30", "2026-11-20T07:00+05:30"],
        ),
        (
            *("2026-11-20T18:14:59+00:00", "2026-11-20T18:15:01+00:00", "hour", "Asia/Kathmandu"),
            ["2026-11-20T23:00+05:45", "2026-11-21T00:00+05:45", "2026-11-21T01:00+05:45"],
        ),
        (
            *("2026-11-20T18:14:59+00:00", "2026-11-20T18:15:00+00:00", "day", "Asia/Kathmandu"),
            ["2026-11-20T00:00+05:45", "2026-11-21T00:00+05:45"],
        ),
        # Clocks go back by half an hour at 2.
        (
            *("2026-04-05T01:00", "2026-04-05T03:00", "hour", "Australia/Lord_Howe"),
            ["2026-04-05T01:00+11:00", "2026-04-05T01:30+10:30", "2026-04-05T02:00+10:30", "2026-04-05T03:00+10:30"],
        ),
        (
            *("2026-04-05T01:45+10:30", "2026-04-05T02:00+10:30", "hour", "Australia/Lord_Howe"),
            ["2026-04-05T01:30+10:30", "2026-04-05T02:00+10:30"],
        ),
        # There was no 30th of December in Samoa.
        (
            *("2011-12-29T00:00", "2012-01-01T00:00", "day", "Pacific/Apia"),
            ["2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", "2012-01-01T00:00+14:00"],
        ),
        (
            *("2011-12-29T23:00", "2011-12-31T01:00", "hour", "Pacific/Apia"),
            ["2011-12-29T23:00-10:00", "2011-12-31T00:00+14:00", "2011-12-31T01:00+14:00"],
        ),
        # Clocks go forward at midnight: the day begins at 1.
        (
            *("2026-04-23T00:00", "2026-04-25T00:00", "day", "Africa/Cairo"),
            ["2026-04-23T00:00+02:00", "2026-04-24T01:00+03:00", "2026-04-25T00:00+03:00"],
        ),
        # They go back at 1 to midnight, which comes twice: the day begins with the first.
        (
            *("2026-10-31T12:00", "2026-11-02T00:00", "day", "America/Havana"),
            ["2026-10-31T00:00-04:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00"],
        ),
    ],
)
def test_intervals_begin_by_the_zones_clocks_and_calendar(
    first: str, last: str, interval: str, zone: str, expected: list[str]
) -> None:
    assert starts(first, last, interval, zone) == expected


@pytest.mark.parametrize(
    ("first", "last", "zone", "expected"),
    [
        ("2026-03-28", "2026-03-31", "Europe/Zurich", [24, 23, 24]),
        ("2026-10-24", "2026-10-27", "Europe/Zurich", [24, 25, 24]),
        ("2026-03-07", "2026-03-10", "America/New_York", [24, 23, 24]),
        ("2026-10-31", "2026-11-03", "America/New_York", [24, 25, 24]),
        ("2026-04-04", "2026-04-07", "Australia/Lord_Howe", [24, 24.5, 24]),
        ("2026-10-24", "2026-10-27", "Asia/Kolkata", [24, 24, 24]),
        ("2011-12-28", "2012-01-01", "Pacific/Apia", [24, 24, 24]),
    ],
)
def test_days_are_as_long_as_the_zone_has_them(first: str, last: str, zone: str, expected: list[float]) -> None:
    assert hours(first, last, zone) == expected


def test_weeks_and_months_have_the_hours_of_their_days() -> None:
    assert hours("2026-03-23", "2026-04-06", "Europe/Zurich", "week") == [167, 168]
    assert hours("2026-10-01", "2026-12-01", "Europe/Zurich", "month") == [31 * 24 + 1, 30 * 24]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham"])
def test_a_year_of_hours_has_no_gap(zone: str) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lengths: list[float] = []
    for days in range(0, 360, 40):
        at = start + timedelta(days=days)
        lengths += hours(at.isoformat(), (at + timedelta(days=40)).isoformat(), zone, "hour")
    # One that is cut by a clock that is set, and those at the ends of forty days where hours begin elsewhere.
    assert set(lengths) <= {0.25, 0.5, 0.75, 1}
    assert sum(length < 1 for length in lengths) <= 4


@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Zurich", "Africa/Casablanca", "Antarctica/Casey", "America/Havana"])
def test_a_start_is_what_the_zones_clocks_show_then(zone: str, interval: Interval) -> None:
    """Also where they are set by three hours, or for a month, or at midnight."""
    for year in (1970, 2010, 2020, 8990):
        start = datetime(year, 1, 1, tzinfo=UTC)
        for begin in range(0, 360, 40):
            first = start + timedelta(days=begin)
            end = first + timedelta(days=40)
            period = Period(start=first, end=end, interval=interval, zone=ZoneInfo(zone))
            quarters = period.quarters()
            expected = [period.local(quarter) for quarter in quarters]
            assert [(each, each.fold) for each in period.starts(quarters)] == [(each, each.fold) for each in expected]


def test_no_zone_sets_its_clocks_twice_within_days() -> None:
    """What `Period` counts on where it does not look at each day."""
    in_python = import_module("zoneinfo._zoneinfo")  # where a zone's parts can be seen
    for name in available_timezones():
        zone = in_python.ZoneInfo(name)
        offsets = [zone._tti_before, *zone._ttinfos]
        at = [
            moment
            for moment, (before, after) in zip(zone._trans_utc, pairwise(offsets), strict=True)
            if moment >= 0 and before.utcoff != after.utcoff
        ]
        assert all(after - before > (STEADY + 4) * 900 for before, after in pairwise(at)), name


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "Europe", "../etc/passwd", "/etc/localtime", "A" * 300, "\0"])
def test_a_zone_is_one_of_ianas(name: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        zone_named(name)
    assert refusal.value.reason == "unknown_timezone"


@pytest.mark.parametrize(
    ("interval", "longest"),
    [
        ("hour", timedelta(hours=MAX_BUCKETS)),
        ("day", timedelta(days=MAX_BUCKETS)),
        ("week", timedelta(weeks=MAX_BUCKETS)),
        ("month", timedelta(days=28 * MAX_BUCKETS)),
    ],
)
def test_a_period_has_at_most_a_thousand_intervals(interval: Interval, longest: timedelta) -> None:
    period = Period(start=NOW, end=NOW + longest, interval=interval, zone=GREENWICH)
    with pytest.raises(InvalidValue) as refusal:
        Period(start=NOW, end=period.end + timedelta(seconds=1), interval=interval, zone=GREENWICH)
    assert (refusal.value.reason, refusal.value.field) == ("too_long", "interval")


@pytest.mark.parametrize(
    ("start", "end", "interval", "why", "field"),
    [
        (NOW, NOW, "day", "out_of_range", "from"),
        (NOW, NOW - timedelta(days=1), "day", "out_of_range", "from"),
        (NOW + timedelta(seconds=1), None, "day", "out_of_range", "from"),
        (None, datetime(1, 1, 2, tzinfo=UTC), "day", "out_of_range", "to"),
        # To the database's driver these two are infinity.
        (datetime.min.replace(tzinfo=UTC), datetime(1, 1, 3, tzinfo=UTC), "week", "out_of_range", "from"),
        (datetime(9999, 12, 30, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), "hour", "out_of_range", "from"),
        (datetime(8999, 12, 31, tzinfo=UTC), datetime(9000, 1, 2, tzinfo=UTC), "hour", "out_of_range", "to"),
        (datetime.min, datetime.max, "hour", "out_of_range", "from"),
        (NOW, datetime.max, "hour", "out_of_range", "to"),
        (None, None, "minute", "invalid_interval", "interval"),
        (None, None, "", "invalid_interval", "interval"),
    ],
)
def test_what_is_no_period_is_refused(
    start: datetime | None,
    end: datetime | None,
    interval: Any,  # noqa: ANN401 -- what no Interval is
    why: str,
    field: str,
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Period.of(start, end, interval, ZoneInfo("Asia/Kathmandu"), now=NOW)
    assert (refusal.value.reason, refusal.value.field) == (why, field)


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [(1, 3, 33.33), (2, 3, 66.67), (1, 800, 0.13), (3, 800, 0.38), (1, 30_000, 0.0), (1, 20_000, 0.01), (7, 7, 100.0)],
)
def test_a_percentage_has_two_digits(part: int, whole: int, expected: float) -> None:
    assert percentage(part, whole) == expected


def test_the_largest_groups_come_first_and_what_is_not_known_last_among_equals() -> None:
    assert largest({None: 2, "FR": 2, "CH": 4, "bot only": 0}, 8) == [
        Group("CH", 4, 50.0),
        Group("FR", 2, 25.0),
        Group(None, 2, 25.0),
    ]


def test_the_rest_is_told_as_one() -> None:
    counted: dict[str | None, int] = {f"{number:03}": 1 for number in range(MAX_GROUPS + 20)}
    *groups, rest = largest(counted | {"most": 60}, 200)
    assert [group.key for group in groups] == ["most", *sorted(filter(None, counted))[: MAX_GROUPS - 1]]
    assert rest == Group(None, 41, 20.5, rest=True)
    assert largest({}, 3) == [Group(None, 3, 100.0, rest=True)]
    assert largest({}, 0) == []
