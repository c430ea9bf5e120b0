"""Many things done one after another, some at a time."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from server.domain.turns import PIECE

T = TypeVar("T")


async def in_order(work: Iterable[Callable[[], Awaitable[T]]], *, at_once: int) -> AsyncGenerator[T, None]:
    """What each returns, in order. Of `at_once`, the others go on while one is taken; so many results at most wait to
    be. What one raises ends it, and when it ends the others are given up."""
    running: deque[asyncio.Future[T]] = deque()
    try:
        for each in work:
            running.append(asyncio.ensure_future(each()))
            if len(running) >= at_once:
                yield await running.popleft()
        while running:
            yield await running.popleft()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def in_thread(found: Iterator[T]) -> list[T]:
    """All that is found, by a thread, a piece at a time. A thread that goes on for long lets the event loop go on only
    every 5 ms (sys.getswitchinterval), and a redirect needs several turns."""
    every: list[T] = []
    while some := await asyncio.to_thread(lambda: list(islice(found, PIECE))):
        every += some
    return every
