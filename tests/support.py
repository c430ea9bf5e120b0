"""What several rooms' tests need: databases, server processes, and waiting with a deadline."""

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
import redis

from server.domain.accounts import Accounts
from server.domain.ids import id_source
from server.domain.label import Label
from server.domain.plan import UNLIMITED, Plan
from server.parts import now, plans_of
from server.scans.geo import NOWHERE, Place
from server.settings import Settings
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database

T = TypeVar("T")

new_id = id_source(now)
#: Those of the tests are small.
PLANS_FILE = Path(__file__).with_name("plans.toml")
PLANS = plans_of(Settings(plans=PLANS_FILE.read_text()))

#: What an iPhone says it is; a program that says it is one would be counted as a bot.
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 "
    "Mobile/15E148 Safari/604.1"
)

#: A phone: each request on a connection of its own, as with several workers another one may answer it.
phone = httpx.Client(verify=False, headers={"connection": "close", "user-agent": PHONE})

#: For what does not come at all: on a machine with much to do a server may take half a minute to start.
DEADLINE_S = 60.0


def until(condition: Callable[[], T], *, what: str, within_s: float = DEADLINE_S) -> T:
    """The first true value of `condition`; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {within_s} s still not: {what}"
        time.sleep(0.01)


async def eventually(condition: Callable[[], T], *, what: str, within_s: float = DEADLINE_S) -> T:
    """`until`, for a test that runs in the event loop it waits for."""
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"after {within_s} s still not: {what}"
        await asyncio.sleep(0.01)


def scan_us(at: datetime) -> int:
    """Microseconds since 2000, as scans have their time."""
    return (at - datetime(2000, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def sql(url: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    """Runs one statement on a connection of its own, as a person with psql would."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()

    return asyncio.run(run())


class Databases:
    """Databases on one PostgreSQL server, each a copy of a migrated template, or empty."""

    def __init__(self, url: str) -> None:
        #: The server's own database; `url_of` names others on it.
        self.url = url
        self._numbers = itertools.count(1)

    def create(self, *, template: str | None) -> str:
        """The URL of a new database."""
        name = f"test_{next(self._numbers)}"
        # Its files, as a copy of them: by PostgreSQL's own way each page would go through the log.
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        sql(self.url, f"CREATE DATABASE {name}{copied}")
        return self.url_of(name)

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        sql(self.url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def url_of(self, name: str) -> str:
        head, _, query = self.url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}?{query}"


