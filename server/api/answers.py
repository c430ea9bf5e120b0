"""What the native API answers: the shape of each resource, and how a value of the domain becomes one."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NotRequired, TypedDict, TypeVar

from server.domain.content import as_json
from server.domain.design import plain
from server.domain.guards import RedirectStatus
from server.domain.ids import id_text
from server.domain.model import Account, ApiKey, Link, Page, QrCode
from server.domain.rules import plain_rules
from server.domain.slug import Slug
from server.domain.stats import Interval, Stats
from server.wire import cursor_of

T = TypeVar("T")


class AccountAnswer(TypedDict):
    id: str
    name: str
    email: str | None
    created_at: datetime


class KeyAnswer(TypedDict):
    id: str
    name: str
    format: str
    permissions: list[str]
    last4: str
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    #: Only in the answer that makes it; null where that is sent again.
    key: NotRequired[str | None]


class LinkAnswer(TypedDict):
    id: str
    short_url: str
    slug: str
    destination: str
    title: str | None
    active: bool
    expires_at: datetime | None
    fallback_url: str | None
    redirect_status: RedirectStatus
    forward_query: bool
    password_protected: bool
    max_scans: int | None
    #: As requests say them, in their one spelling.
    rules: list[dict[str, object]]
    scans: int
    created_at: datetime
    updated_at: datetime


class QrCodeAnswer(TypedDict):
    id: str
    name: str | None
    kind: Literal["dynamic", "static"]
    #: The fields of its kind, in their one spelling.
    content: dict[str, object] | None
    link_id: str | None
    short_url: str | None
    destination: str | None
    image_url: str
    #: As requests say it, every default written out.
    design: dict[str, object]
    #: None for a static code, whose scans nobody can count.
    scans: int | None
    created_at: datetime
    updated_at: datetime


class BucketAnswer(TypedDict):
    start: datetime
    scans: int


# `from` is a keyword, so this one cannot be a class.
StatsAnswer = TypedDict(
    "StatsAnswer",
    {
        "total_scans": int,
        "last_scan_at": datetime | None,
        "from": datetime,
        "to": datetime,
        "interval": Interval,
        "series": list[BucketAnswer],
    },
)


class Answers:
    """Values of the domain as answers; knows under which address this server is known."""

    def __init__(self, base_url: str, short_url: Callable[[Slug], str]) -> None:
        self._base_url = base_url
        self._short_url = short_url

    def page(self, page: Page[T], answer: Callable[[T], object]) -> dict[str, object]:
        below = page.next_before
        return {
            "data": [answer(item) for item in page.items],
            "next_cursor": None if below is None else cursor_of(below),
        }

    def account(self, account: Account) -> AccountAnswer:
        return {
            "id": id_text("acc", account.id),
            "name": account.name,
            "email": account.email,
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
        }

    def qr_code(self, code: QrCode) -> QrCodeAnswer:
        link = code.content if isinstance(code.content, Link) else None
        code_id = id_text("qr", code.id)
        return {
            "id": code_id,
            "name": code.name,
            "kind": "static" if link is None else "dynamic",
            "content": None if isinstance(code.content, Link) else as_json(code.content),
            "link_id": None if link is None else id_text("lnk", link.id),
            "short_url": None if link is None else self._short_url(link.slug),
            "destination": None if link is None else link.destination,
            "image_url": f"{self._base_url}/v1/qr-codes/{code_id}/image",
            "design": plain(code.design),
            "scans": None if link is None else link.scans,
            "created_at": code.created_at,
            "updated_at": code.updated_at,
        }

    def stats(self, stats: Stats) -> StatsAnswer:
        return {
            "total_scans": stats.totals.scans,
            "last_scan_at": stats.totals.last_scan_at,
            "from": stats.period.start,
            "to": stats.period.end,
            "interval": stats.period.interval,
            "series": [{"start": bucket.start, "scans": bucket.scans} for bucket in stats.series],
        }
