"""The painter: what its ETags depend on, what it admits, and how much of it it keeps."""

import asyncio
import dataclasses
import hashlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from fastcore import shape
from server.domain.colour import Colour, Gradient, Stop
from server.domain.design import (
    Background,
    Border,
    Center,
    Design,
    Eyes,
    Frame,
    Logo,
    Modules,
    Picture,
    design_of,
    plain,
)
from server.domain.errors import InvalidValue
from server.domain.order import Order
from server.render.image import DRAWING, MAX_DECODED_BYTES, MAX_PICTURE_PX, MAX_WEBP_PX, Painter, _Decoded
from server.render.pictures import MAX_PIXELS, count_pixels, decode
from server.render.pictures import Picture as Pixels

pytestmark = pytest.mark.anyio

INK, PAPER = Colour.of("#102030"), Colour.of("#ffeedd")
FADE = Gradient(type="linear", angle=30.0, stops=(Stop(0.0, INK), Stop(1.0, PAPER)))

#: A design in which every field is said, and another value of each.
WHOLE = Design(
    level="H",
    margin=5,
    modules=Modules(shape="dots", color=FADE),
    eyes=Eyes(border=Border(shape="circle", color=INK), center=Center(shape="star", color=INK), ring="match"),
    background=Background(color=PAPER, image=Picture(url="https://example.com/a", sha256="a" * 64), opacity=0.5),
    logo=Logo(
        image=Picture(url="https://example.com/b", sha256="b" * 64),
        ratio=0.3,
        clear_zone="square",
        padding=1.0,
        neon_alpha=True,
    ),
    frame=Frame(style="wave", color=INK, label="Menu", label_color=PAPER),
)
OTHER: dict[str, object] = {
    "level": "Q",
    "margin": 6,
    "modules/shape": "rounded",
    "modules/color/type": "radial",
    "modules/color/angle": 31.0,
    "modules/color/stops": (Stop(0.0, INK), Stop(0.9, PAPER)),
    "eyes/border/shape": "rounded",
    "eyes/border/color": PAPER,
    "eyes/center/shape": "cross",
    "eyes/center/color": None,
    "eyes/ring": "subtle",
    "background/color": INK,
    "background/image/sha256": "c" * 64,
    "background/opacity": 0.6,
    "logo/image/sha256": "c" * 64,
    "logo/ratio": 0.2,
    "logo/clear_zone": "none",
    "logo/padding": 1.5,
    "logo/neon_alpha": False,
    "frame/style": "topo",
    "frame/color": PAPER,
    "frame/label": "Menu!",
    "frame/label_color": INK,
}
#: What a picture does not depend on: its bytes are known by their hash.
NOWHERE_SEEN = {"background/image/url", "logo/image/url", "background/image/data", "logo/image/data"}


@pytest.fixture
def painter() -> Iterator[Painter]:
    painter = Painter(max_pixels=20_000_000)
    yield painter
    painter.close()


def leaves(value: object, path: str = "") -> Iterator[str]:
    """The paths of all fields that are not made of fields."""
    if not dataclasses.is_dataclass(value):
        yield path
        return
    for each in dataclasses.fields(value):
        yield from leaves(getattr(value, each.name), f"{path}/{each.name}".strip("/"))


def changed(value: Any, path: str, to: object) -> Any:  # noqa: ANN401 -- whatever stands at the path
    name, _, rest = path.partition("/")
    return replace(value, **{name: changed(getattr(value, name), rest, to) if rest else to})


def etag(painter: Painter, design: Design, **fields: Any) -> str:  # noqa: ANN401 -- an order's own
    return painter.etag(Order(text="Hello", design=design, **fields))


def test_every_field_of_a_design_changes_its_etag(painter: Painter) -> None:
    """Also one that is added to a design later: it has no line here, and fails."""
    assert set(leaves(WHOLE)) == set(OTHER) | NOWHERE_SEEN
    etags = {path: etag(painter, changed(WHOLE, path, other)) for path, other in OTHER.items()}
    assert len({*etags.values(), etag(painter, WHOLE)}) == len(OTHER) + 1
    for path in NOWHERE_SEEN:
        assert etag(painter, changed(WHOLE, path, None)) == etag(painter, WHOLE)


def test_every_field_of_an_order_changes_its_etag(painter: Painter) -> None:
    order = Order(text="Hello", design=WHOLE)
    others: dict[str, Any] = {"text": "hello", "design": Design(), "format": "svg", "size_px": 513, "dpi": 72.0}
    assert others.keys() == set(Order._fields)
    orders = [order, *(order._replace(**{name: other}) for name, other in others.items())]
    assert len({painter.etag(each) for each in orders}) == len(orders)


def test_shapes_that_change_raise_the_drawing() -> None:
    """Or whoever has a picture by its ETag would go on showing the shapes of before."""
    paths = [*shape.EYE_BORDERS.values(), *shape.EYE_CENTERS.values(), *map(shape.eye_ring, shape.EYE_BORDERS)]
    for module in (*shape.MODULES.values(), *shape.ALIGNMENTS.values(), *shape.LIGHT.values()):
        paths += shape.variants(module).paths
    points = [number for path in paths for number in memoryview(path.points).cast("B").cast("d")]
    digest = hashlib.sha256(" ".join(f"{round(number, 3) + 0.0}" for number in points).encode()).hexdigest()[:8]
    assert (DRAWING, digest) == (2, "63558966"), "raise DRAWING, and write down what is there now"


