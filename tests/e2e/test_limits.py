"""Limits of plans with two workers and many clients at once: exactly as much as the plan has, whatever counts."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from server.domain.plan import Plan
from tests.support import RedisServer, ServerProcess, sql, until

CLIENTS = 16

HUNDRED = Plan(name="hundred", requests_per_minute=100)
FIVE = Plan(name="five", dynamic_codes=5)
MONTH = Plan(name="month", requests_per_month=50)
PLANS = "[hundred]\nrequests_per_minute = 100\n[five]\ndynamic_codes = 5\n[month]\nrequests_per_month = 50\n"


@pytest.fixture(params=[True, False], ids=["redis", "no redis"])
def with_redis(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def two_workers(with_redis: bool, database_url: str, redis: RedisServer, tmp_path: Path) -> Iterator[ServerProcess]:
    settings = {"redis_url": redis.url} if with_redis else {}
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers="2", plans=PLANS, **settings)
    try:
        server.start()
        until(lambda: len(server.workers()) == 2, what="two workers")
        yield server
        assert server.stop() == 0, server.log.read_text()
        assert "Traceback" not in server.log.read_text()
    finally:
        server.kill()


def at_once(
    server: ServerProcess, api: httpx.Client, times: int, ask: Callable[[httpx.Client], httpx.Response]
) -> list[httpx.Response]:
    """What so many requests of many clients, each with a connection of its own at each time, are answered."""
    headers = {"authorization": api.headers["authorization"], "connection": "close"}

    def one(_: int) -> httpx.Response:
        with server.anyone(headers) as client:
            return ask(client)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(one, range(times)))


def test_limits_are_exact(two_workers: ServerProcess, with_redis: bool) -> None:
    with two_workers.client(HUNDRED) as api:
        answers = at_once(two_workers, api, 160, lambda client: client.get("/links"))
        statuses = Counter(each.status_code for each in answers)
        # A Redis that takes over 40 ms, as on a machine that is far too busy, is stepped around for that request.
        around = sql(two_workers.database_url, "SELECT coalesce(sum(last), 0) FROM request_windows")[0][0]
        most = 100 + (int(around) if with_redis else 0)
        assert statuses.keys() == {200, 429}
        assert 100 <= statuses[200] <= most
        for each in answers:
            assert each.headers["ratelimit-policy"] == '"requests_per_minute";q=100;w=60'
            assert each.headers["x-ratelimit-limit"] == "100"
            if each.status_code == 429:
                assert each.json()["code"] == "rate_limited"
                assert 1 <= int(each.headers["retry-after"]) <= 60
    with two_workers.client(MONTH) as api:
        answers = at_once(two_workers, api, 80, lambda client: client.get("/links"))
        assert Counter(each.status_code for each in answers) == {200: 50, 429: 30}
    with two_workers.client(FIVE) as api:
        body = {"destination": "https://example.com/"}
        answers = at_once(two_workers, api, 48, lambda client: client.post("/qr-codes", json=body))
        assert Counter(each.status_code for each in answers) == {201: 5, 403: 43}
        assert api.get("/account").json()["usage"]["dynamic_codes"] == 5


def test_without_its_redis_a_limit_goes_on_in_the_database(
    database_url: str, own_redis: RedisServer, tmp_path: Path
) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url, plans=PLANS, redis_url=own_redis.url)
    try:
        server.start()
        with server.client(HUNDRED) as api:
            assert [api.get("/links").status_code for _ in range(3)] == [200] * 3
            own_redis.kill()
            statuses = Counter(api.get("/links").status_code for _ in range(120))
            assert statuses == {200: 100, 429: 20}, "the window begins anew, and is exact again"
            own_redis.start()
            until(lambda: "Redis is back" in server.log.read_text(), what="Redis found")
            assert api.get("/links").headers["x-ratelimit-remaining"] == "99"
    finally:
        server.kill()
