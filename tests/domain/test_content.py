"""What static codes say: every kind, its one spelling, and what it refuses."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from server.domain.content import (
    MAX_CHARACTERS,
    Content,
    Event,
    Payment,
    Phone,
    Text,
    Wifi,
    as_json,
    content_of,
    examine,
    stored_content,
)
from server.domain.content.payment import IBAN_LENGTHS
from server.domain.errors import InvalidValue

IBAN = "DE89370400440532013000"

#: The least that each kind takes.
LEAST: dict[str, dict[str, Any]] = {
    "url": {"url": "https://example.com/"},
    "text": {"text": "Hello"},
    "email": {"to": "ada@example.com"},
    "phone": {"phone": "+33612345678"},
    "sms": {"phone": "+33612345678"},
    "whatsapp": {"phone": "+33612345678"},
    "wifi": {"ssid": "Café", "password": "BienvenueChezNous2026"},
    "vcard": {"name": "Ada Lovelace"},
    "mecard": {"name": "Ada Lovelace"},
    "geo": {"latitude": 48.8566, "longitude": 2.3522},
    "event": {"title": "Conference", "start": "2026-06-01T09:00", "end": "2026-06-01T18:00"},
    "payment": {"name": "Wikimedia", "iban": IBAN},
}


def wrong(kind: str, **fields: object) -> dict[str, str]:
    """Field -> reason, of the kind's least with these fields over it."""
    return {each.field or "": each.reason for each in examine({"type": kind, **LEAST[kind], **fields})}


def made(kind: str, **fields: object) -> Content:
    return content_of({"type": kind, **LEAST[kind], **fields})


# --- every kind ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LEAST)
def test_every_kind_goes_to_json_and_comes_back(kind: str) -> None:
    content = made(kind)
    given = as_json(content)
    assert given["type"] == content.type == kind
    assert content_of(given) == stored_content(given) == content
    assert hash(content) == hash(content_of(given))


@pytest.mark.parametrize("kind", LEAST)
def test_what_other_versions_stored_is_read(kind: str) -> None:
    """Unknown fields are passed over, missing ones have their defaults, and what was allowed once stays."""
    assert stored_content({"type": kind, "colour": 1, **as_json(made(kind))}) == made(kind)
    least = {field: value for field, value in as_json(made(kind)).items() if field in {"type", *LEAST[kind]}}
    assert stored_content(least).says == made(kind).says
    assert stored_content({"type": "phone", "phone": "1-800-FLOWERS"}).says == "tel:1-800-FLOWERS"


@pytest.mark.parametrize("kind", LEAST)
def test_every_kind_tells_all_that_it_needs_at_once(kind: str) -> None:
    needed = {field: "required" for field in LEAST[kind] if (kind, field) != ("wifi", "password")}
    if kind == "vcard":
        needed = {"name": "required"}  # or one of its parts
    assert {each.field: each.reason for each in examine({"type": kind})} == needed
    with pytest.raises(InvalidValue) as refusal:
        content_of({"type": kind})
    assert refusal.value.field == next(iter(needed))


@pytest.mark.parametrize("kind", LEAST)
def test_no_field_takes_what_is_not_its_type(kind: str) -> None:
    for field in as_json(made(kind)):
        if field != "type":
            for given in ({}, [5], [[]], object()):
                found = wrong(kind, **{field: given})
                assert set(found.values()) <= {"wrong_type", "unknown_value"}, (field, given)
                assert len(found) == 1, (field, given)


@pytest.mark.parametrize("kind", LEAST)
def test_a_null_is_a_field_that_is_not_there(kind: str) -> None:
    for field, value in as_json(made(kind)).items():
        if value is None:
            assert made(kind, **{field: None}) == made(kind)


@pytest.mark.parametrize("kind", LEAST)
def test_no_field_takes_half_a_character_or_a_null_character(kind: str) -> None:
    for field, value in as_json(made(kind)).items():
        if isinstance(value, str | None) and field not in ("type", "auth", "currency"):
            for hostile in ("abcdefgh\x00", "abcdefgh\ud800"):
                found = wrong(kind, **{field: hostile})
                assert any(place == field for place in found), (field, hostile, found)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "required"),
        ({"type": "fax"}, "unknown_value"),
        ({"type": 5}, "unknown_value"),
        ({"type": []}, "unknown_value"),
    ],
)
def test_a_type_nobody_knows_is_refused(given: dict[str, object], why: str) -> None:
    assert [(each.field, each.reason) for each in examine(given)] == [("type", why)]
    with pytest.raises(InvalidValue):
        content_of(given)


