"""/links/batch and /qr-codes/batch: many at once, all or nothing, or item by item."""

import base64
import secrets
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from server.api.bulk import MAX_ITEMS
from server.domain.many import MAX_PASSWORDS
from tests.api.exchange import Json, everything, new_link, problem, wrong
from tests.support import PLANS, ServerProcess, phone, sql

PALE = {"modules": {"color": "#dddddd"}}
FTP = {"destination": "ftp://example.com"}


def links(number: int, **fields: object) -> list[Json]:
    return [{"destination": f"https://example.com/{each}", **fields} for each in range(number)]


def batch(api: httpx.Client, items: list[Json], mode: str | None = None, what: str = "links") -> httpx.Response:
    body: Json = {"items": items} | ({"mode": mode} if mode else {})
    return api.post(f"/{what}/batch", json=body, timeout=60)


def ids(api: httpx.Client, what: str) -> list[str]:
    """Of all there are, oldest first."""
    found, cursor = [], None
    while True:
        page = api.get(f"/{what}", params={"limit": 100} | ({"cursor": cursor} if cursor else {})).json()
        found += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            return found[::-1]


def test_a_thousand_links_are_made_at_once_in_order_and_redirect(api: httpx.Client, anyone: httpx.Client) -> None:
    began = time.monotonic()
    answer = batch(api, links(MAX_ITEMS))
    assert answer.status_code == 201, answer.text[:500]
    assert time.monotonic() - began < 20, "and not one by one"
    made = answer.json()
    assert (made["created"], made["failed"]) == (MAX_ITEMS, 0)
    assert [item["index"] for item in made["items"]] == list(range(MAX_ITEMS))
    assert {item["status"] for item in made["items"]} == {201}
    assert [item["data"]["destination"] for item in made["items"]] == [each["destination"] for each in links(MAX_ITEMS)]
    assert ids(api, "links") == [item["data"]["id"] for item in made["items"]]
    for item in made["items"][::100]:
        link = item["data"]
        assert anyone.get(link["short_url"]).headers["location"] == link["destination"]
        assert api.get(f"/links/{link['id']}").json() == link


def test_every_field_of_a_link_is_kept(api: httpx.Client, anyone: httpx.Client) -> None:
    slug = f"test-{secrets.token_hex(8)}"
    fields = {
        "slug": slug,
        "title": "Käse “1”",
        "tags": ["spring", "table 7"],
        "active": False,
        "expires_at": "2090-01-01T10:00:00Z",
        "fallback_url": "https://example.com/over",
        "redirect_status": 307,
        "forward_query": True,
        "max_scans": 1000,
        "rules": [{"when": {"device": ["mobile"]}, "destination": "https://example.com/m"}],
        "password": "secret",
    }
    link = batch(api, links(1, **fields)).json()["items"][0]["data"]
    alone = api.post("/links", json={**links(1, **fields)[0], "slug": f"{slug}-2"}).json()
    varying = {"id", "slug", "short_url", "created_at", "updated_at"}
    assert {name: link[name] for name in link.keys() - varying} == {
        name: alone[name] for name in alone.keys() - varying
    }
    assert link["slug"] == slug
    assert api.patch(f"/links/{link['id']}", json={"active": True, "rules": []}).status_code == 200
    assert anyone.get(link["short_url"]).status_code == 200, "the form for its password"


def test_all_or_nothing_names_every_reason_and_makes_nothing(
    api: httpx.Client, stranger: httpx.Client, server: ServerProcess
) -> None:
    taken = new_link(stranger)["slug"]
    before = everything(api)
    items = links(6)
    items[1] = FTP
    items[2]["slug"] = taken
    items[3]["slug"] = items[4]["slug"] = f"test-{secrets.token_hex(8)}"
    items[5] |= {"colour": "red", "slug": "-"}
    body = problem(batch(api, items), 422, "invalid_fields")
    assert wrong(body) == {
        "/items/1/destination": "invalid_scheme",
        "/items/2/slug": "slug_taken",
        "/items/4/slug": "slug_taken",
        "/items/5/colour": "unknown_field",
        "/items/5/slug": "invalid_slug",
    }
    items = links(3)
    items[1]["slug"] = taken
    assert wrong(problem(batch(api, items, "all_or_nothing"), 422, "invalid_fields")) == {"/items/1/slug": "slug_taken"}
    assert everything(api) == before


