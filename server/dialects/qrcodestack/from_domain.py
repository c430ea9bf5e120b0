"""qrcodestack: how things are answered."""

from typing import cast, get_args
from uuid import UUID

from server.dialects.qrcodestack.wire import (
    AnalyticsAnswer,
    DotShape,
    MeAnswer,
    QrCodeAnswer,
    RenderCustomizationsAnswer,
    ScanAnswer,
)
from server.domain.colour import Colour
from server.domain.design import Design
from server.domain.limits import WITHHELD, allowed_places
from server.domain.model import Account, Link, QrCode, RecordedScan
from server.domain.plan import GeoDetail
from server.domain.ports import Usage
from server.domain.stats import Stats
from server.labels import key_of

#: What the names of the vendor's plans begin with here.
OURS = "qrcodestack."

SHAPES: frozenset[str] = frozenset(get_args(DotShape))


# --- ids ----------------------------------------------------------------------------------------------------------

# A UUID of version 8 (RFC 9562, 5.8): 48 bits of the id, the version, 12 bits, the variant, the last 4 bits, and zeros.


def uuid_of(number: int) -> UUID:
    return UUID(int=number >> 16 << 80 | 8 << 76 | (number >> 4 & 0xFFF) << 64 | 2 << 62 | (number & 0xF) << 58)


def number_of(text: str) -> int | None:
    """The id that `uuid_of` has made such a UUID of; None for any other text."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    number = found.int >> 80 << 16 | (found.int >> 64 & 0xFFF) << 4 | found.int >> 58 & 0xF
    return number if number < 1 << 63 and str(uuid_of(number)) == text.lower() else None


# --- codes --------------------------------------------------------------------------------------------------------


def qr_code(code: QrCode, base_url: str) -> QrCodeAnswer:
    link = code.content
    assert isinstance(link, Link), "only dynamic codes are looked for"
    return {
        "id": uuid_of(code.id),
        "name": code.name,
        "type": "url",
        "destination_url": link.destination,
        "short_code": link.slug,
        "redirect_url": f"{base_url}/{link.slug}",
        "render_customizations": _customizations(code.design),
        "scan_count": link.scans,
        "created_at": code.created_at,
        "updated_at": max(code.updated_at, link.updated_at),
    }


def _customizations(design: Design) -> RenderCustomizationsAnswer:
    """In the vendor's words, as near as they come: others may have drawn with what it does not have."""
    ink, shape = design.modules.color, design.modules.shape
    colour = ink if isinstance(ink, Colour) else ink.stops[0].color
    return {
        "dot_color": str(colour._replace(alpha=255)),
        "dot_shape": cast("DotShape", shape) if shape in SHAPES else "square",
        "logo_url": design.logo.image.url if design.logo else None,
        "frame": design.frame.style,
    }


# --- the account --------------------------------------------------------------------------------------------------


def me(account: Account, used: Usage) -> MeAnswer:
    plan = account.plan
    return {
        "account_id": uuid_of(account.id),
        "email": account.email,
        "plan": plan.name.removeprefix(OURS),
        "usage": {
            "dynamic_qr_count": used.dynamic_codes,
            "dynamic_qr_limit": plan.dynamic_codes,
            "api_calls_this_month": used.requests,
            "api_calls_monthly_limit": plan.requests_per_month,
        },
    }


# --- scans --------------------------------------------------------------------------------------------------------


def analytics(stats: Stats, *, ever: bool) -> AnalyticsAnswer:
    """With the totals of all time, or of the period."""
    counted = {by: {key_of(each): each.scans for each in groups} for by, groups in stats.groups.items()}
    scans, unique_scans = stats.totals[:2] if ever else stats.in_period
    answer: AnalyticsAnswer = {
        "total_scans": scans,
        "unique_scans": unique_scans,
        "last_scan_at": stats.totals.last_scan_at,
        "scans_by_day": [{"date": each.start.date(), "scans": each.scans} for each in stats.series],
        "by_device": counted["device"],
        "by_os": counted["os"],
        "by_browser": counted["browser"],
    }
    if "country" in counted:
        answer["by_country"] = counted["country"]
    return answer


def scan(each: RecordedScan, detail: GeoDetail) -> ScanAnswer:
    each = allowed_places(detail, each)
    answer: ScanAnswer = {
        "id": None if each.id is None else uuid_of(each.id),
        "scanned_at": each.scanned_at,
        "device": each.device,
        "os": each.os,
        "browser": each.browser,
        "referrer": each.referrer,
    }
    if "country" not in WITHHELD[detail]:
        answer["country"] = each.country
    if "city" not in WITHHELD[detail]:
        answer["city"] = each.city
    return answer
