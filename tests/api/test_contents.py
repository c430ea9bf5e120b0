"""What static codes say, by the API: every kind is made, answered, changed and drawn."""

from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import zxingcpp

from server.domain.content import KINDS
from tests.api.exchange import everything, new_code, problem

#: What is sent, what is answered of it, and what the symbol says.
CONTENTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"type": "url", "url": "https://exämple.com/ü"},
        {"url": "https://xn--exmple-cua.com/%C3%BC"},
        "https://xn--exmple-cua.com/%C3%BC",
    ),
    ({"type": "text", "text": "Hello"}, {}, "Hello"),
    (
        {"type": "email", "to": "ada@example.com", "subject": "R&D"},
        {"to": ["ada@example.com"], "cc": [], "bcc": [], "body": None},
        "mailto:ada@example.com?subject=R%26D",
    ),
    ({"type": "phone", "phone": "+33 6 12"}, {"phone": "+33612"}, "tel:+33612"),
    ({"type": "sms", "phone": "+33612", "message": "Bonjour, à vous: 🍣"}, {}, "SMSTO:+33612:Bonjour, à vous: 🍣"),
    (
        {"type": "whatsapp", "phone": "33612345678", "message": None},
        {"phone": "+33612345678"},
        "https://wa.me/33612345678",
    ),
    (
        {"type": "wifi", "ssid": "Café; Bar", "password": "12345678"},
        {"auth": "WPA", "hidden": False},
        "WIFI:T:WPA;S:Café\\; Bar;P:12345678;;",
    ),
    (
        {
            "type": "vcard",
            "first_name": "Jean",
            "last_name": "Dupont",
            "phones": "+33612",
            "emails": ["a@b.fr", "c@d.fr"],
        },
        {"name": None, "org": None, "title": None, "phones": ["+33612"], "url": None, "address": None, "note": None},
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Dupont;Jean;;;\r\nFN:Jean Dupont\r\nTEL;TYPE=VOICE:+33612\r\n"
        "EMAIL;TYPE=INTERNET:a@b.fr\r\nEMAIL;TYPE=INTERNET:c@d.fr\r\nEND:VCARD\r\n",
    ),
    (
        {"type": "mecard", "name": "Ada", "note": "a:b"},
        {"reading": None, "phones": [], "emails": [], "url": None, "address": None},
        "MECARD:N:Ada;NOTE:a\\:b;;",
    ),
    (
        {"type": "geo", "latitude": 48, "longitude": 2.3522, "label": "Paris"},
        {"latitude": 48.0},
        "geo:48,2.3522?q=48,2.3522(Paris)",
    ),
    (
        {"type": "event", "title": "Gala", "start": "2026-06-01", "end": "2026-06-01", "all_day": True},
        {"timezone": None, "location": None, "description": None},
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//qredge//EN\r\nBEGIN:VEVENT\r\nUID:f51bbd615c9c5a92\r\n"
        "DTSTAMP:20260601T000000Z\r\nSUMMARY:Gala\r\nDTSTART;VALUE=DATE:20260601\r\nDTEND;VALUE=DATE:20260602\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n",
    ),
    (
        {
            "type": "payment",
            "name": "Wikimedia",
            "iban": "de89 3704 0044 0532 0130 00",
            "amount": 12.5,
            "text": "Merci",
        },
        {
            "iban": "DE89370400440532013000",
            "amount": "12.50",
            "currency": "EUR",
            "bic": None,
            "purpose": None,
            "reference": None,
        },
        "BCD\n002\n1\nSCT\n\nWikimedia\nDE89370400440532013000\nEUR12.50\n\n\nMerci",
    ),
]
each_content = pytest.mark.parametrize(
    ("sent", "more", "text"), CONTENTS, ids=[sent["type"] for sent, _, _ in CONTENTS]
)


def read(api: httpx.Client, code: str) -> str:
    """What a reader finds in the code's picture."""
    answer = api.get(f"/qr-codes/{code}/image")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    (found,) = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    return found.text


def test_no_kind_is_left_out() -> None:
    assert [sent["type"] for sent, _, _ in CONTENTS] == list(KINDS)


@each_content
def test_every_kind_is_made_answered_and_drawn(
    api: httpx.Client, sent: dict[str, Any], more: dict[str, Any], text: str
) -> None:
    code = new_code(api, content=sent)
    assert (code["kind"], code["content"]) == ("static", {**sent, **more})
    assert api.get(f"/qr-codes/{code['id']}").json() == code
    assert api.get("/qr-codes").json()["data"] == [code]
    assert read(api, code["id"]) == text
    assert new_code(api, content=code["content"])["content"] == code["content"]  # what is answered may be sent again


@each_content
def test_a_static_code_may_say_something_else(
    api: httpx.Client, sent: dict[str, Any], more: dict[str, Any], text: str
) -> None:
    code = new_code(api, content={"type": "text", "text": "before"}, name="Table 7")
    etag = api.get(f"/qr-codes/{code['id']}/image").headers["etag"]
    answer = api.patch(f"/qr-codes/{code['id']}", json={"content": sent})
    assert answer.status_code == 200
    changed = answer.json()
    assert {field for field in code if changed[field] != code[field]} == {"content", "updated_at"}
    assert changed["content"] == {**sent, **more}
    assert api.get(f"/qr-codes/{code['id']}").json() == changed
    assert read(api, code["id"]) == text
    assert api.get(f"/qr-codes/{code['id']}/image").headers["etag"] != etag


def test_a_dynamic_code_says_its_short_url_for_ever(api: httpx.Client) -> None:
    code = new_code(api)
    before = everything(api)
    body = {"content": {"type": "text", "text": "Hello"}, "name": "New"}
    found = problem(api.patch(f"/qr-codes/{code['id']}", json=body), 409, "not_static")
    assert "destination" in found["detail"]
    assert everything(api) == before
