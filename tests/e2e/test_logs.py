"""What a running server logs: a line of JSON for each request of the APIs, none for a scan, and nobody's secrets."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from server.dialects import dialects
from tests.support import ServerProcess, phone, sql

#: Says in its message what it was given, as errors of a database may.
TELLTALE = """
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'cannot store %', NEW;
    END $$;
    CREATE TRIGGER tell BEFORE INSERT ON links FOR EACH ROW WHEN (NEW.title LIKE '%broken%') EXECUTE FUNCTION tell()
"""


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(
        tmp_path / "data",
        database_url=database_url,
        trusted_proxies="127.0.0.0/8",
        client_addresses="full",
        fetch_networks="127.0.0.77/32",  # nobody is there
        log_level="debug",
    )
    server.start()
    yield server
    server.kill()


def lines(server: ServerProcess) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{")]


def test_each_request_has_a_line_and_a_scan_and_a_picture_have_none(server: ServerProcess) -> None:
    with server.client() as api:
        account = api.get("/account").json()["id"]
        code = api.post("/qr-codes", json={"destination": "https://example.com/"}).json()
        assert api.get(f"/qr-codes/{code['id']}/image").status_code == 200
        assert api.post("/render", json={"content": {"type": "text", "text": "drawn"}}).status_code == 200
        assert phone.get(code["short_url"]).status_code == 302
        refused = api.post("/render", json={"content": {"type": "text"}})
        nowhere = api.get("/links/lnk_0000000000000")
        unknown = api.request("SK-LIVE", "/nowhere")
        elsewhere = api.get(f"{server.url}/mask/api/v1/links")
    assert server.stop(signal.SIGTERM) == 0
    told = lines(server)
    assert [(each["method"], each["route"], each["status"], each["dialect"]) for each in told] == [
        ("GET", "/v1/account", 200, None),
        ("POST", "/v1/qr-codes", 201, None),
        ("POST", "/v1/render", 422, None),
        ("GET", "/v1/links/{id}", 404, None),
        ("other", "other", 404, None),
        ("GET", "/mask/api/v1/links", elsewhere.status_code, "mask"),
    ]
    assert {each["account"] for each in told[:4]} == {account}
    assert all(each["key"].startswith("key_") for each in told[:4])
    assert all(0 < each["duration_ms"] < 60_000 for each in told)
    for each, answer in zip(told[2:5], (refused, nowhere, unknown), strict=True):
        assert each["request_id"] == answer.json()["request_id"]


def test_it_can_be_left_out(database_url: str, tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url, request_log="false")
    server.start()
    with server.client() as api:
        assert api.get("/account").status_code == 200
    assert server.stop(signal.SIGTERM) == 0
    assert lines(server) == []


def test_what_clients_send_stands_nowhere(server: ServerProcess) -> None:
    """Secrets in every place a request has, on requests that succeed, are refused, and fail by our mistake."""
    sql(server.database_url, TELLTALE.partition("$$;")[0] + "$$")
    sql(server.database_url, TELLTALE.partition("$$;")[2])
    secrets = _Secrets()
    with server.client() as api:
        secrets.known.append(api.headers["authorization"].removeprefix("Bearer "))
        for name in ("", *dialects()):
            _send_everywhere(server, name, secrets, api.headers["authorization"])
        _send_to_the_api(api, secrets)
        broken = api.post(
            "/links",
            json={"destination": f"https://me:{secrets.new()}@example.com/", "title": f"broken {secrets.new()}"},
            headers={"x-forwarded-for": secrets.address()},
            params={"q": secrets.new()},
        )
        assert broken.status_code == 500
        link = api.post(
            "/links", json={"destination": f"https://example.com/{secrets.new()}", "password": (word := secrets.new())}
        ).json()
        for password in (secrets.new(), word):
            phone.post(link["short_url"], data={"password": password}, headers={"x-forwarded-for": secrets.address()})
        phone.get(f"{link['short_url']}?token={secrets.new()}", headers={"x-forwarded-for": secrets.address()})
        webhook = api.post("/webhooks", json={"url": f"https://127.0.0.77/{secrets.new()}", "events": ["link.created"]})
        secrets.known.append(webhook.json()["secret"])
        made = api.post("/api-keys", json={"name": secrets.new(), "permissions": ["read"]})
        secrets.known.append(made.json()["key"])
        assert server.stop(signal.SIGTERM) == 0

    log = server.log.read_text()
    request_id = broken.json()["request_id"]
    assert f"request {request_id} failed: POST /v1/links\n" in log
    assert "asyncpg.exceptions.RaiseError\n" in log, "where it failed, and by what"
    assert len(secrets.known) > 100
    assert [secret for secret in secrets.known if secret in log] == []
    assert not re.search(r"\b203\.0\.113\.\d", log)


class _Secrets:
    """Words and addresses that nobody would say by chance."""

    def __init__(self) -> None:
        self.known: list[str] = []

    def new(self) -> str:
        self.known.append(f"hush{len(self.known):04}quiet")
        return self.known[-1]

    def address(self) -> str:
        self.known.append(f"203.0.113.{len(self.known) % 256}")
        return self.known[-1]


def _send_everywhere(server: ServerProcess, dialect: str, secrets: _Secrets, authorization: str) -> None:
    base = f"{server.url}/{dialect or 'v1'}"
    for method in ("GET", "POST", "PATCH", "DELETE", "HUSH"):
        for path in ("", "/links", "/api/v1/links", "/v1/qr-codes", f"/links/{secrets.new()}", f"/{secrets.new()}"):
            for shown in (authorization, f"Bearer {secrets.new()}", f"Basic {secrets.new()}"):
                headers = {
                    "authorization": shown,
                    "x-api-key": secrets.new(),
                    "cookie": f"session={secrets.new()}",
                    "user-agent": secrets.new(),
                    "referer": f"https://example.com/?token={secrets.new()}",
                    "idempotency-key": secrets.new(),
                    "x-request-id": secrets.new(),
                    "x-forwarded-for": secrets.address(),
                    "forwarded": f"for={secrets.address()}",
                }
                httpx.request(
                    method,
                    base + path,
                    params={"api_key": secrets.new()},
                    headers=headers,
                    content=b'{"password": "%b"' % secrets.new().encode(),  # not whole
                    verify=False,
                )


def _send_to_the_api(api: httpx.Client, secrets: _Secrets) -> None:
    """Where what is asked for is looked at more closely."""
    for path, body in {
        "/links": {"destination": f"https://example.com/{secrets.new()}", "slug": f"-{secrets.new()}-"},
        "/links?": {"destination": f"javascript:{secrets.new()}"},
        "/render": {"content": {"type": "wifi", "ssid": secrets.new(), "password": secrets.new(), "extra": 1}},
        "/qr-codes": {"content": {"type": "wifi", "ssid": "here", "password": secrets.new()}, "name": secrets.new()},
        "/webhooks": {"url": f"http://127.0.0.1/{secrets.new()}", "events": [secrets.new()]},
        "/links/import": {"csv": secrets.new()},
    }.items():
        api.post(path, json=body, headers={"x-forwarded-for": secrets.address()})
