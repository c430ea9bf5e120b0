"""Moments, as people write them."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from server.domain.errors import InvalidValue


def a_moment(*, day_ends: bool, zone: tzinfo | None = UTC) -> Callable[[str], datetime]:
    """RFC 3339, or a day, which stands for its first moment or for its end. Without an offset it is in `zone`, or stays
    without one where that is yet to be known."""

    def parse(given: str) -> datetime:
        try:
            if len(given) == len("2026-11-20"):
                return datetime.combine(date.fromisoformat(given) + timedelta(days=day_ends), time(), zone)
            moment = datetime.fromisoformat(given)
            return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise InvalidValue(
                "invalid_time",
                "A time is written as 2026-11-20T08:30:00Z (RFC 3339), or as a day, 2026-11-20.",
            ) from exc

    return parse


def to_the_second(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
