"""qrcodestack: what depends on plans, what scans and pictures meet, bulk, its document, and the vendor's own lines."""

import asyncio
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import orjson
import pytest
import zxingcpp
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import validate
from PIL import Image
from ruamel.yaml import YAML
from starlette.requests import Request

from server.dialects import key_formats
from server.dialects.qrcodestack import DIALECT
from server.dialects.qrcodestack.document import as_3_0, yaml_of
from server.dialects.qrcodestack.errors import CODES, problem
from server.dialects.qrcodestack.from_domain import number_of, uuid_of
from server.dialects.qrcodestack.wire import DotShape
from server.domain import errors
from server.domain.accounts import Accounts
from server.domain.ids import id_number
from server.domain.label import Label
from server.domain.model import Device
from server.parts import now
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database
from tests.api.test_clients import MODULES
from tests.api.test_scans import write
from tests.api.test_stats import scan_of
from tests.dialects.conftest import NewKey
from tests.dialects.conversations import PICTURE, Replay, pixels, read
from tests.dialects.inside import inside
from tests.dialects.tls import run_lines
from tests.support import PHONE, PLANS, ServerProcess, new_id, phone, until

Json = dict[str, Any]

VENDOR = "qrcodestack.com"
THERE = "https://example.com/menu"
NEW = {"name": "Menu", "type": "url", "destination_url": THERE}
CONVERSATIONS = Path(__file__).with_name("qrcodestack")


def client(server: ServerProcess, key: str) -> httpx.Client:
    headers = {"authorization": f"Bearer {key}", "user-agent": PHONE}
    return httpx.Client(base_url=f"{server.url}/qrcodestack/api/v1", headers=headers, verify=False, timeout=60)


@pytest.fixture
def key(new_key: NewKey) -> str:
    return new_key("qrcodestack", plan="qrcodestack.advanced")


@pytest.fixture
def stack(server: ServerProcess, key: str) -> Iterator[httpx.Client]:
    """A client of the vendor's, on the plan Advanced."""
    with client(server, key) as stack:
        yield stack


def made(answer: httpx.Response, status: int = 201) -> Json:
    assert answer.status_code == status, answer.text
    assert answer.json()["success"] is True
    return dict(answer.json()["data"])


def create(stack: httpx.Client, **fields: object) -> Json:
    return made(stack.post("/qr-codes", json={**NEW, **fields}))


def refused(answer: httpx.Response, code: str) -> Json:
    body: Json = answer.json()
    assert (answer.status_code, body["code"]) == (CODES[code].status, code), answer.text  # type: ignore[index]
    assert body.keys() - {"fields"} == {"success", "error", "code"}
    assert body["success"] is False
    return body


def items(count: int) -> list[Json]:
    return [{**NEW, "name": f"Table {number}", "destination_url": f"{THERE}?t={number}"} for number in range(count)]


def total(stack: httpx.Client) -> int:
    return int(stack.get("/qr-codes?limit=1").json()["pagination"]["total"])


# --- ids and keys -------------------------------------------------------------------------------------------------


def test_an_id_is_a_uuid_and_comes_back() -> None:
    for number in (new_id(), 0, (1 << 63) - 1):
        found = uuid_of(number)
        assert (found.version, found.variant) == (8, "specified in RFC 4122")
        assert number_of(str(found)) == number_of(str(found).upper()) == number
    assert number_of(str(UUID(int=uuid_of(1 << 63).int))) is None
    for text in ("", "42", "67e55044-10b1-426f-9247-bb680e5fe0c8", f"{{{uuid_of(1)}}}", uuid_of(1).hex):
        assert number_of(text) is None


def test_a_key_looks_as_the_vendor_s() -> None:
    assert re.fullmatch(r"qrs_[0-9a-f]{64}", key_formats()["qrcodestack"].new())


@pytest.mark.parametrize("plan", ["qrcodestack.pro", "qrcodestack.advanced"])
def test_an_account_has_five_active_keys(plan: str, server: ServerProcess, new_key: NewKey) -> None:
    key = new_key("qrcodestack", plan=plan)
    keys = [key, *asyncio.run(_more_keys(server.database_url, key, 4))]
    for each in keys:
        with client(server, each) as stack:
            assert stack.get("/me").status_code == 200
    with pytest.raises(errors.PlanLimit, match="at most 5 API keys"):
        asyncio.run(_more_keys(server.database_url, key, 1))
    with server.anyone({"authorization": f"Bearer {key}"}) as native:
        assert native.post("/api-keys", json={"name": "Sixth"}).status_code == 403
        (last,) = [each for each in native.get("/api-keys").json()["data"] if keys[4].endswith(each["last4"])]
        assert native.delete(f"/api-keys/{last['id']}").status_code == 204
    with client(server, keys[4]) as stack:
        refused(stack.get("/me"), "UNAUTHORIZED")
    assert len(asyncio.run(_more_keys(server.database_url, key, 1))) == 1


