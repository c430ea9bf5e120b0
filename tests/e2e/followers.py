"""Clients of GET /v1/scans/stream, which come back as browsers do when they were cut off."""

import json
import socket
import threading
from contextlib import suppress
from typing import Any, Self
from urllib.parse import urlsplit

import h11
import httpx

from tests.support import DEADLINE_S, until

CHUNK_BYTES = 1 << 16


class Follower:
    """Follows the stream from a thread of its own, from `with` to its end."""

    def __init__(self, api: httpx.Client, path: str = "/scans/stream", *, last: str = "", again: bool = False) -> None:
        """With the client's key; behind the event `last`; and `again` whenever the stream has ended."""
        self._host, self._port = api.base_url.host, api.base_url.port or 80
        self._path = urlsplit(str(api.base_url)).path.rstrip("/") + path
        self._headers = [("host", self._host), ("authorization", api.headers["authorization"])]
        self._again = again
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
        self._socket: socket.socket | None = None
        #: The id with which it comes back.
        self.last = last
        self.events: list[dict[str, Any]] = []
        #: Each block that came, by the names of its fields; a comment's name is empty.
        self.blocks: list[dict[str, str]] = []
        #: How each stream has ended: whether in good order.
        self.ends: list[bool] = []

    def __enter__(self) -> Self:
        self._thread.start()
        until(lambda: self.blocks, what="the beginning of a stream")
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()

    def ids(self) -> list[str]:
        return [event["id"] for event in self.events]

    def _run(self) -> None:
        while True:
            ended = False
            with suppress(OSError, h11.RemoteProtocolError):
                ended = self._follow()
            self.ends.append(ended)
            if not self._again or self._stopping.wait(0.05):
                return

    def _follow(self) -> bool:
        headers = [*self._headers, ("last-event-id", self.last)] if self.last else self._headers
        http = h11.Connection(h11.CLIENT)
        with socket.create_connection((self._host, self._port), DEADLINE_S) as self._socket:
            self._socket.sendall(http.send(h11.Request(method="GET", target=self._path, headers=headers)) or b"")
            http.send(h11.EndOfMessage())
            text = b""
            while not self._stopping.is_set():
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(self._socket.recv(CHUNK_BYTES))
                elif isinstance(event, h11.Response) and event.status_code != 200:
                    return False
                elif isinstance(event, h11.Data):
                    *blocks, text = (text + bytes(event.data)).split(b"\n\n")
                    for block in blocks:
                        self._hear(block.decode())
                elif isinstance(event, h11.EndOfMessage):
                    assert not text, "an event that is not whole"
                    return True
        return False

    def _hear(self, block: str) -> None:
        fields = dict((line.partition(": ")[::2]) for line in block.splitlines())
        self.last = fields.get("id", self.last)
        if "data" in fields:
            assert fields["event"] == "scan"
            data = json.loads(fields["data"])
            assert data["id"] == fields["id"]
            self.events.append(data)
        self.blocks.append(fields)
