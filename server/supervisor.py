"""`qredge serve`: everything that has to run, started in order, kept running, stopped in order.

    database (embedded, unless one is given) -> migrations -> writer -> workers        and back the same way

A database that cannot be reached keeps nobody from starting: workers redirect from the snapshot, and ask for nothing
before the migrations have been applied, which is tried again and again in the background.

The writer is a process of its own, so that reading and writing scans never holds the lock of a Python that answers
them; it outlives the workers by the moment it needs to write their last scans.
"""

import asyncio
import fcntl
import http.client
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic

import asyncpg

from migrations import MigrationChanged, migrate
from server.domain.errors import StorageUnavailable
from server.embedded import DoesNotStart, EmbeddedPostgres
from server.late import late
from server.parts import accounts_in, dialects_of, plans_of
from server.settings import PREFIX, IllegalSetting, Settings, load
from server.workers import Workers

WATCH_EVERY_S = 0.5
READY_EVERY_S = 0.05
PORT_TIMEOUT_S = 5.0
CONNECT_S = 1.0
DATABASE_EVERY_S = 0.5
RETRY_S = 2.0
WRITER_STOP_S = 30

#: What is raised where there is no database, or it refuses.
UNUSABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)

log = logging.getLogger(__name__)


class Supervisor:
    """Runs the server until SIGINT or SIGTERM; SIGHUP has every process but this one and the database be a new one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._plans = plans_of(settings)
        dialects_of(settings)  # a wrong one is told now, and not by each worker
        self._embedded: EmbeddedPostgres | None = None
        self._writer: multiprocessing.Process | None = None
        #: The writer's other end: it stops when this is closed, or this process is gone.
        self._leash: Connection | None = None
        #: Held by whoever starts or stops one.
        self._writers = threading.Lock()
        self._stopping = threading.Event()
        #: Whether a worker has been ready yet, and the operator knows.
        self._greeted = False
        #: Whether the database has had all migrations, and whether there is an account in it.
        self._migrated = self._inhabited = False
        self._database_at = 0.0
        #: What has been said of the database since it was last there.
        self._said: set[str] = set()

    def run(self) -> None:
        # Processes start from a clean slate: a fork would copy the threads' locks in whatever state they are.
        multiprocessing.set_start_method("spawn")
        # Until Granian has its own handlers, and while it has none any more, SIGTERM ends this like Ctrl-C.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        settings = self._settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        lock = _lock(settings)
        shutil.rmtree(settings.metrics_dir, ignore_errors=True)  # those of the server before
        watch = threading.Thread(target=self._watch, name="watch", daemon=True)
        try:
            _check_tls(settings)
            if settings.unix_socket:
                _clear_socket(Path(settings.unix_socket))
            else:
                _wait_for_port(settings)
            if not settings.database_url:
                self._start_embedded()
            self._migrate()
            self._start_writer()
            watch.start()
            self._serve()
        finally:
            self._stopping.set()
            if watch.ident is not None:
                watch.join()
            self._stop_writer()
            if self._embedded is not None:
                self._embedded.stop()
            os.close(lock)
            log.info("stopped")

    # --- the database ----------------------------------------------------------------------------------------------

    def _start_embedded(self) -> None:
        settings = self._settings
        self._embedded = EmbeddedPostgres(settings.data_dir / "postgres")
        try:
            self._embedded.start()
        except DoesNotStart as exc:
            if not settings.snapshot_path.exists():
                raise
            log.error("%s; trying again while links redirect from the snapshot", exc)
        self._settings = replace(settings, database_url=self._embedded.url)
        # How the processes started from here learn of it: they read their settings as this one did.
        os.environ[f"{PREFIX}DATABASE_URL"] = self._embedded.url

    def _migrate(self) -> None:
        """Brings the database up to date, if it can be reached; nobody uses it before."""
        try:
            _bring_up_to_date(self._settings)
        except UNUSABLE as exc:
            self._report(str(exc) or type(exc).__name__)
        else:
            if self._said:
                log.info("the database is there")
            self._said.clear()
            self._migrated = True

    def _report(self, trouble: str) -> None:
        """Says once what every attempt would say."""
        if trouble not in self._said:
            log.warning("the database cannot be used yet, trying again: %s", trouble)
            self._said.add(trouble)

    def _look_after_database(self) -> None:
        if self._embedded is not None and not self._embedded.running():
            self._report("the embedded database does not run")
            self._embedded.start()
            self._said.clear()
        if not self._migrated:
            self._migrate()
        if self._migrated and self._greeted and not self._inhabited:
            key = asyncio.run(self._first_key())
            if key is not None:
                print(welcome(self._settings.local_url, key), flush=True)
            self._inhabited = True

    async def _first_key(self) -> str | None:
        async with accounts_in(self._settings.database_url, self._plans) as accounts:
            return await accounts.create_first()

    # --- the workers -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        """Runs the workers until a signal says stop."""
        Workers(self._settings, self._may_renew, self._renew_writer).run()

    def _may_renew(self) -> bool:
        """Whether new workers can be started, with the settings as they are now."""
        try:
            fresh = load()
            if fresh.data_dir != self._settings.data_dir:
                raise IllegalSetting(f"{PREFIX}DATA_DIR stays as it is while the server runs.")
            _check_tls(fresh)
            _bring_up_to_date(fresh)
        except (IllegalSetting, MigrationChanged, *UNUSABLE) as exc:
            log.error("all goes on as it is: %s", str(exc) or type(exc).__name__)
            return False
        self._settings = fresh
        return True

    # --- the writer ------------------------------------------------------------------------------------------------

    def _start_writer(self) -> None:
        told, self._leash = multiprocessing.Pipe(duplex=False)
        self._writer = multiprocessing.Process(
            target=late, args=("server.background:run_writer", self._settings, told), name="writer"
        )
        self._writer.start()
        told.close()

    def _renew_writer(self) -> None:
        with self._writers:
            self._stop_writer()
            self._start_writer()

    def _stop_writer(self) -> None:
        if self._writer is None or self._leash is None:
            return
        self._leash.close()
        self._writer.join(WRITER_STOP_S)
        if self._writer.is_alive():
            log.warning("the writer takes too long; the scans it has not written stay in the journal")
            self._writer.kill()
            self._writer.join()

    # --- while it runs ---------------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Looks after the rest of the processes, from a thread, as the first one belongs to Granian."""
        while not self._stopping.wait(WATCH_EVERY_S if self._greeted else READY_EVERY_S):
            try:
                if not self._greeted:
                    self._greeted = self._greet()
                self._look_after_writer()
                if monotonic() >= self._database_at:
                    self._database_at = monotonic() + DATABASE_EVERY_S
                    self._look_after_database()
            except (StorageUnavailable, DoesNotStart, MigrationChanged) as exc:
                self._report(str(exc))
                self._database_at = monotonic() + RETRY_S
            except Exception:  # whatever it is, the next round tries again
                log.exception("cannot look after the server")

    def _look_after_writer(self) -> None:
        with self._writers:
            if self._writer is not None and not self._writer.is_alive():
                log.error("the writer has died (%s); starting it again", self._writer.exitcode)
                self._start_writer()

    def _greet(self) -> bool:
        """Says that the server is ready, once it is."""
        if not _ready(self._settings):
            return False
        log.info("ready at %s", self._settings.listens_at)
        if not self._settings.public_url:
            log.warning("codes begin with that address; before you print one, set QREDGE_PUBLIC_URL")
        return True