async def _more_keys(database_url: str, key: str, count: int) -> list[str]:
    """As `qredge key create --format qrcodestack` makes them."""
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
        account = (await accounts.authenticate(key)).account
        form = key_formats()["qrcodestack"]
        return [(await accounts.create_key(account, Label("Another"), form=form))[1] for _ in range(count)]
    finally:
        await database.close()


# --- plans --------------------------------------------------------------------------------------------------------


def test_me_is_as_the_vendor_prints_it(server: ServerProcess, new_key: NewKey) -> None:
    key = new_key("qrcodestack", plan="qrcodestack.pro", email="you@example.com")
    with client(server, key) as stack:
        create(stack)
        found = made(stack.get("/me"), 200)
        assert UUID(found.pop("account_id")).version == 8
        assert found == {
            "email": "you@example.com",
            "plan": "pro",
            "usage": {
                "dynamic_qr_count": 1,
                "dynamic_qr_limit": 250,
                "api_calls_this_month": 2,
                "api_calls_monthly_limit": 5000,
            },
        }


def test_a_plan_without_limits_says_null(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack")) as stack:
        found = made(stack.get("/me"), 200)
    assert (found["plan"], found["email"]) == ("unlimited", None)
    assert (found["usage"]["dynamic_qr_limit"], found["usage"]["api_calls_monthly_limit"]) == (None, None)


def test_the_starter_plan_has_no_api(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="qrcodestack.starter")) as stack:
        answers = [stack.get("/me"), stack.post("/qr-codes", json=NEW), stack.post("/qr-codes/bulk", json={})]
        for answer in answers:
            assert refused(answer, "PLAN_FORBIDDEN")["error"] == (
                "The API is not available on your plan. Upgrade to Pro or Advanced."
            )


def test_only_the_advanced_plan_has_bulk(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="qrcodestack.pro")) as stack:
        bodies: list[Json] = [{"items": items(1)}, {"items": []}, {}]
        for body in bodies:
            body_refused = refused(stack.post("/qr-codes/bulk", json=body), "PLAN_FORBIDDEN")
            assert body_refused["error"] == "The bulk endpoint is available on the Advanced plan only."
        assert total(stack) == 0


def test_places_are_told_by_the_advanced_plan_only(stack: httpx.Client, server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="qrcodestack.pro")) as pro:
        for each, told in ((stack, True), (pro, False)):
            code = create(each)
            scans = [
                scan_of(native_link(each, code), datetime(2026, 3, 10, tzinfo=UTC), country="FR", city="Paris"),
            ]
            write(server, scans)
            path = f"/qr-codes/{code['id']}"
            answer = each.get(f"{path}/analytics?from=2026-03-10&to=2026-03-10")
            assert made(answer, 200).get("by_country") == ({"FR": 1} if told else None)
            (scan,) = each.get(f"{path}/scans").json()["data"]
            assert (scan.get("country"), scan.get("city")) == (("FR", "Paris") if told else (None, None))
            assert ("country" in scan) is ("city" in scan) is ("by_country" in answer.json()["data"]) is told


def native_link(stack: httpx.Client, code: Json) -> Json:
    """The link of a code, as the native API has it."""
    slug = code["short_code"]
    url = str(stack.base_url).replace("/qrcodestack/api/v1/", f"/v1/links?search={slug}")
    (link,) = httpx.get(url, headers=stack.headers, verify=False).json()["data"]
    return dict(link)


def test_a_plan_s_number_of_codes_is_kept(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="tiny")) as stack:
        code = create(stack)
        said = "Your plan allows 1 dynamic QR codes. Delete some, or upgrade."
        assert refused(stack.post("/qr-codes", json=NEW), "QR_LIMIT_REACHED")["error"] == said
        assert refused(stack.post("/qr-codes/bulk", json={"items": items(1)}), "QR_LIMIT_REACHED")["error"] == said
        more = refused(stack.post("/qr-codes/bulk", json={"items": items(3)}), "PLAN_FORBIDDEN")
        assert more["error"] == "Your plan allows 2 items in one request."
        assert stack.delete(f"/qr-codes/{code['id']}").status_code == 204
        assert refused(stack.post("/qr-codes/bulk", json={"items": items(2)}), "QR_LIMIT_REACHED")["error"] == said
        assert total(stack) == 0
        create(stack)


