"""Every style scans, in every format.

What is covered: each shape of modules with each border, each centre and each format, 6,075 pictures; among them, every
pair of those with a colour, logo, ring, frame, length of the text and size, and of these with each other. They are
files as people get them, shown by the programs that people have, as large as they are. zxing-cpp reads each, and so
does zbar, or else OpenCV, or else zbar at twice the size. Beside that, every module shape with every border and every
centre, at five sizes and two lengths, is read by zxing-cpp from the pixels, and each module shape at every scale; and
each style is measured when its picture is bad, by a smaller series of bench/scannability.py, in which chance alone
moves a style by some points.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import random
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import cv2
import numpy as np
import pytest

import fastcore
from bench.decoders import Grey, opencv, zbar, zxing
from bench.scannability import BOUND, PLAIN, STYLES, lost, measure
from fastcore.drawing import Rgba
from server.domain.design import Border, Center, Design, Eyes, Frame, FrameStyle, Modules, ModuleShape, Ring
from server.domain.order import ImageFormat, Order
from server.render.compose import compose
from server.render.image import Painter
from tests.fastcore.viewers import all_in_ghostscript, in_pdfium, in_resvg
from tests.render.designs import BORDERS, CENTERS, LOGOS, LOOKS, MODULES, TEXTS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

Case = dict[str, Any]

FORMATS: tuple[ImageFormat, ...] = get_args(ImageFormat)

#: What one test draws in all borders and centres.
PRODUCT = list(itertools.product(MODULES, FORMATS))

FACTORS: Case = {
    "modules": MODULES,
    "border": BORDERS,
    "center": CENTERS,
    "look": tuple(LOOKS),
    "logo": tuple(LOGOS),
    "ring": get_args(Ring),
    "frame": get_args(FrameStyle),
    "format": FORMATS,
    "version": tuple(TEXTS),
    "size": (256, 512, 1200),
}

#: How often a size is drawn: a large picture takes as long as twenty small ones.
OFTEN = {256: 6, 512: 6, 1200: 1}


def _possible(case: Case) -> bool:
    """Half a case may already be none."""
    version, size, frame = case.get("version"), case.get("size"), case.get("frame")
    # A long text in a small picture leaves no room for a frame, nor a higher level for a logo.
    if version == 20 and size == 256 and (frame not in (None, "none") or case.get("logo") not in (None, "none")):
        return False
    # What shows PDF and EPS files shows them on white paper.
    return not (case.get("look") == "white-on-nothing" and case.get("format") in ("pdf", "eps"))


def _cases(modules: ModuleShape, format: ImageFormat) -> Iterator[Case]:
    """Every border with every centre; what else there is by lot, the same in each run."""
    lot = random.Random(f"{modules} {format}")
    lots = FACTORS | {"size": [size for size, times in OFTEN.items() for _ in range(times)]}
    for border, center in itertools.product(BORDERS, CENTERS):
        fixed = {"modules": modules, "border": border, "center": center, "format": format}
        drawn = ({name: lot.choice(values) for name, values in lots.items()} | fixed for _ in itertools.count())
        yield next(case for case in drawn if _possible(case))


def _pairs(case: Case) -> set[Any]:
    return set(itertools.combinations(case.items(), 2))


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


def _order(case: Case) -> Order:
    return Order(text=TEXTS[case["version"]], design=_design(case), format=case["format"], size_px=case["size"])


def _on_grey(file: bytes, format: ImageFormat, size: int, grey: int) -> Grey:
    """A file as it is seen, where it is transparent upon a grey."""
    if format == "pdf":
        pixels = in_pdfium(file, size)
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
        pixels = np.round(pixels[:, :, :3] * alpha + grey * (1 - alpha)).astype(np.uint8)
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _shown(files: list[bytes], orders: list[Order], greys: list[int]) -> list[Grey]:
    if orders[0].format == "eps":  # some at a time, as they are large while they are there
        return [pixels for start in range(0, len(files), 27) for pixels in all_in_ghostscript(files[start:][:27])]
    each = zip(files, orders, greys, strict=True)
    return [_on_grey(file, order.format, order.size_px, grey) for file, order, grey in each]


def _doubled(picture: Grey) -> Grey:
    return np.asarray(cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR), np.uint8)


class Outcome(NamedTuple):
    #: Pictures that are not read as they should be, each with what is wrong.
    unread: list[str]
    #: Pictures that a second reader reads only when they are made larger, as people do who bring them nearer.
    enlarged: list[str]


def _outcome(modules: ModuleShape, format: ImageFormat) -> Outcome:
    """Of all pictures of a shape and a format."""
    cv2.setNumThreads(1)  # the other processors are taken
    cases = list(_cases(modules, format))
    orders = [_order(case) for case in cases]
    painter = Painter(max_pixels=50_000_000)
    try:
        images = [asyncio.run(painter.draw(order, "")) for order in orders]
    finally:
        painter.close()
    greys = [0 if case["look"] == "white-on-nothing" else 255 for case in cases]
    unread, enlarged = [], []
    seen = _shown([image.body for image in images], orders, greys)
    for case, order, image, pixels in zip(cases, orders, images, seen, strict=True):
        assert pixels.shape == (order.size_px, order.size_px)
        name = "-".join(map(str, case.values()))
        wrong = [image.reason] if image.reason else []
        if order.text not in zxing(pixels):
            wrong.append("zxing-cpp does not read it")
        # What zbar reads, as it nearly always does, OpenCV is not asked for, which takes three times as long.
        if order.text not in zbar(pixels) and order.text not in opencv(pixels):
            enlarged.append(name)
            if order.text not in zbar(_doubled(pixels)):
                wrong.append("neither zbar nor OpenCV reads it")
        if wrong:
            unread.append(f"{name}: {', '.join(wrong)}")
    return Outcome(unread, enlarged)


Outcomes = dict[tuple[ModuleShape, ImageFormat], Future[Outcome]]


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Outcomes]:
    """All pictures are drawn and read ahead, by as many processes as there are processors."""
    # PDFium has no threads, and a fork would take those of this process half with it.
    pool = ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn"))
    yield {pair: pool.submit(_outcome, *pair) for pair in PRODUCT}
    pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize(("modules", "format"), PRODUCT)
def test_a_picture_is_read_by_zxing_and_another_reader(
    modules: ModuleShape, format: ImageFormat, outcomes: Outcomes
) -> None:
    assert outcomes[modules, format].result().unread == []


def test_hardly_any_picture_must_be_enlarged(outcomes: Outcomes) -> None:
    enlarged = [name for outcome in outcomes.values() for name in outcome.result().enlarged]
    assert len(enlarged) <= 6, enlarged  # a thousandth


def test_every_two_values_of_two_factors_meet_in_a_picture() -> None:
    met = set().union(*(_pairs(case) for pair in PRODUCT for case in _cases(*pair)))
    missing = {
        ((one, a), (other, b))
        for one, other in itertools.combinations(FACTORS, 2)
        for a in FACTORS[one]
        for b in FACTORS[other]
        if _possible({one: a, other: b})
    } - met
    assert missing == set()


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


@pytest.mark.parametrize("modules", MODULES)
def test_modules_are_read_however_many_pixels_they_have(modules: ModuleShape) -> None:
    """Lines in a shape come out and vanish with its pixels, and with where these lie in a reader's blocks."""
    unread = []
    for text, scale, beside in itertools.product((TEXTS[2], TEXTS[8]), range(2, 19), (0, 3)):
        symbol = fastcore.encode(text)
        side = (symbol.size + 8) * scale + 2 * beside
        drawing = compose(symbol, Design(modules=Modules(shape=modules)), side)
        pixels = fastcore.paint_luminance(drawing, Rgba(255, 255, 255))
        if text not in zxing(np.frombuffer(pixels, np.uint8).reshape(side, side)):
            unread.append(f"version {symbol.version}, {scale} px, {beside} beside")
    assert unread == []


@pytest.fixture(scope="module")
def plain() -> Counter[str]:
    return measure(PLAIN, series=4, readers=BOUND)


@pytest.mark.parametrize("style", STYLES)
def test_a_bad_picture_of_a_style_is_read_nearly_as_often_as_one_of_plain_squares(
    style: str, plain: Counter[str]
) -> None:
    read = measure(style, series=4, readers=BOUND)
    for reader in BOUND:
        assert plain[reader] > 0.7 * plain["total"]
        assert lost(read, plain, reader) <= 12
