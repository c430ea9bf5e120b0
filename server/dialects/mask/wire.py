"""mask: what requests and answers are made of."""

from collections.abc import Mapping
from typing import TypedDict

from server.domain.keys import Permission

MIN_SIZE, DEFAULT_SIZE, MAX_SIZE = 128, 512, 2048
DEFAULT_LIMIT, MAX_LIMIT = 25, 100
DEFAULT_ROWS, MAX_ROWS = 100, 1000

#: What stands in a link's URL for whoever counts visits there, in the vendor's order.
UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")

#: The vendor's scopes under the server's permissions.
SCOPES: Mapping[Permission, str] = {
    Permission("links:read"): "links:read",
    Permission("links:write"): "links:write",
    Permission("qr-codes:read"): "qr-codes:read",
    Permission("qr-codes:write"): "qr-codes:write",
    Permission("scans:read"): "analytics:read",
    Permission("webhooks:read"): "webhooks:read",
    Permission("webhooks:write"): "webhooks:write",
}


class QrAnswer(TypedDict):
    id: str
    link_id: str
    short_url: str
    foreground_color: str
    background_color: str
    size: int
    error_correction: str
    logo_url: str | None
    scans: int
    created_at: str
    updated_at: str


class LinkAnswer(TypedDict):
    id: str
    url: str
    short_url: str
    slug: str
    domain: str
    title: str | None
    tags: list[str]
    clicks: int
    utm_source: str | None
    utm_medium: str | None
    utm_campaign: str | None
    utm_term: str | None
    utm_content: str | None
    expires_at: str | None
    ios_target: str | None
    android_target: str | None
    created_at: str
    updated_at: str


class WebhookAnswer(TypedDict):
    id: str
    url: str
    events: list[str]
    active: bool
    created_at: str