def test_what_a_plan_does_not_have_is_forbidden(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="bare")) as stack:
        logo = {"render_customizations": {"logo_url": "https://example.com/logo.png"}}
        assert "logos" in refused(stack.post("/qr-codes", json={**NEW, **logo}), "PLAN_FORBIDDEN")["error"]
        bulk = {"items": [{**NEW, **logo}]}
        assert "logos" in refused(stack.post("/qr-codes/bulk", json=bulk), "PLAN_FORBIDDEN")["error"]
        code = create(stack)
        refused(stack.patch(f"/qr-codes/{code['id']}", json=logo), "PLAN_FORBIDDEN")
        refused(stack.get(f"/qr-codes/{code['id']}/image?size=601"), "PLAN_FORBIDDEN")


def test_a_key_that_may_only_read_makes_nothing(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", permissions=["read"])) as reader:
        assert reader.get("/qr-codes").status_code == 200
        refused(reader.post("/qr-codes", json=NEW), "FORBIDDEN")
        refused(reader.post("/qr-codes/bulk", json={"items": items(1)}), "FORBIDDEN")
        assert total(reader) == 0


# --- windows ------------------------------------------------------------------------------------------------------


def test_the_minute_says_when_it_has_more(server: ServerProcess, new_key: NewKey) -> None:
    """Exactly when the first request of it is a minute old."""
    with client(server, new_key("qrcodestack", plan="qrcodestack.pro")) as stack:
        before = time.monotonic()
        assert stack.get("/me").status_code == 200
        after = time.monotonic()
        assert {stack.get("/qr-codes").status_code for _ in range(58)} == {200}
        create(stack)
        began = time.monotonic()
        answer = stack.post("/qr-codes", json=NEW)
        ended = time.monotonic()
        error = refused(answer, "RATE_LIMITED")["error"]
        assert "60 requests in a minute" in error
        assert ceil(60 - (ended - before)) <= int(answer.headers["retry-after"]) <= ceil(60 - (began - after))


def test_the_month_says_when_the_next_one_begins(server: ServerProcess, new_key: NewKey) -> None:
    def left() -> float:
        now = datetime.now(UTC)
        following = (now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + timedelta(days=31)).replace(day=1)
        return (following - now).total_seconds()

    with client(server, new_key("qrcodestack", plan="month")) as stack:
        assert [stack.get("/me").status_code for _ in range(5)] == [200] * 5
        before = left()
        answer = stack.post("/qr-codes", json=NEW)
        after = left()
        assert "5 requests in a month" in refused(answer, "MONTHLY_QUOTA_EXCEEDED")["error"]
        assert ceil(min(before, after)) <= int(answer.headers["retry-after"]) <= ceil(max(before, after))


def test_refused_requests_count_and_those_without_a_key_do_not(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="month")) as stack:
        refused(stack.post("/qr-codes", json={}), "VALIDATION_ERROR")
        refused(stack.get("/qr-codes/42"), "NOT_FOUND")
        for _ in range(9):
            refused(stack.get("/me", headers={"authorization": ""}), "UNAUTHORIZED")
        assert made(stack.get("/me"), 200)["usage"]["api_calls_this_month"] == 3


