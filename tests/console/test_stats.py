"""`qredge stats rebuild`, beside a server that runs."""

import json
from pathlib import Path

from tests.console.conftest import Shell
from tests.support import ServerProcess, phone, sql, until

COUNTED = "SELECT coalesce(sum(people + bots), 0) FROM scan_days WHERE link_id <> 0"


def test_scans_are_counted_anew_while_a_server_runs(tmp_path: Path, database_url: str) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url)
    shell = Shell(tmp_path / "data", database_url)
    server.start()
    try:
        with server.client() as api:
            created = api.post("/links", json={"slug": "menu", "destination": "https://example.com/"})
            assert created.status_code == 201, created.text
        assert shell("stats", "rebuild") == []
        for _ in range(5):
            assert phone.get(f"{server.url}/menu").status_code == 302
        until(lambda: sql(database_url, "SELECT count(*) FROM scans")[0][0] == 5, what="the scans in the log")
        header, *months = shell("stats", "rebuild")
        assert header.split() == ["month", "scans", "seconds"]
        assert [line.split()[1] for line in months] == ["5", "0"]  # this month, and the next one
        assert sql(database_url, COUNTED)[0][0] == 5
        sql(database_url, "DELETE FROM scan_days")
        rows = json.loads(shell("stats", "rebuild", "--json")[0])
        assert [row["scans"] for row in rows] == [5, 0]
        assert sql(database_url, COUNTED)[0][0] == 5
    finally:
        assert server.stop() == 0
