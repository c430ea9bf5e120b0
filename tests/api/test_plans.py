"""What an account's plan does not allow, over the API: 403 with the field, the limit and the plan."""

import base64
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.exchange import everything, new_code, new_link, problem, wrong
from tests.support import PLANS, ServerProcess


def _red() -> str:
    file = BytesIO()
    Image.new("RGB", (64, 64), "#c00000").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


LOGO = {"data": _red()}
TEXT = {"type": "text", "text": "Hello"}
THERE = "https://example.com/"


@pytest.fixture
def bare(server: ServerProcess) -> Iterator[httpx.Client]:
    with server.client(PLANS.named("bare")) as api:
        yield api


@pytest.fixture
def tiny(server: ServerProcess) -> Iterator[httpx.Client]:
    with server.client(PLANS.named("tiny")) as api:
        yield api


REFUSED: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("/links", {"destination": THERE, "password": "open"}, {"/password": "password"}),
    ("/links", {"destination": THERE, "expires_at": "2030-01-01"}, {"/expires_at": "expiry"}),
    ("/links", {"destination": THERE, "max_scans": 5}, {"/max_scans": "scan_limit"}),
    ("/qr-codes", {"destination": THERE, "design": {"logo": {"image": LOGO}}}, {"/design/logo": "logo"}),
    (
        "/qr-codes",
        {"content": TEXT, "design": {"background": {"image": LOGO}}},
        {"/design/background/image": "background_image"},
    ),
    ("/render", {"content": TEXT, "design": {"logo": {"image": LOGO}}}, {"/design/logo": "logo"}),
    ("/qr-codes", {"content": TEXT, "size": 601}, {"/size": "size_px"}),
    ("/render", {"content": TEXT, "size": 601}, {"/size": "size_px"}),
    ("/render", {"content": TEXT, "size_inches": 2.1}, {"/size": "size_px"}),
    ("/render", {"content": TEXT, "size": 600, "dpi": 301}, {"/dpi": "dpi"}),
    ("/render/validate", {"content": TEXT, "size": 601}, {"/size": "size_px"}),
    ("/barcodes", {"symbology": "ean-8", "value": "9638507", "width": 601}, {"/width": "size_px"}),
    ("/barcodes", {"symbology": "ean-8", "value": "9638507", "height": 601}, {"/height": "size_px"}),
    ("/barcodes", {"symbology": "ean-8", "value": "9638507", "dpi": 301}, {"/dpi": "dpi"}),
    (
        "/render/batch",
        {"items": [{"content": TEXT}, {"content": TEXT, "size": 601}]},
        {"/items/1/size": "size_px"},
    ),
    (
        "/render/batch",
        {"items": [{"content": TEXT}, {"content": TEXT, "design": {"logo": {"image": LOGO}}}]},
        {"/items/1/design/logo": "logo"},
    ),
    ("/webhooks", {"url": "https://127.0.0.77/told", "events": ["link.created"]}, {"": "webhooks"}),
]


@pytest.mark.parametrize(("path", "body", "wrong_fields"), REFUSED)
def test_what_the_plan_does_not_have_is_refused_and_changes_nothing(
    bare: httpx.Client, api: httpx.Client, path: str, body: dict[str, Any], wrong_fields: dict[str, str]
) -> None:
    before = everything(bare)
    refused = problem(bare.post(path, json=body), 403, "plan_limit")
    assert wrong(refused) == wrong_fields
    assert refused["detail"].startswith("The plan 'bare' of this account has ")
    assert everything(bare) == before
    assert api.post(path, json=body).status_code in (200, 201), "an account without limits has it"


def test_what_the_plan_does_not_have_cannot_be_added_by_a_change(bare: httpx.Client) -> None:
    link, code = new_link(bare), new_code(bare)
    for fields, pointer in (
        ({"password": "open"}, "/password"),
        ({"expires_at": "2030-01-01"}, "/expires_at"),
        ({"max_scans": 5}, "/max_scans"),
    ):
        refused = bare.patch(f"/links/{link['id']}", json=fields)
        assert list(wrong(problem(refused, 403, "plan_limit"))) == [pointer]
        assert bare.patch(f"/links/{link['id']}", json=dict.fromkeys(fields)).status_code == 200, "to take away is free"
    refused = bare.patch(f"/qr-codes/{code['id']}", json={"size": 601})
    assert wrong(problem(refused, 403, "plan_limit")) == {"/size": "size_px"}
    refused = bare.patch(f"/qr-codes/{code['id']}", json={"design": {"logo": {"image": LOGO}}})
    assert wrong(problem(refused, 403, "plan_limit")) == {"/design/logo": "logo"}


def test_a_picture_of_a_stored_code_keeps_to_the_plan(bare: httpx.Client) -> None:
    image = f"/qr-codes/{new_code(bare)['id']}/image"
    assert bare.get(image, params={"size": 600, "dpi": 300}).status_code == 200
    assert wrong(problem(bare.get(image, params={"size": 601}), 403, "plan_limit")) == {"size": "size_px"}
    assert wrong(problem(bare.get(image, params={"dpi": 600}), 403, "plan_limit")) == {"dpi": "dpi"}


def test_no_more_is_added_than_the_plan_allows(tiny: httpx.Client) -> None:
    new_code(tiny)
    refused = problem(tiny.post("/qr-codes", json={"destination": THERE}), 403, "plan_limit")
    assert refused["detail"] == "The plan 'tiny' of this account has at most 1 dynamic QR codes."
    assert wrong(refused) == {"": "dynamic_codes"}
    new_link(tiny)
    refused = problem(tiny.post("/links", json={"destination": THERE}), 403, "plan_limit")
    assert (refused["detail"], wrong(refused)) == (
        "The plan 'tiny' of this account has at most 2 links.",
        {"": "links"},
    )
    assert tiny.post("/api-keys", json={"name": "Till"}).status_code == 201
    assert wrong(problem(tiny.post("/api-keys", json={"name": "Bar"}), 403, "plan_limit")) == {"": "keys"}
    batch = {"items": [{"content": TEXT}] * 3}
    assert wrong(problem(tiny.post("/render/batch", json=batch), 403, "plan_limit")) == {"/items": "bulk_items"}


@pytest.mark.parametrize("name", ["shut", "qrlogo.free"])
def test_a_plan_without_access_to_the_api_opens_nothing(server: ServerProcess, name: str) -> None:
    with server.client(PLANS.named(name)) as shut:
        for path in ("/account", "/links", "/qr-codes"):
            refused = problem(shut.get(path), 403, "plan_limit")
            assert refused["detail"] == f"The plan {name!r} of this account has no access to the API."


def test_an_account_whose_plan_is_gone_opens_nothing_and_its_links_go_on(server: ServerProcess) -> None:
    with server.client(PLANS.of("gone")) as gone:
        problem(gone.get("/links"), 403, "plan_limit")
    assert "accounts have the plan gone, which is not defined" in server.log.read_text()