class Outage:
    """Makes a database refuse everybody, and take them again."""

    def __init__(self, databases: Databases, url: str) -> None:
        self._elsewhere = databases.url
        self._name = url.partition("?")[0].rpartition("/")[2]

    def begin(self) -> None:
        sql(self._elsewhere, f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS false")
        sql(self._elsewhere, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", self._name)

    def end(self) -> None:
        sql(self._elsewhere, f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS true")


def harmless(answer: httpx.Response) -> None:
    """What every answer says that a browser may open as a document: nothing in it runs, and nobody frames it."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind in ("text/html", "image/svg+xml"):
        policy = answer.headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert ("sandbox" if kind == "image/svg+xml" else "frame-ancestors 'none'") in policy
        assert not any(each.startswith("script-src") for each in policy)
        assert answer.headers["x-content-type-options"] == "nosniff"
    if kind == "text/html":
        assert answer.headers["referrer-policy"] == "no-referrer"


class ServerProcess:
    """`qredge serve` as people run it: its own process group, its own port and data directory."""

    def __init__(self, data_dir: Path, *, database_url: str = "", **settings: str) -> None:
        self.data_dir = data_dir
        self.database_url = database_url
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.with_suffix(".log")
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and returns when it takes scans."""
        self.launch()
        try:
            until(self.ready, what="ready")
        except AssertionError as exc:
            self.kill()  # or it would go on trying when the tests are long over
            raise AssertionError(self.log.read_text()) from exc

    def launch(self) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QREDGE_")}
        environment |= {f"QREDGE_{name.upper()}": value for name, value in self._settings.items()}
        environment |= {
            "QREDGE_PORT": str(self.port),
            "QREDGE_DATA_DIR": str(self.data_dir),
            "QREDGE_DATABASE_URL": self.database_url,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "server", "serve"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            return phone.get(f"{self.url}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def client(self, plan: Plan = UNLIMITED) -> httpx.Client:
        """A client with the key of a new account."""
        key = asyncio.run(new_account_key(self.database_url, plan))
        return self.anyone({"authorization": f"Bearer {key}"})

    def anyone(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A client without a key."""
        # All is plain HTTP; reading the machine's certificates would take longer than most tests.
        return httpx.Client(
            base_url=f"{self.url}/v1",
            headers={"user-agent": PHONE} | (headers or {}),
            verify=False,
            timeout=DEADLINE_S,
            event_hooks={"response": [harmless]},
        )

    def stop(self, how: signal.Signals = signal.SIGINT, *, everybody: bool = True) -> int:
        """Sends the signal to the whole group, as Ctrl-C does, or to the first process, as a container's host does;
        returns the exit code."""
        assert self._process is not None
        (os.killpg if everybody else os.kill)(self._process.pid, how)
        return self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        """Ends every process of the server at this very moment, none of them warned."""
        with suppress(ProcessLookupError):
            self.stop(signal.SIGKILL)

    def group(self) -> int:
        """The id of the process group, which is that of its first process."""
        assert self._process is not None
        return self._process.pid

    def writer(self) -> int:
        """The process id of the writer."""

        def running() -> int:
            with suppress(OSError, ValueError):  # not there yet, or not whole
                pid = int((self.data_dir / "journal" / "writer.lock").read_text())
                return pid if _parent(pid) == self.group() else 0
            return 0

        return until(running, what="a writer")

    def workers(self) -> list[int]:
        """The process ids of the workers: the children that Python has spawned, but for the writer."""
        spawned = [pid for pid in children(self.group()) if b"spawn_main" in _command(pid)]
        return [pid for pid in spawned if pid != self.writer()]

    def pids(self) -> list[int]:
        """All processes of the server's group that live."""
        return [pid for pid in _processes() if _group(pid) == self.group()]


class RedisServer:
    """A Redis of the tests' own, in memory only; `make test` installs one on Debian."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *settings: str) -> None:
        """Settings as on redis-server's command line."""
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", tempfile.gettempdir()]
        self._process = subprocess.Popen(["redis-server", *options, *settings], stdout=subprocess.DEVNULL)
        until(self.answers, what="a Redis that answers")

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, "redis-server has ended"
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def ask(self, *command: str | bytes | int) -> Any:  # noqa: ANN401 -- what Redis answers, as redis-py has it
        """Asks as a person with redis-cli would, on a connection of its own."""
        with redis.Redis.from_url(self.url) as client:
            return client.execute_command(*command)

    def hang(self) -> None:
        """It takes connections and what is sent to it, but answers nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """At once, also while it hangs, and also when it is gone already."""
        self._signal(signal.SIGKILL)
        assert self._process is not None
        self._process.wait(DEADLINE_S)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


async def new_account_key(database_url: str, plan: Plan) -> str:
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
        account = await accounts.create(Label("Test"), plan=plan)
        _, key = await accounts.create_key(account, Label("Test"))
        return key
    finally:
        await database.close()


def nowhere(address: str) -> Place:
    return NOWHERE


def children(pid: int) -> list[int]:
    """The processes that this one has started, and that live."""
    return [each for each in _processes() if _parent(each) == pid]


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc_pid_stat(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    return int(fields[1]) if (fields := _stat(pid)) else 0


def _group(pid: int) -> int:
    return int(fields[2]) if (fields := _stat(pid)) and fields[0] != "Z" else 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
