"""qrcode-app: what depends on plans, what a scan meets, what is counted, and the vendor's own curl lines."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from PIL import Image
from starlette.requests import Request

from server.dialects import key_formats
from server.dialects.qrcode_app import DIALECT
from server.dialects.qrcode_app.errors import CODES, problem
from server.domain.model import Device
from tests.api.test_scans import write
from tests.api.test_stats import scan_of
from tests.dialects.conftest import NewKey, client_of
from tests.dialects.conversations import PICTURE, read
from tests.dialects.inside import inside
from tests.dialects.tls import run_lines
from tests.support import ServerProcess, phone, until

Json = dict[str, Any]

VENDOR = "api.qrcode-app.com"
THERE = "https://monsite.com/promo-ete"
RED = BytesIO()
Image.new("RGB", (64, 64), "#c00000").save(RED, "PNG")


def client(server: ServerProcess, key: str) -> httpx.Client:
    return client_of(server, "/qrcode-app/v1", key)


@pytest.fixture
def key(new_key: NewKey) -> str:
    return new_key("qrcode-app")


@pytest.fixture
def shop(server: ServerProcess, key: str) -> Iterator[httpx.Client]:
    """A client of the vendor's."""
    with client(server, key) as shop:
        yield shop


def dynamic(shop: httpx.Client, **fields: object) -> Json:
    answer = shop.post("/qrcodes/dynamic", json={"destination_url": THERE, **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json()["data"])


def refused(answer: httpx.Response, status: int, code: str) -> Json:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"].keys() == {"code", "message", "details"}
    return dict(answer.json()["error"])


def native_id(qr_id: str) -> str:
    return qr_id.replace("qr_dyn_", "qr_")


def test_a_key_looks_as_the_vendor_s() -> None:
    assert re.fullmatch(r"sk_live_[A-Za-z0-9]{24}", key_formats()["qrcode-app"].new())


# --- scans --------------------------------------------------------------------------------------------------------


def test_a_scan_is_redirected_wherever_it_leads_now(shop: httpx.Client) -> None:
    code = dynamic(shop)
    assert phone.get(code["short_url"]).headers["location"] == THERE
    moved = shop.put(f"/qrcodes/{code['qr_id']}/destination", json={"destination_url": "https://monsite.com/hiver"})
    assert moved.status_code == 200
    assert phone.get(code["short_url"]).headers["location"] == "https://monsite.com/hiver"
    until(lambda: shop.get(f"/qrcodes/{code['qr_id']}").json()["data"]["total_scans"] == 2, what="two scans")


def test_what_is_protected_by_a_password_asks_for_it(shop: httpx.Client) -> None:
    url = dynamic(shop, protection={"password": "secret123"})["short_url"]
    assert (phone.get(url).status_code, "location" in phone.get(url).headers) == (200, False)
    assert phone.post(url, data={"password": "wrong"}).status_code == 401
    right = phone.post(url, data={"password": "secret123"})
    assert (right.status_code, right.headers["location"]) == (303, THERE)


def test_so_many_scans_and_no_more(shop: httpx.Client) -> None:
    url = dynamic(shop, protection={"max_scans": 2})["short_url"]
    assert [phone.get(url).status_code for _ in range(3)] == [302, 302, 410]
    free = dynamic(shop, protection={"max_scans": 0})["short_url"]
    assert [phone.get(free).status_code for _ in range(3)] == [302, 302, 302]


def test_it_is_inactive_after_its_expiry_date(shop: httpx.Client, native: httpx.Client) -> None:
    today = datetime.now(UTC).date()
    past = dynamic(shop, protection={"expiry_date": str(today - timedelta(days=1))})
    assert phone.get(past["short_url"]).status_code == 410
    last = dynamic(shop, protection={"expiry_date": str(today + timedelta(days=1))})
    assert last["protection"]["expiry_date"] == str(today + timedelta(days=1))
    assert phone.get(last["short_url"]).status_code == 302
    link = native.get(f"/qr-codes/{native_id(last['qr_id'])}?expand=link").json()["link"]
    assert link["expires_at"] == f"{today + timedelta(days=2)}T00:00:00Z", "the day belongs to it"
    exact = dynamic(shop, protection={"expiry_date": "2030-09-01T12:30:00+02:00"})
    assert exact["protection"]["expiry_date"] == "2030-09-01T10:30:00Z"


def test_a_deleted_code_redirects_nobody_but_spares_what_others_need(shop: httpx.Client, native: httpx.Client) -> None:
    code = dynamic(shop)
    assert shop.delete(f"/qrcodes/{code['qr_id']}").status_code == 200
    assert phone.get(code["short_url"]).status_code == 410
    shared = dynamic(shop)
    link = native.get(f"/qr-codes/{native_id(shared['qr_id'])}").json()["link_id"]
    native.post("/qr-codes", json={"link_id": link}).raise_for_status()
    assert shop.delete(f"/qrcodes/{shared['qr_id']}").status_code == 200
    assert phone.get(shared["short_url"]).status_code == 302


def test_anyone_sees_the_picture_that_its_owner_downloads(shop: httpx.Client) -> None:
    code = dynamic(shop, format="svg", size=300)
    mine = httpx.get(code["download_url"], headers=shop.headers, verify=False)
    assert (mine.status_code, phone.get(code["image_url"]).content) == (200, mine.content)
    assert code["image_url"].endswith(".svg")


def test_a_picture_that_would_not_scan_is_served_and_says_so(shop: httpx.Client) -> None:
    body = {"type": "text", "content": "pale", "design": {"fg_color": "#fefefe"}}
    code = shop.post("/qrcodes/generate", json=body).json()["data"]
    answer = shop.get(f"/qrcodes/{code['qr_id']}/download")
    assert (answer.status_code, answer.headers["x-qr-scannable"]) == (200, "false")
    assert answer.headers["x-qr-scannable-reason"]


# --- plans --------------------------------------------------------------------------------------------------------


def test_the_business_plan_counts_a_thousand_a_minute(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcode-app", plan="qrcode-app.business")) as shop:
        for remaining in (999, 998, 997):
            answer = shop.get("/qrcodes" if remaining != 998 else "/qrcodes?page=0")
            told = {name: int(answer.headers[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")}
            assert (told["limit"], told["remaining"]) == (1000, remaining)
            assert -2 <= told["reset"] - time.time() <= 62


@pytest.mark.parametrize("plan", ["qrcode-app.pro", "qrcode-app.free"])
def test_other_plans_have_no_api(plan: str, server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcode-app", plan=plan)) as shop:
        for answer in (shop.get("/qrcodes"), shop.post("/qrcodes/generate", json={"type": "text", "content": "x"})):
            error = refused(answer, 403, "API_NOT_AVAILABLE")
            assert error["message"] == "API is not available on your plan."
            assert error["details"] == "Business plan required."
            assert answer.headers["x-ratelimit-limit"] == "0"


def test_a_full_plan_says_so_in_the_vendor_s_words(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcode-app", plan="tiny")) as shop:
        dynamic(shop)
        answer = shop.post("/qrcodes/dynamic", json={"destination_url": THERE})
        assert refused(answer, 403, "QUOTA_EXCEEDED") == {
            "code": "QUOTA_EXCEEDED",
            "message": "You have reached your plan limit.",
            "details": "Upgrade to the Business plan for unlimited access.",
        }
        assert shop.get("/qrcodes").json()["pagination"]["total"] == 1
        assert shop.post("/api-keys", json={"name": "Second"}).status_code == 201
        refused(shop.post("/api-keys", json={"name": "Third"}), 403, "QUOTA_EXCEEDED")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/qrcodes/dynamic", {"destination_url": THERE, "protection": {"password": "secret123"}}, "passwords"),
        ("/qrcodes/dynamic", {"destination_url": THERE, "protection": {"max_scans": 5}}, "scan limit"),
        ("/qrcodes/dynamic", {"destination_url": THERE, "protection": {"expiry_date": "2030-01-01"}}, "expire"),
        ("/qrcodes/generate", {"type": "text", "content": "x", "size": 601}, "pixels"),
        (
            "/qrcodes/generate",
            {"type": "text", "content": "x", "design": {"logo_url": "https://monsite.com/logo.png"}},
            "logos",
        ),
        ("/barcodes/generate", {"format": "EAN8", "value": "9638507", "width": 601}, "pixels"),
    ],
)
def test_what_a_plan_does_not_have_is_named(
    path: str, body: Json, told: str, server: ServerProcess, new_key: NewKey
) -> None:
    with client(server, new_key("qrcode-app", plan="bare")) as shop:
        assert told in refused(shop.post(path, json=body), 403, "QUOTA_EXCEEDED")["details"]
        assert shop.get("/qrcodes").json()["data"] == []


def test_too_many_requests_wait_for_the_window(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcode-app", plan="minute")) as shop:
        answers = [shop.get("/qrcodes") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        error = refused(answers[-1], 429, "RATE_LIMIT_EXCEEDED")
        assert error["details"] == "Wait for X-RateLimit-Reset before retrying."
        assert answers[-1].headers["x-ratelimit-remaining"] == "0"
        wait_s = int(answers[-1].headers["retry-after"])
        assert 1 <= wait_s <= 60
        assert abs(int(answers[-1].headers["x-ratelimit-reset"]) - time.time() - wait_s) < 5


def test_another_account_s_code_cannot_be_told_from_none(
    shop: httpx.Client, server: ServerProcess, new_key: NewKey
) -> None:
    code = dynamic(shop)["qr_id"]
    with client(server, new_key("qrcode-app")) as stranger:
        for path in ("", "/download", "/stats", "/stats/daily", "/stats/countries", "/stats/devices"):
            refused(stranger.get(f"/qrcodes/{code}{path}"), 404, "QR_NOT_FOUND")
        refused(stranger.delete(f"/qrcodes/{code}"), 404, "QR_NOT_FOUND")
        refused(stranger.put(f"/qrcodes/{code}/destination", json={"destination_url": THERE}), 404, "QR_NOT_FOUND")
    assert shop.get(f"/qrcodes/{code}").status_code == 200


def test_what_goes_wrong_here_is_a_server_error() -> None:
    request = Request({"type": "http", "method": "GET", "path": "/v1/qrcodes", "headers": []})
    answer = problem(request, RuntimeError("a mistake of ours"))
    body = orjson.loads(bytes(answer.body))
    assert (answer.status_code, body["error"]["code"]) == (500, "SERVER_ERROR")
    assert "mistake" not in str(body)


def test_every_code_is_provoked() -> None:
    told = {
        orjson.loads(exchange.expected)["error"]["code"]
        for path in Path(__file__).parent.glob("qrcode_app/*.http")
        for exchange in read(path)
        if exchange.status >= 400 and not PICTURE.fullmatch(exchange.expected)
    }
    here = {"QUOTA_EXCEEDED", "API_NOT_AVAILABLE", "RATE_LIMIT_EXCEEDED", "SERVER_ERROR"}
    assert told | here == CODES.keys()
    assert not told & here


# --- scans in figures ---------------------------------------------------------------------------------------------


def test_scans_are_told_as_the_vendor_tells_them(
    shop: httpx.Client, native: httpx.Client, server: ServerProcess
) -> None:
    code, quiet = dynamic(shop, name="Busy"), dynamic(shop, name="Quiet")
    link = {"id": native.get(f"/qr-codes/{native_id(code['qr_id'])}").json()["link_id"]}
    at = datetime(2026, 3, 10, 9, 45, tzinfo=UTC)
    rows: list[tuple[Device, str | None, str | None, str | None, str | None, int]] = [
        ("mobile", "iOS", "Mobile Safari", "FR", "Paris", 5),
        ("mobile", "Android", "Chrome", "FR", None, 2),
        ("desktop", "Windows", "Chrome", "KR", "Seoul", 2),
        ("tv", "Tizen", None, None, None, 1),
    ]
    scans = [
        scan_of(link, at + timedelta(days=day), device=device, os=os, browser=browser, country=country, city=city)
        for device, os, browser, country, city, number in rows
        for day in range(number)
    ]
    write(server, [scan._replace(visitor=place) for place, scan in enumerate(scans)])
    period = "from=2026-03-01&to=2026-03-31"
    of_code = f"/qrcodes/{code['qr_id']}/stats"
    devices = {"mobile": 70.0, "desktop": 20.0, "tablet": 0.0, "other": 10.0}
    systems = {"ios": 50.0, "android": 20.0, "windows": 20.0, "other": 10.0}
    assert shop.get(f"{of_code}?{period}").json() == {
        "data": {
            "qr_id": code["qr_id"],
            "total_scans": 10,
            "unique_scans": 10,
            "last_scan_at": "2026-03-14T09:45:00Z",
            "top_country": "France",
            "top_city": "Paris",
            "devices": devices,
            "os": systems,
        }
    }
    daily = shop.get(f"{of_code}/daily?from=2026-03-10&to=2026-03-15").json()["data"]
    assert [each["scans"] for each in daily] == [4, 3, 1, 1, 1, 0]
    assert (daily[0]["date"], daily[-1]["date"]) == ("2026-03-10", "2026-03-15")
    assert shop.get(f"{of_code}/countries?{period}").json()["data"] == [
        {"country": "France", "country_code": "FR", "scans": 7, "percentage": 70.0},
        {"country": "Korea (South)", "country_code": "KR", "scans": 2, "percentage": 20.0},
        {"country": "Unknown", "country_code": None, "scans": 1, "percentage": 10.0},
    ]
    assert shop.get(f"{of_code}/devices?{period}").json()["data"] == {
        "devices": devices,
        "os": systems,
        "browsers": {"mobile_safari": 50.0, "chrome": 40.0, "other": 10.0},
    }
    assert phone.get(quiet["short_url"]).status_code == 302

    def whole() -> Json | None:
        """Today's scans are read behind all of them, so the last one may be among those alone."""
        found: Json = shop.get("/stats/overview").json()["data"]
        return found if (found["scans_today"], found["total_scans"]) == (1, 11) else None

    overview = until(whole, what="the scan")
    assert overview is not None
    assert overview["total_qrcodes"] == 2
    assert [(each["name"], each["total_scans"]) for each in overview["top_qrcodes"]] == [("Busy", 10), ("Quiet", 1)]
    assert shop.get(f"/stats/overview?{period}").json()["data"]["total_scans"] == 10


# --- the vendor's own lines ---------------------------------------------------------------------------------------

CURL = r"""
curl -X GET https://api.qrcode-app.com/v1/qrcodes \
  -H "Authorization: Bearer sk_live_abc123xyz789" \
  -H "Content-Type: application/json"

# Generate a QR code
curl -X POST https://api.qrcode-app.com/v1/qrcodes/generate \
  -H "Authorization: Bearer sk_live_abc123" \
  -H "Content-Type: application/json" \
  -d '{"type":"url","content":"https://monsite.com","format":"png","size":512}'

# List your QR codes
curl https://api.qrcode-app.com/v1/qrcodes?limit=10 \
  -H "Authorization: Bearer sk_live_abc123"

# View stats
curl https://api.qrcode-app.com/v1/qrcodes/qr_K9mX/stats \
  -H "Authorization: Bearer sk_live_abc123"
"""


def test_the_vendor_s_curl_lines_work_as_they_are(
    server: ServerProcess, shop: httpx.Client, key: str, tmp_path: Path
) -> None:
    """But for the key and the id, which everybody has to put in."""
    lines = re.sub(r"sk_live_\w+", key, CURL).replace("qr_K9mX", dynamic(shop)["qr_id"])
    ran = run_lines(lines, VENDOR, server.port, tmp_path)
    first, made, listed, stats = map(orjson.loads, ran.splitlines())
    assert first["pagination"]["total"] == 1
    assert made["success"] is True
    assert made["data"]["download_url"] == f"http://{VENDOR}/v1/qrcodes/{made['data']['qr_id']}/download"
    assert [each["kind"] for each in listed["data"]] == ["static", "dynamic"]
    assert stats["data"]["total_scans"] == 0


COMPLETE = {
    "type": "url",
    "content": "https://monsite.com",
    "format": "png",
    "size": 1024,
    "error_correction": "H",
    "design": {
        "fg_color": "#1a1a2e",
        "bg_color": "#ffffff",
        "logo_url": "https://monsite.com/logo.png",
        "logo_size": 0.25,
        "dot_style": "round",
        "corner_style": "extra-rounded",
    },
}


def test_the_complete_example_is_drawn_with_its_logo(server: ServerProcess) -> None:
    """In this process, as nobody is at the vendor's address of a logo."""
    answers, picture = asyncio.run(_generated(server.database_url, COMPLETE))
    assert answers["design"] == COMPLETE["design"]
    drawn = Image.open(BytesIO(picture)).convert("RGB")
    assert drawn.size == (1024, 1024)
    assert drawn.getpixel((512, 512)) == (0xC0, 0, 0)


async def _generated(database_url: str, body: Json) -> tuple[Json, bytes]:
    async def there(url: str) -> bytes:
        assert url == "https://monsite.com/logo.png"
        return RED.getvalue()

    async with inside(database_url, DIALECT, there) as shop:
        made = (await shop.post("/qrcodes/generate", json=body)).json()["data"]
        whole = (await shop.get(f"/qrcodes/{made['qr_id']}")).json()["data"]
        return whole, (await shop.get(made["download_url"])).content
