"""Logos and photos: what is read comes out as it was meant, and what is hostile or broken is refused whole."""

import base64
import hashlib
import os
import random
import struct
import tempfile
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from server.domain.errors import InvalidValue
from server.render.pictures import MAX_PIXELS, Picture, decode

RED, GREEN, BLUE = (200, 30, 30), (30, 200, 30), (30, 30, 200)

#: format -> how PIL writes it, and how far a colour may be off.
RASTERS: dict[str, tuple[str, dict[str, object], int]] = {
    "png": ("PNG", {}, 0),
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 0}, 6),
    "progressive": ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 6),
    "webp": ("WEBP", {"quality": 95}, 12),
    "lossless": ("WEBP", {"lossless": True}, 0),
    "gif": ("GIF", {}, 0),
    "bmp": ("BMP", {}, 0),
    "tiff": ("TIFF", {}, 0),
    "tiff-lzw": ("TIFF", {"compression": "tiff_lzw"}, 0),
    "tiff-jpeg": ("TIFF", {"compression": "jpeg"}, 12),
}


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No file, no descriptor, no child, after each test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    descriptors = len(os.listdir("/proc/self/fd"))
    yield
    assert list(tmp_path.iterdir()) == []
    assert len(os.listdir("/proc/self/fd")) <= descriptors
    assert _children() == []


def _children() -> list[str]:
    """The children of this process that draw SVG: what is behind the name in proc_pid_stat(5) is state and parent."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and b"rasterizer.py" in (folder / "cmdline").read_bytes():
                found.append(folder.name)
    return found


def written(image: Image.Image, format: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def thirds(width: int = 96, height: int = 48) -> Image.Image:
    """Red, green and blue from left to right, with a white line on top, so that every turn of it is another picture."""
    image = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(image)
    for number, colour in enumerate((RED, GREEN, BLUE)):
        draw.rectangle((number * width // 3, 0, (number + 1) * width // 3 - 1, height), fill=colour)
    draw.rectangle((0, 0, width, height // 4), fill=(255, 255, 255))
    return image


def noise(width: int = 160, height: int = 120) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(1).randbytes(width * height * 3))


def colour(picture: Picture, x: float, y: float) -> tuple[int, ...]:
    """At a place in it, from 0 to 1."""
    at = (int(y * picture.height) * picture.width + int(x * picture.width)) * 4
    return tuple(picture.rgba[at : at + 4])


def is_near(given: tuple[int, ...], wanted: tuple[int, ...], by: int) -> bool:
    return all(abs(a - b) <= by for a, b in zip(given, wanted, strict=True))


def refused(data: bytes, **options: int) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        decode(data, **options)
    assert caught.value.field is None
    assert caught.value.detail.endswith(".")
    return caught.value


# --- pictures that are read ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RASTERS)
def test_a_raster_picture_is_read(name: str) -> None:
    kind, options, by = RASTERS[name]
    data = written(thirds(), kind, **options)
    picture = decode(data)
    assert (picture.width, picture.height, len(picture.rgba)) == (96, 48, 96 * 48 * 4)
    assert picture.sha256 == hashlib.sha256(data).hexdigest()
    for x, wanted in ((0.17, RED), (0.5, GREEN), (0.83, BLUE)):
        assert is_near(colour(picture, x, 0.7), (*wanted, 255), by), colour(picture, x, 0.7)
    assert picture.is_opaque


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF", "GIF"])
def test_transparency_is_kept(format: str) -> None:
    image = thirds().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 32, 48))
    picture = decode(written(image, format, **({"lossless": True} if format == "WEBP" else {})))
    assert colour(picture, 0.17, 0.7)[3] == 0
    assert colour(picture, 0.5, 0.7) == (*GREEN, 255)
    assert not picture.is_opaque


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_picture_is_put_upright(format: str, orientation: int) -> None:
    """Where the red third and the white line are after turning (CIPA DC-008, 4.6.5.1.7)."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(written(thirds(), format, exif=exif))
    red, white = {
        1: ((0.1, 0.5), (0.5, 0.1)),
        2: ((0.9, 0.5), (0.5, 0.1)),
        3: ((0.9, 0.5), (0.5, 0.9)),
        4: ((0.1, 0.5), (0.5, 0.9)),
        5: ((0.5, 0.1), (0.1, 0.5)),
        6: ((0.5, 0.1), (0.9, 0.5)),
        7: ((0.5, 0.9), (0.9, 0.5)),
        8: ((0.5, 0.9), (0.1, 0.5)),
    }[orientation]
    assert (picture.width, picture.height) == ((96, 48) if orientation <= 4 else (48, 96))
    assert is_near(colour(picture, *red), (*RED, 255), 25)
    assert is_near(colour(picture, *white), (255, 255, 255, 255), 25)


