"""Two servers with folders of their own, as on two machines, on one PostgreSQL and one Redis, and nginx in front of
them (docs/scaling.md)."""

import os
import signal
import statistics
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest

from bench.links import destination
from server.domain.plan import Plan
from tests.api.exchange import new_code, new_link
from tests.conftest import TEMPLATE
from tests.load import Load, tally
from tests.support import DEADLINE_S, Databases, RedisServer, ServerProcess, free_port, phone, sql, until

pytestmark = pytest.mark.alone

CHANGES = 40
WITHIN_S = 0.1

HUNDRED = Plan(name="hundred", requests_per_minute=100)
PLANS = "[hundred]\nrequests_per_minute = 100\n"

#: Of pictures that are dear enough to be shared.
SIZES = range(8990, 9000)

#: Scans that are answered between two events.
SCANS = 200
KEPT, FRESH = 6, 2

#: As docs/operations.md has it, and with nothing on the disk, as nginx may work as somebody else.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    proxy_max_temp_file_size 0;
    upstream qredge {{ server 127.0.0.1:{ports[0]}; server 127.0.0.1:{ports[1]}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://qredge;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def port() -> int:
    """Where nginx listens."""
    return free_port()


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def two_servers(
    databases: Databases, shared_redis: RedisServer, port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServerProcess]]:
    url = databases.create(template=TEMPLATE)
    folder = tmp_path_factory.mktemp("machines")
    servers = [
        ServerProcess(
            folder / name,
            database_url=url,
            redis_url=shared_redis.url,
            plans=PLANS,
            public_url=f"http://127.0.0.1:{port}",
            trusted_proxies="127.0.0.1/32",
        )
        for name in ("one", "other")
    ]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()
        databases.drop(url)


@pytest.fixture
def front(two_servers: list[ServerProcess], port: int, tmp_path: Path) -> Iterator[str]:
    """The URL of nginx, which asks the servers in turns; `make test` installs it on Debian."""
    config = tmp_path / "nginx.conf"
    config.write_text(NGINX.format(folder=tmp_path, port=port, ports=[server.port for server in two_servers]))
    nginx = subprocess.Popen(["nginx", "-e", "stderr", "-c", str(config)])

    def ready() -> bool:
        assert nginx.poll() is None, "nginx has ended"
        try:
            return phone.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(ready, what="an answer by way of nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        nginx.terminate()
        nginx.wait()


@pytest.fixture
def clients(two_servers: list[ServerProcess]) -> Iterator[list[httpx.Client]]:
    """Of one account, one at each server."""
    with ExitStack() as stack:
        one = stack.enter_context(two_servers[0].client(HUNDRED))
        key = {"authorization": one.headers["authorization"]}
        yield [one, stack.enter_context(two_servers[1].anyone(key))]


def test_a_change_at_one_is_known_to_the_other_at_once(
    two_servers: list[ServerProcess], clients: list[httpx.Client]
) -> None:
    took = []
    with ExitStack() as stack:
        ends = [stack.enter_context(closing(HTTPConnection("127.0.0.1", each.port))) for each in two_servers]
        link = new_link(clients[0])
        for number in range(CHANGES):
            there = f"https://example.com/{number}"
            clients[number % 2].patch(f"/links/{link['id']}", json={"destination": there}).raise_for_status()
            began = time.monotonic()
            for end in ends:
                while destination(end, link["slug"]) != there:
                    assert time.monotonic() < began + DEADLINE_S
            took.append(time.monotonic() - began)
    assert statistics.median(took) <= WITHIN_S, took


def test_limits_are_shared(two_servers: list[ServerProcess], clients: list[httpx.Client]) -> None:
    answers = [client.get("/links") for _ in range(80) for client in clients]
    statuses = Counter(each.status_code for each in answers)
    # A Redis that takes over 40 ms, as on a machine that is far too busy, is stepped around for that request.
    around = int(sql(two_servers[0].database_url, "SELECT coalesce(sum(last), 0) FROM request_windows")[0][0])
    assert statuses.keys() == {200, 429}
    assert 100 <= statuses[200] <= 100 + around


def test_what_one_has_drawn_the_other_does_not_draw(clients: list[httpx.Client], shared_redis: RedisServer) -> None:
    code = new_code(clients[0])

    def pictures() -> int:
        keys = shared_redis.ask("KEYS", "*")  # what limits are counted by are lists
        return [shared_redis.ask("TYPE", key) for key in keys].count(b"string")

    def asked(client: httpx.Client, size: int) -> tuple[str, bytes]:
        answer = client.get(f"/qr-codes/{code['id']}/image", params={"size": size})
        assert answer.status_code == 200
        return answer.headers["x-cache"], answer.content

    drawn = [asked(clients[0], size) for size in SIZES]
    until(lambda: pictures() == len(SIZES), what="pictures in Redis")
    shared = [asked(clients[1], size) for size in SIZES]
    assert [picture for _, picture in shared] == [picture for _, picture in drawn]
    assert {cache for cache, _ in drawn} == {"MISS"}
    # A Redis that takes over 20 ms is stepped around; but nothing else can have told the other one of any.
    assert "HIT" in {cache for cache, _ in shared}


def test_a_server_that_is_killed_loses_no_scan_and_nobody_notices(
    two_servers: list[ServerProcess], clients: list[httpx.Client], front: str
) -> None:
    killed, other = two_servers
    database_url = killed.database_url
    link = new_link(clients[0])
    with Load(f"{front}/{link['slug']}", kept=KEPT, fresh=FRESH) as load:
        load.more(SCANS)
        os.kill(killed.writer(), signal.SIGSTOP)  # so that its scans wait in its journal
        load.more(SCANS)
        killed.kill()
        load.more(SCANS)
    assert other.stop() == 0
    assert tally(load, database_url).missing, "what it had answered lies on its disk alone"

    killed.start()  # on the folder that it had
    assert killed.stop() == 0
    found = tally(load, database_url)
    assert (load.broken, found.missing, found.foreign) == ([], [], [])
    # Those that were on their way when it died: nginx has asked the other one, too.
    assert len(found.double) <= KEPT + FRESH
