"""Servers to be measured: each runs on the first processor, with one worker and one thread where that can be said.

All answer a slug with 302 and a Location. Ours keeps every scan; the others do nothing else.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path

import asyncpg

from bench.load import on_core
from bench.servers.bare import LOCATION
from migrations import migrate
from server.embedded import DATABASE

# --- contestants --------------------------------------------------------------------------------------------------

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location / {{ return 302 {location}; }}
    }}
}}
"""


def granian(app: str, port: int, *options: str, interface: str = "asgi") -> list[str]:
    """A command for `app`, a name in this folder, with the options that ours runs with and further ones."""
    command = [sys.executable, "-m", "granian", "--interface", interface, "--http", "1", "--no-ws"]
    return [
        *command,
        "--loop",
        "uvloop",
        "--log-level",
        "warning",
        "--port",
        str(port),
        *options,
        f"bench.servers.{app}",
    ]


def uvicorn(app: str, port: int) -> list[str]:
    command = [sys.executable, "-m", "uvicorn", "--loop", "uvloop", "--http", "httptools"]
    return [*command, "--no-access-log", "--log-level", "warning", "--port", str(port), f"bench.servers.{app}"]


def fastify(port: int) -> list[str]:
    """The rival in with_fastify, where `make bench` has put what it needs."""
    return ["node", str(Path(sys.prefix) / "fastify" / "server.js"), str(port)]


def nginx(folder: Path, port: int) -> list[str]:
    folder.mkdir()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port, location=LOCATION))
    return ["nginx", "-e", "stderr", "-c", str(config)]


# --- ours ---------------------------------------------------------------------------------------------------------

# Links are plain where their slug begins with "b"; those with "g" end some day, those with "r" have a rule, too.
FILL = f"""
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at, expires_at, rules)
    SELECT $2::bigint + n, 1, $1 || lpad(n::text, 7, '0'), '{LOCATION}', now(), now(), $4, $5::jsonb
    FROM generate_series(1, $3::bigint) AS n
"""
GUARDED = 10_000
RULES = [
    {"when": {"country": ["FR"]}, "destination": f"{LOCATION}&country=fr"},
    {"when": {"device": ["mobile"], "os": ["ios"]}, "destination": f"{LOCATION}&os=ios"},
]


class Ours:
    """A server of ours that runs."""

    def __init__(self, url: str, database_url: str, writer: int) -> None:
        """`writer` is its process."""
        self.url = url
        self.database_url = database_url
        self._writer = writer
        self._expected = 0.0

    @contextmanager
    def writer_stopped(self) -> Iterator[None]:
        os.kill(self._writer, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._writer, signal.SIGCONT)

    def answered(self, requests: float) -> None:
        """Waits until so many more scans are in the database: none is lost, and whoever is measured next is alone."""
        self._expected += requests
        deadline = time.monotonic() + 120
        while (written := asyncio.run(self._written())) < self._expected:
            assert time.monotonic() < deadline, f"{written} scans were written of {self._expected}"
            time.sleep(0.2)

    async def _written(self) -> float:
        connection = await asyncpg.connect(self.database_url)
        try:
            return float(await connection.fetchval("SELECT coalesce(sum(scans + bots), 0) FROM scan_totals"))
        finally:
            await connection.close()


@contextmanager
def ours(folder: Path, port: int, postgres_url: str, *, links: int) -> Iterator[Ours]:
    """A server with so many plain links, and GUARDED of each other kind, in a database of its own. Its worker has the
    first processor for itself; its writer is where PostgreSQL is."""
    database_url = asyncio.run(_filled(postgres_url, f"bench{links}", links))
    environment = os.environ | {
        "QREDGE_PORT": str(port),
        "QREDGE_DATA_DIR": str(folder),
        "QREDGE_DATABASE_URL": database_url,
    }
    url = f"http://127.0.0.1:{port}"
    with running([sys.executable, "-m", "server", "serve"], f"{url}/readyz", environment):
        writer = int((folder / "journal" / "writer.lock").read_text())
        _move(writer)
        yield Ours(url, database_url, writer)


async def _filled(postgres_url: str, name: str, links: int) -> str:
    connection = await asyncpg.connect(postgres_url)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    url = postgres_url.replace(f"/{DATABASE}?", f"/{name}?")
    assert url != postgres_url
    await migrate(url)
    connection = await asyncpg.connect(url)
    far, rules = datetime(9000, 1, 1, tzinfo=UTC), json.dumps(RULES)
    await connection.execute("INSERT INTO accounts VALUES (1, 'Bench', now())")
    await connection.execute("ALTER TABLE links DISABLE TRIGGER links_changed")
    await connection.execute(FILL, "b", 0, links, None, None)
    await connection.execute(FILL, "g", links, GUARDED, far, None)
    await connection.execute(FILL, "r", links + GUARDED, GUARDED, far, rules)
    await connection.close()
    return url


def _move(process: int) -> None:
    """Has a process go on on the last processor."""
    if hasattr(os, "sched_setaffinity"):
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), {(os.cpu_count() or 1) - 1})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# --- any ----------------------------------------------------------------------------------------------------------


@contextmanager
def running(command: list[str], ready_url: str, environment: dict[str, str]) -> Iterator[None]:
    """Runs a server on the first processor until it answers, and ends it afterwards."""
    process = subprocess.Popen([*on_core(0), *command], env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while not _answers(ready_url):
            assert process.poll() is None, f"{command} has ended"
            assert time.monotonic() < deadline, f"{command} does not answer"
            time.sleep(0.05)
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _answers(url: str) -> bool:
    host, _, path = url.removeprefix("http://").partition("/")
    connection = HTTPConnection(host, timeout=1)
    try:
        connection.request("GET", f"/{path}")
        return connection.getresponse().status in (200, 302)
    except OSError:
        return False
    finally:
        connection.close()
