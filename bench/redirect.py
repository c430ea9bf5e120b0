"""How much of a bare ASGI redirect's throughput is left when every scan is kept: python -m bench.redirect

Two servers on the same Granian with the same options, in turns, each on one core while the load generator (wrk) and
PostgreSQL have the other; ours shares its core with its own writer, which is the larger part of what it loses: an ASGI
function that answers 302 and nothing else, and `qredge serve` with its journal and its writer on. Each round asks for
one hot link with a phone's full headers. What counts is the ratio; the figures themselves are this machine's.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple

import asyncpg

from server.asgi import Receive, Scope, Send
from server.embedded import EmbeddedPostgres

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 32

PHONE_HEADERS = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de-CH,de;q=0.9,en;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Upgrade-Insecure-Requests": "1",
}


class Measured(NamedTuple):
    """One run of wrk."""

    per_second: float
    p99_ms: float


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """The least an ASGI application can do to redirect."""
    if scope["type"] == "http":
        headers = [(b"location", b"https://example.com/"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 302, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("bench.redirect needs wrk (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            results = measure(Path(folder), postgres.url)
        finally:
            postgres.stop()
    report(results)


def measure(folder: Path, database_url: str) -> dict[str, list[Measured]]:
    ports = {"bare ASGI": free_port(), "qredge": free_port()}
    with bare_server(ports["bare ASGI"]), qredge_server(ports["qredge"], folder, database_url) as link:
        urls = {"bare ASGI": f"http://127.0.0.1:{ports['bare ASGI']}/", "qredge": link}
        for url in urls.values():
            load(url, seconds=1)
        results: dict[str, list[Measured]] = {name: [] for name in urls}
        for _ in range(ROUNDS):
            for name, url in urls.items():
                results[name].append(load(url, seconds=SECONDS))
        return results


def report(results: dict[str, list[Measured]]) -> None:
    medians = {
        name: Measured(*(statistics.median(column) for column in zip(*runs, strict=True)))
        for name, runs in results.items()
    }
    base = medians["bare ASGI"]
    print(f"{'':12}{'302/s':>10}{'ratio':>8}{'p99 ms':>9}{'ratio':>8}   median of {ROUNDS} x {SECONDS} s")
    for name, each in medians.items():
        rate, tail = each.per_second / base.per_second, each.p99_ms / base.p99_ms
        print(f"{name:12}{each.per_second:10,.0f}{rate:8.2f}{each.p99_ms:9.2f}{tail:8.2f}")


def load(url: str, *, seconds: int) -> Measured:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    for name, value in PHONE_HEADERS.items():
        command += ["-H", f"{name}: {value}"]
    told = subprocess.run([*on_core(1), *command, url], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx or 3xx" not in told, told
    assert "Socket errors" not in told, told
    rate = re.search(r"Requests/sec:\s*([\d.]+)", told)
    tail = re.search(r"99%\s*([\d.]+)(us|ms|s)", told)
    assert rate is not None, told
    assert tail is not None, told
    return Measured(float(rate[1]), float(tail[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[tail[2]])


@contextmanager
def bare_server(port: int) -> Iterator[None]:
    options = ["--interface", "asgi", "--http", "1", "--loop", "uvloop", "--no-ws", "--log-level", "warning"]
    command = [sys.executable, "-m", "granian", *options, "--port", str(port), "bench.redirect:bare"]
    with running(command, f"http://127.0.0.1:{port}/", dict(os.environ)):
        yield


@contextmanager
def qredge_server(port: int, folder: Path, database_url: str) -> Iterator[str]:
    """Yields a link's short URL."""
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "QREDGE_PORT": str(port),
        "QREDGE_DATA_DIR": str(folder / "data"),
        "QREDGE_DATABASE_URL": database_url,
    }
    with running([sys.executable, "-m", "server", "serve"], f"{url}/readyz", environment):
        asyncio.run(add_link(database_url))
        yield f"{url}/bench"


async def add_link(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO accounts VALUES (1, 'Bench', now())")
    await connection.execute("INSERT INTO links VALUES (1, 1, 'bench', 'https://example.com/', NULL, now(), now())")
    await connection.close()


@contextmanager
def running(command: list[str], ready_url: str, environment: dict[str, str]) -> Iterator[None]:
    """Runs a server on core 0 until it answers, and ends it afterwards."""
    process = subprocess.Popen([*on_core(0), *command], env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not answers(ready_url):
            assert process.poll() is None, f"{command} has ended"
            assert time.monotonic() < deadline, f"{command} does not answer"
            time.sleep(0.05)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def answers(url: str) -> bool:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=1)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status in (200, 302)
    except OSError:
        return False
    finally:
        connection.close()


def on_core(core: int) -> list[str]:
    return ["taskset", "-c", str(core)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
