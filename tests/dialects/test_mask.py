"""mask: what depends on keys and plans, what a scan meets, what is counted, told; the vendor's own curl lines."""

import asyncio
import hmac
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import zxingcpp
from starlette.requests import Request

from server.dialects import key_formats
from server.dialects.mask import DIALECT
from server.dialects.mask.errors import ERRORS, HTTP_ERRORS, problem
from server.dialects.mask.targets import split_utm, with_utm
from server.dialects.mask.wire import SCOPES
from server.domain import errors
from server.domain.rules import MAX_RULES
from tests.api.test_scans import write
from tests.api.test_stats import scan_of
from tests.dialects.conftest import NewKey, client_of, key_of_new_account
from tests.dialects.conversations import pixels, read
from tests.dialects.tls import run_lines
from tests.receiver import Receiver
from tests.support import PHONE, ServerProcess, phone, until

Json = dict[str, Any]

THERE = "https://example.com/menu"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile "
    "Safari/537.36"
)
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0"

LIMITS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


def client(server: ServerProcess, key: str) -> httpx.Client:
    return client_of(server, "/mask/api/v1", key)


@pytest.fixture
def key(new_key: NewKey) -> str:
    return new_key("mask")


@pytest.fixture
def shop(server: ServerProcess, key: str) -> Iterator[httpx.Client]:
    """A client of the vendor's."""
    with client(server, key) as shop:
        yield shop


def made(answer: httpx.Response) -> Json:
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def new_link(shop: httpx.Client, **fields: object) -> Json:
    return made(shop.post("/links", json={"url": THERE, **fields}))


def new_code(shop: httpx.Client, link: Json, **fields: object) -> Json:
    return made(shop.post("/qr-codes", json={"link_id": link["id"], **fields}))


def refused(answer: httpx.Response, status: int, code: str) -> Json:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    return dict(answer.json()["error"])


def wrong(answer: httpx.Response) -> list[str]:
    """The fields that are."""
    return [each["field"] for each in refused(answer, 400, "validation_error")["details"]]


# --- keys and scopes ----------------------------------------------------------------------------------------------


def test_a_key_looks_as_the_vendor_s() -> None:
    assert re.fullmatch(r"mk_live_[A-Za-z0-9]{24}", key_formats()["mask"].new())


#: What needs which scope.
NEEDS = [
    ("GET", "/qr-codes", "qr-codes:read"),
    ("POST", "/qr-codes", "qr-codes:write"),
    ("GET", "/qr-codes/qr_0000000000005", "qr-codes:read"),
    ("GET", "/qr-codes/qr_0000000000005/image", "qr-codes:read"),
    ("GET", "/links", "links:read"),
    ("POST", "/links", "links:write"),
    ("GET", "/links/lnk_0000000000005", "links:read"),
    ("PATCH", "/links/lnk_0000000000005", "links:write"),
    ("DELETE", "/links/lnk_0000000000005", "links:write"),
    ("GET", "/analytics/clicks", "analytics:read"),
    ("GET", "/webhooks", "webhooks:read"),
    ("POST", "/webhooks", "webhooks:write"),
    ("DELETE", "/webhooks/wh_0000000000005", "webhooks:write"),
]


def test_every_endpoint_has_a_scope() -> None:
    said = {(each.method, each.path) for each in DIALECT.law.endpoints if each.state != "not covered"}
    assert {(method, re.sub(r"[a-z]+_0+5", "{id}", path)) for method, path, _ in NEEDS} == said


@pytest.mark.parametrize("scope", sorted(SCOPES.values()))
def test_a_key_without_a_scope_opens_all_but_what_needs_it(scope: str, server: ServerProcess, new_key: NewKey) -> None:
    others = [permission for permission, name in SCOPES.items() if name != scope]
    with client(server, new_key("mask", permissions=others)) as shop:
        for method, path, needed in NEEDS:
            answer = shop.request(method, path)
            if needed == scope:
                assert refused(answer, 403, "insufficient_scope")["required_scope"] == scope
            else:
                assert answer.status_code in (200, 400, 404), f"{method} {path}: {answer.text}"
            assert answer.headers["x-ratelimit-limit"] == "1000"


