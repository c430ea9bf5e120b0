"""Images in memory: bounded, drawn once, and whatever Redis does no later for it."""

import asyncio
import gc
import tracemalloc
from collections import OrderedDict
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.model import Hit, Image
from server.edge.image_cache import ENTRY_BYTES, FREED_PART, LARGEST_PART, ImageMemory, Images

pytestmark = pytest.mark.anyio

PLENTY = 1 << 20
REFUSED = (False, "The logo covers too much.")

#: An object of bytes or of ASCII text takes this beside its characters.
BYTES_HEAD, TEXT_HEAD = 33, 49


def image(etag: str = "a", size: int = 100, scannable: bool = True, reason: str | None = None) -> Image:
    return Image(bytes(size), "image/png", etag, scannable, reason)


class Pencil:
    """Draws when it is told to, and counts."""

    def __init__(self, result: Image | Exception | None = None) -> None:
        self._result = result or image()
        self.drawn = 0
        self.may = asyncio.Event()

    def now(self) -> Image:
        self.drawn += 1
        return self._end()

    async def later(self) -> Image:
        self.drawn += 1
        await self.may.wait()
        return self._end()

    def _end(self) -> Image:
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


# --- the memory ---------------------------------------------------------------------------------------------------


def true_size(image: Image) -> int:
    texts = TEXT_HEAD + len(image.etag) + (TEXT_HEAD + len(image.reason) if image.reason is not None else 0)
    return ENTRY_BYTES + texts + BYTES_HEAD + len(image.body)


MAX_BYTES = 10_000
images = st.builds(
    lambda etag, size, verdict: image(etag, size, *verdict),
    st.sampled_from("abcdefghijklmnop"),
    st.integers(0, 1500),
    st.sampled_from([(True, None), REFUSED]),
)


@given(st.lists(st.one_of(images, st.sampled_from("abcdefghijklmnop")), max_size=80))
def test_it_holds_what_a_plain_model_holds(steps: list[Image | str]) -> None:
    """An Image is put, a text is asked for."""
    memory, model = ImageMemory(MAX_BYTES), OrderedDict[str, Image]()
    for step in steps:
        if isinstance(step, str):
            assert memory.get(step) == model.get(step)
            if step in model:
                model.move_to_end(step)
        else:
            memory.put(step)
            model.pop(step.etag, None)
            if true_size(step) <= MAX_BYTES // LARGEST_PART:
                model[step.etag] = step
            if sum(map(true_size, model.values())) > MAX_BYTES:
                while sum(map(true_size, model.values())) > MAX_BYTES - MAX_BYTES // FREED_PART:
                    model.popitem(last=False)
        assert len(memory) == len(model)
        assert memory.size_bytes == sum(map(true_size, model.values())) <= MAX_BYTES
    assert [memory.get(etag) for etag in "abcdefghijklmnop"] == [model.get(etag) for etag in "abcdefghijklmnop"]


def test_what_was_asked_for_stays_and_what_was_not_goes() -> None:
    memory = ImageMemory(MAX_BYTES)
    for etag in "abcdefgh":
        memory.put(image(etag, 1000))
    assert len(memory) == 8
    assert memory.get("a")
    memory.put(image("i", 1000))
    assert memory.get("a")
    assert memory.get("b") is None


@pytest.mark.parametrize("count", [5_461, 5_462, 20_000])  # a dict before it grows, after, and somewhere between
def test_it_takes_no_more_memory_than_it_counts(count: int) -> None:
    memory = ImageMemory(1 << 30)
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(count):
            memory.put(image(f"{number:032x}", size=500))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 0.9 * memory.size_bytes < used <= memory.size_bytes


def test_the_garbage_collector_has_nothing_to_look_at() -> None:
    memory = ImageMemory(1 << 30)
    gc.collect()
    before = len(gc.get_objects())
    for number in range(1_000):
        memory.put(image(f"{number:032x}"))
    gc.collect()
    assert len(gc.get_objects()) - before < 100


# --- drawn at once ------------------------------------------------------------------------------------------------


