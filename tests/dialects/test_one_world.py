"""Codes are the account's, whichever dialect has made them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest
import zxingcpp

from server.dialects import dialects
from tests.dialects.conftest import NewKey
from tests.dialects.conversations import pixels
from tests.support import PHONE, ServerProcess, phone, until

Json = dict[str, Any]

THERE = "https://example.com/menu"


class Made(NamedTuple):
    """A code, as a dialect's client knows it."""

    short_url: str
    #: Asks how many scans it has had.
    scans: Callable[[], int]


def _of_mask(api: httpx.Client) -> Made:
    link = _json(api.post("/api/v1/links", json={"url": THERE}))
    code = _json(api.post("/api/v1/qr-codes", json={"link_id": link["id"]}))
    return Made(code["short_url"], lambda: _json(api.get(f"/api/v1/qr-codes/{code['id']}"))["scans"])


def _of_qrlogo(api: httpx.Client) -> Made:
    code = _json(api.post("/api/v1/qr", json={"label": "Menu", "target_url": THERE}))
    return Made(code["scan_url"], lambda: _json(api.get(f"/api/v1/qr/{code['short_code']}"))["scan_count"])


def _of_qrcode_app(api: httpx.Client) -> Made:
    code = _json(api.post("/v1/qrcodes/dynamic", json={"destination_url": THERE}))["data"]
    return Made(code["short_url"], lambda: _json(api.get(f"/v1/qrcodes/{code['qr_id']}"))["data"]["total_scans"])


def _of_qrstudio(api: httpx.Client) -> Made:
    code = _json(api.post("/api/v1/dynamic/", json={"name": "Menu", "destination_url": THERE}))
    return Made(code["public_url"], lambda: _json(api.get(f"/api/v1/dynamic/{code['short_id']}/"))["scan_count"])


def _of_qrcodestack(api: httpx.Client) -> Made:
    body = {"name": "Menu", "type": "url", "destination_url": THERE}
    code = _json(api.post("/api/v1/qr-codes", json=body))["data"]
    return Made(code["redirect_url"], lambda: _json(api.get(f"/api/v1/qr-codes/{code['id']}"))["data"]["scan_count"])


MAKE: dict[str, Callable[[httpx.Client], Made]] = {
    "mask": _of_mask,
    "qrlogo": _of_qrlogo,
    "qrcode-app": _of_qrcode_app,
    "qrstudio": _of_qrstudio,
    "qrcodestack": _of_qrcodestack,
}


def _json(answer: httpx.Response) -> Json:
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


@pytest.mark.parametrize("name", dialects())
def test_a_code_of_a_dialect_is_listed_scanned_and_counted_by_the_native_api(
    name: str, server: ServerProcess, new_key: NewKey
) -> None:
    key = new_key(name)
    headers = {"authorization": f"Bearer {key}", "x-api-key": key, "user-agent": PHONE}
    with (
        httpx.Client(base_url=f"{server.url}/{name}", headers=headers, verify=False, timeout=60) as api,
        server.anyone({"authorization": f"Bearer {key}"}) as native,
    ):
        made = MAKE[name](api)
        [code] = native.get("/qr-codes").json()["data"]
        [link] = native.get("/links").json()["data"]
        assert (link["id"], link["destination"]) == (code["link_id"], THERE)
        [symbol] = zxingcpp.read_barcodes(pixels(native.get(f"/qr-codes/{code['id']}/image?format=png").content, "png"))
        for url in (made.short_url, symbol.text):
            answer = phone.get(url)
            assert (answer.status_code, answer.headers["location"]) == (302, THERE)
        until(lambda: made.scans() == 2, what="the dialect to have counted two scans")
        assert native.get(f"/qr-codes/{code['id']}").json()["scans"] == 2
        stats = native.get(f"/qr-codes/{code['id']}/stats").json()
        assert stats["total_scans"] == sum(each["scans"] for each in stats["series"]) == 2