# --- limits -------------------------------------------------------------------------------------------------------


def test_every_answer_says_how_much_is_left(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("mask", plan="mask.hobby")) as shop:
        link = new_link(shop)
        answers = [
            shop.get("/links"),
            shop.post("/qr-codes", json={}),
            shop.get("/qr-codes/qr_abc123"),
            shop.post("/links", content=bytes(2 << 20), headers={"content-type": "application/json"}),
            shop.delete(f"/links/{link['id']}"),
        ]
        assert [each.status_code for each in answers] == [200, 400, 404, 413, 204]
        assert refused(answers[3], 413, "payload_too_large")
        assert [int(each.headers["x-ratelimit-remaining"]) for each in answers] == [998, 997, 996, 995, 994]
        strangers = [shop.get("/nothing"), shop.put("/links"), shop.get("/links", headers={"authorization": "Basic x"})]
        assert [each.status_code for each in strangers] == [404, 405, 401]
        for each in (*answers, *strangers):
            told = {name: each.headers.get_list(name) for name in LIMITS}
            assert all(len(values) == 1 for values in told.values()), told
            assert told["x-ratelimit-limit"] == ["1000"]
            assert -2 <= int(told["x-ratelimit-reset"][0]) - time.time() <= 62


def test_too_many_requests_wait_for_the_window(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("mask", plan="minute")) as shop:
        answers = [shop.get("/links") for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        error = refused(answers[-1], 429, "rate_limit_exceeded")
        wait_s = error["retry_after"]
        assert 1 <= wait_s <= 60
        told = [answers[-1].headers[name] for name in (*LIMITS, "retry-after")]
        assert told[:2] == ["5", "0"]
        assert told[3] == str(wait_s)
        assert abs(int(told[2]) - time.time() - wait_s) < 5


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/links", {"url": THERE, "password": "open sesame"}, "password"),
        ("/links", {"url": THERE, "expires_at": "2030-01-01"}, "expires_at"),
        ("/qr-codes", {"size": 601}, "size"),
        ("/qr-codes", {"logo_url": "https://cdn.example.com/logo.png"}, "logo_url"),
        ("/webhooks", {"url": "https://127.0.0.77/told", "events": ["qr.scanned"]}, None),
    ],
)
def test_what_a_plan_does_not_have_is_named(
    path: str, body: Json, field: str | None, server: ServerProcess, new_key: NewKey
) -> None:
    with client(server, new_key("mask", plan="bare")) as shop:
        link = new_link(shop)
        error = refused(shop.post(path, json={"link_id": link["id"], **body}), 403, "plan_limit_exceeded")
        assert [each["field"] for each in error.get("details", [])] == ([] if field is None else [field])
        assert shop.get("/qr-codes").json()["data"] == []
        assert len(shop.get("/links").json()["data"]) == 1


def test_a_plan_s_places_and_sizes_bound_what_is_asked_for(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("mask", plan="bare")) as shop:
        code = new_code(shop, new_link(shop))
        refused(shop.get(f"/qr-codes/{code['id']}/image?size=700"), 403, "plan_limit_exceeded")
        error = refused(shop.get("/analytics/clicks?groupBy=country"), 403, "plan_limit_exceeded")
        assert [each["field"] for each in error["details"]] == ["groupBy"]


def test_a_full_plan_is_403(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("mask", plan="tiny")) as shop:
        link = new_link(shop)
        new_code(shop, link)
        refused(shop.post("/qr-codes", json={"link_id": link["id"]}), 403, "plan_limit_exceeded")
    with client(server, new_key("mask", plan="shut")) as shop:
        answer = shop.get("/links")
        refused(answer, 403, "plan_limit_exceeded")
        assert answer.headers["x-ratelimit-limit"] == "0"


# --- scans --------------------------------------------------------------------------------------------------------


