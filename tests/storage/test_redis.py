"""Images in a real Redis: shared, checked, and never a reason to wait."""

import asyncio
import gc
import logging
import socket
import threading
import time
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ids import id_source
from server.domain.model import Hit, Image
from server.edge.image_cache import Images
from server.parts import now
from server.storage.redis.connection import MAX_FAILURES, RedisConnection
from server.storage.redis.images import MAX_BODY_BYTES, MAX_WRITES, RedisImages, pack, unpack
from tests.support import RedisServer, eventually

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

TTL_S = 3_600
#: What Redis may cost one request at the worst (the issue, "Caching").
WORST_S = 0.050

_new_id = id_source(now)


def new_image(body: bytes = b"\x89PNG\r\n\x00\xff", scannable: bool = True, reason: str | None = None) -> Image:
    """An image of which nobody has heard yet."""
    return Image(body, "image/png", f"{_new_id():032x}", scannable, reason)


@pytest.fixture(autouse=True)
def _no_collection_of_other_tests() -> Iterator[None]:
    """To collect all that a long run of pytest has gathered takes 0.3 s, which is not what Redis costs."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@asynccontextmanager
async def images_at(url: str) -> AsyncIterator[RedisImages]:
    images = RedisImages(RedisConnection(url), ttl_s=TTL_S)
    try:
        yield images
    finally:
        await images.close()
        await images.connection.close()


async def kept(images: RedisImages, redis: RedisServer, image: Image) -> None:
    """Puts the image, and waits until Redis has it."""
    images.put(image)
    await eventually(lambda: redis.ask("EXISTS", key(image)), what="an image in Redis")


def key(image: Image) -> str:
    return f"qredge:image:{image.etag}"


# --- what is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image",
    [
        new_image(),
        new_image(b""),
        new_image(scannable=False, reason="Der Rand fehlt: 地 \N{GRINNING FACE}"),
        new_image(bytes(range(256)) * (MAX_BODY_BYTES // 256)),
    ],
    ids=["plain", "empty", "with a verdict", "large"],
)
async def test_another_process_has_what_this_one_has_put(redis: RedisServer, image: Image) -> None:
    async with images_at(redis.url) as ours, images_at(redis.url) as theirs:
        assert await theirs.get(image.etag) is None
        await kept(ours, redis, image)
        assert await theirs.get(image.etag) == image


async def test_an_image_is_kept_for_as_long_as_is_set(redis: RedisServer) -> None:
    async with images_at(redis.url) as images:
        image = new_image()
        await kept(images, redis, image)
        assert TTL_S - 60 < redis.ask("TTL", key(image)) <= TTL_S


async def test_an_image_too_large_to_be_read_in_time_is_not_shared(redis: RedisServer) -> None:
    async with images_at(redis.url) as images:
        large, small = new_image(bytes(MAX_BODY_BYTES + 1)), new_image()
        images.put(large)
        await kept(images, redis, small)
        assert not redis.ask("EXISTS", key(large))


GOOD = new_image(b"picture" * 10, scannable=False, reason="why")


@given(st.one_of(st.binary(max_size=200), st.text(), st.none()))
def test_what_is_not_ours_is_no_image(value: object) -> None:
    assert unpack(GOOD.etag, value) is None


@given(st.integers(0, len(pack(GOOD)) * 8 - 1))
def test_no_bit_can_fall_over_unnoticed(bit: int) -> None:
    value = bytearray(pack(GOOD))
    value[bit // 8] ^= 1 << bit % 8
    assert unpack(GOOD.etag, bytes(value)) is None


@given(st.integers(0, len(pack(GOOD)) - 1))
def test_a_part_of_an_image_is_none(length: int) -> None:
    assert unpack(GOOD.etag, pack(GOOD)[:length]) is None


def test_an_answer_to_another_question_is_none() -> None:
    assert unpack(new_image().etag, pack(GOOD)) is None


def test_the_form_in_redis_stays_as_running_servers_know_it() -> None:
    """Two releases run side by side during an update; another form needs another number in `MAGIC`."""
    image = Image(b"BODY", "image/png", "e" * 32, scannable=False, reason="why")
    rest = b"\x00\x09\x03\x00image/pngwhyBODY"
    checksum = zlib.crc32(b"e" * 32 + rest).to_bytes(4, "little")
    assert pack(image) == b"qri1" + checksum + rest


async def test_a_value_of_somebody_elses_is_a_miss_and_is_replaced(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with images_at(redis.url) as images:
        damaged, foreign = new_image(), new_image()
        redis.ask("SET", key(damaged), b"qri1" + bytes(40))
        redis.ask("LPUSH", key(foreign), "a list")
        for image in (damaged, foreign):
            for _ in range(2 * MAX_FAILURES):
                assert await images.get(image.etag) is None
        assert not images.connection.lost
        for image in (damaged, foreign):
            images.put(image)
        written = [pack(damaged), pack(foreign)]
        await eventually(lambda: redis.ask("MGET", key(damaged), key(foreign)) == written, what="images in their place")
    assert caplog.text == ""


# --- when it fails ------------------------------------------------------------------------------------------------


async def timed_get(cache: Images, image: Image) -> float:
    """The seconds that Redis has cost a request for an image that takes none to draw."""
    began = time.perf_counter()

    async def draw() -> Image:
        return image

    answer = await cache.get(image.etag, draw)
    assert answer == (image, Hit.MISS)
    return time.perf_counter() - began


async def fifty_more(cache: Images) -> list[float]:
    """What Redis costs requests one after the other, and then many at once."""
    alone = [await timed_get(cache, new_image()) for _ in range(10)]
    return alone + await asyncio.gather(*(timed_get(cache, new_image()) for _ in range(40)))


async def used_again(images: RedisImages, redis: RedisServer) -> None:
    await eventually(lambda: not images.connection.lost, what="Redis found")
    image = new_image()
    await kept(images, redis, image)
    assert await images.get(image.etag) == image


@contextmanager
def dead(redis: RedisServer) -> Iterator[None]:
    redis.kill()
    yield
    redis.start()


@contextmanager
def hanging(redis: RedisServer) -> Iterator[None]:
    redis.hang()
    yield
    redis.go_on()


@pytest.mark.parametrize("trouble", [dead, hanging])
@pytest.mark.parametrize("known", [True, False], ids=["connected", "never connected"])
async def test_a_redis_in_trouble_costs_no_request_50_ms_and_is_used_again(
    own_redis: RedisServer, trouble: object, known: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with images_at(own_redis.url) as images:
        cache = Images(max_bytes=1 << 20, shared=images)
        if known:
            await kept(images, own_redis, new_image())
            await asyncio.gather(*(images.get(new_image().etag) for _ in range(20)))  # connections to be stale
        with trouble(own_redis):  # type: ignore[operator]
            costs = await fifty_more(cache)
            assert images.connection.lost
            costs += await fifty_more(cache)
        await used_again(images, own_redis)
    print(f"worst {max(costs) * 1000:.1f} ms of {len(costs)}")
    assert max(costs) < WORST_S
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2, lines
    assert lines[0].startswith("Redis is lost, all goes on without it: ")
    assert lines[1] == "Redis is back"


async def test_many_at_once_on_a_redis_that_hangs_wait_no_longer_than_one(own_redis: RedisServer) -> None:
    async with images_at(own_redis.url) as images:
        cache = Images(max_bytes=1 << 20, shared=images)
        own_redis.hang()
        costs = await asyncio.gather(*(timed_get(cache, new_image()) for _ in range(100)))
    assert max(costs) < WORST_S


async def test_while_it_is_lost_it_is_asked_by_nobody(own_redis: RedisServer) -> None:
    async with images_at(own_redis.url) as images:
        own_redis.kill()
        for _ in range(MAX_FAILURES):
            assert not images.connection.lost
            assert await images.get("a") is None
        assert images.connection.lost
        with socket.create_server(("127.0.0.1", own_redis.port)) as listener:
            listener.setblocking(False)
            for _ in range(100):
                assert await images.get("a") is None
                images.put(new_image())
            await asyncio.sleep(0)
            with pytest.raises(BlockingIOError):
                listener.accept()


async def test_one_failure_is_not_a_loss(own_redis: RedisServer) -> None:
    async with images_at(own_redis.url) as images:
        for _ in range(2 * MAX_FAILURES):
            own_redis.hang()
            assert await images.get("a") is None
            assert not images.connection.lost
            own_redis.go_on()
            await used_again(images, own_redis)


async def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(own_redis: RedisServer) -> None:
    async with images_at(own_redis.url) as images:
        first, second = new_image(b"first"), new_image(b"second")
        await kept(images, own_redis, first)
        await kept(images, own_redis, second)
        own_redis.hang()
        assert await images.get(first.etag) is None
        own_redis.go_on()
        assert await images.get(second.etag) == second


async def test_what_is_written_is_bounded(own_redis: RedisServer) -> None:
    async with images_at(own_redis.url) as images:
        own_redis.hang()
        before = len(asyncio.all_tasks())
        for _ in range(10 * MAX_WRITES):
            images.put(new_image())
        assert len(asyncio.all_tasks()) - before == MAX_WRITES
        await eventually(lambda: images.connection.lost, what="given up")
        assert len(asyncio.all_tasks()) - before <= MAX_WRITES + 1


async def test_a_redis_that_takes_nothing_is_still_read_and_says_so_once(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with images_at(own_redis.url) as images:
        image = new_image()
        await kept(images, own_redis, image)
        own_redis.ask("CONFIG", "SET", "maxmemory", 1)
        for _ in range(2 * MAX_FAILURES):
            await asyncio.gather(*(images._write(new_image()) for _ in range(3)))
            assert await images.get(image.etag) == image
        assert not images.connection.lost
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("Redis takes no images: ")


async def test_a_wrong_password_is_a_lost_redis_and_not_in_the_log(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    own_redis.ask("CONFIG", "SET", "requirepass", "right")
    async with images_at(own_redis.url.replace("redis://", "redis://:wr0ng@")) as images:
        for _ in range(MAX_FAILURES):
            assert await images.get("a") is None
        assert images.connection.lost
    assert "invalid username-password pair" in caplog.text
    assert "wr0ng" not in caplog.text


async def test_a_password_and_a_number_of_a_database_are_kept_to(own_redis: RedisServer) -> None:
    own_redis.ask("CONFIG", "SET", "requirepass", "right")
    own_redis.url = own_redis.url.replace("redis://", "redis://:right@").replace("/0", "/3")
    async with images_at(own_redis.url) as images:
        image = new_image()
        await kept(images, own_redis, image)
        assert await images.get(image.etag) == image


async def test_something_else_at_that_address_is_a_lost_redis() -> None:
    """A server of another kind, which answers at once, but not as a Redis would."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_babble, args=[listener], daemon=True).start()
        async with images_at(f"redis://127.0.0.1:{listener.getsockname()[1]}") as images:
            for _ in range(MAX_FAILURES):
                assert await images.get("a") is None
            assert images.connection.lost
        listener.shutdown(socket.SHUT_RDWR)


