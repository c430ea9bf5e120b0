"""From the domain to the vendor's wire."""

from datetime import datetime

from server.dialects.qrstudio.to_domain import max_inches
from server.dialects.qrstudio.wire import MAX_DPI, MAX_INCHES, Analytics, Dynamic, Key, LinkAnswer, UsageAnswer
from server.domain.ids import id_text
from server.domain.model import ApiKey, Hit, Image, Link, QrCode
from server.domain.plan import Plan
from server.domain.ports import Usage
from server.domain.stats import GroupBy, Stats
from server.images import picture_headers
from server.labels import key_of

#: Of a key, what tells it apart.
KEY_PREFIX = 12

#: Groups that the vendor calls otherwise.
NAMES: dict[GroupBy, str] = {"referrer": "referer"}

#: What the names of the vendor's plans begin with here.
OURS = "qrstudio."


def plan_name(plan: Plan | str) -> str:
    return (plan if isinstance(plan, str) else plan.name).removeprefix(OURS)


def public_url(base_url: str, link: Link) -> str:
    return f"{base_url}/q/{link.slug}/"


def quota_headers(plan: Plan, left: int | None) -> dict[str, str]:
    """Without a limit nothing is said of what is left."""
    headers = {"x-qr-plan": plan_name(plan)}
    if left is not None:
        headers["x-qr-quota-remaining"] = str(left)
    return headers


def cache(hit: Hit) -> str:
    return "MISS" if hit is Hit.MISS else "HIT"


def duration_ms(hit: Hit, seconds: float) -> int:
    """What was had from a cache took no time."""
    return round(seconds * 1000) if hit is Hit.MISS else 0


def image_headers(image: Image, hit: Hit, seconds: float) -> dict[str, str]:
    return {
        "x-qr-cache": cache(hit),
        "x-qr-duration-ms": str(duration_ms(hit, seconds)),
        **picture_headers(image),
    }


def dynamic_headers(base_url: str, link: Link) -> dict[str, str]:
    return {"x-qr-dynamic-short-id": link.slug, "x-qr-dynamic-public-url": public_url(base_url, link)}


# --- dynamic codes ------------------------------------------------------------------------------------------------


def dynamic(code: QrCode, link: Link, base_url: str) -> Dynamic:
    told = link_answer(link, base_url)
    return {
        "id": id_text("qr", code.id),
        **told,
        "name": code.name or "",
        "created_at": code.created_at,
        "updated_at": max(code.updated_at, link.updated_at),
    }


def link_answer(link: Link, base_url: str) -> LinkAnswer:
    return {
        "short_id": link.slug,
        "name": link.title or "",
        "destination_url": link.destination,
        "variants": [],
        "is_active": link.guards.active and link.deleted_at is None,
        "scan_count": link.scans,
        "last_scanned_at": link.last_scan_at,
        "destination_changes_count": link.destination_changes,
        "public_url": public_url(base_url, link),
        "created_at": link.created_at,
        "updated_at": link.updated_at,
    }


def analytics(link: Link, stats: Stats) -> Analytics:
    return {
        "short_id": link.slug,
        "total_scans": stats.totals.scans,
        "unique_scans": stats.totals.unique_scans,
        "last_scanned_at": stats.totals.last_scan_at,
        "by_day": [
            {"date": f"{each.start:%Y-%m-%d}", "scans": each.scans, "unique_scans": each.unique_scans}
            for each in stats.series
        ],
        **{  # type: ignore[typeddict-item]
            f"by_{NAMES.get(by, by)}": {key_of(each): each.scans for each in groups}
            for by, groups in stats.groups.items()
        },
    }


# --- the account --------------------------------------------------------------------------------------------------


def usage_answer(plan: Plan, used: Usage, key: str) -> UsageAnswer:
    quota = plan.renders_per_month
    return {
        "key_prefix": key[:KEY_PREFIX],
        "plan": plan_name(plan),
        "monthly_quota": quota,
        "used_this_month": used.renders,
        "remaining": None if quota is None else max(quota - used.renders, 0),
        "max_size_inches": max_inches(plan) or MAX_INCHES,
        "max_dpi": plan.dpi or MAX_DPI,
        "allow_custom_logo": plan.logo,
        "max_active_dynamic_qrs": plan.dynamic_codes,
        "max_bulk_items": plan.bulk_items,
        "active_dynamic_qrs": used.dynamic_codes,
        "credits_remaining": 0,
    }


def key_answer(key: ApiKey, plan: Plan, prefix: str, now: datetime) -> Key:
    return {
        "id": id_text("key", key.id),
        "name": key.name,
        "key_prefix": f"{prefix}...{key.last4}",
        "plan": plan_name(plan),
        "is_active": key.expires_at is None or key.expires_at > now,
        "created_at": key.created_at,
        "last_used_at": key.last_used_at,
        "revoked_at": None,
    }
