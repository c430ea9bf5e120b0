"""PNG and SVG files: exact size, exact pixels, colours."""

from __future__ import annotations

import io
import random
import re
import zlib
from xml.etree import ElementTree

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import zxingcpp
from PIL import Image
from segno.writers import write_png  # type: ignore[attr-defined]

import fastcore

Pixels = npt.NDArray[np.uint8]


def _pixels(file: bytes, mode: str = "L") -> Pixels:
    image = Image.open(io.BytesIO(file))
    assert image.format == "PNG"
    return np.asarray(image.convert(mode))


def _expected(symbol: fastcore.Symbol, size_px: int, margin: int) -> Pixels:
    scale = size_px // (symbol.size + 2 * margin)
    before = (size_px - scale * symbol.size) // 2
    after = size_px - scale * symbol.size - before
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    light = np.kron(1 - modules, np.ones((scale, scale), np.uint8))
    return np.pad(light, (before, after), constant_values=1).astype(np.uint8) * np.uint8(255)


@pytest.mark.parametrize("version", [1, 3, 11, 12, 25, 40])
@pytest.mark.parametrize("margin", [0, 2, 4])
def test_png_has_the_size_and_the_pixels(version: int, margin: int) -> None:
    symbol = fastcore.encode("x", version=version)
    for size_px in (symbol.size + 2 * margin, 256, 512, 517, 1000, 1039):
        if size_px < symbol.size + 2 * margin:
            continue
        file = fastcore.png(symbol, size_px=size_px, margin=margin)
        expected = _expected(symbol, size_px, margin)
        np.testing.assert_array_equal(_pixels(file), expected)
        np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE), expected)


def test_png_scale() -> None:
    symbol = fastcore.encode("scale")
    assert _pixels(fastcore.png(symbol)).shape == (29 * 8, 29 * 8)
    assert _pixels(fastcore.png(symbol, scale=3, margin=1)).shape == (23 * 3, 23 * 3)
    np.testing.assert_array_equal(_pixels(fastcore.png(symbol, scale=5)), _expected(symbol, 29 * 5, 4))


def test_png_is_read_by_a_decoder() -> None:
    file = fastcore.png(fastcore.encode("https://example.com/a"), size_px=512)
    (found,) = zxingcpp.read_barcodes(_pixels(file))
    assert found.text == "https://example.com/a"


def test_png_colours() -> None:
    symbol = fastcore.encode("colour")
    pixels = _pixels(fastcore.png(symbol, scale=1, margin=0, dark="#123", light="#abcdef"), "RGBA")
    dark = np.frombuffer(symbol.modules, np.uint8).reshape(21, 21) == 1
    assert {tuple(pixel) for pixel in pixels[dark].tolist()} == {(0x11, 0x22, 0x33, 255)}
    assert {tuple(pixel) for pixel in pixels[~dark].tolist()} == {(0xAB, 0xCD, 0xEF, 255)}


def test_png_transparent() -> None:
    symbol = fastcore.encode("colour")
    pixels = _pixels(fastcore.png(symbol, scale=1, margin=0, light=None), "RGBA")
    dark = np.frombuffer(symbol.modules, np.uint8).reshape(21, 21) == 1
    assert {tuple(pixel) for pixel in pixels[dark].tolist()} == {(0, 0, 0, 255)}
    assert {pixel[3] for pixel in pixels[~dark].tolist()} == {0}


@pytest.mark.parametrize("light", ["#ffffff", None])
@pytest.mark.parametrize("version", [1, 2, 11, 12, 28, 40])
def test_png_of_every_scale_and_margin_is_right(version: int, light: str | None) -> None:
    """Several modules in a byte or several bytes in a module, edges within bytes or between them."""
    symbol = fastcore.encode("scale", version=version)
    for scale in (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16):
        for margin in (0, 1, 5, 61):
            side = scale * (symbol.size + 2 * margin)
            pixels = _pixels(fastcore.png(symbol, scale=scale, margin=margin, light=light), "LA")
            expected = _expected(symbol, side, margin)
            np.testing.assert_array_equal(pixels[..., 0] & pixels[..., 1], expected & pixels[..., 1])
            np.testing.assert_array_equal(pixels[..., 1], 255 if light else 255 - expected)