def test_pictures_of_a_month_are_counted(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrcodestack", plan="pictures")) as stack:
        path = f"/qr-codes/{create(stack)['id']}/image"
        assert [stack.get(path).status_code for _ in range(4)] == [200] * 3 + [429]
        refused(stack.get(path), "MONTHLY_QUOTA_EXCEEDED")


# --- codes and scans ----------------------------------------------------------------------------------------------


def test_a_scan_is_redirected_wherever_it_leads_now(stack: httpx.Client) -> None:
    code = create(stack)
    path = f"/qr-codes/{code['id']}"
    assert phone.get(code["redirect_url"]).headers["location"] == THERE
    moved = made(stack.patch(path, json={"destination_url": f"{THERE}/summer"}), 200)
    assert moved["redirect_url"] == code["redirect_url"]
    assert moved["updated_at"] > code["updated_at"]
    assert phone.get(code["redirect_url"]).headers["location"] == f"{THERE}/summer"
    until(lambda: stack.get(path).json()["data"]["scan_count"] == 2, what="two scans")
    assert stack.delete(path).status_code == 204
    assert phone.get(code["redirect_url"]).status_code == 410


def test_a_change_that_is_refused_changes_nothing(stack: httpx.Client) -> None:
    code = create(stack)
    path = f"/qr-codes/{code['id']}"
    body = {"destination_url": f"{THERE}/summer", "render_customizations": {"logo_url": "https://127.0.0.1/logo.png"}}
    refused(stack.patch(path, json=body), "VALIDATION_ERROR")
    assert made(stack.get(path), 200) == code


def test_the_picture_says_the_redirect_url_in_every_shape(stack: httpx.Client) -> None:
    for shape in DotShape.__args__:  # type: ignore[attr-defined]
        code = create(stack, render_customizations={"dot_shape": shape, "dot_color": "#14213d"})
        answer = stack.get(f"/qr-codes/{code['id']}/image?size=300")
        assert (answer.headers["content-type"], answer.headers["cache-control"]) == (
            "image/png",
            "private, max-age=3600",
        )
        (found,) = zxingcpp.read_barcodes(pixels(answer.content, "png"))
        assert found.text.lower() == code["redirect_url"].lower()


def test_a_picture_is_another_one_when_the_design_is(stack: httpx.Client) -> None:
    path = f"/qr-codes/{create(stack)['id']}"
    first = stack.get(f"{path}/image")
    made(stack.patch(path, json={"render_customizations": {"dot_color": "#b91c1c"}}), 200)
    second = stack.get(f"{path}/image", headers={"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.content == first.content) == (200, False)
    made(stack.patch(path, json={"render_customizations": None}), 200)
    again = stack.get(f"{path}/image", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


def test_what_others_have_made_is_told_in_the_vendor_s_words(stack: httpx.Client, native: httpx.Client) -> None:
    design = {
        "modules": {
            "shape": "star",
            "color": {
                "type": "linear",
                "stops": [{"offset": 0, "color": "#1d4ed8"}, {"offset": 1, "color": "#000000"}],
            },
        },
        "frame": {"style": "wave"},
        "margin": 5,
    }
    native.post(
        "/qr-codes", json={"destination": THERE, "design": design, "allow_unscannable": True}
    ).raise_for_status()
    native.post("/qr-codes", json={"content": {"type": "text", "text": "static"}}).raise_for_status()
    (code,) = stack.get("/qr-codes").json()["data"]
    assert (code["name"], code["render_customizations"]) == (
        None,
        {"dot_color": "#1d4ed8", "dot_shape": "square", "logo_url": None, "frame": "wave"},
    )
    made(stack.patch(f"/qr-codes/{code['id']}", json={"render_customizations": {"frame": "none"}}), 200)
    (dynamic,) = native.get("/qr-codes", params={"kind": "dynamic"}).json()["data"]
    assert (dynamic["design"]["margin"], dynamic["design"]["modules"]["shape"]) == (5, "star")
    (static,) = native.get("/qr-codes", params={"kind": "static"}).json()["data"]
    number = id_number("qr", static["id"])
    assert number is not None
    for path in ("", "/image", "/analytics", "/scans"):
        refused(stack.get(f"/qr-codes/{uuid_of(number)}{path}"), "NOT_FOUND")


def test_another_account_s_code_cannot_be_told_from_none(
    stack: httpx.Client, server: ServerProcess, new_key: NewKey
) -> None:
    path = f"/qr-codes/{create(stack)['id']}"
    with client(server, new_key("qrcodestack")) as stranger:
        for each in ("", "/image", "/analytics", "/scans"):
            refused(stranger.get(f"{path}{each}"), "NOT_FOUND")
        refused(stranger.patch(path, json={"destination_url": THERE}), "NOT_FOUND")
        refused(stranger.delete(path), "NOT_FOUND")
    assert stack.get(path).status_code == 200


# --- scans in figures ---------------------------------------------------------------------------------------------


def test_scans_are_counted_and_listed(stack: httpx.Client, server: ServerProcess) -> None:
    code = create(stack)
    link = native_link(stack, code)
    at = datetime(2026, 3, 10, 9, 45, tzinfo=UTC)
    rows: list[tuple[Device, str | None, str | None, str | None, str | None, int]] = [
        ("mobile", "iOS", "Mobile Safari", "FR", "Paris", 5),
        ("desktop", "Windows", "Chrome", "KR", "Seoul", 2),
        ("tv", None, None, None, None, 1),
        ("bot", None, None, "US", None, 3),
    ]
    scans = [
        scan_of(link, at + timedelta(days=day), device=device, os=os, browser=browser, country=country, city=city)
        for device, os, browser, country, city, number in rows
        for day in range(number)
    ]
    write(server, [scan._replace(visitor=place // 2) for place, scan in enumerate(scans)])
    path = f"/qr-codes/{code['id']}"
    figures = made(stack.get(f"{path}/analytics?from=2026-03-10&to=2026-03-11"), 200)
    assert figures == {
        "total_scans": 5,
        "unique_scans": figures["unique_scans"],
        "last_scan_at": "2026-03-14T09:45:00Z",
        "scans_by_day": [{"date": "2026-03-10", "scans": 3}, {"date": "2026-03-11", "scans": 2}],
        "by_device": {"desktop": 2, "mobile": 2, "tv": 1},
        "by_os": {"Windows": 2, "iOS": 2, "unknown": 1},
        "by_browser": {"Chrome": 2, "Mobile Safari": 2, "unknown": 1},
        "by_country": {"FR": 2, "KR": 2, "unknown": 1},
    }
    ever = made(stack.get(f"{path}/analytics"), 200)
    assert (ever["total_scans"], sum(day["scans"] for day in ever["scans_by_day"])) == (8, 0)
    assert len(ever["scans_by_day"]) == 31

    pages = [stack.get(f"{path}/scans", params={"page": page, "limit": 3}).json() for page in (1, 2, 3, 4)]
    assert [page["pagination"]["has_more"] for page in pages] == [True, True, False, False]
    listed = [scan for page in pages for scan in page["data"]]
    assert [scan["scanned_at"] for scan in listed] == sorted((scan["scanned_at"] for scan in listed), reverse=True)
    assert Counter(scan["device"] for scan in listed) == {"mobile": 5, "desktop": 2, "tv": 1}
    assert len({scan["id"] for scan in listed}) == 8
    assert listed[0] == {
        "id": listed[0]["id"],
        "scanned_at": "2026-03-14T09:45:00Z",
        "device": "mobile",
        "os": "iOS",
        "browser": "Mobile Safari",
        "referrer": None,
        "country": "FR",
        "city": "Paris",
    }
    first = stack.get(f"{path}/scans?from=2026-03-10&to=2026-03-10").json()["data"]
    assert [scan["scanned_at"] for scan in first] == ["2026-03-10T09:45:00Z"] * 3


# --- bulk ---------------------------------------------------------------------------------------------------------


@pytest.mark.alone
def test_five_hundred_are_made_within_a_second(stack: httpx.Client) -> None:
    """Each in a design of its own, and all of them lead somewhere when the answer is there."""
    wanted = [
        {**item, "render_customizations": {"dot_color": f"#{number:06x}", "dot_shape": "rounded", "frame": "wave"}}
        for number, item in enumerate(items(500))
    ]
    took = []
    for _ in range(3):
        began = time.perf_counter()
        answer = stack.post("/qr-codes/bulk", json={"items": wanted})
        took.append(time.perf_counter() - began)
        data = made(answer)
        assert (data["count"], len({item["short_code"] for item in data["items"]})) == (500, 500)
        assert [item["destination_url"] for item in data["items"]] == [item["destination_url"] for item in wanted]
    assert min(took) <= 1.0, took
    for item in data["items"][::50]:
        assert phone.get(item["redirect_url"]).headers["location"] == item["destination_url"]


def test_a_bulk_that_does_not_fit_makes_nothing(stack: httpx.Client) -> None:
    for count in (500, 500, 500, 500, 499):
        assert made(stack.post("/qr-codes/bulk", json={"items": items(count)}))["count"] == count
    said = refused(stack.post("/qr-codes/bulk", json={"items": items(2)}), "QR_LIMIT_REACHED")["error"]
    assert said == "Your plan allows 2500 dynamic QR codes. Delete some, or upgrade."
    assert total(stack) == 2499
    create(stack)
    refused(stack.post("/qr-codes", json=NEW), "QR_LIMIT_REACHED")
    assert made(stack.get("/me"), 200)["usage"]["dynamic_qr_count"] == 2500


def test_a_bulk_with_a_bad_item_makes_nothing(stack: httpx.Client) -> None:
    wanted = items(500)
    wanted[7] = {**wanted[7], "destination_url": "nowhere"}
    wanted[499] = {"destination_url": THERE}
    fields = refused(stack.post("/qr-codes/bulk", json={"items": wanted}), "VALIDATION_ERROR")["fields"]
    assert (fields.keys(), fields["7"].keys(), fields["499"]) == (
        {"7", "499"},
        {"destination_url"},
        {"name": "This is required."},
    )
    more = refused(stack.post("/qr-codes/bulk", json={"items": items(501)}), "VALIDATION_ERROR")["fields"]
    assert more.keys() == {"items"}
    assert total(stack) == 0


def test_what_is_too_large_is_told(stack: httpx.Client) -> None:
    refused(stack.post("/qr-codes", json={**NEW, "padding": "x" * (1 << 20)}), "PAYLOAD_TOO_LARGE")
    assert made(stack.post("/qr-codes/bulk", json={"items": [{**NEW, "padding": "x" * (1 << 20)}]}))["count"] == 1


def test_a_bulk_is_two_statements_that_add_however_many_there_are(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def counted(name: str) -> None:
        method = getattr(asyncpg.Connection, name)

        async def call(self: asyncpg.Connection, query: str, *given: object, **options: object) -> object:
            told.append(query)
            return await method(self, query, *given, **options)

        monkeypatch.setattr(asyncpg.Connection, name, call)

    for name in ("execute", "fetch", "fetchrow", "fetchval"):
        counted(name)

    async def nowhere(url: str) -> bytes:
        raise AssertionError(url)

    async def statements() -> list[list[str]]:
        async with inside(server.database_url, DIALECT, nowhere, plan="qrcodestack.advanced") as stack:
            found = []
            for count in (2, 2, 500):
                told.clear()
                made(await stack.post("/qr-codes/bulk", json={"items": items(count)}))
                found.append(told[told.index("BEGIN;") + 1 : told.index("COMMIT;")])
            return found

    _, two, many = asyncio.run(statements())
    assert two == many
    assert [re.findall(r"FOR NO KEY|count(?=\()|INTO (?:links|qr_codes)", each)[0] for each in many] == [
        *("FOR NO KEY", "count", "INTO links", "INTO qr_codes")
    ]


def test_a_logo_is_fetched_once_and_drawn(server: ServerProcess) -> None:
    red = BytesIO()
    Image.new("RGB", (64, 64), "#c00000").save(red, "PNG")
    asked: list[str] = []

    async def there(url: str) -> bytes:
        asked.append(url)
        if "missing" in url:
            raise errors.InvalidValue("not_found", "Nothing is there.")
        return red.getvalue()

    def with_logo(name: str, number: int = 0) -> Json:
        return {**items(number + 1)[-1], "render_customizations": {"logo_url": f"https://example.com/{name}.png"}}

    async def drawn() -> tuple[Json, bytes]:
        async with inside(server.database_url, DIALECT, there) as stack:
            many = [*(with_logo("logo", number) for number in range(20)), with_logo("other"), *items(3)]
            codes = made(await stack.post("/qr-codes/bulk", json={"items": many}))["items"]
            assert sorted(asked) == ["https://example.com/logo.png", "https://example.com/other.png"]
            wrong = [with_logo("logo"), with_logo("missing"), with_logo("missing")]
            why = refused(await stack.post("/qr-codes/bulk", json={"items": wrong}), "VALIDATION_ERROR")["fields"]
            missing = {"render_customizations.logo_url": "Nothing is there."}
            assert why == {"1": missing, "2": missing}
            too_many = [with_logo(f"logo{number}") for number in range(51)]
            why = refused(await stack.post("/qr-codes/bulk", json={"items": too_many}), "VALIDATION_ERROR")["fields"]
            assert why == {"items": "A bulk has logos from at most 50 addresses."}
            assert (await stack.get("/qr-codes")).json()["pagination"]["total"] == 24
            path = f"/qr-codes/{codes[0]['id']}"
            asked.clear()
            kept = {"logo_url": "https://example.com/logo.png", "dot_color": "#14213d"}
            changed = made(await stack.patch(path, json={"render_customizations": kept}), 200)
            assert asked == [], "it has that already"
            return changed, (await stack.get(f"{path}/image?size=1024")).content

    code, picture = asyncio.run(drawn())
    assert code["render_customizations"]["logo_url"] == "https://example.com/logo.png"
    seen = Image.open(BytesIO(picture)).convert("RGB")
    assert seen.getpixel((512, 512)) == (0xC0, 0, 0)
    (found,) = zxingcpp.read_barcodes(pixels(picture, "png"))
    assert found.text == code["short_code"]


# --- errors -------------------------------------------------------------------------------------------------------


def _answered(exc: Exception) -> tuple[int, Json, str | None]:
    request = Request({"type": "http", "method": "GET", "path": "/api/v1/me", "headers": []})
    answer = problem(request, exc)
    return answer.status_code, orjson.loads(bytes(answer.body)), answer.headers.get("retry-after")


def test_what_goes_wrong_here_is_an_internal_error() -> None:
    status, body, _ = _answered(RuntimeError("a mistake of ours"))
    assert (status, body["code"]) == (500, "INTERNAL_ERROR")
    assert "mistake" not in str(body)


@pytest.mark.parametrize("exc", [errors.StorageUnavailable(), errors.Busy()])
def test_what_may_pass_says_when_to_come_again(exc: errors.StorageUnavailable | errors.Busy) -> None:
    status, body, retry_after = _answered(exc)
    assert (status, body["code"], retry_after) == (503, "SERVICE_UNAVAILABLE", str(exc.retry_after_s))


def test_every_code_is_provoked() -> None:
    told = {
        orjson.loads(exchange.expected)["code"]
        for path in CONVERSATIONS.glob("*.http")
        for exchange in read(path)
        if exchange.status >= 400 and not PICTURE.fullmatch(exchange.expected)
    }
    here = {
        *("PLAN_FORBIDDEN", "QR_LIMIT_REACHED", "FORBIDDEN", "PAYLOAD_TOO_LARGE", "RATE_LIMITED"),
        *("MONTHLY_QUOTA_EXCEEDED", "INTERNAL_ERROR", "SERVICE_UNAVAILABLE"),
    }
    assert told | here == CODES.keys()
    assert not told & here


# --- its document -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def document(server: ServerProcess) -> Json:
    answer = httpx.get(f"{server.url}/qrcodestack/openapi.json", verify=False)
    return dict(answer.json())


def test_the_document_is_openapi_3_0_as_yaml_and_as_json(server: ServerProcess, document: Json) -> None:
    validate(document)
    as_yaml = httpx.get(f"{server.url}/qrcodestack/openapi.yaml", verify=False)
    assert YAML(typ="safe").load(as_yaml.text) == document
    assert document["servers"] == [{"url": f"{server.url}/qrcodestack/api/v1"}]
    told = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert told == {(each.method, each.path) for each in DIALECT.law.endpoints} - {
        ("GET", "/openapi.yaml"),
        ("GET", "/openapi.json"),
    }


def test_yaml_says_what_json_does() -> None:
    odd: Json = {
        "no": ["yes", "null", "1", "1.5", "~", "", " a", "# b", "a: b", "é\n\t\\\"'", "0x1", "2026-11-20"],
        "200": {"empty": {}, "none": [], "deep": [[1, [True]], {"a": [{"b": None}]}]},
        "$ref": -1.5,
    }
    for version in ((1, 1), (1, 2)):
        reader = YAML(typ="safe")
        reader.version = version
        assert reader.load(yaml_of(odd)) == odd


def test_the_words_of_3_1_become_those_of_3_0() -> None:
    schema = {
        "properties": {
            "a": {"type": ["string", "null"]},
            "b": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "description": "b"},
            "c": {"const": "c", "examples": ["c"]},
            "d": {"items": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}},
        }
    }
    found = as_3_0({"paths": {"/": [{"schema": schema}]}, "components": {"schemas": {"x": {"type": "object"}}}})
    assert found["paths"]["/"][0]["schema"]["properties"] == {
        "a": {"type": "string", "nullable": True},
        "b": {"allOf": [{"$ref": "#/x"}], "nullable": True, "description": "b"},
        "c": {"enum": ["c"], "example": "c"},
        "d": {"items": {"anyOf": [{"type": "string"}, {"type": "integer"}], "nullable": True}},
    }


@pytest.mark.parametrize("path", sorted(CONVERSATIONS.glob("*.http")), ids=lambda path: path.stem)
def test_answers_are_what_the_document_says(path: Path, document: Json, server: ServerProcess, new_key: NewKey) -> None:
    key = new_key("qrcodestack", plan="qrcodestack.advanced")
    replay = Replay(server, "qrcodestack", by_host=False, key=key)
    for exchange in read(path):
        answer = replay.ask(exchange)
        asked = re.sub(r"/[^/]*[0-9{][^/]*", "/{id}", exchange.path.partition("?")[0].removeprefix("/api/v1"))
        said = document["paths"].get(asked, {}).get(exchange.method.lower())
        if said is None or answer.headers.get("content-type") != "application/json":
            continue
        schema = said["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
        OAS30Validator({**schema, "components": document["components"]}).validate(answer.json())


# --- the vendor's own lines ---------------------------------------------------------------------------------------

CURL = r"""
curl https://qrcodestack.com/api/v1/me \
-H "Authorization: Bearer qrs_YOUR_KEY"
"""

GENERATE = """
# Postman (or use the GUI: Import → API → paste URL https://qrcodestack.com/openapi.yaml)
npx openapi-to-postmanv2 -s openapi.yaml -o qrcodestack.postman_collection.json -p

# TypeScript client
npx openapi-typescript openapi.yaml -o qrcodestack-api.d.ts

# Python client (using openapi-python-client)
openapi-python-client generate --path openapi.yaml
"""

#: What a program in Python does with the generated client.
SMOKE = """
import sys
from qr_code_stack_client import AuthenticatedClient
from qr_code_stack_client.api.qr_codes import create_qr_code, delete_qr_code, list_qr_codes, update_qr_code
from qr_code_stack_client.models import Error, QrCodeCreate, QrCodeUpdate, RenderCustomizationsInput
from qr_code_stack_client.models import RenderCustomizationsInputDotShape as DotShape

url, key = sys.argv[1:]
with AuthenticatedClient(base_url=url, token=key) as client:
    look = RenderCustomizationsInput(dot_shape=DotShape.DIAMOND, logo_url=None)
    wanted = QrCodeCreate(name="Menu", destination_url="https://example.com/", render_customizations=look)
    code = create_qr_code.sync(client=client, body=wanted).data
    assert code.render_customizations.dot_shape == "diamond"
    assert [each.id for each in list_qr_codes.sync(client=client, limit=1).data] == [code.id]
    changed = QrCodeUpdate(destination_url="https://example.com/summer")
    assert update_qr_code.sync(code.id, client=client, body=changed).data.destination_url.endswith("/summer")
    assert delete_qr_code.sync_detailed(code.id, client=client).status_code == 204
    refused = update_qr_code.sync(code.id, client=client, body=changed)
    assert isinstance(refused, Error) and refused.code == "NOT_FOUND"
"""


def test_the_vendor_s_lines_work_as_they_are(server: ServerProcess, key: str, tmp_path: Path) -> None:
    """But for the key, which everybody has to put in."""
    lines = CURL.replace("qrs_YOUR_KEY", key) + f"curl -O https://{VENDOR}/openapi.yaml\n"
    ran = run_lines(lines, VENDOR, server.port, tmp_path)
    me = orjson.loads(ran)
    assert (me["success"], me["data"]["plan"], me["data"]["usage"]["api_calls_this_month"]) == (True, "advanced", 1)
    assert YAML(typ="safe").load(tmp_path / "openapi.yaml")["servers"] == [{"url": f"http://{VENDOR}/api/v1"}]


def test_clients_are_generated_from_the_document_and_work(document: Json, key: str, tmp_path: Path) -> None:
    """By the vendor's lines; what they need is installed."""
    (tmp_path / "openapi.yaml").write_bytes(yaml_of(document))
    (tmp_path / "node_modules").symlink_to(MODULES)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-ec", GENERATE],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "npm_config_offline": "true"},
        check=False,
        timeout=120,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    collection = orjson.loads((tmp_path / "qrcodestack.postman_collection.json").read_bytes())
    assert orjson.dumps(collection["item"]).count(b'"request":{"name"') == 10
    types = (tmp_path / "qrcodestack-api.d.ts").read_text()
    operations = [item[method]["operationId"] for item in document["paths"].values() for method in item]
    for name in operations:
        assert f"{name}: {{" in types
        assert list(tmp_path.glob(f"*-client/*/api/*/{name}.py")), name
    (folder,) = tmp_path.glob("*-client")
    server_url = document["servers"][0]["url"]
    subprocess.run([sys.executable, "-c", SMOKE, server_url, key], cwd=folder, check=True, timeout=60)
    # This generator knows one type of files, and says so of the picture.
    assert ran.stderr.count("WARNING") == ran.stderr.count("Unsupported content_type image/png") == 1, ran.stderr