def test_a_content_is_legal_because_it_exists_and_stays_as_it_is() -> None:
    with pytest.raises(InvalidValue) as refusal:
        Wifi(ssid="x", password="short")
    assert (refusal.value.reason, refusal.value.field) == ("invalid_password", "password")
    assert "8 to 63" in refusal.value.detail
    phone = Phone(phone="+33 (6) 12-34.56/78")
    assert (phone.phone, phone.says) == ("+33612345678", "tel:+33612345678")
    with pytest.raises(FrozenInstanceError):
        phone.phone = "x"  # type: ignore[misc]


def test_the_whole_text_is_bounded() -> None:
    message = {"subject": "é" * 200, "body": "🍣" * 2000}
    assert wrong("email", **message) == {"": "too_long"}
    assert wrong("email", subject="e" * 200, body="x" * 2000) == {}


# --- what it says, in full -------------------------------------------------------------------------------------------

SAYS: list[tuple[str, dict[str, Any], str]] = [
    ("url", {"url": "https://exämple.com/ü?a=b#c"}, "https://xn--exmple-cua.com/%C3%BC?a=b#c"),
    ("url", {"url": "HTTP://example.com"}, "HTTP://example.com"),
    ("url", {"url": "myapp://open?table=7&name=ü"}, "myapp://open?table=7&name=%C3%BC"),
    ("url", {"url": "ftp://example.com/a"}, "ftp://example.com/a"),
    ("url", {"url": "tel:112"}, "tel:112"),
    ("text", {"text": " as it\r\nstands\t"}, " as it\r\nstands\t"),
    ("email", {}, "mailto:ada@example.com"),
    ("email", {"body": "x"}, "mailto:ada@example.com?body=x"),
    ("email", {"to": ["a@b.de", "c+d@e.fr"], "cc": "e@f.it"}, "mailto:a@b.de,c%2Bd@e.fr?cc=e@f.it"),
    (
        "email",
        {"bcc": ["e@f.it"], "subject": "R&D, 100 %?", "body": "one\ntwo\r\nthree\r"},
        "mailto:ada@example.com?bcc=e@f.it&subject=R%26D%2C%20100%20%25%3F&body=one%0D%0Atwo%0D%0Athree%0D%0A",
    ),
    ("email", {"to": "Ada@Exämple.COM"}, "mailto:Ada@xn--exmple-cua.com"),
    ("phone", {"phone": "(030) 901820"}, "tel:030901820"),
    ("phone", {"phone": "112"}, "tel:112"),
    ("phone", {"phone": "+1\u2011514\u2013555\u00a01234"}, "tel:+15145551234"),
    ("sms", {}, "SMSTO:+33612345678:"),
    ("sms", {"message": "Bonjour : ça va ?\nOui; \\o/"}, "SMSTO:+33612345678:Bonjour : ça va ?\nOui; \\o/"),
    ("whatsapp", {}, "https://wa.me/33612345678"),
    (
        "whatsapp",
        {"phone": "33 6 12 34 56 78", "message": "Salut & à+\n🍣"},
        "https://wa.me/33612345678?text=Salut%20%26%20%C3%A0%2B%0A%F0%9F%8D%A3",
    ),
    ("wifi", {}, "WIFI:T:WPA;S:Café;P:BienvenueChezNous2026;;"),
    ("wifi", {"password": None, "auth": "nopass"}, "WIFI:T:nopass;S:Café;;"),
    ("wifi", {"hidden": True, "auth": "WEP", "password": "abcde"}, "WIFI:T:WEP;S:Café;P:abcde;H:true;;"),
    (
        "wifi",
        {"ssid": 'a\\b;c,d:e"f', "password": '";,:\\ ;;"'},
        'WIFI:T:WPA;S:a\\\\b\\;c\\,d\\:e\\"f;P:\\"\\;\\,\\:\\\\ \\;\\;\\";;',
    ),
    ("wifi", {"ssid": "DeadBeef"}, 'WIFI:T:WPA;S:"DeadBeef";P:BienvenueChezNous2026;;'),
    ("wifi", {"ssid": "2026", "password": "12345678"}, 'WIFI:T:WPA;S:"2026";P:12345678;;'),
    ("wifi", {"ssid": " x ", "password": "a" * 64}, f"WIFI:T:WPA;S: x ;P:{'a' * 64};;"),
    ("vcard", {}, "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;Ada Lovelace;;;\r\nFN:Ada Lovelace\r\nEND:VCARD\r\n"),
    (
        "vcard",
        {
            "name": "Dr. Jean Dupont",
            "first_name": "Jean",
            "last_name": "Dupont; de",
            "org": "A, B; C\\D",
            "title": "Chef",
            "phones": ["+33 6 12", "+44 20 7946 0018"],
            "emails": ["a@b.fr", "c@d.fr"],
            "url": "https://b.fr/a,b;c",
            "address": "1, rue X\n75001 Paris",
            "note": "x: y",
        },
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Dupont\\; de;Jean;;;\r\nFN:Dr. Jean Dupont\r\n"
        "ORG:A\\, B\\; C\\\\D\r\nTITLE:Chef\r\n"
        "TEL;TYPE=VOICE:+33612\r\nTEL;TYPE=VOICE:+442079460018\r\nEMAIL;TYPE=INTERNET:a@b.fr\r\nEMAIL;TYPE=INTERNET:c@d.fr\r\n"
        "ADR:;;1\\, rue X\\n75001 Paris;;;;\r\nURL:https://b.fr/a,b;c\r\nNOTE:x: y\r\nEND:VCARD\r\n",
    ),
    (
        "vcard",
        {"name": None, "last_name": "Lovelace"},
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Lovelace;;;;\r\nFN:Lovelace\r\nEND:VCARD\r\n",
    ),
    ("mecard", {}, "MECARD:N:Ada Lovelace;;"),
    (
        "mecard",
        {
            "name": "山田, 太郎",
            "reading": "ヤマダ",
            "phones": ["+81 3 1234"],
            "emails": "a@b.jp",
            "url": "https://b.jp/",
            "address": "1;2",
            "note": "\\",
        },
        "MECARD:N:山田\\, 太郎;SOUND:ヤマダ;TEL:+8131234;EMAIL:a@b.jp;URL:https\\://b.jp/;ADR:1\\;2;NOTE:\\\\;;",
    ),
    ("geo", {}, "geo:48.8566,2.3522"),
    ("geo", {"latitude": -90, "longitude": 180}, "geo:-90,180"),
    ("geo", {"latitude": 1e-9, "longitude": -0.0}, "geo:0,0"),
    ("geo", {"latitude": 1e-5, "longitude": -179.12345678}, "geo:0.00001,-179.1234568"),
    ("geo", {"label": "Café (Paris)"}, "geo:48.8566,2.3522?q=48.8566,2.3522(Caf%C3%A9%20%28Paris%29)"),
    ("payment", {}, f"BCD\n002\n1\nSCT\n\nWikimedia\n{IBAN}"),
    (
        "payment",
        {
            "name": " Müller & Söhne ",
            "iban": "de89 3704 0044 0532 0130 00",
            "bic": "cobadeffxxx",
            "amount": 50,
            "purpose": "char",
            "reference": "rf18 5390 0754 7034",
        },
        f"BCD\n002\n1\nSCT\nCOBADEFFXXX\nMüller & Söhne\n{IBAN}\nEUR50.00\nCHAR\nRF18539007547034",
    ),
    (
        "payment",
        {"reference": "+++090/9337/55493+++"},
        f"BCD\n002\n1\nSCT\n\nWikimedia\n{IBAN}\n\n\n+++090/9337/55493+++",
    ),
    (
        "payment",
        {"amount": "0.01", "text": "Facture 7"},
        f"BCD\n002\n1\nSCT\n\nWikimedia\n{IBAN}\nEUR0.01\n\n\nFacture 7",
    ),
]