SVG = "{http://www.w3.org/2000/svg}"


def _rasterise(path: str, side: int) -> Pixels:
    """Fill the rectangles of a path made of "Mx yhwv1Hxz" pieces, one pixel per unit."""
    pixels = np.zeros((side, side), np.uint8)
    pieces = re.findall(r"M(\d+) (\d+)h(\d+)v1H(\d+)z", path)
    assert "".join("M{} {}h{}v1H{}z".format(*piece) for piece in pieces) == path
    for x, y, width, back in (map(int, piece) for piece in pieces):
        assert back == x
        pixels[y, x : x + width] += 1
    return pixels


@pytest.mark.parametrize("version", [1, 11, 12, 40])
@pytest.mark.parametrize("margin", [0, 4, 100])
def test_svg_draws_each_dark_module_once(version: int, margin: int) -> None:
    symbol = fastcore.encode("svg", version=version)
    side = symbol.size + 2 * margin
    root = ElementTree.fromstring(fastcore.svg(symbol, margin=margin))
    assert root.get("viewBox") == f"0 0 {side} {side}"
    assert root.get("shape-rendering") == "crispEdges"
    assert "width" not in root.attrib
    ground, path = root.findall(f"{SVG}path")
    assert ground.attrib == {"fill": "#ffffff", "d": f"M0 0h{side}v{side}H0z"}
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    np.testing.assert_array_equal(_rasterise(path.attrib["d"], side), np.pad(modules, margin))


def test_svg_size_and_colours() -> None:
    root = ElementTree.fromstring(fastcore.svg(fastcore.encode("svg"), size_px=300, dark="#abc", light=None))
    assert (root.get("width"), root.get("height")) == ("300", "300")
    (path,) = root.findall(f"{SVG}path")
    assert path.get("fill") == "#aabbcc"
    with pytest.raises(fastcore.IllegalSize):
        fastcore.svg(fastcore.encode("svg"), size_px=0)


@pytest.mark.parametrize(("version", "size_px"), [(1, 21), (2, 3351), (7, 3352), (3, 3353), (40, 5000), (3, 9000)])
def test_png_of_every_width_is_right(version: int, size_px: int) -> None:
    symbol = fastcore.encode("wide", version=version)
    margin = 0 if size_px == symbol.size else 4
    file = fastcore.png(symbol, size_px=size_px, margin=margin)
    np.testing.assert_array_equal(_pixels(file), _expected(symbol, size_px, margin))


@pytest.mark.parametrize("text", ["", "1", "12345"])
@pytest.mark.parametrize("version", ["M1", "M2", "M3", "M4"])
def test_png_of_a_micro_symbol_of_any_width_is_right(version: str, text: str) -> None:
    symbol = fastcore.encode(text, version=version)
    for size_px in range(symbol.size, 120):
        for light in ("#ffffff", "#00ff00"):  # grey, and a palette
            file = fastcore.png(symbol, size_px=size_px, margin=0, light=light)
            dark = _pixels(file) == 0
            np.testing.assert_array_equal(dark, _expected(symbol, size_px, 0) == 0)


def test_png_of_a_large_symbol_in_wide_margins_is_right() -> None:
    """A match here once had a distance that none can have, and was counted outside the table of distances."""
    symbol = fastcore.encode("qr/a", version=40)
    file = fastcore.png(symbol, margin=1000, scale=5)
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_GRAYSCALE)  # too large for Pillow's taste
    np.testing.assert_array_equal(pixels, _expected(symbol, 5 * (symbol.size + 2 * 1000), 1000))