def test_scans_are_those_since_the_code_was_made(shop: httpx.Client) -> None:
    """Several codes may share a link."""
    link = new_link(shop)
    first = new_code(shop, link)

    def scans(code: Json) -> int:
        return int(shop.get(f"/qr-codes/{code['id']}").json()["scans"])

    for _ in range(2):
        assert phone.get(first["short_url"]).headers["location"] == THERE
    until(lambda: scans(first) == 2, what="two scans")
    second = new_code(shop, link)
    assert second["scans"] == 0
    assert phone.get(second["short_url"]).headers["location"] == THERE
    until(lambda: scans(first) == 3, what="the third scan")
    assert scans(second) == 1
    assert [each["scans"] for each in shop.get("/qr-codes").json()["data"]] == [1, 3]
    assert shop.get(f"/links/{link['id']}").json()["clicks"] == 3


def test_a_phone_s_system_has_a_target_of_its_own(shop: httpx.Client) -> None:
    apple, google = "https://apps.apple.com/app/id1", "https://play.google.com/store/apps/details?id=x"
    link = new_link(shop, ios_target=apple, android_target=google)

    def leads(user_agent: str) -> str:
        return phone.get(link["short_url"], headers={"user-agent": user_agent}).headers["location"]

    assert [leads(each) for each in (PHONE, ANDROID, DESKTOP)] == [apple, google, THERE]
    shop.patch(f"/links/{link['id']}", json={"ios_target": None})
    assert [leads(each) for each in (PHONE, ANDROID, DESKTOP)] == [THERE, google, THERE]


def test_utm_parameters_go_to_the_destination(shop: httpx.Client) -> None:
    link = new_link(shop, url="https://example.com/?id=7#top", utm_source="news letter", utm_campaign="a&b")
    location = "https://example.com/?id=7&utm_source=news%20letter&utm_campaign=a%26b#top"
    assert phone.get(link["short_url"]).headers["location"] == location


def test_what_is_protected_or_over_is_not_redirected(shop: httpx.Client) -> None:
    guarded = new_link(shop, password="open sesame")
    assert phone.get(guarded["short_url"]).status_code == 200
    assert phone.post(guarded["short_url"], data={"password": "wrong"}).status_code == 401
    opened = phone.post(guarded["short_url"], data={"password": "open sesame"})
    assert (opened.status_code, opened.headers["location"]) == (303, THERE)
    shop.patch(f"/links/{guarded['id']}", json={"password": None, "expires_at": "2020-01-01T00:00:00Z"})
    assert phone.get(guarded["short_url"]).status_code == 410
    deleted = new_link(shop, slug=f"menu-{time.time_ns()}")
    assert phone.get(deleted["short_url"]).status_code == 302
    assert shop.delete(f"/links/{deleted['id']}").status_code == 204
    assert phone.get(deleted["short_url"]).status_code == 410


# --- links --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("destination", "url", "utm"),
    [
        ("https://a.example/", "https://a.example/", {}),
        ("https://a.example/?", "https://a.example/?", {}),
        ("https://a.example/?utm_source=x", "https://a.example/", {"utm_source": "x"}),
        (
            "https://a.example/?a=1&utm_term=x+y&b#c?utm_source=z",
            "https://a.example/?a=1&b#c?utm_source=z",
            {"utm_term": "x y"},
        ),
        ("https://a.example/?utm_source=x&utm_source=y", "https://a.example/", {"utm_source": "x"}),
        ("https://a.example/?utm_source=", "https://a.example/", {}),
        ("https://a.example/?utm_id=5", "https://a.example/?utm_id=5", {}),
    ],
)
def test_a_destination_is_a_url_and_utm_parameters(destination: str, url: str, utm: dict[str, str]) -> None:
    assert split_utm(destination) == (url, utm)


@pytest.mark.parametrize(
    ("url", "utm", "destination"),
    [
        ("https://a.example", {"utm_source": "x"}, "https://a.example?utm_source=x"),
        ("https://a.example/?", {"utm_source": "x"}, "https://a.example/?utm_source=x"),
        ("https://a.example/?b=c#d", {"utm_source": "é"}, "https://a.example/?b=c&utm_source=%C3%A9#d"),
        ("https://a.example/?utm_source=x&b", {"utm_source": "x"}, "https://a.example/?utm_source=x&b"),
        ("https://a.example/?utm_source=x&b", {"utm_medium": "y"}, "https://a.example/?b&utm_source=x&utm_medium=y"),
        ("https://a.example/?utm_source=x&b", {"utm_source": None}, "https://a.example/?b"),
    ],
)
def test_utm_parameters_are_put_behind_the_query(url: str, utm: dict[str, str | None], destination: str) -> None:
    assert with_utm(url, utm) == destination


