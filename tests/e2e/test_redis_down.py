"""Images and a Redis that goes away, hangs and comes back, over a real socket."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.exchange import new_code, new_link
from tests.load import Load, tally
from tests.support import RedisServer, ServerProcess, until

pytestmark = pytest.mark.alone

#: What Redis may cost one request at the worst, and with it the drawing of version 3 at 9,000 px.
WORST_MS = 50
DRAWING_MS = 10

SIZES = range(8000, 8020)


@pytest.fixture
def own_server(database_url: str, own_redis: RedisServer, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, redis_url=own_redis.url)
    server.start()
    yield server
    server.kill()


def x_cache(api: httpx.Client, code: dict[str, str], size: int) -> str:
    """Asks for an image that is dear enough to be shared, and checks what it cost."""
    answer = api.get(f"/qr-codes/{code['id']}/image", params={"size": size})
    assert answer.status_code == 200
    assert float(answer.headers["x-render-ms"]) < WORST_MS + DRAWING_MS
    return str(answer.headers["x-cache"])


def test_what_was_drawn_before_a_restart_is_not_drawn_again(own_server: ServerProcess, own_redis: RedisServer) -> None:
    with own_server.client() as api:
        code = new_code(api)
        assert [x_cache(api, code, 9000) for _ in range(2)] == ["MISS", "HIT"]
        until(lambda: own_redis.ask("DBSIZE") == 1, what="an image in Redis")
        assert own_server.stop() == 0
        own_server.start()
        assert x_cache(api, code, 9000) == "HIT"
        assert x_cache(api, code, 9000) == "HIT"
        assert [x_cache(api, code, 512) for _ in range(2)] == ["MISS", "HIT"]
        assert own_redis.ask("DBSIZE") == 1, "what is drawn sooner than Redis answers is not shared"


def test_without_redis_images_are_drawn_and_nothing_waits(own_server: ServerProcess, own_redis: RedisServer) -> None:
    with own_server.client() as api:
        code = new_code(api)
        assert x_cache(api, code, 9000) == "MISS"

        own_redis.hang()
        assert [x_cache(api, code, size) for size in SIZES] == ["MISS"] * len(SIZES)
        assert [x_cache(api, code, size) for size in SIZES] == ["HIT"] * len(SIZES)
        own_redis.go_on()
        until(lambda: "Redis is back" in own_server.log.read_text(), what="Redis found")

        own_redis.kill()
        assert [x_cache(api, code, size - 1000) for size in SIZES] == ["MISS"] * len(SIZES)
        own_redis.start()
        until(lambda: own_server.log.read_text().count("Redis is back") == 2, what="Redis found again")
        assert x_cache(api, code, 8999) == "MISS"
        until(lambda: own_redis.ask("DBSIZE") == 1, what="an image in Redis")
    lines = [line for line in own_server.log.read_text().splitlines() if "Redis" in line]
    assert ["lost" in line for line in lines] == [True, False, True, False], lines
    assert "Traceback" not in own_server.log.read_text()


def test_a_server_starts_and_ends_while_redis_hangs(own_server: ServerProcess, own_redis: RedisServer) -> None:
    own_redis.hang()
    with own_server.client() as api:
        code = new_code(api)
        assert x_cache(api, code, 9000) == "MISS"
        assert own_server.stop() == 0
        own_server.start()
        assert x_cache(api, code, 9000) == "MISS"
    assert own_server.stop() == 0
    # A process that is interrupted while it still imports leaves a trace of that; none may be of this.
    assert "redis.py" not in own_server.log.read_text()


def test_redirects_and_images_go_on_under_load(
    own_server: ServerProcess, own_redis: RedisServer, database_url: str
) -> None:
    with own_server.client() as api:
        code, link = new_code(api), new_link(api)
        sizes = iter(range(7000, 8000))
        with Load(link["short_url"]) as load:
            for happens in (own_redis.answers, own_redis.hang, own_redis.go_on, own_redis.kill, own_redis.start):
                happens()
                for _ in range(10):
                    assert api.get(f"/qr-codes/{code['id']}/image", params={"size": next(sizes)}).status_code == 200
                load.more(100)
    assert load.broken == []
    assert own_server.stop() == 0
    found = tally(load, database_url)
    assert found.exact, found
    assert not found.unanswered
