"""The main job as a user does it: print a code, scan it, send it elsewhere, see who came."""

import itertools
from datetime import UTC, datetime
from io import BytesIO

import httpx
import numpy as np
from PIL import Image

from bench.decoders import zbar, zxing
from tests.support import phone, until


def decoded(png: bytes) -> set[str]:
    """What two independent readers read."""
    picture = np.asarray(Image.open(BytesIO(png)).convert("L"))
    read = (zxing(picture), zbar(picture))
    assert all(read), read
    return {*itertools.chain(*read)}


def test_a_code_is_printed_scanned_moved_and_counted(api: httpx.Client) -> None:
    made = api.post("/qr-codes", json={"destination": "https://example.com/menu", "name": "Table 7"})
    assert made.status_code == 201
    code = made.json()

    image = api.get(f"/qr-codes/{code['id']}/image", params={"format": "png"})
    assert image.headers["content-type"] == "image/png"
    assert decoded(image.content) == {code["short_url"].upper()}

    scan = phone.get(code["short_url"])
    assert (scan.status_code, scan.headers["location"]) == (302, "https://example.com/menu")

    assert api.patch(f"/links/{code['link_id']}", json={"destination": "https://example.com/autumn"}).status_code == 200
    scan = phone.get(code["short_url"])
    assert (scan.status_code, scan.headers["location"]) == (302, "https://example.com/autumn")

    def stats() -> dict[str, object]:
        return dict(api.get(f"/qr-codes/{code['id']}/stats", params={"interval": "day"}).json())

    until(lambda: stats()["total_scans"] == 2, what="two scans")
    today = datetime.now(UTC).strftime("%Y-%m-%dT00:00:00Z")
    series = stats()["series"]
    assert isinstance(series, list)
    assert [bucket["scans"] for bucket in series if bucket["start"] == today] == [2]
    assert sum(bucket["scans"] for bucket in series) == 2
    assert api.get(f"/qr-codes/{code['id']}").json()["scans"] == 2


def test_the_svg_says_the_same(api: httpx.Client) -> None:
    code = api.post("/qr-codes", json={"destination": "https://example.com/"}).json()
    image = api.get(f"/qr-codes/{code['id']}/image", params={"format": "svg", "size": 300})
    assert image.headers["content-type"] == "image/svg+xml"
    assert b'width="300"' in image.content