def test_the_order_of_fields_changes_nothing(painter: Painter) -> None:
    def shuffled(form: object) -> object:
        if not isinstance(form, dict):
            return form
        names = list(form)
        random.Random(5).shuffle(names)
        return {name: shuffled(form[name]) for name in names}

    assert etag(painter, design_of(shuffled(plain(WHOLE)))) == etag(painter, WHOLE)  # type: ignore[arg-type]


# --- pictures --------------------------------------------------------------------------------------------------------


def a_png(width: int, height: int, mode: str = "RGB") -> bytes:
    out = BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


async def test_a_picture_is_kept_as_it_was_given_unless_it_is_larger_than_of_use(painter: Painter) -> None:
    small, large = a_png(MAX_PICTURE_PX, 10), a_png(MAX_PICTURE_PX + 1, 10)
    kept = await painter.admit(small)
    assert (kept.data, kept.sha256) == (small, hashlib.sha256(small).hexdigest())
    shrunk = await painter.admit(large)
    assert shrunk.sha256 == hashlib.sha256(large).hexdigest()
    assert shrunk.data is not None
    assert shrunk.data != large
    again = decode(shrunk.data)
    assert (again.width, again.height) == (MAX_PICTURE_PX, 10)
    assert (await painter.admit(shrunk.data)).data == shrunk.data


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"GIF89a", b"BM", b"II*\0", b"<svg"]
)
async def test_what_is_no_picture_is_not_admitted_and_holds_nothing_up(painter: Painter, data: bytes) -> None:
    for _ in range(3):
        with pytest.raises(InvalidValue):
            await painter.admit(data)
    assert (await painter.admit(a_png(10, 10))).data


def test_pixels_are_counted_before_they_are_decoded() -> None:
    for name in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        out = BytesIO()
        Image.new("RGB", (300, 200)).save(out, name)
        assert count_pixels(out.getvalue()) == 60_000, name
    with pytest.raises(InvalidValue):
        count_pixels(a_png(MAX_PIXELS // 1000 + 1, 1000, "1"))


async def test_many_large_pictures_at_once_are_decoded_one_by_one() -> None:
    """24 megapixels are 300 MB while they are made smaller."""
    painter = Painter(max_pixels=100_000_000)
    data = a_png(6000, 4000, "1")
    at_once, most, lock = 0, 0, threading.Lock()
    admitted = painter._admitted

    def counted(data: bytes) -> Picture:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        try:
            return admitted(data)
        finally:
            with lock:
                at_once -= 1

    painter._admitted = counted  # type: ignore[method-assign]
    await asyncio.gather(*(painter.admit(data) for _ in range(3)))
    assert most == 1
    painter.close()


def test_decoded_pictures_are_kept_within_their_bytes_by_all_threads() -> None:
    decoded = _Decoded(1000)

    def use(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(3000):
            name = str(chance.randrange(30))
            found = decoded.get(name)
            if found is None:
                size = 4 * (1 + int(name))
                decoded.put(name, Pixels(name, 1 + int(name), 1, bytes(size)))
            else:
                assert found.sha256 == name

    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(use, seed) for seed in range(8)]:
            done.result()
    assert decoded._bytes == sum(len(each.rgba) for each in decoded._pictures.values()) <= 1000
    decoded.put("huge", Pixels("huge", 1, 300, bytes(1200)))
    assert (decoded._bytes, decoded.get("huge")) == (0, None)
    assert MAX_DECODED_BYTES >= 3 * 4 * MAX_PICTURE_PX**2, "a few of the largest"


# --- files -----------------------------------------------------------------------------------------------------------


async def test_a_webp_is_drawn_up_to_its_limit_and_refused_beyond_before_anything_is_fetched(painter: Painter) -> None:
    order = Order(text="Hello", design=Design(modules=Modules(shape="dots")), format="webp", size_px=MAX_WEBP_PX + 1)
    with pytest.raises(InvalidValue) as refusal:
        painter.check(order)
    assert (refusal.value.reason, refusal.value.field) == ("out_of_range", "size")
    with pytest.raises(InvalidValue):
        await painter.draw(order, "etag")
    image = await painter.draw(order._replace(size_px=700), "etag")
    (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(image.body)).convert("L"))
    assert (found.text, image.media_type, image.scannable) == ("Hello", "image/webp", True)


async def test_a_hundred_orders_at_once_are_all_drawn(painter: Painter) -> None:
    logo = await painter.admit(a_png(50, 50))
    designs = [Design(modules=Modules(shape="dots")), Design(level="H", logo=Logo(image=logo)), Design(margin=7)]
    orders = [Order(text=f"Table {n}", design=designs[n % 3], size_px=256, dpi=72.0) for n in range(100)]
    images = await asyncio.gather(*(painter.draw(order, str(n)) for n, order in enumerate(orders)))
    for order, image in zip(orders, images, strict=True):
        (found,) = zxingcpp.read_barcodes(Image.open(BytesIO(image.body)).convert("L"))
        assert found.text == order.text
