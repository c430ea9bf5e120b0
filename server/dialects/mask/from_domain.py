"""mask: how things are answered."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from urllib.parse import urlsplit

from server.asgi import Headers, Scope
from server.cursors import cursors
from server.dialects.access import STANDING, minute_headers
from server.dialects.mask.targets import split_utm, target_of
from server.dialects.mask.wire import LinkAnswer, QrAnswer
from server.domain.colour import Paint, first_colour
from server.domain.ids import id_text
from server.domain.limits import FREE
from server.domain.model import Link, Page, QrCode
from server.domain.moment import to_the_second
from server.domain.selection import LinkSelection, PageEnd, QrCodeSelection

T = TypeVar("T")

#: Of any plan in a minute.
VENDOR_LIMIT = 1_000


def short_url(base_url: str, link: Link) -> str:
    return f"{base_url}/{link.slug}"


def domain_of(base_url: str) -> str:
    return urlsplit(base_url).netloc


def qr_answer(code: QrCode, link: Link, base_url: str) -> QrAnswer:
    design = code.design
    return {
        "id": id_text("qr", code.id),
        "link_id": id_text("lnk", link.id),
        "short_url": short_url(base_url, link),
        "foreground_color": _hex(design.modules.color),
        "background_color": _hex(design.background.color),
        "size": code.size_px,
        "error_correction": design.level or "M",
        "logo_url": design.logo.image.url if design.logo else None,
        "scans": code.scans_since,
        "created_at": to_the_second(code.created_at),
        "updated_at": to_the_second(code.updated_at),
    }


def _hex(paint: Paint) -> str:
    return str(first_colour(paint)._replace(alpha=255))


def link_answer(link: Link, base_url: str) -> LinkAnswer:
    url, utm = split_utm(link.destination)
    return {
        "id": id_text("lnk", link.id),
        "url": url,
        "short_url": short_url(base_url, link),
        "slug": link.slug,
        "domain": domain_of(base_url),
        "title": link.title,
        "tags": [*link.tags],
        "clicks": link.scans,
        "utm_source": utm.get("utm_source"),
        "utm_medium": utm.get("utm_medium"),
        "utm_campaign": utm.get("utm_campaign"),
        "utm_term": utm.get("utm_term"),
        "utm_content": utm.get("utm_content"),
        "expires_at": _time(link.guards.expires_at),
        "ios_target": target_of(link.guards.rules, "ios"),
        "android_target": target_of(link.guards.rules, "android"),
        "created_at": to_the_second(link.created_at),
        "updated_at": to_the_second(link.updated_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else to_the_second(at)


def page_answer(
    page: Page[T, PageEnd], selection: LinkSelection | QrCodeSelection, answer: Callable[[T], object]
) -> dict[str, object]:
    cursor = None if page.next is None else cursors(selection)(page.next)
    return {
        "data": [answer(each) for each in page.items],
        "pagination": {"has_more": cursor is not None, "cursor": cursor},
    }


def rate_limit(scope: Scope) -> Headers:
    """On every answer, also to those of whom nothing is known."""
    return minute_headers(scope.get(STANDING, FREE), VENDOR_LIMIT)