def test_a_change_of_nothing_is_none(shop: httpx.Client) -> None:
    link = new_link(shop, title="Menu", utm_source="x")
    assert shop.patch(f"/links/{link['id']}", json={"unknown": 1}).json() == link
    same = shop.patch(f"/links/{link['id']}", json={"url": link["url"]}).json()
    assert {**same, "updated_at": ""} == {**link, "updated_at": ""}


def test_rules_of_the_native_api_stay(shop: httpx.Client, native: httpx.Client) -> None:
    link = new_link(shop, ios_target="https://apps.apple.com/app/id1")
    path = f"/links/{link['id']}"
    rules = native.get(path).json()["rules"]
    french = {"when": {"country": ["FR"]}, "destination": "https://example.com/carte"}
    native.patch(path, json={"rules": [french, *rules]}).raise_for_status()
    moved = shop.patch(path, json={"ios_target": "https://apps.apple.com/app/id2"}).json()
    assert moved["ios_target"] == "https://apps.apple.com/app/id2"
    assert native.get(path).json()["rules"] == [
        {"when": {"os": ["ios"]}, "destination": "https://apps.apple.com/app/id2"},
        french,
    ]
    native.patch(path, json={"rules": [french] * MAX_RULES}).raise_for_status()
    assert wrong(shop.patch(path, json={"android_target": THERE})) == ["android_target"]
    assert len(native.get(path).json()["rules"]) == MAX_RULES


def test_a_request_that_is_sent_again_is_done_once(shop: httpx.Client) -> None:
    header = {"idempotency-key": "4c6c2c4e-0001"}
    first, again = (shop.post("/links", json={"url": THERE}, headers=header) for _ in range(2))
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    refused(shop.post("/links", json={"url": f"{THERE}/2"}, headers=header), 409, "conflict")
    assert len(shop.get("/links").json()["data"]) == 1


@pytest.mark.parametrize("path", ["/links?sort=created_at", "/links?sort=updated_at&order=asc", "/qr-codes?"])
def test_a_cursor_is_stable_while_rows_are_added(path: str, shop: httpx.Client) -> None:
    """Nothing that was there comes twice, or never."""
    links = [new_link(shop) for _ in range(5)]
    codes = [new_code(shop, link) for link in links]
    there = [each["id"] for each in (codes if "qr-codes" in path else links)]
    if "asc" not in path:
        there.reverse()
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.get(f"{path}&limit=2" + (f"&cursor={cursor}" if cursor else "")).json()
        found += [each["id"] for each in page["data"]]
        cursor = page["pagination"]["cursor"]
        assert page["pagination"]["has_more"] == (cursor is not None)
        if len(found) <= 4:
            new_code(shop, new_link(shop))
    assert found[: len(there)] == there
    assert len(set(found)) == len(found)
    assert len(found) == (len(there) if "asc" not in path else len(shop.get("/links").json()["data"]))


def test_a_cursor_goes_on_in_its_own_list_only(shop: httpx.Client) -> None:
    for _ in range(2):
        new_link(shop)
    cursor = shop.get("/links?limit=1").json()["pagination"]["cursor"]
    assert wrong(shop.get(f"/links?limit=1&order=asc&cursor={cursor}")) == ["cursor"]
    assert wrong(shop.get(f"/qr-codes?limit=1&cursor={cursor}")) == ["cursor"]


# --- codes --------------------------------------------------------------------------------------------------------


