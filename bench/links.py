"""How soon a million links are in memory, and how soon a change of one of them is: python -m bench.links

`qredge serve` with two workers on an embedded PostgreSQL, all on this machine, as it would be started anew:

* both workers load the table at once, from the database and, while that is down, from the snapshot;
* redirects are timed by wrk while nothing else happens, and while both load again because their listening connections
  are cut, over and over;
* links are changed, in turns by the API and by SQL, while wrk asks for another one; each change is timed from the
  moment when it is committed (or answered) until both workers lead there.

What the machine does beside it counts: wrk takes all the processor that it gets.
"""

import asyncio
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path

import asyncpg
import psutil

from bench.load import PHONE_HEADERS, Measured, load
from bench.measure import save
from bench.servers import free_port
from migrations import migrate
from server.domain.ids import id_text
from server.embedded import EmbeddedPostgres
from server.parts import accounts_in, plans_of
from server.settings import Settings

LINKS = 1_000_000
CHANGES = 1_000
WORKERS = 2
LOAD_S = 5
DEADLINE_S = 120

FILL = """
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, accounts.id, substr(md5(number::text), 1, 8) || to_hex(number),
        'https://example.com/products/' || number, now(), now()
    FROM accounts, generate_series(1, $1::bigint) AS number
"""
HOT = "c4ca42381"  # the slug of link 1

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'qredge listener'"
READ = re.compile(r"(\d+) links in memory, read(?: from the snapshot)? in ([\d.]+) s")


