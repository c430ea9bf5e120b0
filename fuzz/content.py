"""What a code may say, and where a link may lead: it is refused by field, or says what it was given and no more."""

import json
import re
from dataclasses import fields
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from fuzz.reader import Reader
from server.domain.content import KINDS, Content, as_json, content_of, examine, stored_content
from server.domain.content.contact import MeCard, VCard
from server.domain.content.event import Event
from server.domain.content.message import Email
from server.domain.content.payment import Payment
from server.domain.content.wifi import Wifi
from server.domain.decide import with_query
from server.domain.destination import MAX_BYTES, Destination
from server.domain.errors import InvalidValue

NAMES = sorted(KINDS)

#: Of each kind one that is right, of which fields are then taken away or changed: few would be right by chance.
RIGHT: dict[str, dict[str, object]] = {
    "url": {"url": "https://example.com/"},
    "text": {"text": "Hello"},
    "email": {"to": ["ada@example.com"], "cc": ["b@example.com"], "subject": "Hi", "body": "Line\nline"},
    "phone": {"phone": "+33612345678"},
    "sms": {"phone": "+33612345678", "message": "Hello"},
    "whatsapp": {"phone": "+33612345678", "message": "Hello"},
    "wifi": {"ssid": "Cafe", "password": "12345678", "auth": "WPA", "hidden": True},
    "vcard": {"name": "Ada L", "org": "O", "phones": ["112"], "emails": ["ada@example.com"], "url": "myapp:open"},
    "mecard": {"name": "Ada L", "reading": "A", "phones": ["112"], "emails": ["ada@example.com"], "note": "N"},
    "geo": {"latitude": 48.85, "longitude": 2.35, "label": "Here"},
    "event": {"title": "T", "start": "2026-06-01T09:00", "end": "2026-06-01T10:00", "timezone": "Europe/Paris"},
    "payment": {"name": "Ada", "iban": "DE89370400440532013000", "amount": "12.50", "text": "For you"},
}

#: Texts that pass one check or another, or have once passed too many.
USUAL = (
    *("+33612345678", "ada@example.com", "https://example.com/", "myapp:open", "nopass", "WEP", "12345"),
    *("2026-06-01", "2026-06-01T09:00:00+02:00", "2999-12-31", "1900-01-01T00:00", "2026-06-01T09:00Z", "UTC"),
    *("COBADEFFXXX", "RF18539007547034", "SALA", "deadbeef", "caf\u00e9", 'a;b:c,d\\e"f', "\\", ";", "line\nline"),
    *("\u30a2\u30c0", "BEGIN:VCARD\r\nEND:VCARD", "a\u2028b", "xn--caf-dma", "x@b\u00fccher.example", "\ud800"),
)

#: The lines that a contact or an event may have, by their names.
CARD = re.compile(r"(BEGIN|VERSION|N|FN|ORG|TITLE|TEL|EMAIL|ADR|URL|NOTE|END)[;:]")
CALENDAR = re.compile(r"(BEGIN|VERSION|PRODID|UID|DTSTAMP|SUMMARY|DTSTART|DTEND|LOCATION|DESCRIPTION|END)[;:]")
#: A field of WIFI: and MECARD:, up to the next ";" that no backslash stands before.
FIELD = re.compile(r"([A-Z]+):((?:\\.|[^\\;])*);", re.DOTALL)


def run(data: bytes) -> None:
    reader = Reader(data)
    if reader.number(0, 3) == 0:
        _destination(reader)
    else:
        _content(reader)


def _destination(reader: Reader) -> None:
    try:
        destination = Destination(reader.text(600))
    except InvalidValue:
        return
    location = with_query(destination, reader.some(600))
    for url in (destination, location):
        assert url.isascii()
        assert url.isprintable()
        assert not set(url) & set(' \\<>"')
        assert len(url) <= MAX_BYTES
        assert urlsplit(url).scheme in ("http", "https")
    # A scan's query leads to no other place.
    assert urlsplit(location)[:3] == urlsplit(destination)[:3]
    assert Destination(destination) == destination


def _value(reader: Reader) -> object:
    kind = reader.number(0, 9)
    if kind <= 3:
        return reader.text()
    if kind <= 6:
        return reader.choice(USUAL)
    if kind == 7:
        return [reader.choice([reader.text(40), reader.choice(USUAL)]) for _ in range(reader.number(0, 4))]
    if kind == 8:
        return reader.number(-(1 << 17), 1 << 17) / 1000
    return reader.choice([None, True, False, 0, 1 << 70, float("nan"), float("inf"), {}, {"a": 1}, [None], [[]]])


def _content(reader: Reader) -> None:
    name = reader.choice(NAMES)
    names = [each.name for each in fields(cast("Any", KINDS[name]))]
    given = {"type": name, **RIGHT[name]}
    for _ in range(reader.number(0, 6)):
        field = reader.choice(names)
        if reader.number(0, 4):
            given[field] = _value(reader)
        else:
            given.pop(field, None)
    wrong = examine(given)
    if wrong:
        assert all(each.field is not None and each.field.split("/")[0] in names for each in wrong)
        return
    content = content_of(given)
    told = as_json(content)
    assert content_of(json.loads(json.dumps(told))) == content
    assert stored_content(json.loads(json.dumps(told))) == content
    content.says.encode()
    assert "\0" not in content.says
    _says_only(content)


def _says_only(content: Content) -> None:
    """Nothing that stands in a field is read as another one."""
    says = content.says
    if isinstance(content, VCard):
        lines = _unfolded(says)
        assert all(CARD.match(line) for line in lines)
        assert len(lines) == says.replace("\r\n ", "").count("\r\n")
        assert [line.split(":")[0] for line in lines].count("END") == 1
    elif isinstance(content, Event):
        lines = _unfolded(says)
        assert all(CALENDAR.match(line) for line in lines)
        assert [line.split(":")[0] for line in lines].count("END") == 2
    elif isinstance(content, Wifi):
        found = _parsed(says, "WIFI:")
        assert found["S"] in (content.ssid, f'"{content.ssid}"')
        assert found.get("P") == content.password
        assert set(found) <= {"T", "S", "P", "H"}
    elif isinstance(content, MeCard):
        found = _parsed(says, "MECARD:")
        assert found["N"] == content.name
        assert found.get("NOTE") == content.note
    elif isinstance(content, Email):
        url = urlsplit(says)
        assert [unquote(each) for each in url.path.split(",")] == list(content.to)
        assert parse_qs(url.query).get("subject", [None])[0] == content.subject
        assert set(parse_qs(url.query, keep_blank_values=True)) <= {"cc", "bcc", "subject", "body"}
    elif isinstance(content, Payment):
        lines = says.split("\n")
        assert len(lines) <= 11
        assert lines[5:7] == [content.name, content.iban]


def _unfolded(says: str) -> list[str]:
    """The lines, put together again (RFC 5545, 3.1)."""
    assert all(len(line.encode()) <= 75 for line in says.split("\r\n"))
    return says.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")


def _parsed(says: str, head: str) -> dict[str, str]:
    """The fields, each once but for those of which there may be several; all of the text is fields."""
    assert says.startswith(head)
    assert says.endswith(";")
    rest = says.removeprefix(head)[:-1]
    assert "".join(found[0] for found in FIELD.finditer(rest)) == rest
    return {found[1]: re.sub(r"\\(.)", r"\1", found[2]) for found in FIELD.finditer(rest)}