def test_codes_that_others_have_made_are_told_in_the_vendor_s_words(shop: httpx.Client, native: httpx.Client) -> None:
    design = {
        "modules": {
            "color": {"type": "linear", "stops": [{"offset": 0, "color": "#112233"}, {"offset": 1, "color": "#000"}]}
        },
        "background": {"color": "transparent"},
    }
    answer = native.post("/qr-codes", json={"destination": THERE, "design": design, "size": 4000})
    code = shop.get(f"/qr-codes/{made(answer)['id']}").json()
    assert (code["foreground_color"], code["background_color"]) == ("#112233", "#000000")
    assert (code["size"], code["error_correction"], code["logo_url"]) == (4000, "M", None)
    static = made(native.post("/qr-codes", json={"content": {"type": "text", "text": "Hello"}}))
    refused(shop.get(f"/qr-codes/{static['id']}"), 404, "not_found")
    refused(shop.get(f"/qr-codes/{static['id']}/image"), 404, "not_found")
    assert [each["id"] for each in shop.get("/qr-codes").json()["data"]] == [code["id"]]


def test_a_picture_is_asked_for_again_at_the_price_of_a_304(shop: httpx.Client) -> None:
    path = f"/qr-codes/{new_code(shop, new_link(shop))['id']}/image"
    etag = shop.get(path).headers["etag"]
    assert shop.get(path, headers={"if-none-match": etag}).status_code == 304
    assert shop.get(f"{path}?size=600").headers["etag"] != etag


def test_another_account_s_things_cannot_be_told_from_none(
    shop: httpx.Client, server: ServerProcess, new_key: NewKey
) -> None:
    link = new_link(shop)
    code = new_code(shop, link)
    hook = made(shop.post("/webhooks", json={"url": "https://127.0.0.77/told", "events": ["qr.scanned"]}))
    with client(server, new_key("mask")) as stranger:
        for path in (f"/qr-codes/{code['id']}", f"/qr-codes/{code['id']}/image", f"/links/{link['id']}"):
            refused(stranger.get(path), 404, "not_found")
        refused(stranger.get(f"/analytics/clicks?linkId={link['id']}"), 404, "not_found")
        refused(stranger.post("/qr-codes", json={"link_id": link["id"]}), 404, "not_found")
        refused(stranger.patch(f"/links/{link['id']}", json={"title": "Mine"}), 404, "not_found")
        refused(stranger.delete(f"/links/{link['id']}"), 404, "not_found")
        refused(stranger.delete(f"/webhooks/{hook['id']}"), 404, "not_found")
    assert shop.get(f"/links/{link['id']}").json() == link


# --- errors -------------------------------------------------------------------------------------------------------


def answered(raised: Exception) -> tuple[int, Json, httpx.Headers]:
    answer = problem(Request({"type": "http", "method": "GET", "path": "/api/v1/links", "headers": []}), raised)
    return answer.status_code, dict(orjson.loads(bytes(answer.body))["error"]), httpx.Headers(answer.headers)


@pytest.mark.parametrize(
    ("raised", "status", "code", "wait_s"),
    [
        (RuntimeError("a mistake of ours"), 500, "internal_error", None),
        (errors.StorageUnavailable(), 503, "service_unavailable", "5"),
        (errors.Busy(), 503, "service_unavailable", "1"),
        (errors.ChangedMeanwhile(), 409, "conflict", None),
        (errors.RequestInProgress(), 409, "conflict", "1"),
    ],
)
def test_what_seldom_goes_wrong_has_the_vendor_s_shape(
    raised: Exception, status: int, code: str, wait_s: str | None
) -> None:
    """A bug and a wait cannot be asked for by a request."""
    found, error, headers = answered(raised)
    assert (found, error["code"], headers.get("retry-after")) == (status, code, wait_s)
    assert "mistake of ours" not in error["message"]


def test_every_code_is_provoked() -> None:
    told = {
        json.loads(exchange.expected)["error"]["code"]
        for path in Path(__file__).parent.glob("mask/*.http")
        for exchange in read(path)
        if exchange.status >= 400
    }
    here = {
        *("insufficient_scope", "plan_limit_exceeded", "rate_limit_exceeded", "payload_too_large"),
        *("conflict", "service_unavailable", "internal_error"),
    }
    assert told | here == {code for _, code in ERRORS.values()} | set(HTTP_ERRORS.values()) | {"internal_error"}
    assert not told & here


