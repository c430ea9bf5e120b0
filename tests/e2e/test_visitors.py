"""Who scanned, as a real server sees it: by symbol or by link, through proxies, a person or a program."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from tests.support import ServerProcess, phone, sql, until


@pytest.fixture
def behind_a_proxy(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    server.start()
    yield server
    server.kill()


def test_scans_are_told_apart(behind_a_proxy: ServerProcess, database_url: str) -> None:
    with behind_a_proxy.client() as api:
        code = api.post("/qr-codes", json={"destination": "https://example.com/"}).json()
        picture = api.get(f"/qr-codes/{code['id']}/image", params={"size": 300}).content
        (printed,) = zxingcpp.read_barcodes(Image.open(BytesIO(picture)))
        assert printed.text == code["short_url"].upper()

        through = {"x-forwarded-for": "1.1.1.1, 203.0.113.77, 10.0.0.9"}
        assert phone.get(printed.text, headers=through).headers["location"] == "https://example.com/"
        assert phone.get(code["short_url"], headers={"forwarded": 'for="[2001:db8:1:2::3]:443"'}).status_code == 302
        assert phone.get(code["short_url"], headers=through | {"user-agent": "WhatsApp/2.23.20.0 A"}).status_code == 302
        assert phone.head(printed.text).status_code == 302
        until(lambda: len(sql(database_url, "SELECT FROM scans")) == 3, what="three scans")

        rows = sql(database_url, "SELECT from_code, device, address::text FROM scans ORDER BY scanned_at")
        assert [tuple(row) for row in rows] == [
            (True, "mobile", "203.0.113.0/24"),
            (False, "mobile", "2001:db8:1::/48"),
            (False, "bot", "203.0.113.0/24"),
        ]
        assert api.get(f"/qr-codes/{code['id']}/stats").json()["total_scans"] == 2
    assert behind_a_proxy.stop() == 0


def test_a_rule_asks_for_the_country_of_the_address(behind_a_proxy: ServerProcess) -> None:
    rules = [{"when": {"country": ["US"]}, "destination": "https://example.com/us"}]
    with behind_a_proxy.client() as api:
        link = api.post("/links", json={"destination": "https://example.com/", "rules": rules}).json()
        for address, destination in (("8.8.8.8", "/us"), ("81.63.1.2", "/"), ("10.1.2.3", "/")):
            answer = phone.get(link["short_url"], headers={"x-forwarded-for": f"1.1.1.1, {address}"})
            assert answer.headers["location"] == f"https://example.com{destination}"
    assert behind_a_proxy.stop() == 0