@pytest.mark.parametrize(
    ("image", "format", "wanted"),
    [
        (Image.new("1", (4, 4), 1), "PNG", (255, 255, 255, 255)),
        (Image.new("L", (4, 4), 100), "PNG", (100, 100, 100, 255)),
        (Image.new("LA", (4, 4), (100, 50)), "PNG", (100, 100, 100, 50)),
        (Image.new("I;16", (4, 4), 100 * 257), "PNG", (100, 100, 100, 255)),
        (Image.new("I;16", (4, 4), 100 * 257), "TIFF", (100, 100, 100, 255)),
        (Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF", (255, 0, 0, 255)),
        (Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG", (254, 0, 0, 255)),
        (Image.new("L", (16, 16), 100), "JPEG", (100, 100, 100, 255)),
        (Image.new("RGB", (4, 4), RED).quantize(), "PNG", (*RED, 255)),
    ],
    ids=lambda given: given.mode if isinstance(given, Image.Image) else None,
)
def test_whatever_its_pixels_are_they_become_rgba(image: Image.Image, format: str, wanted: tuple[int, ...]) -> None:
    assert is_near(colour(decode(written(image, format)), 0.5, 0.5), wanted, 1)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_that_are_no_colours_are_refused(mode: str) -> None:
    assert refused(written(Image.new(mode, (4, 4)), "TIFF")).reason == "unsupported_pixels"


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_frame_is_read(format: str) -> None:
    frames = [Image.new("RGB", (16, 16), each) for each in (RED, GREEN, BLUE)]
    data = written(frames[0], format, save_all=True, append_images=frames[1:], lossless=True)
    assert colour(decode(data), 0.5, 0.5) == (*RED, 255)


def test_a_gif_of_many_frames_is_not_decoded_beyond_its_first() -> None:
    data = written(noise(200, 200), "GIF")
    first_frame = 13 + (6 << (data[10] & 7))  # behind the header and the colours for all frames (GIF89a, 18 and 19)
    data = data[:first_frame] + data[first_frame:-1] * 300 + data[-1:]
    began = time.process_time()
    decode(data)
    assert time.process_time() - began < 1


def test_many_threads_may_read_at_once() -> None:
    data = [written(thirds(300 + number, 200), "PNG") for number in range(16)]
    with ThreadPoolExecutor(8) as threads:
        assert [picture.width for picture in threads.map(decode, data)] == list(range(300, 316))


# --- pictures that are refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RASTERS)
@pytest.mark.parametrize("share", [0.02, 0.25, 0.5, 0.9, 0.99])
def test_a_picture_that_ends_too_early_is_refused(name: str, share: float) -> None:
    kind, options, _ = RASTERS[name]
    data = written(noise(), kind, **options)
    assert refused(data[: int(len(data) * share)]).reason == "broken_image"


@pytest.mark.parametrize(
    "data",
    [
        *[b"", b"\0" * 100, b"GIF", b"hello", b"%PDF-1.7", b"\x1f\x8b\x08\0svgz", b"RIFF\0\0\0\0WAVE"],
        *[b"\0\0\0\x1cftypavif", b"\0\0\x01\0\x01\0", b"P6 1 1 255 abc", b"8BPS"],
    ],
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    assert refused(data).reason == "unknown_image"


def test_a_page_of_html_is_no_picture() -> None:
    assert refused(b"<html><body>logo.png</body></html>").reason == "unknown_image"
    assert refused(b"<!DOCTYPE html><html><br></html>").reason in ("unknown_image", "broken_image")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *between: bytes, rows: bytes = b"") -> bytes:
    """A grey PNG with chunks of our own in front of its pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(between) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_pixels_are_counted_before_they_are_decoded() -> None:
    side = 30_000
    bomb = png(side, side, rows=bytes(1 << 20))
    began = time.process_time()
    error = refused(bomb)
    assert time.process_time() - began < 1
    assert error.reason == "too_many_pixels"
    assert error.detail == "The picture has 30,000 x 30,000 pixels; at most 24 million are drawn."


def test_as_many_pixels_as_allowed_are_decoded() -> None:
    picture = decode(png(6000, MAX_PIXELS // 6000, rows=bytes(6001) * (MAX_PIXELS // 6000)))
    assert picture.width * picture.height == MAX_PIXELS
    assert refused(png(6000, MAX_PIXELS // 6000 + 1)).reason == "too_many_pixels"


VP8X = struct.pack("<4sI", b"VP8X", 10) + b"\0\0\0\0" + (16_000).to_bytes(3, "little") * 2
VP8L = struct.pack("<4sI", b"VP8L", 20) + b"\x2f" + struct.pack("<I", 16_000 | 16_000 << 14) + bytes(15)
VP8 = struct.pack("<4sI", b"VP8 ", 20) + b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 16_000, 16_000) + bytes(10)
# A grey TIFF of 8 x 8 pixels in one tile that is far larger (TIFF 6.0, sections 2 and 15).
TAGS = [(256, 8), (257, 8), (258, 8), (259, 8), (262, 1), (277, 1), (322, 60_000), (323, 60_000), (324, 8), (325, 8)]
TILED = b"II*\0\x10\0\0\0" + zlib.compress(b"")[:8].ljust(8, b"\0") + struct.pack("<H", len(TAGS))
TILED += b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in TAGS) + bytes(4)


@pytest.mark.parametrize(
    "data",
    [
        *[b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body for body in (VP8X, VP8L, VP8)],
        b"GIF89a" + struct.pack("<HHBBB", 60_000, 60_000, 0, 0, 0) + b"\x2c" + bytes(8) + b"\0\x02\0;",
        written(Image.new("1", (8, 8)), "BMP").replace(struct.pack("<ii", 8, 8), struct.pack("<ii", 60_000, 60_000)),
        TILED,
    ],
    ids=["vp8x", "vp8l", "vp8", "gif", "bmp", "tiff-tiles"],
)
def test_in_every_format_pixels_are_counted_first(data: bytes) -> None:
    assert refused(data).reason == "too_many_pixels"


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
def test_what_a_png_has_beside_its_pixels_is_not_inflated_without_end(kind: bytes) -> None:
    inflated = zlib.compress(bytes(100 << 20), 9)
    between = {
        b"zTXt": b"a\0\0" + inflated,
        b"iTXt": b"a\0\x01\0\0\0" + inflated,
        b"iCCP": b"a\0\0" + inflated,
    }[kind]
    began = time.process_time()
    with suppress(InvalidValue):
        assert decode(png(1, 1, chunk(kind, between), rows=b"\0\x55")).rgba == b"\x55\x55\x55\xff"
    assert time.process_time() - began < 1


def test_a_png_with_a_wrong_checksum_is_refused() -> None:
    data = bytearray(written(thirds(), "PNG"))
    data[-20] ^= 1  # in the last bytes of the pixels, or their checksum
    assert refused(bytes(data)).reason == "broken_image"


def test_a_broken_jpeg_is_refused() -> None:
    assert refused(b"\xff\xd8\xff\xe0" + random.Random(2).randbytes(5000)).reason == "broken_image"


def test_a_jpeg_of_scans_without_end_is_refused() -> None:
    data = written(noise(), "JPEG", progressive=True)
    scan = data.index(b"\xff\xda")
    assert refused(data[:scan] + data[scan : scan + 14] * 5000 + data[scan:]).reason == "too_complex"


# --- SVG ----------------------------------------------------------------------------------------------------------


def svg(inside: str, attributes: str = "", before: str = "") -> bytes:
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    return f'{before}<svg {names} viewBox="0 0 96 48" {attributes}>{inside}</svg>'.encode()


EMBEDDED = base64.b64encode(written(Image.new("RGB", (4, 4), GREEN), "PNG")).decode()
DRAWING = (
    '<style>.a{fill:rgb(200,30,30)} .b&gt;rect{fill:url(#g)}</style><linearGradient id="g"><stop stop-color="#1ec81e"/>'
    '</linearGradient><rect class="a" width="32" height="48"/><g class="b"><rect x="32" width="32" height="48"/></g>'
    f'<image xlink:href="data:image/png;base64,{EMBEDDED}" x="64" width="32" height="48" preserveAspectRatio="none"/>'
)


@pytest.mark.parametrize(
    "data",
    [
        svg(DRAWING),
        b"\xef\xbb\xbf  " + svg(DRAWING),
        svg(DRAWING, before='<?xml version="1.0" encoding="utf-8"?>\n<!-- made by hand -->'),
        svg(
            DRAWING,
            before='<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">',
        ),
        svg(DRAWING, 'width="1000000" height="1"').decode().replace('width="1000000" height="1"', "").encode("utf-16"),
        svg(DRAWING)
        .replace(b"<style>", b"<style><![CDATA[")
        .replace(b"&gt;", b">")
        .replace(b"</style>", b"]]></style>"),
    ],
    ids=["plain", "bom", "declared", "doctype", "utf-16", "cdata"],
)
def test_an_svg_is_drawn_as_large_as_asked_for(data: bytes) -> None:
    picture = decode(data, vector_px=300)
    assert (picture.width, picture.height) == (300, 150)
    assert picture.sha256 == hashlib.sha256(data).hexdigest()
    assert colour(picture, 0.17, 0.5) == (*RED, 255)
    assert colour(picture, 0.5, 0.5) == colour(picture, 0.83, 0.5) == (30, 200, 30, 255)


def test_what_an_svg_does_not_paint_is_transparent() -> None:
    assert colour(decode(svg('<rect width="32" height="48"/>')), 0.8, 0.5) == (0, 0, 0, 0)


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
DEEP = 101


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (svg("<script>alert(1)</script>"), "svg_unsafe"),
        (svg('<s:script xmlns:s="http://www.w3.org/2000/svg"/>'), "svg_unsafe"),
        (svg("", 'onload="alert(1)"'), "svg_unsafe"),
        (svg('<rect OnClick="alert(1)"/>'), "svg_unsafe"),
        (svg("<foreignObject><b/></foreignObject>"), "svg_unsafe"),
        (svg('<image href="https://evil.example/a.png"/>'), "svg_external"),
        (svg('<image xlink:href="file:///etc/passwd"/>'), "svg_external"),
        (svg('<image xlink:href="../secret.png"/>'), "svg_external"),
        (svg('<image href="&#104;ttps://evil.example/"/>'), "svg_external"),
        (svg('<image href="data:image/svg+xml;base64,PHN2Zy8+"/>'), "svg_external"),
        (svg('<image href="data:text/html,hello"/>'), "svg_external"),
        (svg('<use href="other.svg#a"/>'), "svg_external"),
        (svg('<a href="javascript:alert(1)"><rect/></a>'), "svg_external"),
        (svg('<filter id="f"><feImage href="http://127.0.0.1/"/></filter>'), "svg_external"),
        (svg('<rect fill="url(https://evil.example/#a)"/>'), "svg_external"),
        (svg("<rect style=\"fill: URL( 'http://evil.example/#a')\"/>"), "svg_external"),
        (svg("<style>rect{fill:url(//evil.example)}</style>"), "svg_external"),
        (svg("<style>rect{fill:u<!-- -->rl(//evil.example)}</style>"), "svg_external"),
        (svg('<style>@import "https://evil.example/a.css";</style>'), "svg_unsafe"),
        (svg("<style>rect{fill:\\75rl(//evil.example)}</style>"), "svg_unsafe"),
        (svg("", before='<?xml-stylesheet href="https://evil.example/a.css"?>'), "svg_unsafe"),
        (svg("", before='<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "svg_unsafe"),
        (svg("&l9;", before=f'<!DOCTYPE svg [<!ENTITY l0 "ha">{LAUGHS}]>'), "svg_unsafe"),
        (svg("", before='<!DOCTYPE svg [<!ENTITY % x SYSTEM "http://127.0.0.1/"> %x;]>'), "svg_unsafe"),
        (svg("<text>Caf\u00e9</text>"), "svg_text"),
        (svg("<text><tspan>A</tspan></text>"), "svg_text"),
        (svg("<g>" * DEEP + "</g>" * DEEP), "svg_too_complex"),
        (svg("<g/>" * 20_000), "svg_too_complex"),
        (svg("<g>"), "broken_image"),
        (svg("")[:-3], "broken_image"),
        (svg("", before='<?xml version="1.0" encoding="klingon"?>'), "broken_image"),
        (b"<svg", "broken_image"),
    ],
    ids=lambda given: None,
)
def test_an_svg_that_is_more_than_a_drawing_is_refused(data: bytes, reason: str) -> None:
    assert refused(data).reason == reason


TENFOLD = [f"<use href='#u{n}'/>" * 10 for n in range(8)]
USES = "".join(f'<g id="u{n}">{uses}</g>' for n, uses in enumerate(TENFOLD, start=1))


@pytest.mark.parametrize(
    "data",
    [
        svg(f'<defs><rect id="u0" width="1" height="1"/>{USES}</defs><use href="#u8"/>'),
        svg(f'<path d="{"M0 0 L96 48 L0 48 L96 0 " * 50_000}"/>'),
        svg('<g opacity=".5">' * 90 + '<rect width="96" height="48"/>' + "</g>" * 90),
    ],
    ids=["uses", "lines", "layers"],
)
def test_an_svg_that_would_take_everything_is_ended(data: bytes) -> None:
    began = time.monotonic()
    error = refused(data, vector_px=4000)
    assert error.reason == "svg_too_complex"
    assert time.monotonic() - began < 8


# --- what the drawing asks of a picture ---------------------------------------------------------------------------


def test_a_picture_fits_into_a_box_in_its_proportions() -> None:
    picture = decode(written(thirds(960, 480), "PNG"))
    small = picture.fitted(96, 96)
    assert (small.width, small.height, small.sha256) == (96, 48, picture.sha256)
    assert colour(small, 0.5, 0.7) == (*GREEN, 255)
    assert (picture.fitted(2000, 100).width, picture.fitted(2000, 100).height) == (200, 100)
    assert (picture.fitted(1, 1).width, picture.fitted(1, 1).height) == (1, 1)


def test_what_is_transparent_lends_no_colour_when_it_is_scaled() -> None:
    image = Image.new("RGBA", (100, 100), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (50, 0, 100, 100))
    small = decode(written(image, "PNG")).fitted(7, 7)
    assert all(small.rgba[at + 1] == 0 for at in range(0, len(small.rgba), 4) if small.rgba[at + 3])


def test_a_picture_stays_as_it_is() -> None:
    picture = decode(written(thirds(), "PNG"))
    before = picture.rgba[:]
    ImageDraw.Draw(picture.image).rectangle((0, 0, 50, 50), fill=(0, 0, 0, 0))
    picture.image.putpixel((0, 0), (1, 2, 3, 4))
    assert picture.rgba == before


def glow(backing: tuple[int, int, int]) -> Image.Image:
    """A blue tube whose light falls off to both sides, on a dark wall."""
    image = Image.new("RGB", (64, 64), backing)
    for x in range(64):
        light = max(0.0, 1 - abs(x - 32) / 24)
        image.paste(
            tuple(round(b + (c - b) * light) for b, c in zip(backing, (0, 60, 255), strict=True)), (x, 8, x + 1, 56)
        )
    return image


@pytest.mark.parametrize("backing", [(0, 0, 0), (13, 8, 32), (40, 40, 44)])
def test_a_neon_sign_loses_its_wall_and_keeps_its_glow(backing: tuple[int, int, int]) -> None:
    neon = decode(written(glow(backing), "PNG")).without_dark_backing()
    assert colour(neon, 0.01, 0.01)[3] == 0
    assert is_near(colour(neon, 0.5, 0.5), (0, 60, 255, 255), 2)
    alphas = [colour(neon, (32 + step) / 64, 0.5)[3] for step in range(0, 26, 4)]
    assert alphas == sorted(alphas, reverse=True)
    assert alphas[3] > 64
    assert colour(neon, 44 / 64, 0.5)[2] == 255  # half of the light: the tube's own blue, half transparent


def test_on_black_a_neon_sign_looks_as_before() -> None:
    before = decode(written(glow((0, 0, 0)), "PNG"))
    wall = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
    wall.alpha_composite(before.without_dark_backing().image)
    assert all(abs(a - b) <= 17 for a, b in zip(wall.tobytes(), before.rgba, strict=True))


def test_what_was_transparent_is_not_filled_by_taking_the_backing() -> None:
    image = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    image.paste((255, 255, 255, 128), (2, 2, 6, 6))
    neon = decode(written(image, "PNG")).without_dark_backing()
    assert colour(neon, 0, 0)[3] == 0
    assert is_near(colour(neon, 0.5, 0.5), (255, 255, 255, 124), 5)
