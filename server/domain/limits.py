"""What plans allow, asked in one place by the native API and every dialect.

What is asked of a plan alone is a function here, which raises PlanLimit. How many links, dynamic codes and keys an
account may have is decided in the transaction that adds one (`storage.postgres.caps`).
"""

from datetime import datetime

from server.domain.design import Design
from server.domain.password import Password
from server.domain.plan import Plan


def allow_design(plan: Plan, design: Design) -> None:
    if design.logo is not None and not plan.logo:
        raise plan.refusal("logo", field="design/logo")
    if design.background.image is not None and not plan.background_image:
        raise plan.refusal("background_image", field="design/background/image")


def allow_size(plan: Plan, size_px: int, dpi: float | None) -> None:
    if plan.size_px is not None and size_px > plan.size_px:
        raise plan.refusal("size_px", field="size")
    if plan.dpi is not None and dpi is not None and dpi > plan.dpi:
        raise plan.refusal("dpi", field="dpi")


def allow_guards(plan: Plan, password: Password | None, expires_at: datetime | None, max_scans: int | None) -> None:
    """Of a link that is new or changed; None for one that is not set, or taken away, which is always allowed."""
    if password is not None and not plan.password:
        raise plan.refusal("password", field="password")
    if expires_at is not None and not plan.expiry:
        raise plan.refusal("expiry", field="expires_at")
    if max_scans is not None and not plan.scan_limit:
        raise plan.refusal("scan_limit", field="max_scans")


def allow_bulk(plan: Plan, items: int, *, field: str = "items") -> None:
    """So many things in one request."""
    if plan.bulk_items is not None and items > plan.bulk_items:
        raise plan.refusal("bulk_items", field=field)


def allow_webhooks(plan: Plan) -> None:
    if not plan.webhooks:
        raise plan.refusal("webhooks")
