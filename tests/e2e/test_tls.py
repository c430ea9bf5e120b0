"""TLS without a proxy, as a phone sees it."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from tests.api.exchange import new_link
from tests.support import PHONE, ServerProcess, until


class Files:
    """A certificate for 127.0.0.1, its key, and who vouches for it."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1")
        self.certificate, self.key = folder / "cert.pem", folder / "key.pem"
        for each in issued.cert_chain_pems:
            each.write_to_path(str(self.certificate), append=True)
        issued.private_key_pem.write_to_path(str(self.key))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def server(files: Files, database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    settings = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    server = ServerProcess(tmp_path / "data", database_url=database_url, **settings)
    server.url = f"https://127.0.0.1:{server.port}"
    server.start()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_phone_trusts_it(server: ServerProcess, files: Files, version: ssl.TLSVersion) -> None:
    with server.client() as api:
        link = new_link(api)
    assert link["short_url"].startswith(server.url)
    trust = ssl.create_default_context()
    files.authority.configure_trust(trust)
    trust.minimum_version = trust.maximum_version = version
    answer = httpx.get(link["short_url"], verify=trust, headers={"user-agent": PHONE})
    assert (answer.status_code, answer.headers["location"]) == (302, link["destination"])
    until(lambda: f"ready at {server.url}" in server.log.read_text(), what="the server says so")


def test_what_is_no_certificate_is_refused_at_once(files: Files, tmp_path: Path) -> None:
    elsewhere = tmp_path / "other"
    elsewhere.mkdir()
    other = Files(elsewhere)
    for certificate, key in ((files.certificate, other.key), (files.key, files.key), (tmp_path / "no.pem", files.key)):
        environment = {
            "QREDGE_TLS_CERTIFICATE": str(certificate),
            "QREDGE_TLS_KEY": str(key),
            "QREDGE_DATA_DIR": str(tmp_path / "data"),
        }
        refused = subprocess.run(
            [sys.executable, "-m", "server", "serve"], env=environment, capture_output=True, text=True, timeout=30
        )
        assert refused.returncode == 1
        assert "QREDGE_TLS_CERTIFICATE, QREDGE_TLS_KEY: these cannot be used" in refused.stderr
