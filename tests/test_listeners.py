"""The sockets at which a worker listens."""

import asyncio
import socket
from pathlib import Path

import pytest

from server import listeners
from server.listeners import part_from_stalled, until_open
from tests.support import eventually

pytestmark = pytest.mark.anyio


async def test_who_takes_nothing_of_an_answer_is_parted_from() -> None:
    lost = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                writer.write(b"a" * (1 << 20))
                await writer.drain()
        except OSError:
            lost.set()
        finally:
            writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        await part_from_stalled(1)
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(server.sockets[0].getsockname())
            await eventually(lost.is_set, what="an end of the connection")


async def test_nobody_waits_for_what_the_system_does_not_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "FILES", tmp_path / "fd")
    async with asyncio.timeout(listeners.OPEN_EVERY_S * listeners.OPEN_TRIES / 2):
        await until_open()
    assert not any(listeners.sockets())
