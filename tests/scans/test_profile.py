"""What a request tells of who scans."""

import pytest

from server.domain.rules import Visitor
from server.scans.profile import Profiles, preferred

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile/15E148"
IPAD = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1"
PIXEL = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36"
TABLET = "Mozilla/5.0 (Linux; Android 13; SM-X900) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.0 Safari/605.1.15"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
UBUNTU = "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0"
CHROMEBOOK = "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36"

TELEVISION = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"


def visitor_of(*headers: tuple[bytes, bytes], address: str = "192.0.2.1") -> Visitor:
    return profiles("CF-IPCountry").of(
        {"type": "http", "headers": list(headers), "client": (address, 5)}, with_country=True
    )


def profiles(country_header: str) -> Profiles:
    return Profiles(
        country_header=country_header,
        address=lambda scope: str(scope["client"][0]),
        country={"203.0.113.1": "CH", "203.0.113.2": "--", "203.0.113.3": None}.get,
    )


@pytest.mark.parametrize(
    ("agent", "device", "system"),
    [
        (IPHONE, "mobile", "ios"),
        (IPAD, "tablet", "ios"),
        (PIXEL, "mobile", "android"),
        (TABLET, "tablet", "android"),
        (WINDOWS, "desktop", "windows"),
        (MAC, "desktop", "macos"),
        (LINUX, "desktop", "linux"),
        (UBUNTU, "desktop", "linux"),
        (CHROMEBOOK, "desktop", "other"),
        (TELEVISION, "other", "other"),
        ("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Lumia 950) Mobile Safari/537.36", "mobile", "other"),
        ("curl/8.5.0", "other", "other"),
        ("", "other", "other"),
        ("\xff" * 5000, "other", "other"),
    ],
)
def test_device_and_system_are_those_of_the_user_agent(agent: str, device: str, system: str) -> None:
    visitor = visitor_of((b"user-agent", agent.encode("latin-1")))
    assert (visitor.device, visitor.os) == (device, system)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", None),
        ("*", None),
        ("fr", "fr"),
        ("de-CH,de;q=0.9,en;q=0.8", "de-CH"),
        ("en;q=0.8, fr;q=0.9", "fr"),
        ("en;q=0.5,fr;q=0.5", "en"),
        ("en;q=0,fr;q=0.1", "fr"),
        ("*;q=1,pt-BR ; Q=0.3", "pt-BR"),
        ("en;q=2,de;q=x,es;v=1,it;q=0.001", "it"),
        ("en;q=nan,it", "it"),
        ("<script>,,;;q=1", None),
    ],
)
def test_the_language_is_the_one_preferred_to_all_others(accepted: str, language: str | None) -> None:
    assert preferred(accepted) == language
    assert visitor_of((b"accept-language", accepted.encode())).language == language


@pytest.mark.parametrize(
    ("given", "country"),
    [
        *[(b"FR", "FR"), (b" ch ", "CH"), (b"", None), (b"FRA", None), (b"T1", None), (b"XX", None)],
        (b"\xff\xff", None),
    ],
)
def test_a_country_is_what_the_cdn_says(given: bytes, country: str | None) -> None:
    assert visitor_of((b"cf-ipcountry", given)).country == country


@pytest.mark.parametrize(
    ("address", "country"), [("203.0.113.1", "CH"), ("203.0.113.2", None), ("203.0.113.3", None), ("", None)]
)
def test_where_the_cdn_says_no_country_the_address_does(address: str, country: str | None) -> None:
    assert visitor_of((b"cf-ipcountry", b"XX"), address=address).country == country


def test_without_a_cdn_nobody_may_say_a_country() -> None:
    request = {"type": "http", "headers": [(b"cf-ipcountry", b"FR")], "client": ("203.0.113.1", 5)}
    assert profiles("").of(request, with_country=True).country == "CH"
    assert profiles("").of(request, with_country=False).country is None


@pytest.mark.parametrize(("agent", "bot"), [("WhatsApp/2.23.20.0 A", True), (IPHONE, False), ("curl/8.5.0", False)])
def test_previews_are_no_persons(agent: str, bot: bool) -> None:
    assert visitor_of((b"user-agent", agent.encode())).bot == bot


def test_a_visitor_is_an_address_and_a_browser() -> None:
    phone = (b"user-agent", IPHONE.encode())
    assert visitor_of(phone).key == visitor_of(phone, (b"accept-language", b"fr")).key
    assert visitor_of(phone).key != visitor_of(phone, address="192.0.2.2").key
    assert visitor_of(phone).key != visitor_of((b"user-agent", PIXEL.encode())).key
