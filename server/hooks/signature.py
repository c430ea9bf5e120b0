"""Headers of a delivery, by Standard Webhooks 1.0 ("Signature scheme")
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, read 2026-11).
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime

from server.domain.delivery import Event
from server.domain.ids import id_text


def headers(event: Event, at: datetime, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """The event's id, which is the same at every attempt; the time of this one; and a signature by each secret."""
    event_id = id_text("evt", event.id)
    timestamp = str(int(at.timestamp()))
    signed = f"{event_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    return f"v1,{base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()}"