class Server:
    """`qredge serve` with its log in a file."""

    def __init__(self, folder: Path, database_url: str, *, workers: int = WORKERS) -> None:
        self.port = free_port()
        self._workers = workers
        self._log = folder / "log"
        self._environment = os.environ | {
            "QREDGE_PORT": str(self.port),
            "QREDGE_WORKERS": str(workers),
            "QREDGE_DATA_DIR": str(folder / "data"),
            "QREDGE_DATABASE_URL": database_url,
            "QREDGE_SNAPSHOT_INTERVAL_S": "3600",  # but for the one at the end
        }

    def seconds(self) -> list[float]:
        """How long each load has taken so far."""
        return [float(took) for _, took in READ.findall(self._log.read_text())]

    @contextmanager
    def running(self, **changed: str) -> Iterator[None]:
        """Until all workers have loaded, and then until it has stopped in good order."""
        with self._log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "server", "serve"],
                env=self._environment | changed,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self.wait_for_loads(self._workers)
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(DEADLINE_S)

    def wait_for_loads(self, count: int) -> list[float]:
        deadline = time.monotonic() + DEADLINE_S
        while len(self.seconds()) < count:
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.05)
        return self.seconds()


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("bench.links needs wrk (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            save("links", run(Path(folder), postgres.url))
        finally:
            postgres.stop()


def run(folder: Path, database_url: str) -> dict[str, str]:
    key = asyncio.run(fill(database_url))
    server = Server(folder, database_url)
    hot = f"http://127.0.0.1:{server.port}/{HOT}"
    results: dict[str, str] = {}

    def tell(name: str, text: str) -> None:
        results[name] = text
        print(f"{name:60}{text}", flush=True)

    with server.running():
        tell("1,000,000 links from the database, by two workers at once", loads(server))
        load(hot, seconds=1)
        quiet = load(hot, seconds=LOAD_S)
        reloading = while_reloading(server, hot, database_url)
        tell("p99 of redirects, nothing else to do", f"{quiet.p99_ms:.1f} ms")
        tell("p99 of redirects, both workers loading all the time", f"{reloading.p99_ms:.1f} ms")
        with loaded(hot), connections(server.port, WORKERS) as each:
            by_api, by_sql = asyncio.run(changes(server, each, key, database_url))
    for name, delays in (("by the API", by_api), ("by SQL", by_sql), ("in all", by_api + by_sql)):
        p50, p99 = statistics.median(delays), sorted(delays)[len(delays) * 99 // 100]
        tell(f"{len(delays)} changes {name}, until both workers know", f"{p50:.1f} ms, p99 {p99:.1f} ms")
    with server.running(QREDGE_DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"):
        tell("1,000,000 links from the snapshot, by two workers at once", loads(server))
    return results


async def fill(database_url: str) -> str:
    """Returns an API key to the account that has all links."""
    await migrate(database_url)
    async with accounts_in(database_url, plans_of(Settings())) as accounts:
        key = await accounts.create_first()
    assert key is not None
    connection = await asyncpg.connect(database_url)
    await connection.execute("SET session_replication_role = replica")  # nobody need be told
    await connection.execute(FILL, LINKS, timeout=DEADLINE_S)
    await connection.execute("VACUUM ANALYZE links", timeout=DEADLINE_S)
    await connection.close()
    return key


def loads(server: Server) -> str:
    """How long the slower worker took, and what the larger one has come to."""
    with connections(server.port, WORKERS) as each:
        size = max(memory(worker(connection)) for connection in each)
    return f"{max(server.seconds()[:WORKERS]):.1f} s, {size:.0f} MB each"


@contextmanager
def connections(port: int, workers: int) -> Iterator[list[HTTPConnection]]:
    """One to each worker: a connection stays with the worker that has taken it."""
    found: dict[int, HTTPConnection] = {}
    with ExitStack() as stack:
        while len(found) < workers:
            connection = stack.enter_context(closing(HTTPConnection("127.0.0.1", port, timeout=10)))
            found.setdefault(worker(connection), connection)
        yield list(found.values())


def worker(connection: HTTPConnection) -> int:
    """The process id of the worker at the other end, which has taken the connection once it has answered."""
    connection.request("GET", "/livez")
    connection.getresponse().read()
    ours = connection.sock.getsockname()
    ends = (each for each in psutil.net_connections("tcp") if each.raddr == ours)
    return int(next(end.pid for end in ends if end.pid is not None))


def memory(pid: int) -> float:
    """The most that this process has held so far, in MB (proc_pid_status(5), VmHWM)."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def while_reloading(server: Server, url: str, database_url: str) -> Measured:
    """Redirects while the workers do nothing but load again beside them."""
    over = threading.Event()

    def cut() -> None:
        loads = len(server.seconds())
        while not over.is_set():
            asyncio.run(execute(database_url, CUT))
            loads = len(server.wait_for_loads(loads + WORKERS))

    thread = threading.Thread(target=cut)
    thread.start()
    try:
        return load(url, seconds=LOAD_S)
    finally:
        over.set()
        thread.join()


async def execute(database_url: str, query: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(query)
    finally:
        await connection.close()


@contextmanager
def loaded(url: str) -> Iterator[None]:
    """While wrk asks for it."""
    wrk = subprocess.Popen(["wrk", "-t1", "-c4", "-d600s", url], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        wrk.terminate()
        wrk.wait()


async def changes(
    server: Server, each: list[HTTPConnection], key: str, database_url: str
) -> tuple[list[float], list[float]]:
    """How many milliseconds each change took to be seen by all workers."""
    api = HTTPConnection("127.0.0.1", server.port, timeout=10)
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    database = await asyncpg.connect(database_url)
    slugs = await database.fetch("SELECT id, slug FROM links WHERE id > 1 ORDER BY id DESC LIMIT $1", CHANGES)
    by_api: list[float] = []
    by_sql: list[float] = []
    try:
        for number, (link_id, slug) in enumerate(slugs):
            there = f"https://example.com/changed/{number}"
            if number % 2:
                await database.execute("UPDATE links SET destination = $2 WHERE id = $1", link_id, there)
            else:
                api.request("PATCH", f"/v1/links/{id_text('lnk', link_id)}", f'{{"destination": "{there}"}}', headers)
                answer = api.getresponse()
                assert answer.status == 200, answer.read()
                answer.read()
            began = time.perf_counter()
            for connection in each:
                while destination(connection, slug) != there:
                    assert time.perf_counter() < began + DEADLINE_S
            (by_sql if number % 2 else by_api).append((time.perf_counter() - began) * 1000)
    finally:
        await database.close()
    return by_api, by_sql


def destination(connection: HTTPConnection, slug: str) -> str | None:
    connection.request("GET", f"/{slug}", headers=PHONE_HEADERS)
    answer = connection.getresponse()
    answer.read()
    return answer.headers["location"]


if __name__ == "__main__":
    main()