@contextmanager
def database(settings: Settings, *, bare: bool = False) -> Iterator[str]:
    """The URL of the database, brought up to date unless it is to be `bare`, for a command: whether a server runs on it
    or not."""
    if settings.database_url:
        if not bare:
            asyncio.run(migrate(settings.database_url))
        yield settings.database_url
        return
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    embedded = EmbeddedPostgres(settings.data_dir / "postgres")
    try:
        lock = _lock(settings)
    except IllegalSetting:  # a server runs, and with it its database
        embedded.start()
        yield embedded.url
        return
    try:
        embedded.start()
        if not bare:
            asyncio.run(migrate(embedded.url))
        yield embedded.url
    finally:
        embedded.stop()
        os.close(lock)


def _bring_up_to_date(settings: Settings) -> None:
    """Raises what UNUSABLE says."""
    try:
        for name in asyncio.run(migrate(settings.database_url)):
            log.info("applied migration %s", name)
    except ValueError as exc:  # not shown, as it may hold a password
        raise IllegalSetting(f"{PREFIX}DATABASE_URL is not a PostgreSQL URL.") from exc


def _check_tls(settings: Settings) -> None:
    """Whether the files are what Granian can use, which would only say that its workers have died."""
    if not settings.tls_certificate:
        return
    try:
        # No callback for a password: one that is needed is an error, and no question at a terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_certificate, settings.tls_key, lambda: "")
    except (OSError, ssl.SSLError) as exc:
        raise IllegalSetting(f"{PREFIX}TLS_CERTIFICATE, {PREFIX}TLS_KEY: these cannot be used: {exc}.") from exc


