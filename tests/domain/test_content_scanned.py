"""On the other side of the camera: a static code is drawn, decoded by zxing-cpp, and understood by a parser that is not
ours, to exactly what was meant."""

import re
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import icalendar
import numpy as np
import pytest
import vobject
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from segno import helpers

import fastcore
from server.domain.content import (
    Content,
    Email,
    Event,
    Geo,
    MeCard,
    Payment,
    Phone,
    Sms,
    Text,
    Url,
    VCard,
    WhatsApp,
    Wifi,
    as_json,
    content_of,
    stored_content,
)

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

PHONE = "+33612345678"

#: What formats use for themselves, and what is beyond ASCII.
HOSTILE = [
    "plain",
    "a, b; c: d",
    "back\\slash \\n \\, \\; \\\\ \"quoted\" 'single'",
    ";;;",
    "\\",
    "ends with \\",
    "Grüße aus Łódź",
    "寿司 🍣 👩‍👩‍👧",
    "a=b&c=d?e#f%20+g/h(i)",
    "BEGIN:VCARD",
    "x" * 70 + "é🍣" * 10,
]
LINES = [*HOSTILE, "one\ntwo\n\nfour", "\\\n;\n,", "tab\there"]

some_line = st.text(st.characters(exclude_categories=("Cc", "Cn", "Cs", "Zl", "Zp")), min_size=1, max_size=60).filter(
    lambda text: text == text.strip()
)
some_lines = st.lists(some_line, min_size=1, max_size=4).map("\n".join)
examples = settings(deadline=None, max_examples=40)


def scanned(content: Content) -> str:
    """What a reader finds in the symbol."""
    symbol = fastcore.encode(content.says, level=content.level or "L")
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    image = np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((4, 4))).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(image, formats=QR, text_mode=zxingcpp.TextMode.Plain)
    assert stored_content(as_json(content)) == content_of(as_json(content)) == content
    return found.text


# --- text, URLs, calls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", LINES)
def test_a_text_is_read_as_it_stands(text: str) -> None:
    assert scanned(Text(text)) == text


@examples
@given(path=some_line)
def test_a_url_leads_to_where_it_was_meant_to(path: str) -> None:
    forbidden = set(' \\<>"^`{|}#?%\xa0')
    path = "".join(character for character in path if character not in forbidden and character.isprintable())
    url = urlsplit(scanned(Url(f"https://exämple.com/{path}?q=ü")))
    assert url.hostname == "xn--exmple-cua.com"
    assert (unquote(url.path), parse_qs(url.query)) == (f"/{path}", {"q": ["ü"]})


def test_a_phone_number_is_dialled() -> None:
    url = urlsplit(scanned(Phone(phone="+33 (6) 12-34-56-78")))
    assert (url.scheme, url.path) == ("tel", PHONE)


# --- messages --------------------------------------------------------------------------------------------------------


def mail(text: str) -> dict[str, Any]:
    """The fields of a mailto: URL, by RFC 6068 and not by the rules of forms: a plus is a plus."""
    url = urlsplit(text)
    assert url.scheme == "mailto"
    pairs = [pair.split("=") for pair in url.query.split("&") if pair]
    fields: dict[str, Any] = {name: unquote(value, errors="strict") for name, value in pairs}
    for name in ("cc", "bcc"):
        fields[name] = fields[name].split(",") if name in fields else []
    return {"to": [unquote(each) for each in url.path.split(",")], **fields}


@pytest.mark.parametrize("body", LINES)
def test_a_mail_is_begun_as_it_was_meant(body: str) -> None:
    subject = body.split("\n")[0].replace("\t", " ")
    content = Email(
        to=("ada+qr@example.com", "o'neil&sons@example.com"),
        cc=("a@b.de",),
        bcc=("c%d@e.fr", "x?y=z@e.fr"),
        subject=subject,
        body=body,
    )
    assert mail(scanned(content)) == {
        "to": ["ada+qr@example.com", "o'neil&sons@example.com"],
        "cc": ["a@b.de"],
        "bcc": ["c%d@e.fr", "x?y=z@e.fr"],
        "subject": subject,
        "body": body.replace("\n", "\r\n"),
    }