# --- analytics ----------------------------------------------------------------------------------------------------


def test_clicks_are_counted_by_what_is_asked_for(shop: httpx.Client, server: ServerProcess) -> None:
    link, other = new_link(shop), new_link(shop)
    at = datetime(2026, 3, 2, 9, 45, tzinfo=UTC)
    rows: list[tuple[str, str | None, str | None, str | None, int]] = [
        ("mobile", "FR", "Mobile Safari", "https://news.example/a", 5),
        ("mobile", "CH", "Chrome", None, 2),
        ("desktop", "FR", "Chrome", None, 1),
    ]
    scans = [
        scan_of(link, at + timedelta(days=day), device=device, country=country, browser=browser, referrer=referrer)
        for device, country, browser, referrer, number in rows
        for day in range(number)
    ]
    write(server, [*scans, scan_of(other, at + timedelta(days=20)), scan_of(link, at, device="bot")])
    march = f"/analytics/clicks?start=2026-03-01&end=2026-03-31&linkId={link['id']}"

    def data(query: str) -> list[tuple[object, ...]]:
        answer = shop.get(f"{march}&{query}").json()
        assert answer["total"] == 8
        assert (answer["start"], answer["end"]) == ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
        return [tuple(each.values()) for each in answer["data"]]

    days = data("groupBy=day")
    assert len(days) == 31
    assert days[:4] == [("2026-03-01", 0), ("2026-03-02", 3), ("2026-03-03", 2), ("2026-03-04", 1)]
    assert data("interval=7d") == [
        ("2026-03-01", 8),
        *((f"2026-03-{day:02}", 0) for day in (8, 15, 22, 29)),
    ]
    assert data("interval=30d") == [("2026-03-01", 8), ("2026-03-31", 0)]
    assert data("interval=90d") == [("2026-03-01", 8)]
    hours = data("interval=1h&limit=1000")
    assert len(hours) == 31 * 24
    assert hours[24 + 9] == ("2026-03-02T09:00:00Z", 3)
    assert data("interval=1h&limit=2") == hours[-2:]
    assert data("groupBy=country") == [("FR", 6), ("CH", 2)]
    assert data("groupBy=country&limit=1") == [("FR", 6)]
    assert data("groupBy=device") == [("mobile", 7), ("desktop", 1)]
    assert data("groupBy=browser") == [("Mobile Safari", 5), ("Chrome", 3)]
    assert data("groupBy=referrer") == [("news.example", 5), (None, 3)]
    assert shop.get("/analytics/clicks?start=2026-03-01&end=2026-03-31").json()["total"] == 9


# --- with networks ------------------------------------------------------------------------------------------------


