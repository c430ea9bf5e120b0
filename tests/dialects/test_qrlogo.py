"""qrlogo: what depends on plans, and what a client sees of scans."""

import httpx
import pytest

from server.dialects import key_formats
from server.domain.keys import KeyFormat
from tests.dialects.conftest import NewKey
from tests.support import PHONE, ServerProcess, phone, until

NEW = {"label": "Menu", "target_url": "https://example.com/menu"}


def client(server: ServerProcess, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{server.url}/qrlogo/api/v1",
        headers={"authorization": f"Bearer {key}", "user-agent": PHONE},
        verify=False,
    )


def test_a_key_has_51_characters() -> None:
    form: KeyFormat = key_formats()["qrlogo"]
    assert len(form.new()) == 51
    assert form.new().startswith("qr_")


def test_a_scan_is_redirected_and_counted(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrlogo")) as api:
        made = api.post("/qr", json=NEW).json()
        answer = phone.get(made["scan_url"])
        assert (answer.status_code, answer.headers["location"]) == (302, NEW["target_url"])
        until(lambda: api.get(f"/qr/{made['short_code']}").json()["scan_count"] == 1, what="the scan")


@pytest.mark.parametrize("plan", ["qrlogo.free", "qrlogo.regular"])
def test_a_plan_without_api_access_is_403(plan: str, server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrlogo", plan=plan)) as api:
        for answer in (api.get("/qr"), api.post("/qr", json=NEW), api.get("/qr/zzzzzzz")):
            assert (answer.status_code, answer.json()["error"]) == (403, "api_not_available")


def test_another_account_s_code_is_not_found(server: ServerProcess, new_key: NewKey) -> None:
    with client(server, new_key("qrlogo")) as api, client(server, new_key("qrlogo")) as stranger:
        made = api.post("/qr", json=NEW).json()
        answer = stranger.get(f"/qr/{made['short_code']}")
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_the_201st_dynamic_code_of_the_plan_is_402(server: ServerProcess, new_key: NewKey) -> None:
    key = new_key("qrlogo", plan="qrlogo.advanced")
    with client(server, key) as api, server.anyone({"authorization": f"Bearer {key}"}) as native:
        items = [{"destination": "https://example.com/"} for _ in range(200)]
        assert native.post("/qr-codes/batch", json={"items": items}).status_code in (200, 201)
        answer = api.post("/qr", json=NEW)
        assert (answer.status_code, answer.json()["error"]) == (402, "quota_dynamic_qrs")
        listed = api.get("/qr").json()
        assert (listed["count"], len(listed["qrs"])) == (200, 200)
