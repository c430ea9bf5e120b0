"""What it costs to count a request: of an account without limits, by the minute in Redis and in PostgreSQL, and by the
month. One call after the other, and sixteen at once of one account, as they wait for each other.

    python -m bench.limits
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import save
from migrations import migrate
from server.domain.label import Label
from server.domain.limits import Limits
from server.domain.plan import UNLIMITED, Plan, Plans
from server.embedded import EmbeddedPostgres
from server.parts import accounts_in
from server.storage.postgres.pool import Database
from server.storage.postgres.usage import PostgresUsage
from server.storage.redis.connection import RedisConnection
from server.storage.redis.windows import RedisWindows
from tests.support import RedisServer

ROUNDS = 9
CALLS = 320
AT_ONCE = 16

MINUTE = Plan(name="minute", requests_per_minute=1_000_000)
MONTH = Plan(name="month", requests_per_month=1_000_000)
BOTH = Plan(name="both", requests_per_minute=1_000_000, requests_per_month=1_000_000)


def main() -> None:
    redis = RedisServer()
    redis.start()
    try:
        with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
            postgres = EmbeddedPostgres(Path(folder) / "postgres")
            postgres.start()
            try:
                save("limits", asyncio.run(run(postgres.url, redis.url)))
            finally:
                postgres.stop()
    finally:
        redis.kill()


async def run(database_url: str, redis_url: str) -> dict[str, str]:
    await migrate(database_url)
    plans = Plans([UNLIMITED, MINUTE, MONTH, BOTH])
    async with AsyncExitStack() as stack:
        accounts = await stack.enter_async_context(accounts_in(database_url, plans))
        database = Database(database_url)
        await database.open()
        stack.push_async_callback(database.close)
        redis = RedisConnection(redis_url)
        stack.push_async_callback(redis.close)
        windows = RedisWindows(redis)
        stack.push_async_callback(windows.close)
        await windows.warm_up()
        store = PostgresUsage(database)

        async def counter(plan: Plan, limits: Limits) -> Callable[[], Awaitable[object]]:
            account = await accounts.create(Label("Bench"), plan=plan)
            return lambda: limits.count_request(account)

        def now() -> datetime:
            return datetime.now(UTC)

        alone, shared = Limits(store, None, now=now), Limits(store, windows, now=now)
        contestants = {
            "no limits": await counter(UNLIMITED, alone),
            "the minute, in Redis": await counter(MINUTE, shared),
            "the minute, in PostgreSQL": await counter(MINUTE, alone),
            "the month": await counter(MONTH, alone),
            "both, with Redis": await counter(BOTH, shared),
            "both, without": await counter(BOTH, alone),
        }
        return await compared(contestants)


async def compared(contestants: dict[str, Callable[[], Awaitable[object]]]) -> dict[str, str]:
    """Microseconds of a call alone, and calls a second at once: medians of rounds in which all take turns."""
    alone_us: dict[str, list[float]] = {name: [] for name in contestants}
    per_second: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, count in contestants.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                await count()
            alone_us[name].append((time.perf_counter() - began) / CALLS * 1e6)
            began = time.perf_counter()
            await asyncio.gather(*(_many(count, CALLS // AT_ONCE) for _ in range(AT_ONCE)))
            per_second[name].append(CALLS / (time.perf_counter() - began))
    results = {}
    for name in contestants:
        us, rate = statistics.median(alone_us[name]), statistics.median(per_second[name])
        results[name] = f"{us:.1f} us, {rate:,.0f} a second"
        print(f"{name:30}{us:10.1f} us{rate:12,.0f} a second", flush=True)
    return results


async def _many(count: Callable[[], Awaitable[object]], times: int) -> None:
    for _ in range(times):
        await count()


if __name__ == "__main__":
    main()