def test_item_by_item_makes_what_can_be_made(api: httpx.Client, stranger: httpx.Client) -> None:
    taken = new_link(stranger)["slug"]
    items: list[Json] = [*links(2), FTP, {"destination": "https://example.com/", "slug": taken}, *links(1)]
    answer = batch(api, [*items, "x"], "item_by_item")  # type: ignore[list-item]
    assert answer.status_code == 200
    found = answer.json()
    assert (found["created"], found["failed"]) == (3, 3)
    assert [item["status"] for item in found["items"]] == [201, 201, 422, 409, 201, 422]
    assert [item["data"] is None for item in found["items"]] == [item["status"] != 201 for item in found["items"]]
    codes = [item["problem"] and item["problem"]["code"] for item in found["items"]]
    assert codes == [None, None, "invalid_fields", "slug_taken", None, "invalid_fields"]
    assert wrong(found["items"][2]["problem"]) == {"/destination": "invalid_scheme"}
    assert ids(api, "links") == [item["data"]["id"] for item in found["items"] if item["data"]]


def test_a_batch_has_one_to_a_thousand_items_and_a_mode(api: httpx.Client) -> None:
    assert wrong(problem(batch(api, []), 422, "invalid_fields")) == {"/items": "too_short"}
    assert wrong(problem(batch(api, links(MAX_ITEMS + 1)), 422, "invalid_fields")) == {"/items": "too_long"}
    assert wrong(problem(batch(api, links(1), "some"), 422, "invalid_fields")) == {"/mode": "unknown_value"}
    assert wrong(problem(api.post("/links/batch", json={}), 422, "invalid_fields")) == {"/items": "required"}
    assert ids(api, "links") == []


def test_so_many_passwords_are_hashed_and_no_more(api: httpx.Client) -> None:
    items = links(MAX_PASSWORDS + 1, password="secret")
    body = problem(batch(api, items), 422, "invalid_fields")
    assert wrong(body) == {f"/items/{MAX_PASSWORDS}/password": "too_many"}
    assert batch(api, items[:3]).json()["items"][2]["data"]["password_protected"] is True


def test_the_same_batch_is_made_once(api: httpx.Client) -> None:
    headers = {"idempotency-key": str(uuid4())}
    first, again = (api.post("/links/batch", json={"items": links(50)}, headers=headers) for _ in range(2))
    assert again.headers["idempotent-replayed"] == "true"
    assert first.content == again.content
    assert len(ids(api, "links")) == 50
    assert phone.get(first.json()["items"][49]["data"]["short_url"]).status_code == 302


# --- plans -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(server: ServerProcess) -> Iterator[httpx.Client]:
    """Of a plan with two links, one dynamic code, and two items in a request."""
    with server.client(PLANS.named("tiny")) as api:
        yield api


def test_a_batch_has_as_many_items_as_the_plan_allows(tiny: httpx.Client) -> None:
    for what in ("links", "qr-codes"):
        problem(batch(tiny, links(3), "item_by_item", what), 403, "plan_limit")
    assert everything(tiny)[:2] == [{"data": [], "next_cursor": None}] * 2


def test_all_or_nothing_and_more_than_the_plan_has_room_for_is_nothing(tiny: httpx.Client) -> None:
    new_link(tiny)
    before = everything(tiny)
    body = problem(batch(tiny, links(2)), 403, "plan_limit")
    assert wrong(body) == {"/items/1": "links"}
    assert wrong(problem(batch(tiny, links(2), what="qr-codes"), 403, "plan_limit")) == {"/items/1": "dynamic_codes"}
    assert everything(tiny) == before


def test_item_by_item_the_plan_is_filled_and_no_more(tiny: httpx.Client) -> None:
    found = batch(tiny, links(2), "item_by_item", "qr-codes").json()
    assert [item["status"] for item in found["items"]] == [201, 403]
    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(batch, tiny, links(2), "item_by_item") for _ in range(4)]
    statuses = [item["status"] for answer in answers for item in answer.result().json()["items"]]
    assert sorted(statuses) == [201] + [403] * 7
    assert (len(ids(tiny, "links")), len(ids(tiny, "qr-codes"))) == (2, 1)


