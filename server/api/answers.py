"""What the native API answers: the shape of each resource, and how a value of the domain becomes one."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Generic, Literal, NotRequired, TypeVar, cast

from pydantic import with_config
from typing_extensions import TypedDict

from server.api.contents import ContentShape
from server.api.designs import DesignBody
from server.api.guards import RuleBodies
from server.cursors import place_text
from server.domain.content import as_json
from server.domain.delivery import Delivery, DisabledReason, Event, EventType, QuotaUsed, Status, Webhook
from server.domain.design import PLAIN, plain
from server.domain.guards import RedirectStatus
from server.domain.ids import id_text
from server.domain.limits import allowed_places
from server.domain.log import LogPage
from server.domain.model import Account, ApiKey, Device, Link, Network, Page, QrCode, RecordedScan, WebhookId
from server.domain.order import DEFAULT_SIZE_PX, ImageFormat
from server.domain.plan import UNLIMITED, GeoDetail
from server.domain.ports import Usage
from server.domain.rules import plain_rules
from server.domain.slug import Slug
from server.domain.stats import Group, GroupBy, Interval, Stats
from server.fields import like
from server.labels import REST, label
from server.openapi import shown

#: A number of 64 bits, without its sign.
VISITOR = (1 << 64) - 1

T = TypeVar("T")
P = TypeVar("P")
A = TypeVar("A")


class LimitsAnswer(TypedDict):
    """A limit that is null is none."""

    api_access: bool
    requests_per_minute: int | None
    requests_per_month: int | None
    renders_per_month: int | None
    renders_overrun: bool
    links: int | None
    dynamic_codes: int | None
    keys: int | None
    destination_edits: int | None
    bulk_items: int | None
    logo: bool
    background_image: bool
    size_px: int | None
    dpi: int | None
    password: bool
    expiry: bool
    scan_limit: bool
    geo_detail: GeoDetail
    webhooks: bool


class PlanAnswer(TypedDict):
    name: str
    limits: LimitsAnswer


class UsageAnswer(TypedDict):
    """Requests and pictures of this month (UTC), and what there is now."""

    requests: int
    renders: int
    links: int
    dynamic_codes: int
    keys: int


class PageAnswer(TypedDict, Generic[T]):
    data: list[T]
    #: For the next page; null where this one is the last.
    next_cursor: str | None


@with_config(
    shown(
        {
            "id": "acc_1da3xg8m2v7kq",
            "name": "Café Lumière",
            "email": "owner@example.com",
            "plan": {"name": "unlimited", "limits": UNLIMITED.limits},
            "usage": {"requests": 812, "renders": 40, "links": 12, "dynamic_codes": 7, "keys": 2},
            "created_at": "2026-11-20T08:30:00Z",
        }
    )
)
class AccountAnswer(TypedDict):
    id: str
    name: str
    email: str | None
    plan: PlanAnswer
    usage: UsageAnswer
    created_at: datetime


KEY_EXAMPLE = {
    "id": "key_1da3xg8m2v7kr",
    "name": "Till",
    "format": "native",
    "permissions": ["links:write", "read"],
    "last4": "x8Qz",
    "expires_at": "2027-01-01T00:00:00Z",
    "last_used_at": None,
    "created_at": "2026-11-20T08:30:00Z",
}


@with_config(shown(KEY_EXAMPLE))
class KeyAnswer(TypedDict):
    id: str
    name: str
    #: As which service's keys it looks.
    format: str
    permissions: list[str]
    #: Its last four characters.
    last4: str
    expires_at: datetime | None
    #: Some seconds behind.
    last_used_at: datetime | None
    created_at: datetime


@with_config(shown({**KEY_EXAMPLE, "key": "qredge_bW1mcXh0b2tlbm5vdGFyZWFsb25lYXRhbGwx8Qz"}))
class NewKeyAnswer(KeyAnswer):
    """The only answer with the key itself."""

    #: Null where the answer is sent again, to the same Idempotency-Key.
    key: str | None


@with_config(
    shown(
        {
            "id": "lnk_1da3xg8m2v7ks",
            "short_url": "https://qr.example.com/menu",
            "slug": "menu",
            "destination": "https://example.com/menu",
            "title": "Menu",
            "tags": [],
            "active": True,
            "expires_at": None,
            "fallback_url": None,
            "redirect_status": 302,
            "forward_query": False,
            "password_protected": False,
            "max_scans": None,
            "rules": [],
            "scans": 0,
            "created_at": "2026-11-20T08:30:00Z",
            "updated_at": "2026-11-20T08:30:00Z",
            "deleted_at": None,
        }
    )
)
class LinkAnswer(TypedDict):
    id: str
    short_url: str
    slug: str
    destination: str
    title: str | None
    tags: list[str]
    active: bool
    expires_at: datetime | None
    fallback_url: str | None
    redirect_status: RedirectStatus
    forward_query: bool
    password_protected: bool
    max_scans: int | None
    #: As requests say them, in their one spelling.
    rules: Annotated[list[dict[str, object]], like(RuleBodies)]
    scans: int
    created_at: datetime
    updated_at: datetime
    #: Only in lists that have deleted ones.
    deleted_at: datetime | None


@with_config(
    shown(
        {
            "id": "qr_1da3xg8m2v7kt",
            "name": "Table 7",
            "tags": [],
            "kind": "dynamic",
            "content": None,
            "link_id": "lnk_1da3xg8m2v7ks",
            "short_url": "https://qr.example.com/menu",
            "destination": "https://example.com/menu",
            "image_url": "https://qr.example.com/v1/qr-codes/qr_1da3xg8m2v7kt/image",
            "design": plain(PLAIN),
            "size": DEFAULT_SIZE_PX,
            "format": "png",
            "scans": 0,
            "scans_since_created": 0,
            "created_at": "2026-11-20T08:30:00Z",
            "updated_at": "2026-11-20T08:30:00Z",
            "deleted_at": None,
        }
    )
)
class QrCodeAnswer(TypedDict):
    id: str
    name: str | None
    tags: list[str]
    kind: Literal["dynamic", "static"]
    #: The fields of its kind, in their one spelling.
    content: Annotated[dict[str, object], like(ContentShape)] | None
    link_id: str | None
    short_url: str | None
    destination: str | None
    image_url: str
    #: As requests say it, every default written out.
    design: Annotated[dict[str, object], like(DesignBody)]
    #: Of its picture, in pixels, where nobody asks for another one.
    size: int
    format: ImageFormat
    #: Of its link; None for a static code, whose scans nobody can count.
    scans: int | None
    #: Those of them that came when there was the code.
    scans_since_created: int | None
    created_at: datetime
    updated_at: datetime
    #: Only in lists that have deleted ones.
    deleted_at: datetime | None
    #: Only where it was asked for; None for a static code.
    link: NotRequired[LinkAnswer | None]


WEBHOOK_EXAMPLE = {
    "id": "whk_1da3xg8m2v7kv",
    "name": "Till",
    "url": "https://example.com/told",
    "events": ["link.created", "link.deleted"],
    "active": True,
    "disabled_reason": None,
    "failing_since": None,
    "previous_secret_expires_at": None,
    "created_at": "2026-11-20T08:30:00Z",
    "updated_at": "2026-11-20T08:30:00Z",
}


@with_config(shown(WEBHOOK_EXAMPLE))
class WebhookAnswer(TypedDict):
    id: str
    name: str | None
    url: str
    events: list[EventType]
    active: bool
    #: Why the server has made it inactive; null where it has not.
    disabled_reason: DisabledReason | None
    #: Since when every attempt has failed.
    failing_since: datetime | None
    #: Until when the secret before the last one signs, too.
    previous_secret_expires_at: datetime | None
    created_at: datetime
    updated_at: datetime


@with_config(shown({**WEBHOOK_EXAMPLE, "secret": "whsec_VGhpcyBpcyBub3QgYSBzZWNyZXQgb2YgYW55Ym9keS4="}))
class NewSecretAnswer(WebhookAnswer):
    """The only answer with this secret."""

    #: Null where the answer is sent again, to the same Idempotency-Key.
    secret: str | None


@with_config(
    shown(
        {
            "id": "evt_1da3xg8m2v7kw",
            "type": "link.created",
            "status": "pending",
            "attempts": 1,
            "response_status": 503,
            "duration_ms": 84,
            "error": None,
            "last_attempt_at": "2026-11-20T08:30:01Z",
            "next_attempt_at": "2026-11-20T08:30:07Z",
            "created_at": "2026-11-20T08:30:00Z",
        }
    )
)
class DeliveryAnswer(TypedDict):
    #: The event's id, which receivers know as webhook-id.
    id: str
    type: str
    status: Status
    attempts: int
    #: What the receiver answered to the last attempt; null where it did not.
    response_status: int | None
    duration_ms: int | None
    error: str | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime


class TestAnswer(TypedDict):
    webhook_id: str


SCAN_EXAMPLE = {
    "id": "scn_1da3xg8m2v7ks",
    "scanned_at": "2026-11-20T12:05:11.208114Z",
    "link_id": "lnk_1da3xg8m2v7kt",
    "source": "scan",
    "bot": False,
    "device": "mobile",
    "os": "iOS",
    "browser": "Mobile Safari",
    "browser_version": "18",
    "bot_name": None,
    "language": "fr-CH,fr;q=0.9",
    "country": "CH",
    "region": None,
    "city": None,
    "network": "mobile",
    "referrer": None,
    "referrer_host": None,
    "address": "203.0.113.0/24",
    "visitor": "9f86d081884c7d65",
}


@with_config(shown(SCAN_EXAMPLE))
class ScanAnswer(TypedDict):
    id: str | None
    """null for scans that were written by a version of before November 2026"""
    scanned_at: datetime
    link_id: str
    source: Literal["scan", "click"] | None
    """a scan of a symbol, or a click on the short URL; null where that was not told apart yet"""
    bot: bool
    """whether it was a program, as a crawler, or a messenger that makes a preview; these are not counted"""
    device: Device | None
    os: str | None
    browser: str | None
    browser_version: str | None
    """the first number of it"""
    bot_name: str | None
    """which one it was, where it was a bot that is known by name"""
    language: str | None
    """as the browser says it: Accept-Language (RFC 9110, 12.5.4)"""
    country: str | None
    """two letters (ISO 3166-1), as far as is known, and the plan tells; null in webhooks, as are region and city"""
    region: str | None
    city: str | None
    network: Network | None
    """the kind of network that the address belongs to, where it is known"""
    referrer: str | None
    referrer_host: str | None
    """in lower case, without a port"""
    address: str | None
    """what is kept of it"""
    visitor: str | None
    """the same for all scans of a day by one address and browser, and nobody's"""