@examples
@given(body=some_lines)
def test_any_mail_is_begun_as_it_was_meant(body: str) -> None:
    assert mail(scanned(Email(to=("a@b.de",), body=body)))["body"] == body.replace("\n", "\r\n")


@pytest.mark.parametrize("message", LINES)
def test_a_text_message_is_begun_as_it_was_meant(message: str) -> None:
    # ZXing's SMSTOMMSTOResultParser: the number to the first colon, all behind it is the message.
    scheme, number, body = scanned(Sms(phone=PHONE, message=message)).split(":", 2)
    assert (scheme, number, body) == ("SMSTO", PHONE, message)


@pytest.mark.parametrize("message", LINES)
def test_a_chat_is_begun_as_it_was_meant(message: str) -> None:
    url = urlsplit(scanned(WhatsApp(phone=PHONE, message=message)))
    assert (url.scheme, url.netloc, url.path) == ("https", "wa.me", "/33612345678")
    assert parse_qs(url.query, strict_parsing=True, keep_blank_values=True) == {"text": [message]}


# --- Wi-Fi and MECARD ------------------------------------------------------------------------------------------------


def fields_of(text: str, prefix: str) -> list[tuple[str, str]]:
    """The fields of WIFI: and MECARD:, by the rules that ZXing and NTT docomo have published: "name:value;" until a
    field is empty; behind a backslash, any character stands for itself."""
    assert text.startswith(prefix)
    found: list[tuple[str, str]] = []
    name: str | None = None
    value, place = "", len(prefix)
    while text[place] != ";" or name is not None:
        character = text[place]
        if character == "\\":
            place += 1
            value += text[place]
        elif character == ";":
            assert name is not None
            found.append((name, value))
            name, value = None, ""
        elif character == ":" and name is None:
            name, value = value, ""
        else:
            value += character
        place += 1
    assert place == len(text) - 1  # nothing behind the end
    return found


def network(text: str) -> dict[str, str]:
    """What a phone makes of WIFI: a name in quotes that are not escaped is the text between them, and one of
    hexadecimal digits without them would be bytes."""
    fields = dict(fields_of(text, "WIFI:"))
    raw = re.search(r"(?<=;)S:((?:\\.|[^;\\])*);", text)
    assert raw is not None
    if raw[1][0] == raw[1][-1] == '"':
        fields["S"] = fields["S"][1:-1]
    else:
        assert not re.fullmatch(r"[0-9A-Fa-f]+", raw[1])
    return fields


SSIDS = [*[text for text in HOSTILE if len(text.encode()) <= 32], "ABCDEF", "0123", '"', '"quoted"', " x ", "S:x;P:y;;"]
PASSWORDS = ["12345678", "deadbeef", "a" * 64, '\\;,:"\\;,:"', ";;;;;;;;", "\\\\\\\\\\\\\\\\", " " * 8, "x" * 63]


@pytest.mark.parametrize("ssid", SSIDS)
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_network_is_joined_by_the_name_and_password_that_were_meant(ssid: str, password: str) -> None:
    fields = network(scanned(Wifi(ssid=ssid, password=password)))
    assert fields == {"T": "WPA", "S": ssid, "P": password}


def test_an_open_and_a_hidden_network_say_so() -> None:
    assert network(scanned(Wifi(ssid="Café", auth="nopass"))) == {"T": "nopass", "S": "Café"}
    hidden = network(scanned(Wifi(ssid="Café", auth="WEP", password="0123456789", hidden=True)))
    assert hidden == {"T": "WEP", "S": "Café", "P": "0123456789", "H": "true"}


@examples
@given(ssid=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=32), data=st.data())
def test_any_network_is_joined(ssid: str, data: st.DataObject) -> None:
    password = data.draw(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=8, max_size=63))
    assert network(scanned(Wifi(ssid=ssid, password=password))) == {"T": "WPA", "S": ssid, "P": password}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_mecard_is_read_as_it_was_meant(text: str) -> None:
    content = MeCard(
        name=text,
        reading=text,
        phones=(PHONE, "112"),
        emails=("a@b.de",),
        url="https://b.de:8/;a",
        address=text,
        note=text,
    )
    assert fields_of(scanned(content), "MECARD:") == [
        ("N", text),
        ("SOUND", text),
        ("TEL", PHONE),
        ("TEL", "112"),
        ("EMAIL", "a@b.de"),
        ("URL", "https://b.de:8/;a"),
        ("ADR", text),
        ("NOTE", text),
    ]


