"""Events."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, ClassVar

from server.domain.content.fields import flag, line, optional, string, takes, words
from server.domain.content.kind import Content
from server.domain.content.lines import content_lines, text_value
from server.domain.errors import InvalidValue
from server.domain.time_zone import zone_named

MAX_TITLE = 200
MAX_DESCRIPTION = 1000
FIRST_YEAR, LAST_YEAR = 1900, 2999

DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


@takes(type="string", pattern=f"^(?:{DAY.pattern}|{MOMENT.pattern})$", examples=["2026-06-01T09:00:00"])
def day_or_moment(given: object) -> str:
    """2026-06-01, 2026-06-01T09:00:00, or 2026-06-01T07:00:00Z, into which a time with an offset is turned."""
    text = string(given)
    try:
        if DAY.fullmatch(text):
            time = date.fromisoformat(text)
        elif MOMENT.fullmatch(text):
            time = datetime.fromisoformat(text).replace(microsecond=0)
            if time.tzinfo is not None:
                time = time.astimezone(UTC)
        else:
            raise InvalidValue(
                "invalid_time",
                "A time is written as 2026-06-01T09:00, which is local wherever it is read, as "
                "2026-06-01T09:00+02:00, or, for a whole day, as 2026-06-01.",
            )
    except (ValueError, OverflowError) as exc:
        raise InvalidValue("invalid_time", f"There is no such time: {exc}.") from exc
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise InvalidValue("out_of_range", f"An event is in the years {FIRST_YEAR} to {LAST_YEAR}.")
    return time.isoformat().replace("+00:00", "Z")


@takes(type="string", examples=["Europe/Paris"])
def zone(given: object) -> str:
    return zone_named(string(given)).key


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Content):
    """An entry for the calendar: an iCalendar with one VEVENT (RFC 5545)."""

    type: ClassVar = "event"

    title: Annotated[str, line(MAX_TITLE)]
    start: Annotated[str, day_or_moment]
    #: Of an event of whole days, the last of them.
    end: Annotated[str, day_or_moment]
    all_day: Annotated[bool, flag] = False
    #: Where `start` and `end` are local. Without it, they are local wherever the event is read.
    timezone: Annotated[str | None, optional(zone)] = None
    location: Annotated[str | None, optional(line(MAX_TITLE))] = None
    description: Annotated[str | None, optional(words(MAX_DESCRIPTION))] = None

    def between(self) -> Iterator[InvalidValue]:
        wrong = False
        for field, time in (("start", self.start), ("end", self.end)):
            if bool(DAY.fullmatch(time)) != self.all_day:
                wrong = True
                yield InvalidValue(
                    "invalid_time",
                    "An event of whole days has days, as in 2026-06-01."
                    if self.all_day
                    else "An event that is not of whole days has times, as in 2026-06-01T09:00.",
                    field=field,
                )
        if wrong:
            return
        if self.start.endswith("Z") != self.end.endswith("Z"):
            yield InvalidValue("invalid_time", "Start and end both have an offset, or neither has.", field="end")
        elif self.timezone and (self.all_day or self.start.endswith("Z")):
            yield InvalidValue(
                "not_allowed", "Days and times with an offset have no time zone besides.", field="timezone"
            )
        elif self._end < self._start:
            yield InvalidValue("out_of_range", "An event ends when it begins, or later.", field="end")

    @property
    def _start(self) -> date:
        return self._time(self.start)

    @property
    def _end(self) -> date:
        return self._time(self.end)

    def _time(self, text: str) -> date:
        """A day; a moment in UTC; or a local time of no zone."""
        if self.all_day:
            return date.fromisoformat(text)
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=zone_named(self.timezone)).astimezone(UTC) if self.timezone else time

    @property
    def says(self) -> str:
        # A unique id and a time stamp are required (RFC 5545, 3.6.1). Both follow from the event, so that its symbol
        # is always the same, and an event that is scanned twice is one.
        told = f"{self.title}\n{self.start}\n{self.end}\n{self.timezone}\n{self.location}"
        unique = hashlib.sha256(told.encode()).hexdigest()[:16]
        lines = [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//qredge//EN",
            "BEGIN:VEVENT",
            f"UID:{unique}",
            f"DTSTAMP:{self._start:%Y%m%dT%H%M%S}Z",
            f"SUMMARY:{text_value(self.title)}",
            f"DTSTART{_value(self._start)}",
        ]
        # The end is the first moment that does not belong to the event, and later than its start; one that has no end
        # lasts for its day, or for no time (RFC 5545, 3.6.1).
        end = self._end + timedelta(days=self.all_day)
        if end != self._start:
            lines.append(f"DTEND{_value(end)}")
        if self.location:
            lines.append(f"LOCATION:{text_value(self.location)}")
        if self.description:
            lines.append(f"DESCRIPTION:{text_value(self.description)}")
        return content_lines(*lines, "END:VEVENT", "END:VCALENDAR")


def _value(time: date) -> str:
    if not isinstance(time, datetime):
        return f";VALUE=DATE:{time:%Y%m%d}"
    return f":{time:%Y%m%dT%H%M%S}{'Z' if time.tzinfo else ''}"
