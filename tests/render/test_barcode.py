"""Barcodes are read: each symbology in each format by zxing-cpp, those that it knows by zbar, too."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from itertools import groupby
from typing import Any, get_args

import cv2
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from bench.decoders import zbar
from server.domain.barcode import FORMATS, MATRICES, Barcode, BarcodeFormat, BarcodeOrder, Symbology, default_extent
from server.domain.colour import Colour
from server.domain.errors import InvalidValue
from server.render.barcode import QUIET, STACKED, WRITTEN, BarcodePainter, _symbol, compose
from server.render.budget import PixelBudget
from tests.fastcore.viewers import Pixels, in_pdfium, in_resvg, on_white

pytestmark = pytest.mark.anyio

GS1 = "(01)09501101530003(3103)000123(10)AB-1"
#: A value of each, and how a reader tells it where that is not as it was given. AIs have no parentheses in a symbol.
VALUES: dict[Symbology, tuple[str, str | None]] = {
    "ean-13": ("590123412345", "5901234123457"),
    "ean-8": ("9638507", "96385074"),
    "upc-a": ("03600029145", "0036000291452"),
    "upc-e": ("0123456", "0012345000065"),
    "code-128": ("Parcel No. 12345678/x", None),
    "code-39": ("A-1. $/+%Z", None),
    "code-93": ("Hello 93", None),
    "codabar": ("A12-$:/.+5B", None),
    "itf": ("1234567890", None),
    "itf-14": ("1540014128876", "15400141288763"),
    "databar": ("0950110153000", "0109501101530003"),
    "databar-limited": ("0950110153000", "0109501101530003"),
    "databar-expanded": (GS1, "0109501101530003310300012310AB-1"),
    "databar-stacked": ("0950110153000", "0109501101530003"),
    "databar-stacked-omnidirectional": ("0950110153000", "0109501101530003"),
    "databar-expanded-stacked": (GS1, "0109501101530003310300012310AB-1"),
    "pdf417": ("Grüße aus Zürich, 日本", None),
    "micro-pdf417": ("Hello, MicroPDF417", None),
    "data-matrix": ("Grüße aus Zürich, 日本", None),
    "aztec": ("Grüße aus Zürich, 日本", None),
    "qr": ("Grüße aus Zürich, 日本", None),
    "micro-qr": ("HELLO 12345", None),
    "rmqr": ("Grüße aus Zürich", None),
}

#: zbar_symbol_type_t, and how zbar tells the value where that is not as it was given.
IN_ZBAR: dict[Symbology, tuple[int, str | None]] = {
    "ean-13": (13, "5901234123457"),
    "ean-8": (8, "96385074"),
    "upc-a": (13, "0036000291452"),  # which tells it as the EAN-13 that it is
    "upc-e": (9, "01234565"),
    "code-128": (128, None),
    "code-39": (39, None),
    "code-93": (93, None),
    "codabar": (38, None),
    "itf": (25, None),
    "itf-14": (25, "15400141288763"),
    "databar": (34, "0109501101530003"),
    "databar-expanded": (35, "0109501101530003310300012310AB-1"),
}

each_symbology = pytest.mark.parametrize("symbology", get_args(Symbology))


@pytest.fixture
def painter() -> Iterator[BarcodePainter]:
    budget = PixelBudget(20_000_000)
    yield BarcodePainter(budget)
    budget.close()


def an_order(symbology: Symbology, value: str | None = None, **fields: Any) -> BarcodeOrder:  # noqa: ANN401
    extent = default_extent(symbology, fields.pop("width_px", None), fields.pop("height_px", None))
    fields.setdefault("text", symbology not in MATRICES)
    barcode = Barcode.of(symbology, VALUES[symbology][0] if value is None else value)
    return BarcodeOrder(barcode=barcode, width_px=extent.width_px, height_px=extent.height_px, **fields)


async def drawn(painter: BarcodePainter, order: BarcodeOrder) -> bytes:
    image = await painter.draw(order, painter.etag(order))
    assert image.scannable
    return image.body


def shown(file: bytes, format: BarcodeFormat, width: int) -> Pixels:
    if format == "svg":
        return on_white(in_resvg(file))
    if format == "pdf":
        return in_pdfium(file, width)
    pixels = np.asarray(Image.open(BytesIO(file)).convert("RGBA"), np.uint8)
    return on_white(pixels)


def grey(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8))


def read(pixels: Pixels, symbology: Symbology) -> list[str]:
    name = {"qr": "QRCode", "micro-qr": "MicroQRCode", "itf-14": "ITF", **WRITTEN}[symbology]
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat[name])
    found = zxingcpp.read_barcodes(pixels, formats=formats, text_mode=zxingcpp.TextMode.Plain)
    return [each.text for each in found]


@pytest.mark.parametrize("format", FORMATS)
@each_symbology
async def test_each_symbology_is_read_in_each_format(
    painter: BarcodePainter, symbology: Symbology, format: BarcodeFormat
) -> None:
    value, told = VALUES[symbology]
    order = an_order(symbology, format=format)
    pixels = shown(await drawn(painter, order), format, order.width_px)
    assert pixels.shape == (order.height_px, order.width_px, 3)
    assert read(pixels, symbology) == [told or value]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("symbology", IN_ZBAR)
async def test_zbar_reads_those_that_it_knows(
    painter: BarcodePainter, symbology: Symbology, format: BarcodeFormat
) -> None:
    kind, told = IN_ZBAR[symbology]
    order = an_order(symbology, format=format, width_px=800, height_px=300)
    pixels = shown(await drawn(painter, order), format, 800)
    assert zbar(grey(pixels), kind) == [told or VALUES[symbology][0]]


@pytest.mark.parametrize(("width", "height"), [(401, 173), (1000, 150), (300, 700), (1999, 1501)])
@each_symbology
async def test_a_picture_is_exactly_as_large_as_asked_for(
    painter: BarcodePainter, symbology: Symbology, width: int, height: int
) -> None:
    value, told = VALUES[symbology]
    for text in (False, symbology not in MATRICES):
        order = an_order(symbology, width_px=width, height_px=height, text=text)
        png = await drawn(painter, order)
        assert Image.open(BytesIO(png)).size == (width, height)
        # A GS1 DataBar that is very high is found twice.
        assert set(read(shown(png, "png", width), symbology)) == {told or value}
    svg = await drawn(painter, replace(order, format="svg"))
    assert f'width="{width}" height="{height}"'.encode() in svg
    pdf = pypdfium2.PdfDocument(await drawn(painter, replace(order, format="pdf", dpi=144)))
    assert pdf[0].get_size() == pytest.approx((width / 2, height / 2))


def widths(row: Pixels) -> list[int]:
    """Of its bars and gaps, with the quiet zones at both ends."""
    return [len(list(run)) for _, run in groupby(row.tolist())]


@pytest.mark.parametrize("symbology", [each for each in get_args(Symbology) if each not in STACKED])
async def test_modules_are_whole_pixels_and_quiet_zones_as_wide_as_they_have_to_be(
    painter: BarcodePainter, symbology: Symbology
) -> None:
    for width in (401, 640, 1111):
        order = an_order(symbology, width_px=width, height_px=300)
        pixels = grey(shown(await drawn(painter, order), "png", width))
        row = pixels[120]
        assert set(row.tolist()) == {0, 255}
        left, *bars, right = widths(row)
        module = min(bars)
        assert all(each % module == 0 for each in bars)
        before, after = QUIET[symbology]
        assert left >= before * module
        assert right >= after * module
        assert module == min(width // (before + _symbol(order.barcode).columns + after), 300 // 12)
        # Every bar is straight.
        assert all(np.array_equal(pixels[y], row) for y in range(30, 180))


async def test_guard_bars_are_longer_and_digits_stand_between_them(painter: BarcodePainter) -> None:
    """At three pixels for a module: EAN-13 has 113 with its quiet zones."""
    order = an_order("ean-13", width_px=339, height_px=200)
    pixels = grey(shown(await drawn(painter, order), "png", 339))
    ends = {
        x: np.flatnonzero(pixels[:, x] == 0).max() for x in (33 + 1, 33 + 3 * 2 + 1, 33 + 3 * 46 + 1, 33 + 94 * 3 + 1)
    }
    assert len(set(ends.values())) == 1
    (guard,) = set(ends.values())
    data = [x for x in range(33 + 9, 33 + 45 * 3) if pixels[100, x] == 0]
    bottom = max(y for y in range(200) if all(pixels[y, x] == 0 for x in data))
    assert guard - bottom == 5 * 3
    digits = pixels[bottom + 3 :]
    for module in (0, 2, 46, 48, 92, 94):  # nothing touches a guard bar
        x = 33 + 3 * module
        assert (digits[: guard - bottom - 3, x : x + 3] == 0).all()
    assert (digits[:, 33 - 27 : 33 - 6] < 128).any(), "the first digit"
    assert (digits[:, 339 - 21 :] == 255).all(), "the right quiet zone"


async def test_without_text_there_are_bars_alone(painter: BarcodePainter) -> None:
    for symbology in ("ean-13", "upc-e", "code-128", "itf"):
        order = an_order(symbology, text=False)
        pixels = grey(shown(await drawn(painter, order), "png", 400))
        rows = {row.tobytes() for row in pixels}
        assert len(rows) == 2, "bars, and light above and below"


async def test_itf_14_has_bearer_bars(painter: BarcodePainter) -> None:
    pixels = grey(shown(await drawn(painter, an_order("itf-14", width_px=660, height_px=250)), "png", 660))
    full = np.flatnonzero((pixels[:, 20:-20] == 0).all(axis=1))
    assert len(full) == 2 * 2 * 4
    assert full.max() - full.min() > 150


async def test_colours_are_those_of_the_order(painter: BarcodePainter) -> None:
    order = an_order("code-128", color=Colour.of("#203080"), background=Colour.of("#ffffe0"))
    for kind in FORMATS:
        pixels = shown(await drawn(painter, replace(order, format=kind)), kind, 400)
        assert {tuple(each) for each in pixels[60].tolist()} == {(0x20, 0x30, 0x80), (255, 255, 0xE0)}
    clear = replace(order, background=Colour.of("transparent"))
    picture = Image.open(BytesIO(await drawn(painter, clear))).convert("RGBA")
    assert picture.getpixel((0, 0))[3] == 0  # type: ignore[index]  # of four parts
    assert read(shown(await drawn(painter, clear), "png", 400), "code-128") == [VALUES["code-128"][0]]


async def test_any_ascii_is_read_back(painter: BarcodePainter) -> None:
    for text in (
        "".join(map(chr, range(32, 80))),
        "".join(map(chr, range(80, 127))),
        "a\\n[01]\\x41",
        "a\tb\x00\x1d\x7f",
    ):
        for symbology in ("code-128", "code-93", "data-matrix", "aztec", "pdf417", "qr"):
            order = an_order(symbology, text, width_px=1400)
            assert read(shown(await drawn(painter, order), "png", 1400), symbology) == [text]


@pytest.mark.parametrize(
    ("symbology", "value", "field", "reason", "rule"),
    [
        ("code-128", "A" * 200, "value", "too_long", "too long for Code 128"),
        ("code-39", "A" * 100, "value", "too_long", "too long for Code 39"),
        ("itf", "1" * 200, "value", "too_long", "too long for ITF"),
        ("codabar", f"A{'1' * 200}B", "value", "too_long", "too long for Codabar"),
        ("data-matrix", "é" * 3000, "value", "too_long", "too long for Data Matrix"),
        ("pdf417", "x" * 3000, "value", "too_long", "too long for PDF417"),
        ("rmqr", "x" * 300, "value", "too_long", "too long for rMQR"),
        ("qr", "x" * 2332, "value", "too_long", "a QR code holds at most 2331."),
        ("micro-qr", "x" * 16, "value", "too_long", "a Micro QR code holds at most 15."),
        ("micro-qr", "Zürich", "value", "invalid_character", "take a QR code"),
        ("databar-expanded", "09501101530003", "value", "invalid_format", "Data does not start with an AI"),
        ("databar-expanded", "(01)095", "value", "invalid_format", "Invalid data length for AI (01)"),
        ("code-128", "x" * 90, "width", "out_of_range", "needs a width of at least 10"),
    ],
)
def test_what_cannot_be_drawn_is_refused(symbology: Symbology, value: str, field: str, reason: str, rule: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        compose(an_order(symbology, value, text=False))
    assert (caught.value.field, caught.value.reason) == (field, reason)
    assert rule in caught.value.detail


def test_a_picture_of_the_least_width_can_be_drawn_and_a_smaller_one_not() -> None:
    compose(an_order("ean-13", width_px=113, height_px=32))
    with pytest.raises(InvalidValue, match="a width of at least 113 pixels") as caught:
        compose(an_order("ean-13", width_px=112, height_px=32))
    assert caught.value.field == "width"
    compose(an_order("pdf417", width_px=400, height_px=64, text=False))
    with pytest.raises(InvalidValue, match="a height of at least") as caught:
        compose(an_order("databar-stacked-omnidirectional", width_px=400, height_px=70))
    assert caught.value.field == "height"


def test_a_text_below_a_matrix_is_one_that_can_be_read() -> None:
    compose(an_order("data-matrix", "Hello", text=True))
    for value, reason in (("x" * 81, "too_long"), ("日本", "invalid_character"), ("   ", "empty")):
        with pytest.raises(InvalidValue) as caught:
            compose(an_order("data-matrix", value, text=True))
        assert (caught.value.field, caught.value.reason) == ("text", reason)


def test_an_etag_is_of_all_that_is_drawn(painter: BarcodePainter) -> None:
    order = an_order("ean-13")
    others = [
        an_order("ean-13", "9783161484100"),
        an_order("itf", "5901234123457"),
        replace(order, format="svg"),
        replace(order, width_px=401),
        replace(order, height_px=201),
        replace(order, text=False),
        replace(order, color=Colour.of("#000080")),
        replace(order, background=Colour.of("#ffe")),
        replace(order, dpi=300),
    ]
    assert len({painter.etag(each) for each in [order, *others]}) == len(others) + 1
    assert painter.etag(order) == painter.etag(an_order("ean-13", "5901234123457"))
