"""A batch as a ZIP that is sent while it is drawn."""

import asyncio
import json
import struct
import zipfile
from collections.abc import AsyncIterator
from io import BytesIO

from server.api.renders import AT_ONCE, packed
from server.archive import Archive
from server.domain.errors import Busy
from server.domain.model import Hit, Image
from server.domain.order import Order
from server.domain.studio import Shown

#: A local file header: signature, version, flags, method, time, date, CRC, sizes, lengths (APPNOTE 6.3.10, 4.3.7).
LOCAL = struct.Struct("<4sHHHHHIIIHH")


def files_from_the_front(data: bytes) -> dict[str, bytes]:
    """What somebody finds who reads a ZIP as it comes, and has never seen its end."""
    found, place = {}, 0
    while data[place : place + 4] == b"PK\3\4":
        _, _, flags, method, _, _, _, packed_size, size, name, extra = LOCAL.unpack_from(data, place)
        assert (flags, method, packed_size) == (0, 0, size), "stored, with its size in front"
        start = place + LOCAL.size + name + extra
        found[data[place + LOCAL.size :][:name].decode()] = data[start : start + size]
        place = start + size
    return found


def test_an_archive_is_read_from_either_end() -> None:
    files = {"one": b"1" * 1000, "none": b"", "two": bytes(range(256)) * 300}
    archive = Archive()
    parts = [archive.add(name, body) for name, body in files.items()] + [archive.end()]
    for part, body in zip(parts, files.values(), strict=False):
        assert len(part) < len(body) + 100, "nothing is in two parts"
    data = b"".join(parts)
    assert files_from_the_front(data) == files
    with zipfile.ZipFile(BytesIO(data)) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == files


def test_pictures_are_drawn_as_they_are_sent_and_what_fails_is_in_the_manifest() -> None:
    begun = 0

    def shown(number: int) -> Shown:
        async def draw() -> tuple[Image, Hit]:
            nonlocal begun
            begun += 1
            if number == 4:
                raise Busy
            if number == 5:
                raise ZeroDivisionError
            return Image(b"%d" % number, "image/png", ""), Hit.MISS

        return Shown("", draw)

    async def read() -> AsyncIterator[bytes]:
        orders = [Order(text=str(number)) for number in range(20)]
        async for part in packed(orders, [shown(number) for number in range(20)]):
            yield part

    async def whole() -> bytes:
        parts: list[bytes] = []
        async for part in read():
            parts.append(part)
            await asyncio.sleep(0)
            assert begun <= len(parts) + 2 + AT_ONCE, "no more than that is ahead of who reads"
        return b"".join(parts)

    with zipfile.ZipFile(BytesIO(asyncio.run(whole()))) as found:
        manifest = json.loads(found.read("manifest.json"))
        assert len(found.namelist()) == 19
        for item in manifest["items"]:
            assert item["index"] in (4, 5) or found.read(item["file"]) == item["text"].encode()
    assert (manifest["count"], manifest["failed"]) == (20, 2)
    assert [(item["file"], item["error"]["code"]) for item in manifest["items"] if item["error"]] == [
        (None, "busy"),
        (None, "internal_error"),
    ]
