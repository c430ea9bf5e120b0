"""The scenarios of qrcodestack's examples run, in each language, and do what they say."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.dialects.conftest import key_of_new_account
from tests.support import PHONE, ServerProcess, phone, until

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDER = EXAMPLES / "qrcodestack"
PROGRAMS = {"curl": ["bash"], "node": ["node"], "python": [sys.executable]}
ENDINGS = {"curl": "sh", "node": "js", "python": "py"}
SCENARIOS = ("me", "create-qr", "list-qrs", "update-qr", "analytics", "bulk")

Run = Callable[..., str]

pytestmark = pytest.mark.parametrize("language", PROGRAMS)


@pytest.fixture
def api(server: ServerProcess) -> Iterator[httpx.Client]:
    key = asyncio.run(key_of_new_account(server.database_url, "qrcodestack", "qrcodestack.advanced"))
    with httpx.Client(
        base_url=f"{server.url}/qrcodestack/api/v1",
        headers={"authorization": f"Bearer {key}", "user-agent": PHONE},
        verify=False,
    ) as api:
        yield api


@pytest.fixture
def run(language: str, api: httpx.Client, tmp_path: Path) -> Run:
    """Runs a scenario with these arguments, in a folder of its own; returns what it prints."""

    def run(scenario: str, *arguments: str, status: int = 0) -> str:
        key = api.headers["authorization"].removeprefix("Bearer ")
        environment = {"QRCS_BASE_URL": str(api.base_url).rstrip("/"), "QRCS_API_KEY": key, "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            [*PROGRAMS[language], str(FOLDER / language / f"{scenario}.{ENDINGS[language]}"), *arguments],
            cwd=tmp_path,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode != 0) == bool(status), done.stdout + done.stderr
        return done.stdout

    return run


def create(api: httpx.Client) -> dict[str, str]:
    body = {"name": "Menu", "type": "url", "destination_url": "https://example.com/menu"}
    return dict(api.post("/qr-codes", json=body).raise_for_status().json()["data"])


def test_every_scenario_is_there_and_in_the_table(language: str) -> None:
    there = {path.name for path in (FOLDER / language).iterdir()} - {"package.json", "__pycache__"}
    assert there == {f"{scenario}.{ENDINGS[language]}" for scenario in SCENARIOS}
    table = (EXAMPLES / "README.md").read_text()
    for name in there:
        assert f"[{name}](qrcodestack/{language}/{name})" in table


def test_me(run: Run) -> None:
    assert json.loads(run("me"))["data"]["usage"]["api_calls_this_month"] == 1


def test_create_qr(run: Run, api: httpx.Client, tmp_path: Path) -> None:
    url = run("create-qr", "Menu", "https://example.com/menu").strip()
    (code,) = api.get("/qr-codes").json()["data"]
    assert (code["name"], code["redirect_url"]) == ("Menu", url)
    picture = Image.open(tmp_path / "qr.png")
    assert picture.size == (1024, 1024)
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text.lower() == url.lower()
    run("create-qr", "Menu", "nowhere", status=1)


def test_list_qrs(run: Run, api: httpx.Client) -> None:
    assert run("list-qrs") == ""
    body = {"name": "Menu", "type": "url", "destination_url": "https://example.com/menu"}
    made = api.post("/qr-codes/bulk", json={"items": [body] * 201}).json()["data"]["items"]
    assert sorted(run("list-qrs").splitlines()) == sorted(code["id"] for code in made)


def test_update_qr(run: Run, api: httpx.Client) -> None:
    code = create(api)
    assert run("update-qr", code["id"], "https://example.com/autumn") == "https://example.com/autumn\n"
    assert phone.get(code["redirect_url"]).headers["location"] == "https://example.com/autumn"


def test_analytics(run: Run, api: httpx.Client) -> None:
    code = create(api)
    assert phone.get(code["redirect_url"]).status_code == 302
    until(lambda: api.get(f"/qr-codes/{code['id']}").json()["data"]["scan_count"] == 1, what="a scan that is counted")
    today = datetime.now(UTC).date().isoformat()
    assert json.loads(run("analytics", code["id"]))["data"]["total_scans"] == 1
    told = json.loads(run("analytics", code["id"], today, today))["data"]
    assert told["by_device"] == {"mobile": 1}
    spring = json.loads(run("analytics", code["id"], "2026-03-01", "2026-03-02"))["data"]
    assert [each["date"] for each in spring["scans_by_day"]] == ["2026-03-01", "2026-03-02"]


def test_bulk(run: Run, api: httpx.Client) -> None:
    assert run("bulk") == "100\n"
    codes = api.get("/qr-codes", params={"limit": 100}).json()["data"]
    assert {code["name"] for code in codes} == {f"Table {number}" for number in range(1, 101)}
