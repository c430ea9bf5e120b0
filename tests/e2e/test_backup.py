"""Servers that come to a database: a restored one after a machine has died, and an empty one, several at once."""

import shutil
import subprocess
from pathlib import Path

from server.embedded import program
from tests.api.exchange import new_code
from tests.support import Databases, Outage, ServerProcess, phone, sql, until

COUNT = "SELECT count(*) FROM scans"
NAMES = "SELECT name FROM schema_migrations ORDER BY name"
#: The pages of both servers say the same.
PUBLIC_URL = "https://qr.example"


def test_a_dump_and_the_journals_of_a_machine_that_died_are_the_whole_server(
    databases: Databases, database_url: str, empty_database: str, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url, public_url=PUBLIC_URL)
    outage = Outage(databases, database_url)
    server.start()
    try:
        with server.client() as api:
            key = api.headers["authorization"]
            code = new_code(api)
        scan = f"/{code['short_url'].rpartition('/')[2]}"
        for _ in range(5):
            assert phone.get(server.url + scan).status_code == 302
        until(lambda: sql(database_url, COUNT)[0][0] == 5, what="the scans in the log")
        outage.begin()
        for _ in range(7):
            assert phone.get(server.url + scan).status_code == 302
    finally:
        server.kill()
        outage.end()

    dump = tmp_path / "qredge.dump"
    options = ["--format=custom", "--no-owner", f"--file={dump}", f"--dbname={database_url}"]
    subprocess.run([program("pg_dump"), *options], check=True)
    subprocess.run(
        [program("pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={empty_database}", dump], check=True
    )
    shutil.copytree(server.data_dir / "journal", tmp_path / "restored" / "journal")

    restored = ServerProcess(tmp_path / "restored", database_url=empty_database, public_url=PUBLIC_URL)
    restored.start()
    try:
        assert phone.get(restored.url + scan).headers["location"] == code["destination"]
        until(lambda: sql(empty_database, COUNT)[0][0] == 13, what="every scan, those of the journals too")
        with restored.anyone({"authorization": key}) as api:
            until(lambda: api.get(f"/qr-codes/{code['id']}").json()["scans"] == 13, what="they are counted")
            stats = api.get(f"/qr-codes/{code['id']}/stats").json()
            assert (stats["total_scans"], stats["unique_scans"]) == (13, 1)
        assert restored.stop() == 0
    finally:
        restored.kill()
    assert sql(empty_database, COUNT)[0][0] == 13


def test_servers_that_start_at_once_on_an_empty_database_make_it_and_its_first_key_once(
    empty_database: str, tmp_path: Path
) -> None:
    servers = [ServerProcess(tmp_path / name, database_url=empty_database) for name in ("one", "two", "three")]
    try:
        for server in servers:
            server.launch()
        for server in servers:
            until(server.ready, what="ready", within_s=60)
        until(lambda: any("Your API key" in each.log.read_text() for each in servers), what="a key")
        for server in servers:
            assert server.stop() == 0
    finally:
        for server in servers:
            server.kill()
    logs = [server.log.read_text() for server in servers]
    assert sum(log.count("Your API key") for log in logs) == 1
    applied = [line for log in logs for line in log.splitlines() if "applied migration" in line]
    names = [line.rpartition(" ")[2] for line in applied]
    assert sorted(names) == sorted(set(names)) == [row[0] for row in sql(empty_database, NAMES)]