@examples
@given(name=some_line, note=some_line)
def test_any_mecard_is_read_as_it_was_meant(name: str, note: str) -> None:
    assert fields_of(scanned(MeCard(name=name, note=note)), "MECARD:") == [("N", name), ("NOTE", note)]


# --- contacts --------------------------------------------------------------------------------------------------------


def card(content: VCard) -> Any:  # noqa: ANN401 - vobject has no types
    text = scanned(content)
    lines = text.split("\r\n")
    assert lines[0] == "BEGIN:VCARD"
    assert lines[-1] == ""  # the last line has its line break, too
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in text.replace("\r\n", "")
    return vobject.readOne(text, validate=True)


@pytest.mark.parametrize("text", LINES)
def test_a_contact_is_read_as_it_was_meant(text: str) -> None:
    line = text.split("\n")[0].replace("\t", " ")
    found = card(
        VCard(
            first_name=line,
            last_name=line[::-1].strip(),
            org=line,
            title=line,
            phones=(PHONE, "112"),
            emails=("a@b.de", "c+d@e.fr"),
            url="https://b.de/?d=e:f&g=%2C",
            address=text,
            note=text,
        )
    )
    assert found.version.value == "3.0"
    assert (found.n.value.given, found.n.value.family) == (line, line[::-1].strip())
    assert found.fn.value == f"{line} {line[::-1].strip()}"
    assert found.org.value == [line]
    assert found.title.value == line
    assert [(each.value, each.params) for each in found.tel_list] == [
        (PHONE, {"TYPE": ["VOICE"]}),
        ("112", {"TYPE": ["VOICE"]}),
    ]
    assert [each.value for each in found.email_list] == ["a@b.de", "c+d@e.fr"]
    assert found.url.value == "https://b.de/?d=e:f&g=%2C"
    assert found.adr.value.street == text
    assert found.note.value == text


def test_the_url_of_a_contact_is_a_uri_and_no_text() -> None:
    """Nothing in it is escaped (RFC 2426, 3.6.8), though vobject would read it so."""
    assert "\r\nURL:https://b.de/a,b;c\r\n" in scanned(VCard(name="x", url="https://b.de/a,b;c"))


@examples
@given(name=some_line, note=some_lines)
def test_any_contact_is_read_as_it_was_meant(name: str, note: str) -> None:
    found = card(VCard(name=name, note=note))
    assert (found.fn.value, found.n.value.given, found.note.value) == (name, name, note)


# --- places ----------------------------------------------------------------------------------------------------------


@examples
@given(latitude=st.floats(-90, 90), longitude=st.floats(-180, 180), label=st.none() | some_line)
def test_a_place_is_where_it_was_meant(latitude: float, longitude: float, label: str | None) -> None:
    url = urlsplit(scanned(Geo(latitude=latitude, longitude=longitude, label=label)))
    assert url.scheme == "geo"
    # RFC 5870, 3.3: digits, and a point; no exponent.
    assert re.fullmatch(r"-?\d+(\.\d+)?,-?\d+(\.\d+)?", url.path)
    assert [float(each) for each in url.path.split(",")] == pytest.approx([latitude, longitude], abs=1e-7)
    if label is None:
        assert url.query == ""
    else:
        shown = re.fullmatch(r"q=(.*)\(([^()]*)\)", url.query)
        assert shown is not None
        assert (shown[1], unquote(shown[2], errors="strict")) == (url.path, label)


def test_a_place_without_a_label_is_what_segno_makes_of_it() -> None:
    for latitude, longitude in ((48.8566, 2.3522), (0.0, 0.0), (-33.5, 151.25), (90.0, -180.0)):
        assert Geo(latitude=latitude, longitude=longitude).says == helpers.make_geo_data(latitude, longitude)


# --- events ----------------------------------------------------------------------------------------------------------


def entry(content: Event) -> icalendar.Component:
    text = scanned(content)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    calendar = icalendar.Calendar.from_ical(text)
    assert calendar["version"] == "2.0"
    (event,) = calendar.walk("VEVENT")
    assert not calendar.errors
    assert not event.errors
    assert {"UID", "DTSTAMP", "DTSTART", "SUMMARY"} <= set(event)
    return event


