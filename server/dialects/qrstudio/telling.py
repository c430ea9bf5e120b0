"""What the vendor's webhooks are told, and how they are shown. What a body holds could not be read: it is ours."""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from typing import TypedDict

from server.dialects.qrstudio.from_domain import link_answer
from server.domain.delivery import Delivery, Event, EventType, QuotaUsed, Voice, Webhook
from server.domain.ids import id_text
from server.domain.model import Link, RecordedScan
from server.domain.webhooks import secret_text
from server.wire import json_bytes

NAME = "qrstudio"

#: The vendor's events.
EVENTS: dict[str, EventType] = {
    "scan.created": "scan.recorded",
    "dynamic_qr.created": "link.created",
    "dynamic_qr.updated": "link.updated",
    "quota.threshold_75": "quota.threshold_75",
    "quota.threshold_100": "quota.threshold_100",
}
NAMES: dict[str, str] = {ours: name for name, ours in EVENTS.items()}

SIGNATURE = "x-qrstudio-signature"


class WebhookAnswer(TypedDict):
    id: str
    url: str
    events: list[str]
    is_active: bool
    created_at: datetime
    updated_at: datetime


class DeliveryAnswer(TypedDict):
    id: str
    event: str
    status: str
    attempts: int
    response_status: int | None
    error: str | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None


def webhook_answer(webhook: Webhook) -> WebhookAnswer:
    return {
        "id": id_text("whk", webhook.id),
        "url": webhook.url,
        "events": [_name(each) for each in webhook.events],
        "is_active": webhook.active,
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }


def delivery_answer(delivery: Delivery) -> DeliveryAnswer:
    return {
        "id": id_text("evt", delivery.event_id),
        "event": _name(delivery.type),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "response_status": delivery.response_status,
        "error": delivery.error,
        "created_at": delivery.at,
        "last_attempt_at": delivery.last_attempt_at,
        "next_attempt_at": delivery.next_attempt_at,
    }


def _name(event: str) -> str:
    """One that the native API has asked for, or tried out, keeps its own."""
    return NAMES.get(event, event)


def voices(base_url: str) -> dict[str, Voice]:
    def body(event: Event) -> bytes:
        return json_bytes(
            {
                "id": id_text("evt", event.id),
                "event": _name(event.type),
                "created_at": event.at,
                "data": _data(event, base_url),
            }
        )

    return {NAME: Voice(body=body, headers=signature)}


def _data(event: Event, base_url: str) -> object:
    if isinstance(event.data, Link):
        return link_answer(event.data, base_url)
    if isinstance(event.data, tuple):
        return {"scans": [_scan(each) for each in event.data]}
    if isinstance(event.data, QuotaUsed):
        quota = event.data
        return {"monthly_quota": quota.allowed, "used_this_month": quota.used, "month": quota.month}
    return {}


def _scan(scan: RecordedScan) -> dict[str, object]:
    """Without its place, which the account's plan may not tell."""
    return {
        "short_id": scan.slug,
        "scanned_at": scan.scanned_at,
        "device": scan.device,
        "os": scan.os,
        "browser": scan.browser,
        "referer": scan.referrer,
    }


def signature(_: Event, at: datetime, body: bytes, secrets: Collection[bytes]) -> dict[str, str]:
    """t=UNIX TIME,v1=HEX, where HEX is the HMAC-SHA256 of "UNIX TIME.BODY" with the secret as it was shown
    (qrstudio.agency/docs/api-reference/webhooks). While two secrets sign, there are two of v1."""
    moment = str(int(at.timestamp()))
    signed = f"{moment}.".encode() + body
    each = [hmac.new(secret_text(secret).encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return {SIGNATURE: ",".join([f"t={moment}", *(f"v1={found}" for found in each)])}
