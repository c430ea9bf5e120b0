"""Webhooks of a running server: everything that happens is told, whatever dies in between."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.exchange import new_code, new_link
from tests.receiver import Receiver
from tests.support import ServerProcess, phone, sql, until

EVENTS = [
    *["link.created", "link.updated", "link.deleted"],
    *["qr_code.created", "qr_code.updated", "qr_code.deleted"],
]


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[ServerProcess]:
    server = ServerProcess(
        tmp_path / "data", database_url=database_url, fetch_http="true", fetch_networks="127.0.0.78/32"
    )
    server.start()
    yield server
    server.kill()


def test_what_happens_in_an_account_is_told(server: ServerProcess) -> None:
    with Receiver(host="127.0.0.78") as receiver, server.client() as api, server.client() as stranger:
        made = api.post("/webhooks", json={"url": receiver.url, "events": EVENTS}).json()
        new_link(stranger)
        link = new_link(api, slug="told", password="secret")
        code = new_code(api, link_id=link["id"])
        changed = api.patch(f"/links/{link['id']}", json={"title": "Menu"}).json()
        renamed = api.patch(f"/qr-codes/{code['id']}", json={"name": "Table 7"}).json()
        api.delete(f"/qr-codes/{code['id']}")
        api.delete(f"/links/{link['id']}")
        until(lambda: len(receiver.received) >= 6, what="six events")
        said = {each.type: each.verified(made["secret"]) for each in receiver.received}
        assert set(said) == set(EVENTS)
        assert said["link.created"]["data"] == link
        assert said["link.updated"]["data"] == changed
        assert said["qr_code.created"]["data"] == {**code, "scans": said["qr_code.created"]["data"]["scans"]}
        assert said["qr_code.updated"]["data"]["name"] == renamed["name"]
        log = api.get(f"/webhooks/{made['id']}/deliveries").json()["data"]
        assert {each["id"] for each in log} == {each.event_id for each in receiver.received}
        assert server.stop() == 0


def test_a_writer_that_is_killed_in_the_middle_loses_nothing(server: ServerProcess) -> None:
    with Receiver(host="127.0.0.78") as receiver, server.client() as api:
        api.post("/webhooks", json={"url": receiver.url, "events": ["link.created"]})
        slugs = {new_link(api)["slug"] for _ in range(5)}
        until(lambda: receiver.received, what="the first")
        os.kill(server.writer(), signal.SIGKILL)
        slugs |= {new_link(api)["slug"] for _ in range(20)}

        def all_told() -> bool:
            # What the dead one had claimed would be sent when that has run out, which is not waited for here.
            sql(server.database_url, "UPDATE webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending'")
            return {each.data["slug"] for each in receiver.received} == slugs

        until(all_told, what="all of them")


def test_each_scan_is_told_once_many_at_a_time(server: ServerProcess) -> None:
    with Receiver(host="127.0.0.78") as receiver, server.client() as api, server.client() as stranger:
        link, other = new_link(api), new_link(stranger)
        phone.get(link["short_url"])
        until(lambda: api.get(f"/links/{link['id']}").json()["scans"] == 1, what="a scan from before")
        made = api.post("/webhooks", json={"url": receiver.url, "events": ["scan.recorded"]}).json()
        for number in range(130):
            phone.get(f"{server.url}/{link['slug']}?{number}")
            phone.get(f"{server.url}/{other['slug']}")

        def told() -> list[dict[str, object]]:
            return [scan for each in receiver.received for scan in each.data["scans"]]

        until(lambda: len(told()) >= 130, what="all of them", within_s=30)
        log = api.get(f"/links/{link['id']}/scans", params={"limit": 100}).json()["data"]
        assert len({scan["id"] for scan in told()}) == len(told()) == 130
        assert {scan["link_id"] for scan in told()} == {link["id"]}
        assert all(scan in told() for scan in log)
        for each in receiver.received:
            each.verified(made["secret"])
            assert len(each.data["scans"]) <= 100
