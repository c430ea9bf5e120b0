"""What was asked of the APIs: a line of JSON for each request, on standard output.

    {"time":"2026-11-22T04:20:00.123456Z","request_id":"req_...","method":"POST","route":"/v1/links","status":201,
     "duration_ms":4.2,"account":"acc_...","key":"key_...","dialect":null}

Nothing that a client chooses stands in it: no path but the route's, no query, no header, no body, no address. Redirects
are not in it, and neither are pictures: these are as many as a server has time for, and what is drawn changes nothing.

Lines wait in memory for at most FLUSH_S; a thread writes them, so that nobody who is answered waits for a slow reader.
"""

import logging
import os
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from threading import Event, Thread

from server.asgi import CALLER, Scope
from server.domain.ids import id_text
from server.requests import METHODS, OTHER
from server.wire import json_bytes

STANDARD_OUTPUT = 1

FLUSH_S = 0.5
LAST_S = 1.0

#: Lines that wait while nobody reads them; what comes behind is counted.
MAX_WAITING = 10_000
#: What goes into a pipe whole, whoever else writes there (POSIX, PIPE_BUF; 4096 on Linux).
MAX_WRITE_BYTES = 4096

log = logging.getLogger(__name__)


class RequestLog:
    """A process's own, into the file with this descriptor."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._lines: deque[bytes] = deque()
        #: Lines that there was no room for.
        self.dropped = 0
        self._ending = Event()
        self._thread: Thread | None = None

    def note(self, scope: Scope, request_id: str, route: str, status: int, seconds: float, dialect: str | None) -> None:
        if len(self._lines) >= MAX_WAITING:
            if not self.dropped:
                log.warning("nobody reads what is written of requests; what there is no room for is left out")
            self.dropped += 1
            return
        method, caller = scope["method"], scope.get(CALLER)
        line = {
            "time": datetime.now(UTC),
            "request_id": request_id,
            "method": method if method in METHODS else OTHER,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
            "account": None if caller is None else id_text("acc", caller.account.id),
            "key": None if caller is None else id_text("key", caller.key.id),
            "dialect": dialect,
        }
        self._lines.append(json_bytes(line) + b"\n")

    def open(self) -> None:
        """Begins to write."""
        self._thread = Thread(target=self._write, name="request log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Writes what is left, unless nobody reads it."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(LAST_S)

    def _write(self) -> None:
        ending = False
        while not ending:
            ending = self._ending.wait(FLUSH_S)
            with suppress(OSError):  # who read them has gone
                while piece := self._piece():
                    _write_whole(self._file, piece)

    def _piece(self) -> bytes:
        """As many lines as are written at once."""
        lines: list[bytes] = []
        size = 0
        while self._lines and (not lines or size + len(self._lines[0]) <= MAX_WRITE_BYTES):
            lines.append(self._lines.popleft())
            size += len(lines[-1])
        return b"".join(lines)


def _write_whole(file: int, piece: bytes) -> None:
    while piece:
        piece = piece[os.write(file, piece) :]
