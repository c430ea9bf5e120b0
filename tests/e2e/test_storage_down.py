"""The database goes away and comes back, while the server runs: management waits, redirects do not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.exchange import everything, new_code, problem
from tests.support import Databases, Outage, ServerProcess, sql, until


@pytest.fixture
def own_server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def outage(databases: Databases, database_url: str) -> Outage:
    return Outage(databases, database_url)


def test_management_waits_and_redirects_do_not(own_server: ServerProcess, outage: Outage) -> None:
    with own_server.client() as api, own_server.anyone() as anyone:
        code = new_code(api, destination="https://example.com/menu")
        before = everything(api)
        outage.begin()

        for answer in (
            api.get("/account"),
            api.get("/links"),
            api.get(f"/qr-codes/{code['id']}/image"),
            api.get(f"/qr-codes/{code['id']}/stats"),
            api.post("/qr-codes", json={"destination": "https://example.com/"}),
            api.post("/api-keys", json={"name": "Till"}),
            api.post("/render", json={"content": {"type": "text", "text": "Hello"}}),  # nobody knows whose key it is
            api.patch(f"/links/{code['link_id']}", json={"destination": "https://example.com/"}),
            api.delete(f"/links/{code['link_id']}"),
        ):
            problem(answer, 503, "storage_unavailable")
            assert answer.headers["retry-after"] == "5"

        for _ in range(3):
            scan = anyone.get(code["short_url"])
            assert (scan.status_code, scan.headers["location"]) == (302, "https://example.com/menu")
        unknown = anyone.get(f"{own_server.url}/never-seen")
        assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "5")  # not 404: nobody knows
        assert anyone.get(f"{own_server.url}/readyz").status_code == 200

        outage.end()
        until(lambda: api.get("/account").status_code == 200, what="the database is back")
        until(lambda: api.get(f"/links/{code['link_id']}").json()["scans"] == 3, what="the scans that waited")
        after = everything(api)
        assert [[item["id"] for item in page["data"]] for page in after] == [
            [item["id"] for item in page["data"]] for page in before
        ]
        assert anyone.get(f"{own_server.url}/never-seen").status_code == 404


def test_what_was_changed_elsewhere_meanwhile_is_seen_when_it_is_back(
    own_server: ServerProcess, outage: Outage, database_url: str
) -> None:
    """A lost connection has missed what was told on it, so that everything is looked at again."""
    with own_server.client() as api, own_server.anyone() as anyone:
        code = new_code(api, destination="https://example.com/menu")
        outage.begin()
        outage.end()
        # By hand, in the moment when the server may be listening again or not.
        sql(database_url, "UPDATE links SET destination = 'https://example.com/autumn'")

        def moved() -> bool:
            return anyone.get(code["short_url"]).headers["location"] == "https://example.com/autumn"

        until(moved, what="the change")