@pytest.mark.parametrize("text", LINES)
def test_an_event_is_read_as_it_was_meant(text: str) -> None:
    line = text.split("\n")[0].replace("\t", " ")
    found = entry(Event(title=line, start="2026-06-01T09:00", end="2026-06-01T18:30", location=line, description=text))
    assert (found["summary"], found["location"], found["description"]) == (line, line, text)
    assert found.decoded("dtstart") == datetime(2026, 6, 1, 9)  # of no zone: local, wherever it is read
    assert found.decoded("dtend") == datetime(2026, 6, 1, 18, 30)
    assert found.decoded("dtstamp") == datetime(2026, 6, 1, 9, tzinfo=UTC)


def test_an_event_with_an_offset_or_a_zone_is_at_one_moment_everywhere() -> None:
    moment = datetime(2026, 6, 1, 7, tzinfo=UTC)
    offset = entry(Event(title="x", start="2026-06-01T09:00+02:00", end="2026-06-01T07:00Z"))
    assert offset.decoded("dtstart") == moment
    assert "dtend" not in offset
    zone = entry(Event(title="x", start="2026-06-01T09:00", end="2026-12-01T09:00", timezone="Europe/Paris"))
    assert zone.decoded("dtstart") == moment
    assert zone.decoded("dtend") == datetime(2026, 12, 1, 8, tzinfo=UTC)


def test_an_event_of_whole_days_ends_with_its_last_day() -> None:
    found = entry(Event(title="x", start="2026-12-30", end="2026-12-31", all_day=True))
    assert (found.decoded("dtstart"), found.decoded("dtend")) == (date(2026, 12, 30), date(2027, 1, 1))


@examples
@given(title=some_line, description=some_lines, start=st.datetimes(datetime(1900, 1, 2), datetime(2999, 12, 30)))
def test_any_event_is_read_as_it_was_meant(title: str, description: str, start: datetime) -> None:
    start = start.replace(microsecond=0)
    found = entry(Event(title=title, start=start.isoformat(), end=start.isoformat(), description=description))
    assert (found["summary"], found["description"], found.decoded("dtstart")) == (title, description, start)


# --- payments --------------------------------------------------------------------------------------------------------


def transfer(content: Payment) -> list[str]:
    """The elements in the order of EPC069-12, empty ones at the end filled up."""
    text = scanned(content)
    assert len(text.encode()) <= 331
    assert fastcore.encode(text, level="M").version <= 13
    elements = text.split("\n")
    assert elements[-1] != ""
    return elements + [""] * (11 - len(elements))


@pytest.mark.parametrize("text", [text for text in HOSTILE if len(text) <= 70])
def test_a_payment_is_read_as_it_was_meant(text: str) -> None:
    content = Payment(name=text, iban="NO93 8601 1117 947", amount="12.5", bic="DNBANOKK", purpose="GDDS", text=text)
    assert transfer(content) == [
        *["BCD", "002", "1", "SCT", "DNBANOKK", text, "NO9386011117947", "EUR12.50", "GDDS", "", text]
    ]


def test_a_payment_is_what_segno_makes_of_it() -> None:
    fields = {"name": "Franz Mustermänn", "iban": "DE89370400440532013000", "amount": "12.34"}
    for more in ({"text": "Rechnung 7; danke"}, {"reference": "RF18539007547034", "purpose": "GDDS"}):
        theirs = helpers._make_epc_qr_data(**fields, **more, encoding="utf-8").decode()  # type: ignore[attr-defined]
        assert Payment(**fields, **more).says == theirs


@pytest.mark.parametrize("letter", ["x", "ä"])
def test_the_longest_payment_fits_the_symbol_that_its_standard_allows(letter: str) -> None:
    """No digits and capitals that would take fewer bits than bytes do, but for the shortest account number there is."""
    size = len(letter.encode())
    elements = {"name": letter * (70 if size == 1 else 60), "iban": "NO9386011117947"}
    free = (331 if size == 1 else 329) - len(Payment(**elements).says.encode()) - len("\n\n\n\n")
    content = Payment(**elements, text=letter * min(140, free // size))
    assert transfer(content)[10]
