"""Two workers and a writer tell one story, whoever is asked, and also when one of them was killed."""

import os
import re
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from server.metrics import Metrics
from tests.api.exchange import new_link
from tests.support import RedisServer, ServerProcess, phone, until

SCANS = 40


@pytest.fixture
def server(database_url: str, redis: RedisServer, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, redis_url=redis.url, workers="2")
    server.start()
    yield server
    server.stop()


def total(text: str, name: str, **labels: str) -> float:
    """Of all samples with these labels."""
    families = text_string_to_metric_families(text)
    samples = [each for family in families for each in family.samples if each.name == name]
    return sum(each.value for each in samples if labels.items() <= each.labels.items())


def told(server: ServerProcess) -> str:
    return phone.get(f"{server.url}/metrics").text


def scan(server: ServerProcess, slug: str) -> None:
    for _ in range(SCANS):
        assert phone.get(f"{server.url}/{slug}").status_code == 302


def test_all_processes_are_added_up(server: ServerProcess) -> None:
    with server.client() as api:
        link = new_link(api)
        locked = new_link(api, password="secret")
        code = api.post("/qr-codes", json={"content": {"type": "text", "text": "a"}}).json()
        for _ in range(4):
            api.get(f"/qr-codes/{code['id']}/image").raise_for_status()
    scan(server, link["slug"])
    unknown = secrets.token_hex(6)
    assert phone.get(f"{server.url}/{unknown}").status_code == 404
    assert phone.get(f"{server.url}/{locked['slug']}").status_code == 200

    def written() -> bool:
        text = told(server)
        counted = [total(text, f"qredge_scans_{name}_total") for name in ("accepted", "written", "dropped")]
        return counted == [SCANS, SCANS, 0]

    until(written, what="all scans in the metrics of every process")
    text = told(server)
    redirects = "qredge_redirect_seconds_count"
    assert total(text, redirects, kind="plain", status="302") == SCANS
    assert total(text, redirects, kind="unknown", status="404") == 1
    assert total(text, redirects, kind="guarded", status="200") == 1
    assert total(text, redirects) == SCANS + 2
    assert total(text, "qredge_images_total") == 4
    assert total(text, "qredge_images_total", source="drawn") == total(text, "qredge_draw_seconds_count") > 0
    assert total(text, "qredge_database_up") == total(text, "qredge_redis_up") == 2  # of each worker
    assert total(text, "qredge_build_info") == 2
    assert total(text, "qredge_journal_bytes") > 0
    assert total(text, "qredge_api_requests_total", route="/v1/links", method="POST", status="2xx") == 2
    for slug in (link["slug"], locked["slug"], unknown):
        assert slug not in text


def published(server: ServerProcess) -> str:
    """What the others are told, which a worker that is killed leaves behind."""
    return generate_latest(Metrics(server.data_dir / "metrics")).decode()


def of_workers(text: str) -> set[int]:
    return {int(pid) for pid in re.findall(r'qredge_links{pid="(\d+)"}', text)}


def test_what_a_killed_worker_has_counted_is_not_lost(server: ServerProcess) -> None:
    accepted = "qredge_scans_accepted_total"
    until(lambda: len(of_workers(published(server))) == 2, what="two workers")
    with server.client() as api:
        slug = new_link(api)["slug"]
    scan(server, slug)
    until(lambda: total(published(server), accepted) == SCANS, what="all scans told to the others")
    killed = min(server.workers())
    os.kill(killed, signal.SIGKILL)
    until(lambda: len(of_workers(published(server)) - {killed}) == 2, what="another worker")
    assert of_workers(told(server)) == of_workers(published(server)) == {*server.workers()}
    assert total(told(server), accepted) == SCANS
    scan(server, slug)
    until(lambda: total(told(server), accepted) == 2 * SCANS, what="more scans counted")
