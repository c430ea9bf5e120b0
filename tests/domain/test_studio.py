"""The studio: pictures that designs name, and when they are fetched, kept and let go."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from PIL import Image

from server.domain.colour import Colour
from server.domain.content import Text
from server.domain.design import Background, Design, Logo, Modules, Picture
from server.domain.destination import Destination
from server.domain.errors import BadPicture, Busy, InvalidValue, StorageUnavailable, Unscannable
from server.domain.model import AccountId, Hit, LinkId
from server.domain.order import Order
from server.domain.studio import Studio
from server.edge.image_cache import Images
from server.outbound import Outbound
from server.render.fetched import FRESH, MAX_FETCHED_BYTES, MAX_FETCHING, MAX_WAITING, Fetched
from server.render.image import Painter
from tests.domain.conftest import Desk
from tests.support import eventually

pytestmark = pytest.mark.anyio

ACCOUNT = AccountId(1)


def a_picture(color: str = "#c01e1e", size: int = 40) -> bytes:
    out = BytesIO()
    Image.new("RGB", (size, size), color).save(out, "PNG")
    return out.getvalue()


RED = a_picture()


@dataclass
class Shelf:
    """`PictureStore`, in a dict, which may be gone."""

    pictures: dict[tuple[AccountId, str], bytes] = field(default_factory=dict)
    gone: bool = False

    async def get(self, account: AccountId, sha256: str) -> bytes | None:
        if self.gone:
            raise StorageUnavailable
        return self.pictures.get((account, sha256))


@dataclass
class World:
    """What is at which address; what was asked for, and how late it is."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    now: datetime = datetime(2026, 11, 21, tzinfo=UTC)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    together: int = 0
    most: int = 0

    async def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        self.together += 1
        self.most = max(self.most, self.together)
        try:
            await self.closed.wait()
            if url not in self.pages:
                raise InvalidValue("http_status", f"could not fetch {url}: answered 404")
            return self.pages[url]
        finally:
            self.together -= 1


@pytest.fixture
def world() -> World:
    world = World()
    world.closed.set()
    return world


@pytest.fixture
def painter() -> Iterator[Painter]:
    painter = Painter(max_pixels=20_000_000)
    yield painter
    painter.close()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def studio(world: World, shelf: Shelf, painter: Painter) -> Studio:
    return Studio(
        painter,
        Images(max_bytes=1 << 20, shared=None),
        shelf,
        fetched=Fetched(painter, world.fetch, lambda: world.now).get,
    )


def with_logo(**fields: object) -> Design:
    return Design(level="H", logo=Logo(image=Picture(**fields)))  # type: ignore[arg-type]


URL = "https://example.com/logo.png"


async def test_a_picture_by_its_address_is_fetched_once_in_a_while(studio: Studio, world: World) -> None:
    world.pages[URL] = RED
    design = await studio.complete(with_logo(url=URL), ACCOUNT)
    assert design.pictures == {"logo/image": Picture(url=URL, sha256=hashlib.sha256(RED).hexdigest())}
    assert design.pictures["logo/image"].data == RED
    world.now += FRESH - timedelta(seconds=1)
    assert await studio.complete(with_logo(url=URL), ACCOUNT) == design
    assert await studio.complete(design, ACCOUNT) is design
    assert world.asked == [URL]
    world.now += timedelta(seconds=1)
    world.pages[URL] = a_picture("#1e1ec0")
    assert await studio.complete(with_logo(url=URL), ACCOUNT) != design
    assert world.asked == [URL, URL]


async def test_it_is_fetched_once_however_many_ask_and_whoever_goes_away(studio: Studio, world: World) -> None:
    world.pages[URL] = RED
    world.closed.clear()
    asking = [asyncio.create_task(studio.complete(with_logo(url=URL), ACCOUNT)) for _ in range(20)]
    await eventually(lambda: world.asked, what="a fetch")
    asking[0].cancel()
    await asyncio.gather(asking[0], return_exceptions=True)
    world.closed.set()
    assert len({(await each).pictures["logo/image"].sha256 for each in asking[1:]}) == 1
    assert world.asked == [URL]


async def test_what_cannot_be_fetched_is_told_at_its_field_and_asked_for_again(studio: Studio, world: World) -> None:
    for design, place in (
        (with_logo(url=URL), "logo/image/url"),
        (Design(background=Background(image=Picture(url=URL))), "background/image/url"),
    ):
        with pytest.raises(BadPicture) as refusal:
            await studio.complete(design, ACCOUNT)
        assert (refusal.value.reason, refusal.value.field) == ("http_status", place)
    world.pages[URL] = b"<html>"
    with pytest.raises(BadPicture):
        await studio.complete(with_logo(url=URL), ACCOUNT)
    world.pages[URL] = RED
    await studio.complete(with_logo(url=URL), ACCOUNT)


async def test_only_so_many_are_fetched_at_a_time_and_only_so_many_wait(studio: Studio, world: World) -> None:
    world.closed.clear()
    urls = [f"https://example.com/{number}.png" for number in range(MAX_FETCHING + MAX_WAITING)]
    world.pages = dict.fromkeys(urls, RED)
    asking = [asyncio.create_task(studio.complete(with_logo(url=url), ACCOUNT)) for url in urls]
    await eventually(lambda: len(world.asked) == MAX_FETCHING, what="fetches")
    with pytest.raises(Busy):
        await studio.complete(with_logo(url="https://example.com/more.png"), ACCOUNT)
    world.closed.set()
    await asyncio.gather(*asking)
    assert (len(world.asked), world.most) == (len(urls), MAX_FETCHING)