async def test_inline_draws_once_and_remembers() -> None:
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil(image("a", 100, *REFUSED))
    assert cache.inline("a", pencil.now) == (image("a", 100, *REFUSED), Hit.MISS)
    assert cache.inline("a", pencil.now) == (image("a", 100, *REFUSED), Hit.LOCAL)
    assert await cache.get("a", pencil.later) == (image("a", 100, *REFUSED), Hit.LOCAL)
    assert pencil.drawn == 1


async def test_inline_remembers_no_error() -> None:
    cache = Images(max_bytes=PLENTY, shared=None)
    with pytest.raises(ValueError, match="too small"):
        cache.inline("a", Pencil(ValueError("too small")).now)
    assert cache.inline("a", Pencil().now) == (image(), Hit.MISS)


async def test_without_memory_everything_is_drawn() -> None:
    cache, pencil = Images(max_bytes=0, shared=None), Pencil()
    pencil.may.set()
    for _ in range(2):
        assert cache.inline("a", pencil.now) == (image(), Hit.MISS)
        assert await cache.get("a", pencil.later) == (image(), Hit.MISS)
    assert pencil.drawn == 4


# --- drawn once ---------------------------------------------------------------------------------------------------


async def ask(
    cache: Images, draw: Callable[[], Awaitable[Image]], times: int = 50
) -> list[asyncio.Task[tuple[Image, Hit]]]:
    """Requests for the same image, all of which wait now."""
    tasks = [asyncio.create_task(cache.get("a", draw)) for _ in range(times)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)
    return tasks


async def test_fifty_requests_at_once_draw_once() -> None:
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil()
    tasks = await ask(cache, pencil.later)
    pencil.may.set()
    assert await asyncio.gather(*tasks) == [(image(), Hit.MISS)] * 50
    assert pencil.drawn == 1
    assert await cache.get("a", pencil.later) == (image(), Hit.LOCAL)


async def test_different_images_do_not_wait_for_each_other() -> None:
    cache, slow, quick = Images(max_bytes=PLENTY, shared=None), Pencil(image("a")), Pencil(image("b"))
    quick.may.set()
    waiting = await ask(cache, slow.later, times=1)
    assert await cache.get("b", quick.later) == (image("b"), Hit.MISS)
    slow.may.set()
    await asyncio.gather(*waiting)


@pytest.mark.parametrize("leavers", [[0], [49], range(49)], ids=["the first", "the last", "all but one"])
async def test_who_goes_away_leaves_the_others_theirs(leavers: list[int]) -> None:
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil()
    tasks = await ask(cache, pencil.later)
    for number in leavers:
        tasks[number].cancel()
    await asyncio.wait([tasks[number] for number in leavers])
    pencil.may.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for number, answer in enumerate(answers):
        if number in leavers:
            assert isinstance(answer, asyncio.CancelledError)
        else:
            assert answer == (image(), Hit.MISS)
    assert pencil.drawn == 1


async def test_an_image_that_nobody_waits_for_any_more_is_there_for_the_next() -> None:
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil()
    tasks = await ask(cache, pencil.later, times=3)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    pencil.may.set()
    await cache.get("a", pencil.later)
    assert pencil.drawn == 1


async def test_an_error_reaches_all_who_wait_and_nobody_after_them() -> None:
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil(ValueError("too small"))
    tasks = await ask(cache, pencil.later)
    pencil.may.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(answer) for answer in answers] == ["too small"] * 50
    assert pencil.drawn == 1
    mended = Pencil()
    mended.may.set()
    assert await cache.get("a", mended.later) == (image(), Hit.MISS)


async def test_an_error_that_nobody_waits_for_any_more_is_not_complained_of() -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = len(asyncio.all_tasks())
    cache, pencil = Images(max_bytes=PLENTY, shared=None), Pencil(ValueError("too small"))
    [task] = await ask(cache, pencil.later, times=1)
    task.cancel()
    await asyncio.wait([task])
    del task  # which remembers what it waited for
    pencil.may.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == before, "the drawing has not ended"
    gc.collect()  # asyncio complains when the task is collected
    assert complaints == []
