"""One design is one picture, whatever the format: what is painted here and what resvg and Chromium make of the SVG."""

from itertools import cycle
from typing import get_args

import cv2
import numpy as np
import pytest
from selenium.webdriver import Chrome

from fastcore import shape
from server.domain.colour import WHITE, Colour, Gradient, Stop
from server.domain.design import (
    Background,
    Border,
    BorderShape,
    Center,
    CenterShape,
    Design,
    Eyes,
    Frame,
    FrameStyle,
    Modules,
    ModuleShape,
    Ring,
)
from server.domain.order import ImageFormat, Order
from server.render.image import Painter
from tests.fastcore.viewers import Pixels, in_chromium, in_ghostscript, in_pdfium, in_resvg, likeness, on_white

pytestmark = pytest.mark.anyio

SIZE_PX = 1200
ALIKE = 0.98
TEXT = "https://example.com/menu"

STOPS = (Stop(0, Colour.of("#6c48e8")), Stop(0.4, Colour.of("#b0306a")), Stop(1, Colour.of("#1a0d3a")))
LINEAR = Gradient(type="linear", angle=30, stops=STOPS)
RADIAL = Gradient(type="radial", stops=STOPS)
PALE = Gradient(type="linear", angle=90, stops=(Stop(0, WHITE), Stop(1, Colour.of("#ffe9c0"))))

DESIGNS = {
    "plain": Design(),
    "plain, not a multiple of its modules": Design(margin=5),
    # Each module shape with another border and center, so that every one of them is seen.
    **{
        f"{module}, {border}, {center}": Design(
            modules=Modules(shape=module),
            eyes=Eyes(border=Border(shape=border), center=Center(shape=center), ring=ring),
        )
        for module, border, center, ring in zip(
            get_args(ModuleShape),
            cycle(get_args(BorderShape)),
            cycle(get_args(CenterShape)),
            cycle(get_args(Ring)),
            strict=False,
        )
    },
    "linear gradients": Design(
        modules=Modules(shape="liquid", color=LINEAR),
        eyes=Eyes(border=Border(shape="circle", color=RADIAL), center=Center(color=LINEAR)),
        background=Background(color=PALE),
    ),
    "radial gradient": Design(modules=Modules(shape="classy", color=RADIAL)),
    "see-through": Design(
        modules=Modules(shape="dots", color=Colour(0x40, 0, 0x80, 0xD0)),
        background=Background(color=Colour(0, 0, 0, 0)),
    ),
    **{
        f"frame {style}": Design(frame=Frame(style=style, label="Grüße"), modules=Modules(shape="rounded"))
        for style in get_args(FrameStyle)[1:]
    },
}


async def drawn(design: Design, format: ImageFormat) -> bytes:
    painter = Painter(max_pixels=100_000_000)
    try:
        order = Order(text=TEXT, design=design, format=format, size_px=SIZE_PX)
        etag = painter.etag(order)
        if painter.is_quick(order):
            return painter.draw_at_once(order, etag).body
        image = await painter.draw(order, etag)
        assert image.scannable, image.reason
        return image.body
    finally:
        painter.close()


def pixels_of(file: bytes) -> Pixels:
    """Of a PNG or WebP, on white."""
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    if pixels.ndim == 2:
        return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] == 4:
        return on_white(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA), np.uint8))
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


@pytest.mark.parametrize("name", DESIGNS)
async def test_a_png_is_what_resvg_and_chromium_make_of_the_svg(browser: Chrome, name: str) -> None:
    painted = pixels_of(await drawn(DESIGNS[name], "png"))
    svg = await drawn(DESIGNS[name], "svg")
    in_browser, size = in_chromium(browser, svg, "image/svg+xml")
    assert painted.shape == (SIZE_PX, SIZE_PX, 3)
    assert size == (SIZE_PX, SIZE_PX)
    assert likeness(painted, on_white(in_resvg(svg))) >= ALIKE
    assert likeness(painted, on_white(in_browser)) >= ALIKE


@pytest.mark.parametrize("name", ["plain", "linear gradients", "see-through", "frame botanical"])
async def test_a_pdf_an_eps_and_a_webp_show_the_same_picture(name: str) -> None:
    painted = pixels_of(await drawn(DESIGNS[name], "png"))
    assert likeness(painted, in_pdfium(await drawn(DESIGNS[name], "pdf"), SIZE_PX)) >= ALIKE
    assert likeness(painted, in_ghostscript(await drawn(DESIGNS[name], "eps"), SIZE_PX, SIZE_PX)) >= ALIKE
    assert likeness(painted, pixels_of(await drawn(DESIGNS[name], "webp"))) >= ALIKE


def test_every_shape_is_named_alike_in_the_design_and_in_the_engine() -> None:
    assert set(shape.MODULES) == set(get_args(ModuleShape))
    assert set(shape.EYE_BORDERS) == set(get_args(BorderShape))
    assert set(shape.EYE_CENTERS) == set(get_args(CenterShape))