def _babble(listener: socket.socket) -> None:
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    except OSError:  # the test has closed it
        return


async def test_closing_does_not_wait_for_a_redis_that_hangs(own_redis: RedisServer) -> None:
    images = RedisImages(RedisConnection(own_redis.url), ttl_s=TTL_S)
    await kept(images, own_redis, new_image())
    own_redis.hang()
    for _ in range(MAX_WRITES):
        images.put(new_image(bytes(MAX_BODY_BYTES)))
    await asyncio.sleep(0)
    began = time.perf_counter()
    await images.close()
    await images.connection.close()
    assert time.perf_counter() - began < 2


# --- before what is drawn -----------------------------------------------------------------------------------------


async def test_the_memory_comes_first_then_redis_then_the_pencil(redis: RedisServer) -> None:
    image = new_image(scannable=False, reason="why")
    drawn = 0

    async def draw() -> Image:
        nonlocal drawn
        drawn += 1
        return image

    async with images_at(redis.url) as shared:
        first, second = (Images(max_bytes=1 << 20, shared=shared) for _ in range(2))
        assert await first.get(image.etag, draw) == (image, Hit.MISS)
        await eventually(lambda: redis.ask("EXISTS", key(image)), what="an image in Redis")
        assert await second.get(image.etag, draw) == (image, Hit.SHARED)
        assert await second.get(image.etag, draw) == (image, Hit.LOCAL)
    assert drawn == 1


async def test_what_cannot_be_drawn_is_not_shared(redis: RedisServer) -> None:
    async def draw() -> Image:
        raise ValueError("too small")

    image, good = new_image(), new_image()
    async with images_at(redis.url) as shared:
        cache = Images(max_bytes=1 << 20, shared=shared)
        with pytest.raises(ValueError, match="too small"):
            await cache.get(image.etag, draw)
        await kept(shared, redis, good)
        assert not redis.ask("EXISTS", key(image))