def _chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Types and data of a PNG file, its checksums checked."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    chunks = []
    at = 8
    while at < len(file):
        length = int.from_bytes(file[at : at + 4])
        kind, data = file[at + 4 : at + 8], file[at + 8 : at + 8 + length]
        assert int.from_bytes(file[at + 8 + length : at + 12 + length]) == zlib.crc32(kind + data)
        chunks.append((kind, data))
        at += 12 + length
    return chunks


@pytest.mark.parametrize(("version", "size_px"), [(3, 481), (3, 512), (7, 600), (10, 1000), (25, 1000), (40, 1024)])
def test_png_is_as_small_as_a_searching_compressor_makes_it(version: int, size_px: int) -> None:
    """Within 5 % of zlib at its highest level on the same rows; zlib also checks the stream."""
    file = fastcore.png(fastcore.encode("https://example.com/abc/defgh?i=12345", version=version), size_px=size_px)
    chunks = dict(_chunks(file))
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    image = zlib.decompress(chunks[b"IDAT"])
    assert len(image) == size_px * (1 + (size_px + 7) // 8)
    assert len(chunks[b"IDAT"]) <= 1.05 * len(zlib.compress(image, 9))


def _file_of_segno(symbol: fastcore.Symbol, scale: int, margin: int = 4) -> bytes:
    """Segno's file of the very same modules; it compresses with zlib at its highest level."""
    size = symbol.size
    rows = tuple(bytearray(symbol.modules[at : at + size]) for at in range(0, size * size, size))
    out = io.BytesIO()
    write_png(rows, (size, size), out, scale=scale, border=margin)
    return out.getvalue()


@pytest.mark.parametrize("version", [1, 3, 5, 7, 10, 12, 18, 20, 25, 28, 35, 40])
@pytest.mark.parametrize("text", ["qr/a", "https://example.com/abc/defgh?i=12345", "full"])
def test_png_is_as_small_as_segno_makes_it(version: int, text: str) -> None:
    """Within 5 % of the same picture, whether the symbol is full of text, or mostly or nearly all of padding."""
    if version == 1 and text != "full":
        text = text[-12:]
    if text == "full":
        free = fastcore.encode("x", version=version, level="M").bits_free // 8
        text = "".join(chr(97 + i * i * 31 % 1009 % 26) for i in range(free))
    symbol = fastcore.encode(text, version=version, level="M")
    for scale in (1, 2, 3, 4, 5, 6, 7, 8, 10, 13, 16, 17, 20, 50):
        if version * scale > 800:  # segno takes seconds
            continue
        file = fastcore.png(symbol, scale=scale)
        theirs = _file_of_segno(symbol, scale)
        assert len(file) <= 1.05 * len(theirs), scale
        np.testing.assert_array_equal(_pixels(file), _pixels(theirs))


def _drawn_text(rng: random.Random, most: int) -> str | bytes:
    """Up to so many bytes of one kind; short ones leave a symbol full of padding."""
    count = rng.randint(1, most)
    kinds: list[str | bytes] = [
        rng.randbytes(count),
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=count)),
        "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 $%*+-./:", k=count)),
        "".join(rng.choices("0123456789", k=count)),
        ("lorem ipsum dolor sit amet " * most)[:count],
        "abc123/"[:count],
    ]
    return rng.choice(kinds)


@pytest.mark.parametrize("seed", range(40))
def test_png_of_any_symbol_is_as_small_as_segno_makes_it(seed: int) -> None:
    """The same for what nobody has tuned: texts, levels, scales and margins drawn by lot, ten for each seed."""
    rng = random.Random(seed)
    for _ in range(10):
        version = rng.randint(1, 40)
        level = rng.choice("LMQH")
        scale = rng.randint(2, 7 if version > 12 else 40)
        margin = rng.randint(0, 10)
        symbol = fastcore.encode("1", version=version, level=level)
        symbol = fastcore.encode(_drawn_text(rng, symbol.bits_free // 8 - 1), version=version, level=level)
        theirs = _file_of_segno(symbol, scale, margin)
        assert len(fastcore.png(symbol, scale=scale, margin=margin)) <= 1.05 * len(theirs), (symbol, scale, margin)
