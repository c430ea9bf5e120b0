"""Periods of statistics."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.domain.errors import InvalidValue
from server.domain.stats import MAX_BUCKETS, Interval, Period

NOW = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)


def test_by_default_it_is_the_thirty_days_up_to_now() -> None:
    period = Period.of(None, None, "day", now=NOW)
    assert (period.start, period.end) == (datetime(2026, 10, 21, 12, 30, tzinfo=UTC), NOW)


def test_a_given_end_has_thirty_days_before_it() -> None:
    end = NOW - timedelta(days=365)
    assert Period.of(None, end, "day", now=NOW).start == end - timedelta(days=30)


def test_a_given_start_lasts_until_now() -> None:
    assert Period.of(NOW - timedelta(hours=2), None, "hour", now=NOW).end == NOW


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
    period = Period(start=NOW, end=NOW + longest, interval=interval)
    with pytest.raises(InvalidValue) as refusal:
        Period(start=NOW, end=period.end + timedelta(seconds=1), interval=interval)
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
        Period.of(start, end, interval, now=NOW)
    assert (refusal.value.reason, refusal.value.field) == (why, field)
