"""The last minute of accounts in a real Redis: exact, and never a reason to wait."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from server.domain.model import AccountId
from server.domain.ports import Window
from server.storage.redis.connection import MAX_FAILURES, RedisConnection
from server.storage.redis.windows import MAX_TAKES, RedisWindows
from tests.support import RedisServer, eventually, new_id

pytestmark = pytest.mark.anyio

#: What Redis may cost one request at the worst.
WORST_S = 0.050


@asynccontextmanager
async def windows_at(url: str) -> AsyncIterator[tuple[RedisWindows, RedisConnection]]:
    connection = RedisConnection(url)
    windows = RedisWindows(connection)
    try:
        yield windows, connection
    finally:
        await windows.close()
        await connection.close()


async def test_of_many_at_once_exactly_the_minutes_are_let_through(redis: RedisServer) -> None:
    account = AccountId(new_id())
    async with windows_at(redis.url) as (ours, _), windows_at(redis.url) as (theirs, _):
        await asyncio.gather(ours.warm_up(), theirs.warm_up())
        taken: list[Window | None] = []
        for _ in range(40):
            taken += await asyncio.gather(*(each.take(account, 100) for each in (ours, theirs) for _ in range(4)))
        last = await ours.take(account, 100)
        other = await ours.take(AccountId(new_id()), 100)
    let_through = sum(each is not None and each.let_through for each in taken)
    # On a busy machine some may have been given up, of which Redis has counted some.
    assert 100 - taken.count(None) <= let_through <= 100
    assert last is not None
    assert (last.let_through, last.remaining) == (False, 0)
    assert 0 < last.reset_s <= 60
    assert other is not None
    assert (other.let_through, other.remaining) == (True, 99)


async def test_a_redis_in_trouble_costs_no_request_50_ms_and_is_asked_again(own_redis: RedisServer) -> None:
    account = AccountId(new_id())
    async with windows_at(own_redis.url) as (windows, connection):
        assert await windows.take(account, 5) is not None
        own_redis.hang()
        costs = []
        for _ in range(MAX_FAILURES + 2):
            began = time.perf_counter()
            assert await windows.take(account, 5) is None
            costs.append(time.perf_counter() - began)
        assert connection.lost
        own_redis.go_on()
        await eventually(lambda: not connection.lost, what="Redis found")
        assert await windows.take(account, 5) is not None
    assert sorted(costs)[len(costs) // 2] < WORST_S


async def test_what_would_have_to_queue_is_counted_elsewhere(own_redis: RedisServer) -> None:
    async with windows_at(own_redis.url) as (windows, _):
        own_redis.hang()
        taken = await asyncio.gather(*(windows.take(AccountId(1), 5) for _ in range(2 * MAX_TAKES)))
    assert taken == [None] * (2 * MAX_TAKES)


async def test_a_redis_that_takes_nothing_counts_nothing_and_says_so_once(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with windows_at(own_redis.url) as (windows, connection):
        own_redis.ask("CONFIG", "SET", "maxmemory", 1)
        for _ in range(2 * MAX_FAILURES):
            assert await windows.take(AccountId(1), 5) is None
        assert not connection.lost
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("Redis counts no requests, the database does: ")
