"""The pixel budget: how much is drawn at once, in which order, and what becomes of it when requests go away."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable

import pytest

from server.domain.errors import Busy
from server.render.budget import MAX_OVERTAKING, MAX_WAITING, PixelBudget
from tests.support import eventually

pytestmark = pytest.mark.anyio


class Easel:
    """A drawing that says when it was begun, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self._may_end = threading.Event()

    def draw(self) -> str:
        self.begun.set()
        assert self._may_end.wait(10)
        return "drawn"

    def end(self) -> None:
        self._may_end.set()


@pytest.fixture
async def budget() -> AsyncIterator[PixelBudget]:
    budget = PixelBudget(100, threads=4)
    yield budget
    budget.close()


async def idle(budget: PixelBudget) -> None:
    """Nothing is lost: all the pixels there are can be taken again."""
    assert await asyncio.wait_for(budget.run(100, lambda: "all"), 10) == "all"


def begin(budget: PixelBudget, pixels: int, draw: Callable[[], str] = str) -> "asyncio.Task[str]":
    return asyncio.create_task(budget.run(pixels, draw))


async def test_no_more_pixels_than_the_limit_are_drawn_at_a_time(budget: PixelBudget) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def draw(pixels: int) -> str:
        nonlocal now, most
        with lock:
            now += pixels
            most = max(most, now)
        threading.Event().wait(0.001)  # long enough for others to begin
        with lock:
            now -= pixels
        return ""

    await asyncio.gather(*(budget.run(30 + n, lambda n=n: draw(30 + n)) for n in range(40)))  # type: ignore[misc]
    assert 60 < most <= 100
    await idle(budget)


async def test_a_picture_larger_than_the_budget_is_drawn_alone(budget: PixelBudget) -> None:
    small, huge = Easel(), Easel()
    first = begin(budget, 1, small.draw)
    second = begin(budget, 10**9, huge.draw)
    await asyncio.to_thread(small.begun.wait, 10)
    assert not huge.begun.is_set()
    small.end()
    await asyncio.to_thread(huge.begun.wait, 10)
    third = begin(budget, 1)
    await asyncio.sleep(0)
    assert not third.done()
    huge.end()
    assert [await each for each in (first, second, third)] == ["drawn", "drawn", ""]
    await idle(budget)


async def test_small_pictures_do_not_wait_behind_a_large_one_but_do_not_keep_it_out(budget: PixelBudget) -> None:
    easel = Easel()
    holding = begin(budget, 60, easel.draw)
    await asyncio.to_thread(easel.begun.wait, 10)
    order: list[str] = []

    def drawn(what: str) -> str:
        order.append(what)
        return what

    large = begin(budget, 90, lambda: drawn("large"))
    for _ in range(MAX_OVERTAKING):
        assert await asyncio.wait_for(budget.run(10, lambda: "small"), 10) == "small"
    barred = begin(budget, 20, lambda: drawn("barred"))
    assert await asyncio.wait_for(budget.run(0, lambda: "nothing"), 10) == "nothing", "it is in nobody's way"
    assert not barred.done()
    easel.end()
    await asyncio.gather(holding, large, barred)
    assert order == ["large", "barred"]
    # After it, the count begins anew.
    assert await asyncio.wait_for(budget.run(10, lambda: "small"), 10) == "small"
    await idle(budget)


async def test_a_drawing_that_fails_gives_its_pixels_back(budget: PixelBudget) -> None:
    def fail() -> str:
        raise MemoryError("not so large")

    for _ in range(5):
        with pytest.raises(MemoryError):
            await budget.run(100, fail)
    await idle(budget)


async def test_whoever_goes_away_while_waiting_leaves_nothing_behind(budget: PixelBudget) -> None:
    easel = Easel()
    holding = begin(budget, 100, easel.draw)
    await asyncio.to_thread(easel.begun.wait, 10)
    drawn: list[str] = []

    def draw() -> str:
        drawn.append("x")
        return ""

    waiting = [begin(budget, 50, draw) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await budget.run(1, str)
    for each in waiting:
        each.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    next_one = begin(budget, 50)  # there is room for it again
    await asyncio.sleep(0)
    assert not next_one.done()
    easel.end()
    await asyncio.gather(holding, next_one)
    assert drawn == []
    await idle(budget)


async def test_whoever_goes_away_as_the_turn_comes_gives_it_back(budget: PixelBudget) -> None:
    easel = Easel()
    holding = begin(budget, 100, easel.draw)
    await asyncio.to_thread(easel.begun.wait, 10)
    waiting = begin(budget, 100)
    await asyncio.sleep(0)
    # In this order in one turn of the loop: the pixels are given to it, and it is cancelled before it knows.
    easel.end()
    while not holding.done() and budget._waiting:  # no public way to stop between the two
        await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await holding
    await idle(budget)


async def test_what_is_being_drawn_for_nobody_holds_its_pixels_until_it_is_done(budget: PixelBudget) -> None:
    easel = Easel()
    holding = begin(budget, 100, easel.draw)
    await asyncio.to_thread(easel.begun.wait, 10)
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    waiting = begin(budget, 1)
    await asyncio.sleep(0.01)
    assert not waiting.done(), "the thread still has its memory"
    easel.end()
    assert await asyncio.wait_for(waiting, 10) == ""
    await idle(budget)


async def test_more_than_may_wait_for_a_thread_are_told_to_come_back(budget: PixelBudget) -> None:
    easels = [Easel() for _ in range(4)]
    busy = [begin(budget, 0, easel.draw) for easel in easels]
    await eventually(lambda: all(easel.begun.is_set() for easel in easels), what="every thread at work")
    waiting = [begin(budget, 0) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await budget.run(0, str)
    for easel in easels:
        easel.end()
    await asyncio.gather(*busy, *waiting)
    await idle(budget)
