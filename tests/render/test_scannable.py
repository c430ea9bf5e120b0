"""Every style scans, in every format.

What is covered: all pairs of module shape, border, centre, colours, logo, ring, frame, format, length of the text and
size, by files as people get them, shown by the programs that people have, as large as they are. zxing-cpp reads
each, and so does zbar, or else OpenCV. Beside that, every module shape with every border and every centre, at five
sizes and two lengths, is read by zxing-cpp from the pixels; and each style is measured when its picture is bad, by a
smaller series of bench/scannability.py, in which chance alone moves a style by some points.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any, get_args

import cv2
import numpy as np
import pytest

import fastcore
from bench.decoders import Grey, opencv, zbar, zxing
from bench.scannability import PLAIN, STYLES, lost, measure
from fastcore.drawing import Rgba
from server.domain.design import Border, Center, Design, Eyes, Frame, FrameStyle, Modules, Ring
from server.domain.order import ImageFormat, Order
from server.render.compose import compose
from server.render.image import Painter
from tests.fastcore.viewers import in_ghostscript, in_pdfium, in_resvg
from tests.render.designs import BORDERS, CENTERS, LOGOS, LOOKS, MODULES, TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterator

Case = dict[str, Any]

FACTORS: Case = {
    "modules": MODULES,
    "border": BORDERS,
    "center": CENTERS,
    "look": tuple(LOOKS),
    "logo": tuple(LOGOS),
    "ring": get_args(Ring),
    "frame": get_args(FrameStyle),
    "format": get_args(ImageFormat),
    "version": tuple(TEXTS),
    "size": (256, 512, 1200),
}


def _possible(case: Case) -> bool:
    """Half a case may already be none."""
    version, size, frame = case.get("version"), case.get("size"), case.get("frame")
    # A long text in a small picture leaves no room for a frame, nor a higher level for a logo.
    if version == 20 and size == 256 and (frame not in (None, "none") or case.get("logo") not in (None, "none")):
        return False
    # What shows PDF and EPS files shows them on white paper.
    return not (case.get("look") == "white-on-nothing" and case.get("format") in ("pdf", "eps"))


def _all_pairs() -> Iterator[Case]:
    """Cases in which each pair of values of two factors stands, unless it is impossible; greedily found."""
    chance = random.Random(4)
    names = list(FACTORS)
    open_pairs = {
        ((one, a), (other, b))
        for one, other in itertools.combinations(names, 2)
        for a in FACTORS[one]
        for b in FACTORS[other]
        if _possible({one: a, other: b})
    }
    while open_pairs:
        # Begins with a pair that is open, and gives each other factor the value that closes most.
        case: Case = dict(min(open_pairs, key=repr))
        for name in chance.sample(names, len(names)):
            if name not in case:
                values = [value for value in FACTORS[name] if _possible({**case, name: value})]
                chance.shuffle(values)
                case[name] = max(values, key=lambda value: len(_pairs({**case, name: value}) & open_pairs))
        open_pairs -= _pairs(case)
        yield {name: case[name] for name in names}


def _pairs(case: Case) -> set[Any]:
    items = [(name, case[name]) for name in FACTORS if name in case]
    return set(itertools.combinations(items, 2))


def _name(case: Case) -> str:
    return "-".join(str(value) for value in case.values())


def _design(case: Case) -> Design:
    ink, border, center, background = LOOKS[case["look"]]
    label = "Scan me" if case["frame"] != "none" else None
    return Design(
        modules=Modules(shape=case["modules"], color=ink),
        eyes=Eyes(
            border=Border(shape=case["border"], color=border),
            center=Center(shape=case["center"], color=center),
            ring=case["ring"],
        ),
        background=background,
        logo=LOGOS[case["logo"]],
        frame=Frame(style=case["frame"], label=label),
    )


def _shown(file: bytes, format: ImageFormat, size: int, *, on: int) -> Grey:
    """The file as it is seen, where it is transparent upon grey of that value."""
    if format == "pdf":
        pixels = in_pdfium(file, size)
    elif format == "eps":
        pixels = in_ghostscript(file, size, size)
    elif format == "svg":
        pixels = in_resvg(file)
    else:
        decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
        assert decoded is not None
        if decoded.ndim == 2:
            return np.asarray(decoded, np.uint8)
        pixels = np.asarray(decoded[:, :, [2, 1, 0, *range(3, decoded.shape[2])]], np.uint8)
    if pixels.shape[2] == 4:
        alpha = pixels[:, :, 3:] / 255
        pixels = np.round(pixels[:, :, :3] * alpha + on * (1 - alpha)).astype(np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


@pytest.fixture(scope="module")
def painter() -> Iterator[Painter]:
    painter = Painter(max_pixels=50_000_000)
    yield painter
    painter.close()


@pytest.mark.parametrize("case", list(_all_pairs()), ids=_name)
def test_a_picture_is_read_by_zxing_and_another_reader(case: Case, painter: Painter) -> None:
    order = Order(text=TEXTS[case["version"]], design=_design(case), format=case["format"], size_px=case["size"])
    image = asyncio.run(painter.draw(order, ""))
    assert image.scannable, image.reason
    seen = _shown(image.body, order.format, order.size_px, on=0 if case["look"] == "white-on-nothing" else 255)
    assert seen.shape == (order.size_px, order.size_px)
    assert order.text in zxing(seen)
    assert order.text in zbar(seen) or order.text in opencv(seen)


@pytest.mark.parametrize("modules", MODULES)
def test_modules_are_read_with_all_eyes(modules: Any) -> None:  # noqa: ANN401 -- a Literal
    unread = []
    for text in (TEXTS[2], "x" * 150):
        symbol = fastcore.encode(text)
        for border, center, side in itertools.product(BORDERS, CENTERS, (200, 256, 340, 512, 700)):
            eyes = Eyes(border=Border(shape=border), center=Center(shape=center))
            drawing = compose(symbol, Design(modules=Modules(shape=modules), eyes=eyes), side)
            pixels = fastcore.paint_luminance(drawing, Rgba(255, 255, 255))
            if text not in zxing(np.frombuffer(pixels, np.uint8).reshape(side, side)):
                unread.append(f"{border} {center}, {side} px, version {symbol.version}")
    assert unread == []


@pytest.mark.parametrize("style", STYLES)
def test_a_bad_picture_of_a_style_is_read_nearly_as_often_as_one_of_plain_squares(style: str) -> None:
    readers = ("zxing-cpp",)
    read, plain = (measure(each, series=4, readers=readers) for each in (style, PLAIN))
    assert plain["zxing-cpp"] > 0.7 * plain["total"]
    assert lost(read, plain) <= 12