async def test_what_was_fetched_takes_no_more_memory_than_it_may(painter: Painter, world: World) -> None:
    large = RED + bytes(5 * 1_000_000)  # what stands behind a PNG's end is no part of it
    fetched = Fetched(painter, world.fetch, lambda: world.now)
    for number in range(10):
        world.pages[f"{URL}?{number}"] = large
        await fetched.get(f"{URL}?{number}")
        assert fetched.size_bytes <= MAX_FETCHED_BYTES
    assert fetched.size_bytes == MAX_FETCHED_BYTES // len(large) * len(large)
    await fetched.get(f"{URL}?9")
    assert len(world.asked) == 10
    await fetched.get(f"{URL}?0")
    assert len(world.asked) == 11
    world.now += FRESH
    with pytest.raises(InvalidValue):
        await fetched.get("https://example.com/none")
    assert fetched.size_bytes == 0


async def test_a_stored_picture_is_its_accounts_alone_and_needs_no_fetch(
    studio: Studio, world: World, shelf: Shelf
) -> None:
    sha256 = hashlib.sha256(RED).hexdigest()
    shelf.pictures[ACCOUNT, sha256] = RED
    as_answered = with_logo(url=URL, sha256=sha256)
    assert (await studio.complete(as_answered, ACCOUNT)) == as_answered
    assert world.asked == []
    with pytest.raises(BadPicture) as refusal:
        await studio.complete(with_logo(sha256=sha256), AccountId(2))
    assert (refusal.value.reason, refusal.value.field) == ("unknown_picture", "logo/image/sha256")
    # With its address, too, it is had from there.
    world.pages[URL] = RED
    assert (await studio.complete(as_answered, AccountId(2))).pictures["logo/image"].data == RED
    assert world.asked == [URL]


async def test_without_the_store_only_what_needs_it_fails(studio: Studio, shelf: Shelf) -> None:
    shelf.gone = True
    order = Order(text="Hello", design=Design(modules=Modules(shape="dots")))
    image, hit = await studio.show(order, ACCOUNT).draw()
    assert (image.media_type, hit) == ("image/png", Hit.MISS)
    with_data = await studio.complete(with_logo(data=RED), ACCOUNT)
    await studio.show(order._replace(design=with_data), ACCOUNT).draw()
    with pytest.raises(StorageUnavailable):
        await studio.complete(with_logo(sha256="0" * 64), ACCOUNT)
    stored = order._replace(design=with_logo(sha256="0" * 64))
    with pytest.raises(StorageUnavailable):
        await studio.show(stored, ACCOUNT).draw()


async def test_an_etag_needs_no_drawing_and_an_unscannable_picture_no_second_proof(studio: Studio) -> None:
    pale = Order(text="Hello", design=Design(modules=Modules(shape="dots", color=Colour.of("#eeeeee"))))
    shown = studio.show(pale, ACCOUNT)
    assert len(shown.etag) == 32
    with pytest.raises(Unscannable):
        await shown.draw()
    image, hit = await studio.show(pale, ACCOUNT, allow_unscannable=True).draw()
    assert (image.scannable, hit) == (False, Hit.LOCAL)
    assert image.reason


# --- what is refused is not fetched for -----------------------------------------------------------------------------


async def test_nothing_is_fetched_for_what_cannot_be_drawn_anyway(desk: Desk) -> None:
    """The desk's address book is empty: whoever asks it fails otherwise than a text that is too long does."""
    design = Design(level="H", logo=Logo(image=Picture(url=URL)))
    with pytest.raises(InvalidValue) as refusal:
        await desk.codes.create(desk.account, Text("x" * 2000), name=None, design=design)
    assert (refusal.value.reason, refusal.value.field) == ("too_long", "content/text")
    code = await desk.codes.create(desk.account, Text("Hello"), name=None, design=Design())
    with pytest.raises(InvalidValue) as refusal:
        await desk.codes.change(desk.account, code.id, {"content": Text("x" * 2000), "design": design})
    assert refusal.value.field == "content/text"
    with pytest.raises(Exception, match="There is no link"):
        await desk.codes.create(desk.account, LinkId(5), name=None, design=design)
    with pytest.raises(NotImplementedError):
        await desk.codes.create(desk.account, Destination("https://example.com/"), name=None, design=design)


# --- over a real socket ----------------------------------------------------------------------------------------------


@asynccontextmanager
async def served(body: bytes) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/logo"


async def test_a_picture_comes_over_a_real_socket(shelf: Shelf, painter: Painter) -> None:
    async with served(RED) as url:
        port = int(url.split(":")[2].split("/")[0])
        outbound = Outbound(http=True, allowed=[("127.0.0.1", port)])
        fetch: Callable[[str], Awaitable[bytes]] = outbound.fetch
        images = Images(max_bytes=1 << 20, shared=None)
        studio = Studio(painter, images, shelf, fetched=Fetched(painter, fetch, lambda: datetime.now(UTC)).get)
        design = await studio.complete(with_logo(url=url), ACCOUNT)
        assert design.pictures["logo/image"].data == RED
        with pytest.raises(BadPicture) as refusal:
            await studio.complete(with_logo(url=url.replace(str(port), "1")), ACCOUNT)
        assert (refusal.value.reason, refusal.value.field) == ("private_address", "logo/image/url")
        outbound.close()
