"""The delivery: what a webhook is told, when that is tried again, and when it is given up.

The schedule is that of Standard Webhooks 1.0, cut off behind the first day
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read 2026-11).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypedDict, get_args

from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.label import Label
from server.domain.model import AccountId, EventId, Link, QrCode, RecordedScan, WebhookId

EventType = Literal[
    "link.created",
    "link.updated",
    "link.deleted",
    "link.restored",
    "qr_code.created",
    "qr_code.updated",
    "qr_code.deleted",
    "qr_code.restored",
    "scan.recorded",
    "quota.threshold_75",
    "quota.threshold_100",
]
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)

#: Scans are told together: so many at most, and so often.
SCAN_RECORDED: EventType = "scan.recorded"
MAX_SCANS_TOLD = 100
SCANS_EVERY_S = 5.0

#: The server's own voice; dialects have theirs, under their names.
NATIVE = "native"

#: When so many percent of a plan's pictures of a month are used.
QUOTA_REACHED: dict[int, EventType] = {75: "quota.threshold_75", 100: "quota.threshold_100"}

#: What is sent to try a webhook out. Nobody subscribes to it.
TEST = "webhook.test"

DisabledReason = Literal["gone", "failing"]
Status = Literal["pending", "delivered", "failed"]

#: How long after each failed attempt the next one is made; behind the last of them, none is. 31.5 hours in all.
SCHEDULE = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
)
#: Each wait is longer by up to this part of it, so that what failed together does not come back together.
JITTER = 0.2

#: The statuses whose Retry-After is heeded (RFC 9110, 15.6.4; RFC 6585, 4), and how far.
LATER = frozenset([429, 503])
MAX_RETRY_AFTER = timedelta(hours=24)

#: Who answers so wants nothing any more (RFC 9110, 15.5.11).
GONE = 410

#: A webhook is disabled when all attempts have failed for so long, and were so many.
FAILING_FOR = timedelta(days=3)
FAILURES = 10

#: How long it can be seen what was sent to a webhook, and be sent again.
KEPT = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that wants to be told of what happens in an account."""

    id: WebhookId
    account_id: AccountId
    name: Label | None
    url: Destination
    events: tuple[EventType, ...]
    #: By which of the server's voices it is told.
    format: str = NATIVE
    active: bool = True
    #: Why this server has made it inactive; None where it has not.
    disabled_reason: DisabledReason | None = None
    #: Since when every attempt has failed.
    failing_since: datetime | None = None
    #: Until when the secret before this one signs, too.
    old_secret_until: datetime | None = None
    created_at: datetime
    updated_at: datetime


class WebhookChanges(TypedDict, total=False):
    """What may change of a webhook; what is absent stays."""

    name: Label | None
    url: Destination
    events: tuple[EventType, ...]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUsed:
    """What of a limit of the plan is used."""

    #: The limit's name in `Plan`.
    limit: str
    used: int
    allowed: int
    #: Its first day.
    month: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened, with the thing as it was then."""

    id: EventId
    type: str
    at: datetime
    data: Link | QrCode | tuple[RecordedScan, ...] | QuotaUsed | WebhookId


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How webhooks of a format are told."""

    body: Callable[[Event], bytes]
    #: By which the receiver knows the event, the moment of this attempt, and, by each of the secrets, who has sent it.
    headers: Callable[[Event, datetime, bytes, Collection[bytes]], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event for one webhook, and how the last attempt to send it went."""

    event_id: EventId
    type: str
    at: datetime
    status: Status
    #: Since it was last asked for.
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    #: What the receiver answered; None where it did not.
    response_status: int | None
    duration_ms: int | None
    #: What went wrong, for people.
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery that is to be sent now, by whoever has claimed it and until then."""

    webhook_id: WebhookId
    event: Event
    url: str
    format: str
    #: Each signs.
    secrets: tuple[bytes, ...]
    #: Attempts so far.
    attempts: int
    claimed_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How an attempt went."""

    at: datetime
    duration_ms: int
    response_status: int | None
    error: str | None = None
    #: As the receiver has asked for.
    retry_after: timedelta | None = None

    @property
    def succeeded(self) -> bool:
        return self.response_status is not None and 200 <= self.response_status < 300


def thresholds(allowed: int) -> dict[EventType, int]:
    """From how many pictures of a month on each of QUOTA_REACHED has happened, where a plan has so many."""
    return {kind: -(-allowed * percent // 100) for percent, kind in QUOTA_REACHED.items()}


def next_attempt(attempts: int, attempt: Attempt, jitter: float) -> datetime | None:
    """When to try again after so many failed attempts, this one among them; None for never. `jitter` is in [0, 1)."""
    if attempt.response_status == GONE or attempts > len(SCHEDULE):
        return None
    wait = SCHEDULE[attempts - 1] * (1 + JITTER * jitter)
    if attempt.response_status in LATER and attempt.retry_after is not None:
        wait = max(wait, min(attempt.retry_after, MAX_RETRY_AFTER))
    return attempt.at + timedelta(milliseconds=attempt.duration_ms) + wait


def disabled_by(attempt: Attempt, failing_since: datetime, failures: int) -> DisabledReason | None:
    """Why a webhook is disabled after this failed attempt, of so many in a row; None where it is not."""
    if attempt.response_status == GONE:
        return "gone"
    failing = failures >= FAILURES and attempt.at - failing_since >= FAILING_FOR
    return "failing" if failing else None


def event_types(texts: Collection[str]) -> tuple[EventType, ...]:
    """The types with these names, each once, in the order of EVENT_TYPES; raises InvalidValue for none, and for one
    that is not known."""
    if not texts:
        raise InvalidValue("empty", f"A webhook wants at least one of {', '.join(EVENT_TYPES)}.")
    for each in texts:
        if each not in EVENT_TYPES:
            raise InvalidValue("unknown_value", f"{each!r} is none of {', '.join(EVENT_TYPES)}.")
    return tuple(each for each in EVENT_TYPES if each in texts)
