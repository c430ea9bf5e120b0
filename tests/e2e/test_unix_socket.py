"""A server that listens at a file, as its proxy sees it."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from server.settings import Settings
from server.supervisor import _ready
from tests.api.exchange import new_link
from tests.support import PHONE, ServerProcess, sql, until


class ByFile(ServerProcess):
    """Its clients are at the other end of a Unix socket, as a proxy on the same machine is."""

    def __init__(self, folder: Path, *, database_url: str) -> None:
        self.path = folder / "qredge.sock"
        settings = {"unix_socket": str(self.path), "public_url": "https://qr.example", "client_addresses": "full"}
        super().__init__(folder / "data", database_url=database_url, workers="2", **settings)

    def ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        return _ready(Settings(unix_socket=str(self.path), public_url="https://qr.example"))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        with self.anyone(headers) as client:
            return client.get(f"http://localhost{path}")

    def anyone(self, headers: dict[str, str] | None = None) -> httpx.Client:
        return httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.path)),
            base_url="http://localhost/v1",
            headers={"user-agent": PHONE} | (headers or {}),
        )


@pytest.fixture
def server(database_url: str, tmp_path: Path) -> Iterator[ByFile]:
    server = ByFile(tmp_path, database_url=database_url)
    server.start()
    yield server
    server.kill()


def test_links_are_made_and_scanned_and_the_proxy_says_by_whom(server: ByFile) -> None:
    with server.client() as api:
        link = new_link(api)
    assert link["short_url"] == f"https://qr.example/{link['slug']}"
    for _ in range(10):  # a connection each, so that both workers answer some
        answer = server.get(f"/{link['slug']}", {"x-forwarded-for": "198.51.100.7, 203.0.113.9"})
        assert (answer.status_code, answer.headers["location"]) == (302, link["destination"])
    until(lambda: _addresses(server) == ["203.0.113.9/32"] * 10, what="every scan, from where the proxy says")
    assert "ready at unix:" in server.log.read_text()


def test_it_is_open_to_whom_the_mode_lets_in_and_gone_with_the_server(server: ByFile) -> None:
    assert stat.S_IMODE(server.path.stat().st_mode) == 0o660
    assert server.stop(signal.SIGTERM, everybody=False) == 0
    assert not server.path.exists()


def test_it_is_renewed_and_stays_where_it_is(server: ByFile) -> None:
    workers = server.workers()
    os.kill(server.group(), signal.SIGHUP)
    until(lambda: "the workers are new" in server.log.read_text(), what="new workers", within_s=60)
    assert set(server.workers()).isdisjoint(workers)
    assert server.ready()


def test_what_a_killed_server_has_left_is_in_nobodys_way(server: ByFile) -> None:
    server.kill()
    assert server.path.is_socket()
    server.start()
    assert server.stop() == 0


def test_where_another_server_listens_a_second_one_is_refused(server: ByFile, tmp_path: Path) -> None:
    assert f"another server listens at {server.path}" in _refusal(tmp_path, server.path)
    assert server.ready()


def test_a_file_of_somebody_elses_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    assert "is a file of somebody else's" in _refusal(tmp_path, file)
    assert "there is no folder" in _refusal(tmp_path, tmp_path / "nowhere" / "qredge.sock")
    assert file.read_text() == "mine"


def _refusal(folder: Path, path: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QREDGE_")}
    environment |= {"QREDGE_UNIX_SOCKET": str(path), "QREDGE_PUBLIC_URL": "https://qr.example"}
    environment["QREDGE_DATA_DIR"] = str(folder / "refused")
    command = [sys.executable, "-m", "server", "serve"]
    refused = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    assert refused.returncode == 1
    return refused.stderr


def _addresses(server: ByFile) -> list[str]:
    return [str(row[0]) for row in sql(server.database_url, "SELECT address::text FROM scans")]
