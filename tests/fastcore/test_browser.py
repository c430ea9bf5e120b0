"""Files as a browser shows them: every pixel of PNG and SVG in Chromium."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

import fastcore

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

Pixels = npt.NDArray[np.uint8]

# Loads an image, draws it to a canvas of a width and hands back red, green, blue and alpha of each pixel.
DRAW = """
const [address, width, done] = arguments;
const image = new Image();
image.onerror = () => done(["refused", 0, 0]);
image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = width || image.naturalWidth;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const reader = new FileReader();
    reader.onload = () => done([reader.result.split(",")[1], image.naturalWidth, image.naturalHeight]);
    reader.readAsDataURL(new Blob([context.getImageData(0, 0, canvas.width, canvas.height).data]));
};
image.src = address;
"""

COLOURS: dict[str, tuple[str, str | None]] = {
    "grey": ("#000000", "#ffffff"),
    "coloured": ("#123456", "#fedcba"),
    "transparent": ("#800020", None),
}


def _shown(browser: Chrome, file: bytes, kind: str, width: int = 0) -> tuple[Pixels, tuple[int, int]]:
    """Pixels by row and column, and the size that the browser takes from the file."""
    address = f"data:{kind};base64,{base64.b64encode(file).decode()}"
    browser.get("about:blank")
    data, *size = browser.execute_async_script(DRAW, address, width)
    assert data != "refused"
    pixels = np.frombuffer(base64.b64decode(data), np.uint8)
    side = int((len(pixels) // 4) ** 0.5)
    return pixels.reshape(side, side, 4), (size[0], size[1])


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
    pixels, size = _shown(browser, file, "image/png")
    assert size == (size_px, size_px)
    np.testing.assert_array_equal(pixels, _expected(symbol, size_px, dark, light))


@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize(("version", "scale"), [(1, 1), (3, 1), (40, 1), (3, 13), (40, 3)])
def test_every_pixel_of_an_svg_is_what_the_modules_say(browser: Chrome, version: int, scale: int, colours: str) -> None:
    dark, light = COLOURS[colours]
    symbol = fastcore.encode("browser", version=version)
    size_px = scale * (symbol.size + 8)
    expected = _expected(symbol, size_px, dark, light)
    pixels, size = _shown(browser, fastcore.svg(symbol, size_px=size_px, dark=dark, light=light), "image/svg+xml")
    assert size == (size_px, size_px)
    np.testing.assert_array_equal(pixels, expected)
    # Without a size of its own it fills its place.
    pixels, _ = _shown(browser, fastcore.svg(symbol, dark=dark, light=light), "image/svg+xml", size_px)
    np.testing.assert_array_equal(pixels, expected)


def test_a_damaged_png_is_refused(browser: Chrome) -> None:
    """So that the tests above say something: Chromium looks at the checksums."""
    file = bytearray(fastcore.png(fastcore.encode("browser"), size_px=512))
    file[29] ^= 1  # in the checksum of the header
    with pytest.raises(AssertionError, match="refused"):
        _shown(browser, bytes(file), "image/png")


def test_a_micro_symbol_is_shown_too(browser: Chrome) -> None:
    symbol = fastcore.encode("12345", version="M1")
    pixels, _ = _shown(browser, fastcore.png(symbol, size_px=100), "image/png")
    np.testing.assert_array_equal(pixels, _expected(symbol, 100, "#000000", "#ffffff"))
