"""When a delivery is tried again, and when it and its webhook are given up."""

from datetime import UTC, datetime, timedelta

import pytest

from server.domain.delivery import EVENT_TYPES, SCHEDULE, Attempt, disabled_by, event_types, next_attempt
from server.domain.errors import InvalidValue

AT = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


def answered(status: int | None, retry_after: timedelta | None = None) -> Attempt:
    return Attempt(at=AT, duration_ms=0, response_status=status, retry_after=retry_after)


def waits(attempt: Attempt, jitter: float = 0.0) -> list[timedelta]:
    """How long after each attempt the next one is, until there is none."""
    found: list[timedelta] = []
    while (at := next_attempt(len(found) + 1, attempt, jitter)) is not None:
        found.append(at - AT)
    return found


@pytest.mark.parametrize("status", [None, 200, 204, 299])
def test_only_2xx_is_a_success(status: int | None) -> None:
    assert answered(status).succeeded is (status is not None)


@pytest.mark.parametrize("status", [100, 199, 300, 302, 404, 410, 500])
def test_nothing_else_is(status: int) -> None:
    assert not answered(status).succeeded


@pytest.mark.parametrize("status", [None, 302, 404, 500, 503])
def test_what_fails_is_tried_for_more_than_a_day_ever_more_rarely(status: int | None) -> None:
    found = waits(answered(status))
    assert found == list(SCHEDULE) == sorted(found)
    assert timedelta(days=1) < sum(found, timedelta()) < timedelta(days=2)


def test_what_failed_together_comes_back_apart() -> None:
    early, late = waits(answered(500)), waits(answered(500), 0.999)
    assert all(wait < longer < wait * 1.21 for wait, longer in zip(early, late, strict=True))


def test_the_time_that_an_attempt_took_comes_before_the_wait() -> None:
    slow = Attempt(at=AT, duration_ms=15_000, response_status=None)
    assert next_attempt(1, slow, 0.0) == AT + timedelta(seconds=20)


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_ask_for_more_time_but_not_for_less_nor_for_ever(status: int) -> None:
    def wait(asked: timedelta) -> timedelta:
        at = next_attempt(1, answered(status, asked), 0.0)
        assert at is not None
        return at - AT

    assert wait(timedelta(minutes=2)) == timedelta(minutes=2)
    assert wait(timedelta(seconds=1)) == SCHEDULE[0]
    assert wait(timedelta(days=-1)) == SCHEDULE[0]
    assert wait(timedelta(days=400)) == timedelta(days=1)


def test_others_may_not() -> None:
    assert next_attempt(1, answered(500, timedelta(hours=1)), 0.0) == AT + SCHEDULE[0]


def test_who_is_gone_is_not_asked_again_and_told_nothing_more() -> None:
    assert waits(answered(410)) == []
    assert disabled_by(answered(410), AT, 1) == "gone"


@pytest.mark.parametrize(
    ("days", "failures", "reason"), [(3, 10, "failing"), (2.9, 1000, None), (30, 9, None), (0, 1, None)]
)
def test_a_webhook_that_fails_for_long_and_often_is_disabled(days: float, failures: int, reason: str | None) -> None:
    assert disabled_by(answered(500), AT - timedelta(days=days), failures) == reason


def test_events_are_each_there_once_and_in_one_order() -> None:
    assert event_types(["link.deleted", "link.created", "link.deleted"]) == ("link.created", "link.deleted")
    assert event_types(EVENT_TYPES[::-1]) == EVENT_TYPES


@pytest.mark.parametrize("texts", [[], ["link.scanned"], ["link.created", "*"], ["webhook.test"]])
def test_events_that_are_none_are_refused(texts: list[str]) -> None:
    with pytest.raises(InvalidValue):
        event_types(texts)
