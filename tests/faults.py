"""What can happen to a database and to the way there, done to those that no other test uses."""

import asyncio
import os
import signal
import threading
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from server.embedded import EmbeddedPostgres
from tests.support import DEADLINE_S, children, free_port

#: With what the data of a binary COPY begins, and how asyncpg ends a transaction.
COPY_BEGINS = b"PGCOPY\n"
COMMIT = b"COMMIT;"

CHUNK_BYTES = 1 << 16


class PostgresServer:
    """A PostgreSQL that may be treated as badly as one likes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._embedded = EmbeddedPostgres(folder)

    @property
    def url(self) -> str:
        return self._embedded.url

    def start(self) -> None:
        self._embedded.start()

    def stop(self) -> None:
        self._embedded.stop()

    def hang(self) -> None:
        """Everybody stays connected, new connections are made by the kernel, and nobody is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Ends every process of it at this very moment, none of them warned, also when it hangs."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with suppress(FileNotFoundError):
            postmaster = int((self._folder / "postmaster.pid").read_text().split()[0])
            for pid in (postmaster, *children(postmaster)):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)


class Proxy:
    """The way to a PostgreSQL, over TCP. `url` is the database's by this way."""

    def __init__(self, database_url: str) -> None:
        parts = urlsplit(database_url)
        self._socket = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self.port = free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}{parts.path}"
        #: How much later than it came each piece of an answer goes on.
        self.delay_s = 0.0
        #: So many COPYs are cut off in the middle of their data, and so many commits before their answer.
        self.copies_to_cut = 0
        self.commits_to_cut = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._listener: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    def start(self) -> None:
        self._thread.start()
        self.accept()

    def stop(self) -> None:
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def accept(self) -> None:
        self._do(self._accept())

    def refuse(self) -> None:
        """Breaks off every connection, and takes none."""
        self._do(self._refuse())

    def _do(self, what: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(what, self._loop).result(DEADLINE_S)

    async def _accept(self) -> None:
        self._listener = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    async def _refuse(self) -> None:
        if self._listener is not None:
            self._listener.close()
        for end in list(self._ends):
            end.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A connection, from its beginning to its end."""
        ends = [writer]
        self._ends.add(writer)
        try:
            answers, questions = await asyncio.open_unix_connection(self._socket)
            ends.append(questions)
            self._ends.add(questions)
            way = _Way(self)
            await asyncio.gather(way.there(reader, questions), way.back(answers, writer))
        except OSError:  # one end is gone, and so the other one goes, too
            pass
        finally:
            for end in ends:
                self._ends.discard(end)
                end.transport.abort()


class _Way:
    """Both directions of one connection, each in pieces as they come."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy
        self._committing = False

    async def there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(CHUNK_BYTES):
            if COPY_BEGINS in piece and self._proxy.copies_to_cut:
                self._proxy.copies_to_cut -= 1
                begins = piece.index(COPY_BEGINS)
                writer.write(piece[: (begins + len(piece)) // 2])
                await writer.drain()
                break
            if COMMIT in piece and self._proxy.commits_to_cut:
                self._proxy.commits_to_cut -= 1
                self._committing = True
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError

    async def back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (piece := await reader.read(CHUNK_BYTES)) and not self._committing:
            await asyncio.sleep(self._proxy.delay_s)
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError
