"""Content: what a static code says, and its one way to and from JSON: {"type": "wifi", "ssid": ...}."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from server.domain.content.contact import MeCard, VCard
from server.domain.content.event import Event
from server.domain.content.fields import schema_of
from server.domain.content.kind import MAX_CHARACTERS, Content, checks
from server.domain.content.message import Email, Phone, Sms, WhatsApp
from server.domain.content.payment import Payment
from server.domain.content.place import Geo
from server.domain.content.plain import Text, Url
from server.domain.content.wifi import Wifi
from server.domain.errors import InvalidValue

__all__ = [
    "KINDS",
    "MAX_CHARACTERS",
    "Content",
    "Email",
    "Event",
    "Geo",
    "MeCard",
    "Payment",
    "Phone",
    "Sms",
    "Text",
    "Url",
    "VCard",
    "WhatsApp",
    "Wifi",
    "as_json",
    "checks",
    "content_of",
    "examine",
    "kind_of",
    "schema_of",
    "stored_content",
]

KINDS: dict[str, type[Content]] = {
    kind.type: kind for kind in (Url, Text, Email, Phone, Sms, WhatsApp, Wifi, VCard, MeCard, Geo, Event, Payment)
}


def kind_of(given: Mapping[str, object]) -> type[Content]:
    """The kind that the object's `type` names; raises InvalidValue."""
    if "type" not in given:
        raise InvalidValue("required", "This is required.", field="type")
    kind = KINDS.get(name) if isinstance(name := given["type"], str) else None
    if kind is None:
        raise InvalidValue("unknown_value", f"A content's type is one of {', '.join(KINDS)}.", field="type")
    return kind


def examine(given: Mapping[str, object]) -> list[InvalidValue]:
    """All that is wrong with a JSON object as content, by field. A field that its kind does not have is let be."""
    try:
        return kind_of(given).examine(given)
    except InvalidValue as exc:
        return [exc]


def content_of(given: Mapping[str, object]) -> Content:
    """The content that a JSON object describes; raises the first InvalidValue of `examine`."""
    return kind_of(given).of(given)


def as_json(content: Content) -> dict[str, object]:
    """The object that `content_of` and `stored_content` read, with every field in its one spelling."""
    return {"type": content.type, **asdict(cast("Any", content))}


def stored_content(given: Mapping[str, object]) -> Content:
    """What `as_json` once made, by this version or another: fields it did not know have their defaults, fields that
    are unknown now are passed over, and nothing is checked again."""
    return KINDS[str(given["type"])].stored(given)
