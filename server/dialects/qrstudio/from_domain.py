"""From the domain to the vendor's wire."""

from server.domain.model import Hit, Image, Link
from server.domain.plan import Plan
from server.images import picture_headers

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
