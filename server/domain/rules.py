"""Rules of a link: who is led to which destination. In JSON, as requests, answers and the database have them:

[{"when": {"device": ["mobile"], "country": ["FR", "BE"]}, "destination": "https://..."},
 {"when": {"time": {"days": ["sat", "sun"], "from": "09:00", "to": "17:00", "timezone": "Europe/Paris"}},
  "destination": "https://..."},
 {"split": [{"weight": 70, "destination": "https://..."}, {"weight": 30, "destination": "https://..."}]}]
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal, TypeVar, get_args
from zoneinfo import ZoneInfo

from server.domain.content.event import zone
from server.domain.destination import Destination
from server.domain.errors import InvalidValue

T = TypeVar("T")

Device = Literal["mobile", "tablet", "desktop", "other"]
System = Literal["ios", "android", "windows", "macos", "linux", "other"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DAYS: tuple[Day, ...] = get_args(Day)

MAX_RULES = 50
MAX_VALUES = 50
MAX_SHARES = 20
MAX_WEIGHT = 1000

COUNTRY = re.compile(r"[A-Za-z]{2}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """What rules may ask of who scans; None for what is not known."""

    device: Device = "other"
    os: System = "other"
    #: ISO 3166-1, alpha-2.
    country: str | None = None
    #: The one preferred to all others, as in Accept-Language: "pt-BR".
    language: str | None = None
    #: A crawler, or what makes a link's preview.
    bot: bool = False
    #: The same for every scan of one visitor, as far as can be told.
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A time of day on some days of the week, from `start` up to `end`, in minutes. Where `end` is not behind `start`,
    it is on the next day, and the hours belong to the day on which they begin."""

    days: tuple[Day, ...]
    start: int
    end: int
    timezone: str

    def has(self, now: datetime) -> bool:
        local = now.astimezone(ZoneInfo(self.timezone))
        minute, today = local.hour * 60 + local.minute, local.weekday()
        if self.start < self.end:
            return self.start <= minute < self.end and DAYS[today] in self.days
        if minute >= self.start:
            return DAYS[today] in self.days
        return minute < self.end and DAYS[today - 1] in self.days


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """All that has to be so; of each list, one. An empty list asks nothing."""

    device: tuple[Device, ...] = ()
    os: tuple[System, ...] = ()
    country: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    time: Hours | None = None

    def holds(self, visitor: Visitor, now: datetime) -> bool:
        return (
            (not self.device or visitor.device in self.device)
            and (not self.os or visitor.os in self.os)
            and (not self.country or visitor.country in self.country)
            and (not self.language or _speaks(visitor.language, self.language))
            and (self.time is None or self.time.has(now))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """One of several destinations, by how many of the visitors it gets."""

    weight: int
    destination: Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One destination is a split of one share."""

    when: When
    split: tuple[Share, ...]

    def destination(self, link_id: int, visitor: Visitor) -> Destination:
        """The same for the same visitor, in every process and for as long as the weights stay."""
        if len(self.split) == 1:
            return self.split[0].destination
        drawn = int.from_bytes(sha256(f"{link_id} {visitor.key}".encode()).digest()[:8])
        drawn %= sum(share.weight for share in self.split)
        for share in self.split:
            drawn -= share.weight
            if drawn < 0:
                break
        return share.destination


def _speaks(language: str | None, ranges: tuple[str, ...]) -> bool:
    """Basic filtering (RFC 4647, 3.3.1): "pt" has "pt-BR"."""
    if language is None:
        return False
    spoken = language.lower() + "-"
    return any(spoken.startswith(each.lower() + "-") for each in ranges)


# --- JSON ---------------------------------------------------------------------------------------------------------


def rules_of(given: object) -> tuple[Rule, ...]:
    """The rules that JSON says; raises the first thing that is wrong with it."""
    rules, wrong = examine_rules(given)
    if wrong:
        raise wrong[0]
    return rules


def examine_rules(given: object) -> tuple[tuple[Rule, ...], list[InvalidValue]]:
    """The rules, and everything that is wrong, each at its field ("0/when/device/1"); rules only if nothing is."""
    reader = _Reader()
    rules = reader.each(given, "", reader.rule, least=0, most=MAX_RULES)
    return (() if reader.wrong else rules), reader.wrong


class _Reader:
    """Reads JSON, and notes what is wrong with it, going on behind."""

    def __init__(self) -> None:
        self.wrong: list[InvalidValue] = []

    def note(self, reason: str, detail: str, at: str) -> None:
        self.wrong.append(InvalidValue(reason, detail, field=at))

    def each(
        self, given: object, at: str, read: Callable[[object, str], T | None], *, least: int, most: int
    ) -> tuple[T, ...]:
        if not isinstance(given, list):
            self.note("wrong_type", "This must be a list.", at)
            return ()
        if not least <= len(given) <= most:
            reason = "empty" if not given else "out_of_range"
            self.note(reason, f"There are {least} to {most} of these; not {len(given)}.", at)
            return ()
        found = (read(each, _join(at, str(place))) for place, each in enumerate(given))
        return tuple(each for each in found if each is not None)

    def fields(self, given: object, at: str, known: frozenset[str]) -> Mapping[str, object] | None:
        if not isinstance(given, dict):
            self.note("wrong_type", "This must be an object.", at)
            return None
        for name in given:
            if name not in known:
                # As in a JSON pointer (RFC 6901, 3), so that what separates steps is nothing else.
                escaped = name.replace("~", "~0").replace("/", "~1")
                self.note("unknown_field", "There is no such field.", _join(at, escaped))
        return given

    def rule(self, given: object, at: str) -> Rule | None:
        fields = self.fields(given, at, frozenset(["when", "destination", "split"]))
        if fields is None:
            return None
        when = self.when(fields.get("when", {}), _join(at, "when"))
        if ("destination" in fields) == ("split" in fields):
            self.note("one_of_required", "A rule has exactly one of destination and split.", at)
            return None
        if "split" in fields:
            split = self.each(fields["split"], _join(at, "split"), self.share, least=1, most=MAX_SHARES)
        else:
            destination = self.destination(fields["destination"], _join(at, "destination"))
            split = (Share(weight=1, destination=destination),) if destination else ()
        return Rule(when=when, split=split) if when and split else None

    def share(self, given: object, at: str) -> Share | None:
        fields = self.fields(given, at, frozenset(["weight", "destination"]))
        if fields is None:
            return None
        weight = fields.get("weight")
        if type(weight) is not int or not 1 <= weight <= MAX_WEIGHT:
            reason = "out_of_range" if type(weight) is int else "required" if weight is None else "wrong_type"
            self.note(reason, f"A weight is a whole number from 1 to {MAX_WEIGHT}.", _join(at, "weight"))
            return None
        destination = self.destination(fields.get("destination"), _join(at, "destination"))
        return Share(weight=weight, destination=destination) if destination else None

    def destination(self, given: object, at: str) -> Destination | None:
        if not isinstance(given, str):
            self.note("required" if given is None else "wrong_type", "A destination is a URL.", at)
            return None
        try:
            return Destination(given)
        except InvalidValue as exc:
            self.note(exc.reason, exc.detail, at)
            return None

    def when(self, given: object, at: str) -> When | None:
        fields = self.fields(given, at, frozenset(["device", "os", "country", "language", "time"]))
        if fields is None:
            return None
        return When(
            device=self.words(fields, at, "device", lambda text: _one_of(text, get_args(Device))),
            os=self.words(fields, at, "os", lambda text: _one_of(text, get_args(System))),
            country=self.words(fields, at, "country", a_country),
            language=self.words(fields, at, "language", _language),
            time=self.hours(fields["time"], _join(at, "time")) if "time" in fields else None,
        )

    def words(self, fields: Mapping[str, object], at: str, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """A list of texts; none where there is no such field."""
        if name not in fields:
            return ()
        return self.each(
            fields[name], _join(at, name), lambda given, at: self.text(given, at, read), least=1, most=MAX_VALUES
        )

    def text(self, given: object, at: str, read: Callable[[str], T]) -> T | None:
        if not isinstance(given, str):
            self.note("wrong_type", "This must be a string.", at)
            return None
        try:
            return read(given)
        except InvalidValue as exc:
            self.note(exc.reason, exc.detail, at)
            return None

    def hours(self, given: object, at: str) -> Hours | None:
        fields = self.fields(given, at, frozenset(["days", "from", "to", "timezone"]))
        if fields is None:
            return None
        if not fields.keys() & {"days", "from", "to"}:
            self.note("empty", "A time has days, a from or a to.", at)
            return None
        days = self.words(fields, at, "days", lambda text: _one_of(text, DAYS)) or DAYS
        start = self.text(fields.get("from", "00:00"), _join(at, "from"), _clock)
        end = self.text(fields.get("to", "24:00"), _join(at, "to"), _clock)
        timezone = self.text(fields.get("timezone", "UTC"), _join(at, "timezone"), zone)
        if start is None or end is None or timezone is None:
            return None
        if start in (end, DAY_MINUTES):
            self.note("out_of_range", "A time begins before midnight, and not when it ends.", _join(at, "from"))
        return Hours(days=days, start=start, end=end, timezone=timezone)


def _join(at: str, step: str) -> str:
    return f"{at}/{step}" if at else step


def _one_of(text: str, words: tuple[T, ...]) -> T:
    for word in words:
        if text == word:
            return word
    raise InvalidValue("unknown_value", f"This is one of {', '.join(map(str, words))}.")


def a_country(text: str) -> str:
    if not COUNTRY.fullmatch(text):
        raise InvalidValue("invalid_country", "A country has the two letters of ISO 3166-1: FR, CH.")
    return text.upper()


def _language(text: str) -> str:
    if not LANGUAGE.fullmatch(text):
        raise InvalidValue("invalid_language", "A language is written as in RFC 5646: fr, pt-BR.")
    return text


def _clock(text: str) -> int:
    if text == "24:00":
        return DAY_MINUTES
    found = CLOCK.fullmatch(text)
    if not found:
        raise InvalidValue("invalid_time", "A time of day is written as 09:00, up to 24:00.")
    return int(found[1]) * 60 + int(found[2])


def plain_rules(rules: tuple[Rule, ...]) -> list[dict[str, object]]:
    """The JSON that `rules_of` reads, in its one spelling."""
    return [_plain_rule(rule) for rule in rules]


def _plain_rule(rule: Rule) -> dict[str, object]:
    plain: dict[str, object] = {}
    when: dict[str, object] = {
        name: list(getattr(rule.when, name))
        for name in ("device", "os", "country", "language")
        if getattr(rule.when, name)
    }
    if (hours := rule.when.time) is not None:
        when["time"] = {
            "days": list(hours.days),
            "from": _clock_text(hours.start),
            "to": _clock_text(hours.end),
            "timezone": hours.timezone,
        }
    if when:
        plain["when"] = when
    if len(rule.split) == 1:
        plain["destination"] = rule.split[0].destination
    else:
        plain["split"] = [{"weight": each.weight, "destination": each.destination} for each in rule.split]
    return plain


def _clock_text(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