@pytest.mark.parametrize(("kind", "fields", "text"), SAYS, ids=lambda given: str(given)[:30])
def test_a_content_says_what_its_format_wants(kind: str, fields: dict[str, Any], text: str) -> None:
    content = made(kind, **fields)
    assert content.says == text
    assert content_of(as_json(content)) == content  # its one spelling is a fixed point


EVENTS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["DTSTART:20260601T090000", "DTEND:20260601T180000"]),
    ({"timezone": "Europe/Paris"}, ["DTSTART:20260601T070000Z", "DTEND:20260601T160000Z"]),
    (
        {"start": "2026-06-01T09:00:30+02:00", "end": "2026-06-01T09:00:30Z"},
        ["DTSTART:20260601T070030Z", "DTEND:20260601T090030Z"],
    ),
    ({"end": "2026-06-01T09:00"}, ["DTSTART:20260601T090000"]),
    (
        {"all_day": True, "start": "2026-06-01", "end": "2026-06-01"},
        ["DTSTART;VALUE=DATE:20260601", "DTEND;VALUE=DATE:20260602"],
    ),
    (
        {"all_day": True, "start": "2026-12-30", "end": "2026-12-31"},
        ["DTSTART;VALUE=DATE:20261230", "DTEND;VALUE=DATE:20270101"],
    ),
    # The hour that a summer ends with is there twice; its first time is meant.
    (
        {"timezone": "Europe/Paris", "start": "2026-10-25T02:30", "end": "2026-10-25T03:30"},
        ["DTSTART:20261025T003000Z", "DTEND:20261025T023000Z"],
    ),
]


