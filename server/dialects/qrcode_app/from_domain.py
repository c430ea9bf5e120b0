"""qrcode-app: how things are answered."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta

from server.dialects.qrcode_app.wire import (
    CORNER_STYLES,
    DEFAULT_LOGO_SIZE,
    DOT_STYLES,
    OBJECTS,
    STRINGS,
    DesignAnswer,
    ProtectionAnswer,
    QrAnswer,
    StaticAnswer,
)
from server.domain.colour import Paint, first_colour
from server.domain.content import Content, as_json
from server.domain.design import Design
from server.domain.guards import Guards
from server.domain.ids import id_text
from server.domain.model import ApiKey, Link, QrCode
from server.domain.moment import to_the_second

#: The domain's types under the vendor's names, with what their fields are called there.
TYPES = {
    **{domain_type: (name, None) for name, (domain_type, _) in STRINGS.items()},
    **{
        domain_type: (name, {field: called for called, field in fields.items()})
        for name, (domain_type, fields) in OBJECTS.items()
    },
    "mecard": ("vcard", {"name": "first_name", "phones": "phone", "emails": "email"}),
}
STYLES = {shape: name for name, shape in DOT_STYLES.items()}
CORNERS = {border: name for name, (border, _) in CORNER_STYLES.items()}


class Told:
    """Answers, with URLs of this server (`base_url`), and of this dialect (`at`: path -> URL)."""

    def __init__(self, base_url: str, at: Callable[[str], str]) -> None:
        self._base_url = base_url
        self._at = at

    def static(self, code: QrCode) -> StaticAnswer:
        whole = self.qr(code)
        return {
            "qr_id": whole["qr_id"],
            "type": whole["type"],
            "content": whole["content"],
            "format": whole["format"],
            "image_url": whole["image_url"],
            "download_url": whole["download_url"],
            "created_at": whole["created_at"],
        }

    def qr(self, code: QrCode) -> QrAnswer:
        qr_id = qr_id_of(code)
        answer: QrAnswer = {
            "qr_id": qr_id,
            "name": code.name,
            "type": type_of(code),
            "kind": "dynamic" if isinstance(code.content, Link) else "static",
            "format": code.format,
            "size": code.size_px,
            "error_correction": code.design.level or "M",
            "image_url": f"{self._base_url}/i/{id_text('qr', code.id)}.{code.format}",
            "download_url": self._at(f"/v1/qrcodes/{qr_id}/download"),
            "design": _design(code.design),
            "created_at": to_the_second(code.created_at),
        }
        if isinstance(code.content, Link):
            answer["destination_url"] = code.content.destination
            answer["short_url"] = f"{self._base_url}/{code.content.slug}"
            answer["protection"] = _protection(code.content.guards)
            answer["total_scans"] = code.content.scans
        else:
            answer["content"] = _content(code.content)
        return answer


def qr_id_of(code: QrCode) -> str:
    text = id_text("qr", code.id)
    return f"qr_dyn_{text.removeprefix('qr_')}" if isinstance(code.content, Link) else text


def type_of(code: QrCode) -> str:
    return "url" if isinstance(code.content, Link) else TYPES[code.content.type][0]


def _content(content: Content) -> object:
    name, names = TYPES[content.type]
    fields = as_json(content)
    if names is None:
        return fields[STRINGS[name][1]]
    said = {names[field]: AS_GIVEN.get(field, _single)(value) for field, value in fields.items() if field in names}
    return {called: value for called, value in said.items() if value is not None}


def _single(value: object) -> object:
    """The vendor knows one number, and one address."""
    if isinstance(value, tuple):
        return value[0] if value else None
    return value


def _number(value: object) -> object:
    if value is None:
        return None
    number = float(str(value))
    return int(number) if number.is_integer() else number


def _minutes(value: object) -> object:
    text = str(value)
    return text.removesuffix(":00") if len(text) == len("2026-06-01T09:00:00") else text


#: How the vendor writes what the domain writes otherwise.
AS_GIVEN: Mapping[str, Callable[[object], object]] = {"amount": _number, "start": _minutes, "end": _minutes}


def _design(design: Design) -> DesignAnswer:
    """In the vendor's words, as near as they come: others may have drawn with what it does not have."""
    return {
        "fg_color": _hex(design.modules.color),
        "bg_color": _hex(design.background.color),
        "logo_url": design.logo.image.url if design.logo else None,
        "logo_size": design.logo.ratio if design.logo else DEFAULT_LOGO_SIZE,
        "dot_style": STYLES.get(design.modules.shape, "square"),
        "corner_style": CORNERS.get(design.eyes.border.shape, "square"),
    }


def _hex(paint: Paint) -> str:
    return str(first_colour(paint)._replace(alpha=255))


def _protection(guards: Guards) -> ProtectionAnswer:
    return {
        "password_protected": guards.password_hash is not None,
        "expiry_date": None if guards.expires_at is None else _expiry(guards.expires_at),
        "max_scans": guards.max_scans or 0,
    }


def _expiry(at: datetime) -> str:
    """A day, where it is the end of one."""
    at = at.astimezone(UTC)
    return (at - timedelta(days=1)).date().isoformat() if at.time() == time() else to_the_second(at)


def key(record: ApiKey) -> dict[str, object]:
    return {
        "key_id": id_text("key", record.id),
        "name": record.name,
        "permissions": sorted(record.permissions),
        "last4": record.last4,
        "created_at": to_the_second(record.created_at),
        "last_used_at": None if record.last_used_at is None else to_the_second(record.last_used_at),
    }