def test_what_the_plan_does_not_have_is_refused_by_item(server: ServerProcess) -> None:
    with server.client(PLANS.named("bare")) as bare:
        items = [*links(1), *links(1, password="secret")]
        assert wrong(problem(batch(bare, items), 403, "plan_limit")) == {"/items/1/password": "password"}
        assert [item["status"] for item in batch(bare, items, "item_by_item").json()["items"]] == [201, 403]


# --- codes -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def items(api: httpx.Client) -> list[Json]:
    """One of each kind."""
    return [
        {"destination": "https://example.com/a", "name": "Table 1", "tags": ["spring"]},
        {"link_id": new_link(api)["id"]},
        {"content": {"type": "wifi", "ssid": "Café", "password": "secret123"}},
        {"destination": "https://example.com/b", "design": {"modules": {"shape": "rounded"}}},
    ]


def test_codes_of_every_kind_are_made_at_once(api: httpx.Client, anyone: httpx.Client, items: list[Json]) -> None:
    answer = batch(api, items, what="qr-codes")
    assert answer.status_code == 201, answer.text[:500]
    codes = [item["data"] for item in answer.json()["items"]]
    assert [code["kind"] for code in codes] == ["dynamic", "dynamic", "static", "dynamic"]
    assert codes[1]["link_id"] == items[1]["link_id"]
    assert (codes[0]["name"], codes[0]["tags"]) == ("Table 1", ["spring"])
    assert api.get(f"/links/{codes[0]['link_id']}").json()["tags"] == ["spring"]
    for code in codes:
        assert api.get(f"/qr-codes/{code['id']}").json() == code
        assert api.get(f"/qr-codes/{code['id']}/image").status_code == 200
    assert anyone.get(codes[3]["short_url"]).headers["location"] == "https://example.com/b"


def test_codes_all_or_nothing(api: httpx.Client, stranger: httpx.Client, items: list[Json]) -> None:
    before = everything(api)
    foreign = {"link_id": new_link(stranger)["id"]}
    bad = [*items, foreign, {"content": {"type": "text", "text": "x"}, "design": PALE}, {}, FTP]
    found = wrong(problem(batch(api, bad, what="qr-codes"), 422, "invalid_fields"))
    assert found == {
        "/items/4/link_id": "not_found",
        "/items/5/design/modules/color": "low_contrast",
        "/items/6": "one_of_required",
        "/items/7/destination": "invalid_scheme",
    }
    assert everything(api) == before
    body = problem(batch(api, [*items, foreign], what="qr-codes"), 422, "invalid_fields")
    assert wrong(body) == {"/items/4/link_id": "not_found"}
    assert everything(api) == before
    found = batch(api, bad, "item_by_item", "qr-codes").json()
    assert [item["status"] for item in found["items"]] == [201, 201, 201, 201, 404, 422, 422, 422]
    assert len(ids(api, "qr-codes")) == 4
    assert len(ids(api, "links")) == 3


def test_a_picture_of_many_codes_is_kept_once(api: httpx.Client, server: ServerProcess) -> None:
    svg = base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    )
    items = [{"destination": "https://example.com/", "design": {"logo": {"image": {"data": svg.decode()}}}}] * 5
    answer = batch(api, items, what="qr-codes")
    assert answer.status_code == 201, answer.text[:500]
    hashes = {item["data"]["design"]["logo"]["image"]["sha256"] for item in answer.json()["items"]}
    assert len(hashes) == 1
    rows = sql(server.database_url, "SELECT FROM pictures WHERE sha256 = decode($1, 'hex')", hashes.pop())
    assert len(rows) == 1


def test_many_codes_are_drawn_while_others_are_redirected(api: httpx.Client) -> None:
    short_url = new_link(api)["short_url"]
    assert phone.get(short_url).status_code == 302
    items = [{"destination": "https://example.com/", "design": {"modules": {"shape": "dots"}}}] * 100
    body = {"items": items}
    took: list[float] = []
    with httpx.Client(verify=False) as scanner:
        done = threading.Event()
        answers: list[httpx.Response] = []

        def make() -> None:
            answers.append(api.post("/qr-codes/batch", json=body, timeout=120))
            done.set()

        thread = threading.Thread(target=make)
        thread.start()
        while not done.is_set():
            began = time.monotonic()
            assert scanner.get(short_url).status_code == 302
            took.append(time.monotonic() - began)
        thread.join()
    assert answers[0].status_code == 201
    assert len(took) > 20, "many were redirected meanwhile"