class ScansAnswer(TypedDict):
    scans: list[ScanAnswer]


class QuotaAnswer(TypedDict):
    #: As plans name it.
    limit: str
    used: int
    allowed: int
    #: The month's first day, UTC.
    month: date


class EventAnswer(TypedDict):
    """What is sent to webhooks, as Standard Webhooks advises."""

    type: str
    timestamp: datetime
    data: LinkAnswer | QrCodeAnswer | ScansAnswer | QuotaAnswer | TestAnswer


class BucketAnswer(TypedDict):
    #: As clocks show it in `time_zone`; from then up to the next one's start.
    start: datetime
    scans: int
    #: Those that were the first of their visitor on their day (UTC).
    unique_scans: int


class GroupAnswer(TypedDict):
    #: Null where it is not known, and of the rest.
    key: str | None
    #: A readable name of the key.
    label: str
    scans: int
    #: Of all scans of the intervals in the series.
    percentage: float
    #: Whether these are all scans that are in none of the other groups.
    rest: bool


# `from` is a keyword, so this one cannot be a class.
StatsAnswer = TypedDict(
    "StatsAnswer",
    {
        "total_scans": int,
        "unique_scans": int,
        "last_scan_at": datetime | None,
        "from": datetime,
        "to": datetime,
        "interval": Interval,
        "time_zone": str,
        "series": list[BucketAnswer],
        "groups": dict[GroupBy, list[GroupAnswer]],
    },
)
with_config(
    shown(
        {
            "total_scans": 3,
            "unique_scans": 2,
            "last_scan_at": "2026-11-20T12:05:11Z",
            "from": "2026-11-19T00:00:00+01:00",
            "to": "2026-11-21T00:00:00+01:00",
            "interval": "day",
            "time_zone": "Europe/Zurich",
            "series": [
                {"start": "2026-11-19T00:00:00+01:00", "scans": 1, "unique_scans": 1},
                {"start": "2026-11-20T00:00:00+01:00", "scans": 2, "unique_scans": 1},
            ],
            "groups": {
                "country": [
                    {"key": "CH", "label": "Switzerland", "scans": 2, "percentage": 66.67, "rest": False},
                    {"key": None, "label": "Unknown", "scans": 1, "percentage": 33.33, "rest": False},
                ]
            },
        }
    )
)(StatsAnswer)