@pytest.fixture
def reaching(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that fetches logos, and tells webhooks, on this machine."""
    server = ServerProcess(
        tmp_path / "data",
        database_url=database_url,
        dialect_hosts="mask.pk=mask",
        fetch_http="true",
        fetch_networks="127.0.0.78/32,127.0.0.79/32",
    )
    server.start()
    yield server
    assert server.stop() == 0, server.log.read_text()


def test_webhooks_are_told_in_the_vendor_s_words(reaching: ServerProcess) -> None:
    key = asyncio.run(key_of_new_account(reaching.database_url, "mask"))
    with Receiver(host="127.0.0.78") as receiver, client(reaching, key) as shop:
        events = ["link.created", "link.updated", "link.deleted", "link.clicked"]
        own = "a secret of my own"
        made(shop.post("/webhooks", json={"url": receiver.url, "events": events, "secret": own}))
        scans = made(shop.post("/webhooks", json={"url": f"{receiver.url}/scans", "events": ["qr.scanned"]}))
        link = new_link(shop, utm_source="x")
        changed = shop.patch(f"/links/{link['id']}", json={"title": "Summer"}).json()
        phone.get(link["short_url"])
        until(lambda: {"link.clicked", "qr.scanned"} <= set(receiver.types), what="the click")
        shop.delete(f"/links/{link['id']}")
        until(lambda: len(receiver.received) >= 5, what="five events")
        told = {}
        for each in receiver.received:
            said = orjson.loads(each.body)
            secret = scans["secret"] if each.path.endswith("/scans") else own
            signature = hmac.new(secret.encode(), each.body, "sha256").hexdigest()
            assert each.headers["x-mask-signature"] == signature
            assert said.keys() == {"id", "type", "timestamp", "data"}
            assert re.fullmatch(r"evt_\w{13}", said["id"])
            told[said["type"]] = said["data"]
        assert set(told) == {*events, "qr.scanned"}
        for name in ("link_id", "slug", "url", "short_url"):
            assert told["link.created"][name] == {**link, "link_id": link["id"]}[name]
        assert told["link.updated"]["title"] == changed["title"] == "Summer"
        [click] = told["link.clicked"]["clicks"]
        assert told["qr.scanned"]["clicks"] == [click]
        assert (click["link_id"], click["short_url"]) == (link["id"], link["short_url"])
        assert (click["device"], click["browser"]) == ("mobile", "Mobile Safari")
        assert "country" not in click


CURL = r"""
curl "https://mask.pk/api/v1/qr-codes?limit=10" \
-H "Authorization: Bearer mk_live_abc123def456"
curl -X POST https://mask.pk/api/v1/qr-codes \
-H "Authorization: Bearer mk_live_abc123def456" \
-H "Content-Type: application/json" \
-d '{
"link_id": "lnk_abc123",
"foreground_color": "#1a1a1a",
"background_color": "#ffffff",
"size": 1024,
"error_correction": "H",
"logo_url": "https://cdn.yourbrand.com/logo.png"
}'
curl https://mask.pk/api/v1/qr-codes/qr_def456 \
-H "Authorization: Bearer mk_live_abc123def456"
curl "https://mask.pk/api/v1/qr-codes/qr_def456/image?format=png&size=1024" \
-H "Authorization: Bearer mk_live_abc123def456" \
-o qr-code.png
curl "https://mask.pk/api/v1/qr-codes/qr_def456/image?format=svg" \
-H "Authorization: Bearer mk_live_abc123def456" \
-o qr-code.svg
"""


def test_the_vendor_s_curl_lines_work_as_they_are(reaching: ServerProcess, cdn: str, tmp_path: Path) -> None:
    """But for the key, the ids, and where the logo is, which everybody has to put in."""
    key = asyncio.run(key_of_new_account(reaching.database_url, "mask"))
    with client(reaching, key) as shop:
        link = new_link(shop, slug="my-link")
        there = new_code(shop, link)
        lines = re.sub(r"mk_live_\w+", key, CURL).replace("lnk_abc123", link["id"]).replace("qr_def456", there["id"])
        ran = run_lines(lines.replace("https://cdn.yourbrand.com", cdn), "mask.pk", reaching.port, tmp_path)
        listed, new, shown = map(orjson.loads, ran.splitlines())
        assert listed == {"data": [there], "pagination": {"has_more": False, "cursor": None}}
        assert new | {"id": "", "created_at": "", "updated_at": ""} == {
            "id": "",
            "link_id": link["id"],
            "short_url": f"{reaching.url}/my-link",
            "foreground_color": "#1a1a1a",
            "background_color": "#ffffff",
            "size": 1024,
            "error_correction": "H",
            "logo_url": f"{cdn}/logo.png",
            "scans": 0,
            "created_at": "",
            "updated_at": "",
        }
        assert shown == there
        for name, kind, side in (("qr-code.png", "png", 1024), ("qr-code.svg", "svg", 512)):
            seen = pixels(tmp_path.joinpath(name).read_bytes(), kind)
            assert seen.shape[0] == side
            assert [each.text for each in zxingcpp.read_barcodes(seen)] == [f"{reaching.url}/my-link"]
        drawn = pixels(shop.get(f"/qr-codes/{new['id']}/image").content, "png")
        assert drawn[512, 512].tolist() == [80, 255, 200], "the middle of the logo"
        [found] = zxingcpp.read_barcodes(drawn)
        assert (found.text, found.ec_level) == (f"{reaching.url}/my-link", "H")