@pytest.mark.parametrize(("fields", "times"), EVENTS, ids=lambda given: str(given)[:40])
def test_an_event_is_at_the_time_that_was_meant(fields: dict[str, Any], times: list[str]) -> None:
    lines = made("event", **fields).says.split("\r\n")
    assert [line for line in lines if line.startswith(("DTSTART", "DTEND"))] == times


def test_an_event_is_known_again_by_its_id() -> None:
    def unique(**fields: object) -> str:
        (line,) = [line for line in made("event", **fields).says.split("\r\n") if line.startswith("UID:")]
        return line

    assert unique() == unique(description="More of the same") != unique(title="Another")


# --- what is refused -------------------------------------------------------------------------------------------------

WRONG: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    *[
        ("url", {"url": url}, {"url": why})
        for url, why in [
            ("", "empty"),
            ("example.com", "invalid_scheme"),
            ("//example.com", "invalid_scheme"),
            ("https:", "invalid_scheme"),
            ("https://", "no_host"),
            ("javascript:alert(1)", "invalid_scheme"),
            ("JAVASCRIPT:alert(1)", "invalid_scheme"),
            ("vbscript:x", "invalid_scheme"),
            ("data:text/html;base64,PHA+", "invalid_scheme"),
            ("file:///etc/passwd", "invalid_scheme"),
            ("blob:https://example.com/1", "invalid_scheme"),
            (" javascript:alert(1)", "invalid_scheme"),
            ("java\tscript:alert(1)", "invalid_scheme"),
            ("myapp:a b", "invalid_character"),
            ("myapp:\n", "invalid_character"),
            ("myapp:a\nb", "invalid_character"),
            ("https://example.com/\r\n", "invalid_character"),
            ("https://example.com\\@evil.example/", "invalid_character"),
            ("https://example.com/" + "x" * 2029, "too_long"),
            ("myapp:" + "ü" * 400, "too_long"),
        ]
    ],
    ("text", {"text": ""}, {"text": "empty"}),
    ("email", {"to": []}, {"to": "empty"}),
    ("email", {"to": ["a@b.de"] * 21}, {"to": "too_many"}),
    ("email", {"to": ["a@b.de", "a@b@", 5]}, {"to/1": "invalid_email"}),
    *[
        ("email", {"to": address}, {"to": "invalid_email"})
        for address in [
            *["", "ada", "@b.de", "a@", "a@b..de", "a@-b.de", "a b@c.de", "ä@b.de", "a@b.de,c@d.de", "a@b.de?cc=c"],
            *["a\r\n@b.de", "a@b\n.de", f"{'x' * 65}@b.de", f"a@{'x' * 64}.de", "a@[127.0.0.1]", "a@\u200b.de"],
        ]
    ],
    ("email", {"to": f"a@{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.{'x' * 60}.de"}, {"to": "too_long"}),
    (
        "email",
        {"to": "x", "cc": ["y"], "bcc": 5, "subject": "a\nb", "body": "x" * 2001},
        {
            "to": "invalid_email",
            "cc/0": "invalid_email",
            "bcc": "wrong_type",
            "subject": "invalid_character",
            "body": "too_long",
        },
    ),
    ("email", {"body": "a\x0bb"}, {"body": "invalid_character"}),
    ("email", {"subject": " "}, {"subject": "empty"}),
    *[
        ("phone", {"phone": phone}, {"phone": "invalid_phone"})
        for phone in [
            *["", "1", "+", "+33", "+0612345678", "0" * 16, "+1234567890123456", "1-800-FLOWERS", "*100#", "12;ext=3"],
            *["+44 (0)20 7946 0018", "++33612345678", "06+12345678", "٠١٢٣٤", "112,1"],
        ]
    ],
    ("sms", {"phone": "x", "message": ""}, {"phone": "invalid_phone", "message": "empty"}),
    *[
        ("whatsapp", {"phone": phone}, {"phone": "invalid_phone"})
        for phone in ["0612345678", "0033612345678", "112", "x"]
    ],
    *[
        ("wifi", {"auth": auth, "password": password}, {"password": why})
        for auth, password, why in [
            ("WPA", None, "required"),
            ("WPA", "", "empty"),
            ("WPA", "1234567", "invalid_password"),
            ("WPA", "x" * 64, "invalid_password"),
            ("WPA", "x" * 65, "too_long"),
            ("WPA", "pässword", "invalid_password"),
            ("WPA", "password\n", "invalid_character"),
            ("WEP", None, "required"),
            ("WEP", "1234", "invalid_password"),
            ("WEP", "xxxxxxxxxx", "invalid_password"),
            ("WEP", "äbcde", "invalid_password"),
            ("nopass", "password", "not_allowed"),
        ]
    ],
    (
        "wifi",
        {"ssid": "é" * 17, "auth": "wpa", "hidden": "yes", "password": "\x07"},
        {"ssid": "too_long", "auth": "unknown_value", "hidden": "wrong_type", "password": "invalid_character"},
    ),
    ("wifi", {"ssid": ""}, {"ssid": "empty"}),
    ("wifi", {"ssid": "a\tb"}, {"ssid": "invalid_character"}),
    ("wifi", {"auth": None, "hidden": None}, {"auth": "unknown_value", "hidden": "wrong_type"}),
    ("vcard", {"name": None}, {"name": "required"}),
    (
        "vcard",
        {
            "name": "x" * 101,
            "first_name": "a\nb",
            "org": "",
            "phones": ["+33612345678", "x"],
            "emails": ["x"] * 11,
            "url": "javascript:x",
            "address": "x" * 301,
            "note": "\x1b",
        },
        {
            "name": "too_long",
            "first_name": "invalid_character",
            "org": "empty",
            "phones/1": "invalid_phone",
            "emails": "too_many",
            "url": "invalid_scheme",
            "address": "too_long",
            "note": "invalid_character",
        },
    ),
    ("mecard", {"note": "a\nb", "name": None}, {"note": "invalid_character", "name": "wrong_type"}),
    *[
        ("geo", {"latitude": given, "longitude": given}, {"latitude": why, "longitude": why})
        for given, why in [
            (181, "out_of_range"),
            (float("nan"), "out_of_range"),
            ("48.8", "wrong_type"),
            (True, "wrong_type"),
        ]
    ],
    ("geo", {"latitude": 90.1, "longitude": -180.1}, {"latitude": "out_of_range", "longitude": "out_of_range"}),
    ("geo", {"label": "x" * 101}, {"label": "too_long"}),
    *[
        ("event", {"start": time}, {"start": "invalid_time"})
        for time in [
            *["", "now", "2026-06-01", "01.06.2026", "20260601T0900", "2026-06-01T9:00", "2026-06-01 09:00"],
            *["2026-W23-1", "2026-02-30T09:00", "2026-06-01T24:01", "2026-06-01T09:00:60"],
            *["2026-06-01T09:00+25:00"],
            *["٢٠٢٦-06-01T09:00"],
        ]
    ],
    ("event", {"start": "1899-12-31T09:00"}, {"start": "out_of_range"}),
    ("event", {"start": "1900-01-01T00:00+14:00"}, {"start": "out_of_range"}),
    ("event", {"start": "0001-01-01T00:00+14:00"}, {"start": "invalid_time"}),
    ("event", {"end": "3000-01-01T09:00"}, {"end": "out_of_range"}),
    ("event", {"end": "2026-06-01T08:59:59"}, {"end": "out_of_range"}),
    ("event", {"start": "2026-06-01T09:00Z"}, {"end": "invalid_time"}),
    ("event", {"all_day": True}, {"start": "invalid_time", "end": "invalid_time"}),
    ("event", {"all_day": True, "start": "2026-06-02", "end": "2026-06-01"}, {"end": "out_of_range"}),
    (
        "event",
        {"all_day": True, "start": "2026-06-01", "end": "2026-06-01", "timezone": "UTC"},
        {"timezone": "not_allowed"},
    ),
    (
        "event",
        {"start": "2026-06-01T09:00Z", "end": "2026-06-01T09:00Z", "timezone": "UTC"},
        {"timezone": "not_allowed"},
    ),
    *[
        ("event", {"timezone": zone}, {"timezone": "unknown_timezone"})
        for zone in ["Paris", "", "Europe", "../../etc/passwd", "/etc/localtime", "Europe/Paris\x00", "x" * 5000]
    ],
    *[
        ("payment", {"iban": iban}, {"iban": "invalid_iban"})
        for iban in [
            "",
            "DE",
            "DE88370400440532013000",  # one digit changed
            "DE89370400440532010300",  # two exchanged
            "DE8937040044053201300",  # one missing
            "XX89370400440532013000",
            "DE8937040044053201300Ä",
            "DE89 3704 0044 0532 0130 00\n+1",
        ]
    ],
    *[
        ("payment", {"amount": amount}, {"amount": why})
        for amount, why in [
            (0, "out_of_range"),
            (-5, "out_of_range"),
            (0.001, "out_of_range"),
            (10**9, "out_of_range"),
            (10**400, "out_of_range"),
            (float("inf"), "out_of_range"),
            (float("nan"), "out_of_range"),
            ("0.00", "out_of_range"),
            ("1000000000", "out_of_range"),
            (12.345, "invalid_amount"),
            ("12.345", "invalid_amount"),
            ("12,50", "invalid_amount"),
            ("1e3", "invalid_amount"),
            ("EUR5", "invalid_amount"),
            (True, "wrong_type"),
        ]
    ],
    ("payment", {"reference": "RF19539007547034"}, {"reference": "invalid_reference"}),
    ("payment", {"reference": "RF185390 0754-7034"}, {"reference": "invalid_reference"}),
    ("payment", {"reference": "RF18539007547034", "text": "x"}, {"text": "not_allowed"}),
    ("payment", {"name": "ä" * 70, "text": "ä" * 140}, {"": "too_long"}),
    (
        "payment",
        {
            "name": "x" * 71,
            "currency": "USD",
            "bic": "COBADEF",
            "purpose": "CHARI",
            "reference": "x" * 36,
            "text": "a\nb",
        },
        {
            "name": "too_long",
            "currency": "unknown_value",
            "bic": "invalid_bic",
            "purpose": "invalid_purpose",
            "reference": "too_long",
            "text": "invalid_character",
        },
    ),
]


