"""Files as a browser shows them: every pixel of PNG and SVG in Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import fastcore
from tests.fastcore.drawings import DRAWINGS, SIDE, TOUCHING
from tests.fastcore.viewers import Pixels, in_chromium, in_resvg, likeness, on_white

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

COLOURS: dict[str, tuple[str, str | None]] = {
    "grey": ("#000000", "#ffffff"),
    "coloured": ("#123456", "#fedcba"),
    "transparent": ("#800020", None),
}


def _expected(symbol: fastcore.Symbol, size_px: int, dark: str, light: str | None) -> Pixels:
    """What the modules say, at as many whole pixels each as leave a margin of four."""
    scale = size_px // (symbol.size + 8)
    before = (size_px - scale * symbol.size) // 2
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    drawn = np.kron(modules, np.ones((scale, scale), np.uint8))
    drawn = np.pad(drawn, (before, size_px - len(drawn) - before))
    colours = [[*bytes.fromhex(light[1:]), 255] if light else [0, 0, 0, 0], [*bytes.fromhex(dark[1:]), 255]]
    expected: Pixels = np.array(colours, np.uint8)[drawn]
    return expected


@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize(("version", "size_px"), [(1, 29), (3, 37), (40, 185), (3, 512), (40, 512), (7, 2000)])
def test_every_pixel_of_a_png_is_what_the_modules_say(
    browser: Chrome, version: int, size_px: int, colours: str
) -> None:
    dark, light = COLOURS[colours]
    symbol = fastcore.encode("browser", version=version)
    file = fastcore.png(symbol, size_px=size_px, dark=dark, light=light)
    pixels, size = in_chromium(browser, file, "image/png")
    assert size == (size_px, size_px)
    np.testing.assert_array_equal(pixels, _expected(symbol, size_px, dark, light))


@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize(("version", "scale"), [(1, 1), (3, 1), (40, 1), (3, 13), (40, 3)])
def test_every_pixel_of_an_svg_is_what_the_modules_say(browser: Chrome, version: int, scale: int, colours: str) -> None:
    dark, light = COLOURS[colours]
    symbol = fastcore.encode("browser", version=version)
    size_px = scale * (symbol.size + 8)
    expected = _expected(symbol, size_px, dark, light)
    pixels, size = in_chromium(browser, fastcore.svg(symbol, size_px=size_px, dark=dark, light=light), "image/svg+xml")
    assert size == (size_px, size_px)
    np.testing.assert_array_equal(pixels, expected)
    # Without a size of its own it fills its place.
    pixels, _ = in_chromium(browser, fastcore.svg(symbol, dark=dark, light=light), "image/svg+xml", size_px)
    np.testing.assert_array_equal(pixels, expected)


def test_a_damaged_png_is_refused(browser: Chrome) -> None:
    """So that the tests above say something: Chromium looks at the checksums."""
    file = bytearray(fastcore.png(fastcore.encode("browser"), size_px=512))
    file[29] ^= 1  # in the checksum of the header
    with pytest.raises(AssertionError, match="refused"):
        in_chromium(browser, bytes(file), "image/png")


def test_a_micro_symbol_is_shown_too(browser: Chrome) -> None:
    symbol = fastcore.encode("12345", version="M1")
    pixels, _ = in_chromium(browser, fastcore.png(symbol, size_px=100), "image/png")
    np.testing.assert_array_equal(pixels, _expected(symbol, 100, "#000000", "#ffffff"))


@pytest.mark.parametrize("name", DRAWINGS)
def test_an_svg_of_a_drawing_is_shown_as_resvg_shows_it(browser: Chrome, name: str) -> None:
    file = fastcore.draw_svg(DRAWINGS[name])
    pixels, size = in_chromium(browser, file, "image/svg+xml")
    assert size == (SIDE, SIDE)
    assert likeness(on_white(pixels), on_white(in_resvg(file))) > 0.99
    assert pixels[0, 0, 3] == (0 if name == "transparent ground" else 255)


@pytest.mark.parametrize("width", [61, 97, 131, 333, 701])
def test_tiles_that_touch_show_no_seam(browser: Chrome, width: int) -> None:
    for drawing in TOUCHING:
        pixels, _ = in_chromium(browser, fastcore.draw_svg(drawing), "image/svg+xml", width)
        assert on_white(pixels)[2:-2, 2:-2].max() <= 2
