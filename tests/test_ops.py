"""/metrics: what a server tells Prometheus."""

import secrets

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.exchange import new_code
from tests.support import ServerProcess

REQUESTS, SECONDS = "qredge_api_requests_total", "qredge_api_seconds"

#: Name, route, method, and status or bound -> value.
Samples = dict[tuple[str, str, str, str], float]


def samples(server: ServerProcess) -> Samples:
    answer = httpx.get(f"{server.url}/metrics", verify=False)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.documentation
        for each in family.samples:
            labels = dict(each.labels)
            pid = labels.pop("pid", None)  # of gauges, which are not added up
            assert (pid is not None) == (family.type == "gauge")
            if {"route", "method"} <= labels.keys():
                key = (each.name, labels["route"], labels["method"], labels.get("status", labels.get("le", "")))
                assert key not in found
                found[key] = each.value
    return found


def grown(server: ServerProcess, before: Samples) -> Samples:
    return {key: value - before.get(key, 0) for key, value in samples(server).items() if value != before.get(key, 0)}


def test_readiness_is_told_by_component(server: ServerProcess) -> None:
    told = httpx.get(f"{server.url}/readyz", verify=False).json()
    assert told["status"] == "ready"
    assert told["components"] == {"redirects": "ready", "scans": "kept", "management": "ready", "images": "local"}


def test_requests_are_counted_by_route_method_and_status(server: ServerProcess, api: httpx.Client) -> None:
    before = samples(server)
    codes = [new_code(api)["id"] for _ in range(2)]
    for code in codes:
        api.get(f"/qr-codes/{code}").raise_for_status()
    api.get("/qr-codes/qr_0000000000000")
    api.post("/qr-codes", json={})
    api.delete(f"/qr-codes/{codes[0]}").raise_for_status()
    counted = {key[1:]: value for key, value in grown(server, before).items() if key[0] == REQUESTS}
    assert counted == {
        ("/v1/qr-codes", "POST", "2xx"): 2,
        ("/v1/qr-codes", "POST", "4xx"): 1,
        ("/v1/qr-codes/{id}", "GET", "2xx"): 2,
        ("/v1/qr-codes/{id}", "GET", "4xx"): 1,
        ("/v1/qr-codes/{id}", "DELETE", "2xx"): 1,
    }


def test_pictures_are_counted_wherever_they_are_answered(server: ServerProcess, api: httpx.Client) -> None:
    """From the third on in front of the API."""
    code = new_code(api)["id"]
    path, before = "/v1/qr-codes/{id}/image", samples(server)
    for _ in range(5):
        etag = api.get(f"/qr-codes/{code}/image").headers["etag"]
    for _ in range(3):
        assert api.get(f"/qr-codes/{code}/image", headers={"if-none-match": etag}).status_code == 304
    more = grown(server, before)
    assert (more[REQUESTS, path, "GET", "2xx"], more[REQUESTS, path, "GET", "3xx"]) == (5, 3)
    assert more[f"{SECONDS}_count", path, "GET", ""] == more[f"{SECONDS}_bucket", path, "GET", "+Inf"] == 8
    assert 0 < more[f"{SECONDS}_sum", path, "GET", ""] < 8


@pytest.mark.parametrize("path", ["/v1/{}", "/v1/links/{}/x", "/v1/webhooks/a/deliveries/{}", "/i/{}", "/i/{}.png"])
def test_strangers_make_no_new_series(server: ServerProcess, anyone: httpx.Client, path: str) -> None:
    def ask(method: str) -> None:
        anyone.request(method, str(anyone.base_url.join(path.format(secrets.token_hex(8)))))

    for method in ("GET", "BREW"):
        ask(method)
    before = samples(server)
    for method in ("GET", secrets.token_hex(4).upper()):
        ask(method)
    assert samples(server).keys() == before.keys()
    assert len([key for key in grown(server, before) if key[0] == REQUESTS]) == 2