@pytest.mark.parametrize(("kind", "fields", "found"), WRONG, ids=lambda given: ascii(given)[:50])
def test_all_that_is_wrong_is_told_by_field(kind: str, fields: dict[str, Any], found: dict[str, str]) -> None:
    assert wrong(kind, **fields) == found
    with pytest.raises(InvalidValue) as refusal:
        made(kind, **fields)
    assert (refusal.value.field or "", refusal.value.reason) in found.items()


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["a", " ", "line\r\nline\t", "é🍣", "7" * MAX_CHARACTERS])
def test_a_text_stays_as_it_is(text: str) -> None:
    assert Text(text).says == text


def test_a_text_that_is_too_long_hears_how_long_it_is_and_may_be() -> None:
    with pytest.raises(InvalidValue, match=r"7089 .* 8000"):
        Text("x" * 8000)


# --- payments --------------------------------------------------------------------------------------------------------

# Each country's example in SWIFT's IBAN Registry.
EXAMPLES = Path(__file__).with_name("ibans.txt").read_text().split()


@pytest.mark.parametrize("iban", EXAMPLES)
def test_every_countrys_own_example_is_an_account(iban: str) -> None:
    assert content_of({"type": "payment", "name": "x", "iban": iban}) == Payment(name="x", iban=iban)
    for other in (iban[:-1], iban + "0", iban[:-1] + ("1" if iban[-1] == "0" else "0")):
        assert wrong("payment", iban=other) == {"iban": "invalid_iban"}


def test_the_countries_without_an_example_here_are_few() -> None:
    assert IBAN_LENGTHS.keys() - {iban[:2] for iban in EXAMPLES} == {
        *["BI", "BY", "DJ", "FK", "HN", "MN", "NI", "OM", "RU", "SD", "SO", "YE"]
    }


def test_a_payment_knows_its_level() -> None:
    assert {kind: made(kind).level for kind in LEAST} == {**dict.fromkeys(LEAST), "payment": "M"}


def test_an_event_needs_no_clock() -> None:
    event = Event(title="x", start="2026-06-01T09:00", end="2026-06-01T10:00")
    assert event.says == Event(title="x", start="2026-06-01T09:00:00", end="2026-06-01T10:00").says