class Answers:
    """Values of the domain as answers; knows under which address this server is known."""

    def __init__(self, base_url: str, short_url: Callable[[Slug], str]) -> None:
        self._base_url = base_url
        self._short_url = short_url

    def page(self, page: Page[T, P], answer: Callable[[T], A], cursor: Callable[[P], str]) -> PageAnswer[A]:
        return {
            "data": [answer(item) for item in page.items],
            "next_cursor": None if page.next is None else cursor(page.next),
        }

    def account(self, account: Account, usage: Usage) -> AccountAnswer:
        return {
            "id": id_text("acc", account.id),
            "name": account.name,
            "email": account.email,
            "plan": {"name": account.plan.name, "limits": cast(LimitsAnswer, account.plan.limits)},
            "usage": cast(UsageAnswer, usage._asdict()),
            "created_at": account.created_at,
        }

    def key(self, key: ApiKey) -> KeyAnswer:
        return {
            "id": id_text("key", key.id),
            "name": key.name,
            "format": key.format,
            "permissions": sorted(key.permissions),
            "last4": key.last4,
            "expires_at": key.expires_at,
            "last_used_at": key.last_used_at,
            "created_at": key.created_at,
        }

    def link(self, link: Link) -> LinkAnswer:
        return {
            "id": id_text("lnk", link.id),
            "short_url": self._short_url(link.slug),
            "slug": link.slug,
            "destination": link.destination,
            "title": link.title,
            "tags": [*link.tags],
            "active": link.guards.active,
            "expires_at": link.guards.expires_at,
            "fallback_url": link.guards.fallback_url,
            "redirect_status": link.guards.redirect_status,
            "forward_query": link.guards.forward_query,
            "password_protected": link.guards.password_hash is not None,
            "max_scans": link.guards.max_scans,
            "rules": plain_rules(link.guards.rules),
            "scans": link.scans,
            "created_at": link.created_at,
            "updated_at": link.updated_at,
            "deleted_at": link.deleted_at,
        }

    def qr_code(self, code: QrCode, *, with_link: bool = False) -> QrCodeAnswer:
        link = code.content if isinstance(code.content, Link) else None
        code_id = id_text("qr", code.id)
        answer: QrCodeAnswer = {
            "id": code_id,
            "name": code.name,
            "tags": [*code.tags],
            "kind": "static" if link is None else "dynamic",
            "content": None if isinstance(code.content, Link) else as_json(code.content),
            "link_id": None if link is None else id_text("lnk", link.id),
            "short_url": None if link is None else self._short_url(link.slug),
            "destination": None if link is None else link.destination,
            "image_url": f"{self._base_url}/v1/qr-codes/{code_id}/image",
            "design": plain(code.design),
            "size": code.size_px,
            "format": code.format,
            "scans": None if link is None else link.scans,
            "scans_since_created": None if link is None else code.scans_since,
            "created_at": code.created_at,
            "updated_at": code.updated_at,
            "deleted_at": code.deleted_at,
        }
        if with_link:
            answer["link"] = None if link is None else self.link(link)
        return answer

    def webhook(self, webhook: Webhook) -> WebhookAnswer:
        return {
            "id": id_text("whk", webhook.id),
            "name": webhook.name,
            "url": webhook.url,
            "events": [*webhook.events],
            "active": webhook.active,
            "disabled_reason": webhook.disabled_reason,
            "failing_since": webhook.failing_since,
            "previous_secret_expires_at": webhook.old_secret_until,
            "created_at": webhook.created_at,
            "updated_at": webhook.updated_at,
        }

    def delivery(self, delivery: Delivery) -> DeliveryAnswer:
        return {
            "id": id_text("evt", delivery.event_id),
            "type": delivery.type,
            "status": delivery.status,
            "attempts": delivery.attempts,
            "response_status": delivery.response_status,
            "duration_ms": delivery.duration_ms,
            "error": delivery.error,
            "last_attempt_at": delivery.last_attempt_at,
            "next_attempt_at": delivery.next_attempt_at,
            "created_at": delivery.at,
        }

    def event(self, event: Event) -> EventAnswer:
        return {"type": event.type, "timestamp": event.at, "data": self._told(event.data)}

    def _told(
        self, thing: Link | QrCode | tuple[RecordedScan, ...] | QuotaUsed | WebhookId
    ) -> LinkAnswer | QrCodeAnswer | ScansAnswer | QuotaAnswer | TestAnswer:
        if isinstance(thing, Link):
            return self.link(thing)
        if isinstance(thing, QrCode):
            return self.qr_code(thing)
        if isinstance(thing, tuple):
            return {"scans": [self.scan(scan) for scan in thing]}
        if isinstance(thing, QuotaUsed):
            return {"limit": thing.limit, "used": thing.used, "allowed": thing.allowed, "month": thing.month}
        return {"webhook_id": id_text("whk", thing)}

    def log(self, page: LogPage, places: GeoDetail) -> dict[str, object]:
        return {
            "data": [self.scan(scan, places) for scan in page.scans],
            "next_cursor": None if page.next is None else place_text(page.next),
        }

    def scan(self, scan: RecordedScan, places: GeoDetail = "none") -> ScanAnswer:
        scan = allowed_places(places, scan)
        return {
            "id": None if scan.id is None else id_text("scn", scan.id),
            "scanned_at": scan.scanned_at,
            "link_id": id_text("lnk", scan.link_id),
            "source": None if scan.from_code is None else "scan" if scan.from_code else "click",
            "bot": scan.device == "bot",
            "device": scan.device,
            "os": scan.os,
            "browser": scan.browser,
            "browser_version": scan.browser_version,
            "bot_name": scan.bot,
            "language": scan.language,
            "country": scan.country,
            "region": scan.region,
            "city": scan.city,
            "network": scan.network,
            "referrer": scan.referrer,
            "referrer_host": scan.referrer_host,
            "address": scan.address,
            "visitor": None if scan.visitor is None else f"{scan.visitor & VISITOR:016x}",
        }

    def stats(self, stats: Stats) -> StatsAnswer:
        period = stats.asked.period
        return {
            "total_scans": stats.totals.scans,
            "unique_scans": stats.totals.unique_scans,
            "last_scan_at": stats.totals.last_scan_at,
            "from": period.start.astimezone(period.zone),
            "to": period.end.astimezone(period.zone),
            "interval": period.interval,
            "time_zone": period.zone.key,
            "series": [
                {"start": start, "scans": scans, "unique_scans": unique} for start, scans, unique in stats.series
            ],
            "groups": {group_by: _groups(group_by, found) for group_by, found in stats.groups.items()},
        }


def _groups(group_by: GroupBy, found: list[Group]) -> list[GroupAnswer]:
    return [
        {
            "key": group.key,
            "label": REST if group.rest else label(group_by, group.key),
            "scans": group.scans,
            "percentage": group.percentage,
            "rest": group.rest,
        }
        for group in found
    ]
