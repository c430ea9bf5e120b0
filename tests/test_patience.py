"""How long a client may take."""

import asyncio

import pytest

from server.asgi import Message
from server.patience import Patience, TooSlow, until

pytestmark = pytest.mark.anyio


async def nothing() -> Message:
    await asyncio.Event().wait()
    return {}


async def test_what_comes_in_time_is_heard_and_nobody_is_watched_any_more() -> None:
    patience = Patience()
    now = asyncio.get_running_loop().time()

    async def message() -> Message:
        return {"type": "http.request"}

    assert await patience.hear(message, now + 100) == {"type": "http.request"}
    assert not patience._waiting


async def test_only_who_is_late_is_given_up() -> None:
    patience = Patience()
    waiting = asyncio.create_task(patience.hear(nothing, float("inf")))
    with pytest.raises(TooSlow):
        await patience.hear(nothing, 0)
    assert not waiting.done()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_who_is_cancelled_by_another_is_cancelled() -> None:
    patience = Patience()

    async def heard() -> None:
        await patience.hear(nothing, 0)

    task = asyncio.create_task(heard())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_large_body_may_take_longer() -> None:
    assert until(100, 0) == 120
    assert until(100, 16 << 20) == 120 + 1024