def _wait_for_port(settings: Settings) -> None:
    """Returns when nobody listens at our address. Granian shares its port with whoever listens there already, and then
    every second scan would go to another server. The workers of a killed server may need a moment to leave."""
    family, kind, protocol, _, address = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0]
    deadline = monotonic() + PORT_TIMEOUT_S
    while True:
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(address)
            except OSError as exc:
                if monotonic() > deadline:
                    place = f"{settings.host}, port {settings.port}"
                    raise IllegalSetting(f"{PREFIX}HOST, {PREFIX}PORT: cannot listen at {place}: {exc}.") from exc
            else:
                return
        time.sleep(READY_EVERY_S)


def _clear_socket(path: Path) -> None:
    """Removes what a server that was killed has left. Who still listens there is another server, or a worker of one
    that was killed, which needs a moment to leave."""
    deadline = monotonic() + PORT_TIMEOUT_S
    while path.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink(missing_ok=True)
                return
            except OSError as exc:
                raise IllegalSetting(f"{PREFIX}UNIX_SOCKET: cannot listen at {path}: {exc}.") from exc
        if monotonic() > deadline:
            raise IllegalSetting(f"{PREFIX}UNIX_SOCKET: another server listens at {path}.")
        time.sleep(READY_EVERY_S)
    if path.exists():
        raise IllegalSetting(f"{PREFIX}UNIX_SOCKET: {path} is a file of somebody else's.")
    if not path.parent.is_dir():
        raise IllegalSetting(f"{PREFIX}UNIX_SOCKET: there is no folder {path.parent}.")


def _lock(settings: Settings) -> int:
    """Two servers on one data directory would stop each other's database."""
    path = settings.data_dir / "serve.lock"
    lock = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise IllegalSetting(f"{PREFIX}DATA_DIR: another server runs on {settings.data_dir.resolve()}.") from None
    return lock


def _ready(settings: Settings) -> bool:
    connection = _connection(settings)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(settings: Settings) -> http.client.HTTPConnection:
    if settings.unix_socket:
        return _ByFile(settings.unix_socket)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)
    if settings.tls_certificate:  # of the name that others know us by, which this one is not
        unchecked = ssl._create_unverified_context()
        return http.client.HTTPSConnection(host, settings.port, timeout=CONNECT_S, context=unchecked)
    return http.client.HTTPConnection(host, settings.port, timeout=CONNECT_S)


class _ByFile(http.client.HTTPConnection):
    """By way of a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=CONNECT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(CONNECT_S)
        self.sock.connect(self._path)


def welcome(base_url: str, key: str) -> str:
    """What is printed once, at the first start."""
    body = json.dumps({"destination": "https://example.com/"})
    return f"""
Your API key, shown this once:

    {key}

Make a QR code, and its picture:

    curl -s {base_url}/v1/qr-codes \\
      -H 'Authorization: Bearer {key}' \\
      -H 'Content-Type: application/json' \\
      -d '{body}' | tee code.json

    curl -s "$(grep -o '"image_url":"[^"]*' code.json | cut -d'"' -f4)?size=512" \\
      -H 'Authorization: Bearer {key}' -o code.png
"""
