"""Every example runs, in each language, and does what it says."""

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import httpx
import numpy as np
import pypdfium2
import pytest

from bench.decoders import zxing
from tests.api.exchange import new_link
from tests.support import ServerProcess, free_port, until

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = {".sh": ["bash"], ".py": [sys.executable], ".mjs": ["node"]}
SHARED = "qredge"

SECRET = "whsec_" + base64.b64encode(b"a secret of some length, as told").decode()


def languages(scenario: str) -> list[Path]:
    return sorted(path for path in EXAMPLES.glob(f"*/{scenario}.*") if path.suffix in PROGRAMS)


def each(scenario: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("example", languages(scenario), ids=lambda path: path.suffix[1:])


@pytest.fixture
def run(server: ServerProcess, api: httpx.Client, tmp_path: Path) -> Callable[..., list[str]]:
    """Runs an example with these arguments, in a folder of its own; returns the lines it prints."""

    def run(example: Path, *arguments: str) -> list[str]:
        key = api.headers["authorization"].removeprefix("Bearer ")
        done = subprocess.run(
            [*PROGRAMS[example.suffix], str(example), *arguments],
            cwd=tmp_path,
            env={**os.environ, "QREDGE_URL": server.url, "QREDGE_API_KEY": key, "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.splitlines()

    return run


def test_every_example_is_in_the_table_and_is_run_here() -> None:
    table = (EXAMPLES / "README.md").read_text()
    here = Path(__file__).read_text()
    for path in EXAMPLES.glob("*/*"):
        if path.stem != SHARED and path.is_file():
            assert f"]({path.relative_to(EXAMPLES)})" in table
            assert f'@each("{path.stem}")' in here or f'("{path.stem}")' in here
    assert len(languages("create")) == len(PROGRAMS)


@each("create")
def test_create(example: Path, run: Callable[..., list[str]], api: httpx.Client, tmp_path: Path) -> None:
    (short_url,) = run(example)
    (code,) = api.get("/qr-codes").json()["data"]
    assert code["short_url"] == short_url
    picture = cv2.imread(str(tmp_path / "table-7.png"), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (1024, 1024)
    (says,) = zxing(np.asarray(picture, np.uint8))
    assert says.lower() == short_url.lower()


@each("list_pages")
def test_list_pages(example: Path, run: Callable[..., list[str]], api: httpx.Client) -> None:
    assert run(example) == []
    items = [{"destination": "https://example.com/"}] * 101
    made = api.post("/links/batch", json={"items": items}).json()["items"]
    urls = [item["data"]["short_url"] for item in made]
    assert sorted(run(example)) == sorted(urls)


@each("update")
def test_update(example: Path, run: Callable[..., list[str]], api: httpx.Client) -> None:
    link = new_link(api)
    assert run(example, link["id"], "https://example.com/autumn") == ["https://example.com/autumn"]
    assert api.get(f"/links/{link['id']}").json()["destination"] == "https://example.com/autumn"


@each("stats")
def test_stats(example: Path, run: Callable[..., list[str]], api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api)
    assert anyone.get(link["short_url"]).status_code == 302
    until(lambda: api.get(f"/links/{link['id']}").json()["scans"] == 1, what="a scan that is counted")
    *before, today = run(example, link["id"])
    days = [(datetime.now(UTC) - timedelta(days=back)).date().isoformat() for back in range(6, -1, -1)]
    assert today == f"{days[-1]} 1"
    assert before == [f"{day} 0" for day in days[:-1]]


@each("bulk")
def test_bulk(example: Path, run: Callable[..., list[str]], api: httpx.Client) -> None:
    assert run(example) == ["100"]
    links = api.get("/links", params={"limit": 100}).json()["data"]
    assert {link["title"] for link in links} == {f"Table {number}" for number in range(1, 101)}


@each("render")
def test_render(example: Path, run: Callable[..., list[str]], tmp_path: Path) -> None:
    assert run(example) == ["wifi.pdf"]
    page = pypdfium2.PdfDocument(tmp_path / "wifi.pdf")[0]
    assert page.get_width() == pytest.approx(1.97 * 72, abs=1)
    says = zxing(page.render(scale=4, grayscale=True).to_numpy().squeeze())
    assert list(says) == ["WIFI:T:WPA;S:Bistro;P:bon appetit;;"]


@contextmanager
def receiving(example: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A receiver that runs, by its URL."""
    port = free_port()
    receiver = subprocess.Popen(
        [*PROGRAMS[example.suffix], str(example), str(port)],
        env={**os.environ, "QREDGE_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(url), what="a receiver that listens")
        yield url, receiver
    finally:
        receiver.kill()
        receiver.communicate()


def _answers(url: str) -> bool:
    try:
        return httpx.post(url, content=b"{}").status_code == 401  # not signed
    except httpx.TransportError:
        return False


def _send(url: str, event_id: str, event: dict[str, str], *, age_s: int = 0, secret: bytes | None = None) -> int:
    body = json.dumps(event).encode()
    timestamp = str(int(time.time()) - age_s)
    key = secret or base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{event_id}.{timestamp}.".encode() + body, hashlib.sha256)
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(b'x' * 32).decode()} v1,{base64.b64encode(signed).decode()}",
    }
    return httpx.post(url, content=body, headers=headers).status_code


@pytest.mark.parametrize(
    "example",
    [path for path in languages("webhook_receiver") if path.suffix != ".sh"],
    ids=lambda path: path.suffix[1:],
)
def test_a_webhook_receiver_takes_what_is_signed_and_nothing_else(example: Path) -> None:
    event = {"type": "link.created", "timestamp": "2026-11-20T08:30:00Z"}
    with receiving(example) as (url, receiver):
        assert _send(url, "evt_1", event) == 204
        assert _send(url, "evt_1", event) == 204  # a second time, which is passed over
        assert _send(url, "evt_2", event, secret=b"another") == 401
        assert _send(url, "evt_3", event, age_s=3600) == 401
        assert _send(url, "evt_4", {**event, "type": "link.deleted"}) == 204
        assert receiver.stdout is not None
        assert [receiver.stdout.readline().strip() for _ in range(2)] == [
            "link.created 2026-11-20T08:30:00Z",
            "link.deleted 2026-11-20T08:30:00Z",
        ]
