"""mask: what webhooks are told, and how they are shown."""

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime

from server.dialects.mask.from_domain import link_answer
from server.dialects.mask.wire import WebhookAnswer
from server.domain.delivery import SCAN_RECORDED, Event, EventType, Voice, Webhook
from server.domain.ids import id_text
from server.domain.model import Link, RecordedScan
from server.domain.moment import to_the_second
from server.wire import json_bytes

CLICKED, SCANNED = "link.clicked", "qr.scanned"

#: The formats of webhooks, by what scans are called in them: which of the two it was, nobody can tell.
FORMATS = {CLICKED: "mask", SCANNED: "mask.scans"}

#: The vendor's events, but for those of scans, which are the server's own under the same names.
EVENTS: tuple[EventType, ...] = ("link.created", "link.updated", "link.deleted")

SIGNATURE = "x-mask-signature"


def webhook_answer(webhook: Webhook) -> WebhookAnswer:
    return {
        "id": id_text("wh", webhook.id),
        "url": webhook.url,
        "events": [_name(each, webhook.format) for each in webhook.events],
        "active": webhook.active,
        "created_at": to_the_second(webhook.created_at),
    }


def _name(event: str, format: str) -> str:
    if event == SCAN_RECORDED:
        return next(name for name, each in FORMATS.items() if each == format)
    return event


def voices(base_url: str) -> dict[str, Voice]:
    return {each: _voice(base_url, each) for each in FORMATS.values()}


def _voice(base_url: str, format: str) -> Voice:
    def body(event: Event) -> bytes:
        return json_bytes(
            {
                "id": id_text("evt", event.id),
                "type": _name(event.type, format),
                "timestamp": to_the_second(event.at),
                "data": _data(event, base_url),
            }
        )

    return Voice(body=body, headers=signature)


def _data(event: Event, base_url: str) -> dict[str, object]:
    if isinstance(event.data, Link):
        answer = link_answer(event.data, base_url)
        return {"link_id": answer["id"], **{name: said for name, said in answer.items() if name != "id"}}
    if isinstance(event.data, tuple):
        return {"clicks": [_click(each, base_url) for each in event.data]}
    return {}


def _click(scan: RecordedScan, base_url: str) -> dict[str, object]:
    """Without its place, which the account's plan may not tell."""
    return {
        "link_id": id_text("lnk", scan.link_id),
        "slug": scan.slug,
        "short_url": f"{base_url}/{scan.slug}",
        "clicked_at": to_the_second(scan.scanned_at),
        "device": scan.device,
        "browser": scan.browser,
        "referrer": scan.referrer,
    }


def signature(_: Event, __: datetime, body: bytes, secrets: Collection[bytes]) -> dict[str, str]:
    """The HMAC-SHA256 of the body in hex, as the vendor's older page has it; where two secrets sign, of both."""
    return {SIGNATURE: ",".join(hmac.digest(each, body, hashlib.sha256).hex() for each in secrets)}
