"""Draws barcodes: `BarcodeArtist`.

Which modules are dark is for zxing-cpp to say, and of QR codes for fastcore; what lies where is decided here.
A module is as many whole pixels wide as there is room for, with the quiet zone of its symbology. The bars of linear
symbols are as high as the picture leaves room for; what is left beside them goes to both sides.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import orjson

import fastcore
from fastcore.drawing import Drawing, Fill, Rgba
from fastcore.path import Path
from server.domain.barcode import MATRICES, MAX_TEXT, Barcode, BarcodeOrder, Symbology
from server.domain.errors import InvalidValue
from server.domain.model import Image
from server.domain.order import MEDIA_TYPES
from server.render.budget import PixelBudget
from server.render.image import ENGINE
from server.render.label import Lettering, lettered

#: How zxing-cpp calls those that it makes. It would put bearer bars around ITF-14, which are drawn here.
WRITTEN: Mapping[Symbology, str] = {
    "ean-13": "EAN13",
    "ean-8": "EAN8",
    "upc-a": "UPCA",
    "upc-e": "UPCE",
    "code-128": "Code128",
    "code-39": "Code39Std",
    "code-93": "Code93",
    "codabar": "Codabar",
    "itf": "ITF",
    "itf-14": "ITF",
    "databar": "DataBarOmni",
    "databar-limited": "DataBarLtd",
    "databar-expanded": "DataBarExp",
    "databar-stacked": "DataBarStk",
    "databar-stacked-omnidirectional": "DataBarStkOmni",
    "databar-expanded-stacked": "DataBarExpStk",
    "pdf417": "PDF417",
    "micro-pdf417": "MicroPDF417",
    "data-matrix": "DataMatrix",
    "aztec": "Aztec",
    "rmqr": "RMQRCode",
}

#: Light modules to the left and to the right; of those whose rows are as high as they are, above and below as well.
QUIET: Mapping[Symbology, tuple[int, int]] = {
    # ISO/IEC 15420:2009; GS1 General Specifications, 5.2.
    "ean-13": (11, 7),
    "ean-8": (7, 7),
    "upc-a": (9, 9),
    "upc-e": (9, 7),
    "code-128": (10, 10),  # ISO/IEC 15417:2007
    "code-39": (10, 10),  # ISO/IEC 16388:2007
    "code-93": (10, 10),  # ANSI/AIM BC5-1995
    "codabar": (10, 10),  # ANSI/AIM BC3-1995
    "itf": (10, 10),  # ISO/IEC 16390:2007
    "itf-14": (10, 10),
    # None is needed (ISO/IEC 24724:2011): one keeps what lies beside it off.
    "databar": (1, 1),
    "databar-limited": (1, 1),
    "databar-expanded": (1, 1),
    "databar-stacked": (1, 1),
    "databar-stacked-omnidirectional": (1, 1),
    "databar-expanded-stacked": (1, 1),
    "pdf417": (2, 2),  # ISO/IEC 15438:2015
    "micro-pdf417": (1, 1),  # ISO/IEC 24728:2006
    "data-matrix": (1, 1),  # ISO/IEC 16022:2006
    "aztec": (1, 1),  # none is needed (ISO/IEC 24778:2008)
    "qr": (4, 4),  # ISO/IEC 18004:2015, 6.3.8
    "micro-qr": (2, 2),
    "rmqr": (2, 2),  # ISO/IEC 23941:2022
}

#: Whose rows have the height that they have: a module of them may be a square.
STACKED: frozenset[Symbology] = MATRICES | {
    "databar-stacked",
    "databar-stacked-omnidirectional",
    "databar-expanded-stacked",
}

#: Where digits stand below the bars of retail symbols, as parts of the value: from which module on, and how wide each
#: of them is there. Those outside of the bars of a UPC symbol are smaller (GS1 General Specifications, 5.2).
DIGIT, SMALL = 7.0, 5.0
PLACES: Mapping[Symbology, tuple[tuple[slice, float, float], ...]] = {
    "ean-13": ((slice(1), -9, DIGIT), (slice(1, 7), 3, DIGIT), (slice(7, None), 50, DIGIT)),
    "ean-8": ((slice(4), 3, DIGIT), (slice(4, None), 36, DIGIT)),
    "upc-a": (
        (slice(1), -7, SMALL),
        (slice(1, 6), 10, DIGIT),
        (slice(6, 11), 50, DIGIT),
        (slice(11, None), 97, SMALL),
    ),
    "upc-e": ((slice(1), -7, SMALL), (slice(1, 7), 3, DIGIT), (slice(7, None), 53, SMALL)),
}

#: In modules: how far guard bars reach below the others, where the digits begin, and where they end.
GUARD, DIGITS_FROM, DIGITS_TO = 5, 1.5, 8.5
#: An em in digits' widths: nine tenths of a module are between two of them.
DIGIT_EM = 9.5 / 7

#: Shares of the height.
PADDING, DIGITS_SHARE, TEXT_EM, TEXT_GAP = 0.04, 0.3, 0.15, 0.035
#: An em is at most so many modules.
TEXT_MODULES = 12
#: Of the em: how high capitals and digits of the font are.
CAPITAL = 0.729

#: A module of a linear symbol is at most such a part of the height: of broader bars, nothing would be left to scan.
BROADEST = 12
#: Of ITF-14, in modules: bars above and below, without which a slanted scan might read a part of it
#: (GS1 General Specifications, 5.3.2).
BEARER = 2


@dataclass(frozen=True, slots=True)
class _Symbol:
    columns: int
    #: From the top; 1 for a dark module.
    rows: tuple[bytes, ...]


class BarcodePainter:
    """`BarcodeArtist`, within the budget of all that is drawn."""

    def __init__(self, budget: PixelBudget) -> None:
        self._budget = budget

    def etag(self, order: BarcodeOrder) -> str:
        barcode, colours = order.barcode, (str(order.color), str(order.background))
        extent = (order.width_px, order.height_px, order.dpi)
        key = orjson.dumps([ENGINE, barcode.symbology, barcode.value, order.format, extent, order.text, colours])
        return hashlib.sha256(key).hexdigest()[:32]

    async def draw(self, order: BarcodeOrder, etag: str) -> Image:
        pixels = order.width_px * order.height_px if order.format == "png" else 0
        return await self._budget.run(pixels, lambda: Image(_file(order), MEDIA_TYPES[order.format], etag))


def _file(order: BarcodeOrder) -> bytes:
    drawing = compose(order)
    if order.format == "svg":
        return fastcore.draw_svg(drawing)
    if order.format == "pdf":
        return fastcore.draw_pdf(drawing, dpi=order.dpi or 72)
    return fastcore.paint_png(drawing, dpi=order.dpi)


def compose(order: BarcodeOrder) -> Drawing:
    """The drawing of a barcode; raises InvalidValue ("value", "width", "height", "text")."""
    symbol = _symbol(order.barcode)
    lettering = _lettering(order.barcode) if order.text else None
    if order.barcode.symbology in STACKED:
        path = _stacked(order, symbol, lettering)
    elif order.barcode.symbology in PLACES:
        path = _retail(order, symbol)
    else:
        path = _linear(order, symbol, lettering)
    ground = Rgba(*order.background) if order.background.alpha else None
    return Drawing(order.width_px, order.height_px, ground, (Fill(path, Rgba(*order.color)),))


# --- modules ------------------------------------------------------------------------------------------------------


def _symbol(barcode: Barcode) -> _Symbol:
    if barcode.symbology not in WRITTEN:
        return _qr_symbol(barcode)
    # Not above, as in proof.py.
    import zxingcpp  # noqa: PLC0415

    try:
        made = zxingcpp.create_barcode(barcode.value, zxingcpp.BarcodeFormat[WRITTEN[barcode.symbology]])
    except ValueError as exc:
        raise _unwritable(barcode, str(exc)) from exc
    image = made.to_image(scale=1, add_quiet_zones=False)
    height, columns = image.shape
    # Its stub does not say that it is a buffer. 0 is black.
    pixels = memoryview(image).tobytes().translate(bytes([1] + 255 * [0]))  # type: ignore[arg-type]
    return _Symbol(columns, tuple(pixels[row * columns : (row + 1) * columns] for row in range(height)))


def _unwritable(barcode: Barcode, told: str) -> InvalidValue:
    """Why zxing-cpp does not write it: "Error 259: Invalid data length for AI (10) (retval: 6)"."""
    reason = told.partition(": ")[2].rpartition(" (retval")[0] or told
    if "too long" in reason:
        return InvalidValue("too_long", f"The value is too long for {barcode.name}: {reason}.", field="value")
    return InvalidValue("invalid_format", f"{barcode.name} cannot say this value: {reason}.", field="value")


def _qr_symbol(barcode: Barcode) -> _Symbol:
    micro = barcode.symbology == "micro-qr"
    try:
        symbol = fastcore.encode(barcode.value, level="L" if micro else "M", boost=micro, micro=micro)
    except fastcore.DataTooLong as exc:
        raise InvalidValue(
            "too_long",
            f"The value is {exc.length} {exc.unit} long; a {barcode.name} holds at most {exc.max_length}.",
            field="value",
        ) from exc
    except fastcore.IllegalCombination as exc:
        raise InvalidValue(
            "invalid_character", "A Micro QR code says ASCII and kanji only: take a QR code.", field="value"
        ) from exc
    size = symbol.size
    return _Symbol(size, tuple(symbol.modules[row * size : (row + 1) * size] for row in range(size)))


def _runs(row: bytes) -> Iterator[tuple[int, int]]:
    """Where dark modules begin, and how many there are."""
    at = 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            yield at, length
        at += length


def _bars(row: bytes, x: int, scale: int, top: int, bottom: int) -> str:
    return "".join(_box(x + at * scale, top, length * scale, bottom - top) for at, length in _runs(row))


def _box(x: int, y: int, width: int, height: int) -> str:
    return f"M{x} {y}h{width}v{height}h{-width}z"


# --- texts --------------------------------------------------------------------------------------------------------


def _lettering(barcode: Barcode) -> Lettering:
    """What people read below it: in place of a control character, which some values have, stands a space."""
    text = "".join(character if character.isprintable() else " " for character in barcode.value)
    if len(text) > MAX_TEXT and barcode.symbology in MATRICES:
        raise InvalidValue(
            "too_long", f"Below a symbol stand at most {MAX_TEXT} characters; this value has {len(text)}.", field="text"
        )
    try:
        return lettered(text)
    except InvalidValue as exc:
        raise InvalidValue(exc.reason, f"The value cannot stand below the symbol: {exc.detail}", field="text") from exc


def _written(lettering: Lettering, middle: float, base: float, em: float) -> Path:
    """A text by the middle of its base line."""
    left, _, right, _ = lettering.ink
    return lettering.path.scaled(em).moved(middle - em * (left + right) / 2, base)


def _em(lettering: Lettering, most: float, width: float) -> float:
    left, _, right, _ = lettering.ink
    return min(most, width / (right - left))


def _below(lettering: Lettering) -> float:
    """How far it reaches below its base line, in ems."""
    return max(lettering.ink[3], 0)


# --- layouts ------------------------------------------------------------------------------------------------------


def _columns(order: BarcodeOrder, symbol: _Symbol) -> tuple[int, int]:
    """How wide a module of a linear symbol is, and where the first one begins."""
    left, right = QUIET[order.barcode.symbology]
    modules = left + symbol.columns + right
    scale = order.width_px // modules
    if scale == 0:
        raise _too_small("width", modules)
    scale = min(scale, max(1, order.height_px // BROADEST))
    return scale, (order.width_px - scale * modules) // 2 + scale * left


def _too_small(field: str, least: int) -> InvalidValue:
    return InvalidValue(
        "out_of_range",
        f"This barcode needs a {field} of at least {least} pixels: one for each module, with its quiet zone.",
        field=field,
    )


def _linear(order: BarcodeOrder, symbol: _Symbol, lettering: Lettering | None) -> Path:
    scale, x = _columns(order, symbol)
    height, width = order.height_px, symbol.columns * scale
    padding = round(PADDING * height)
    bottom = height - padding
    text = Path()
    if lettering is not None:
        em = _em(lettering, min(TEXT_EM * height, TEXT_MODULES * scale), order.width_px * (1 - 2 * PADDING))
        base = bottom - em * _below(lettering)
        text = _written(lettering, order.width_px / 2, base, em)
        bottom = round(base - em * CAPITAL - TEXT_GAP * height)
    data = _bars(symbol.rows[0], x, scale, padding, bottom)
    if order.barcode.symbology == "itf-14":
        left, right = (modules * scale for modules in QUIET["itf-14"])
        thick = BEARER * scale
        for y in (padding, bottom - thick):
            data += _box(x - left, y, left + width + right, thick)
    return Path(data) + text


def _retail(order: BarcodeOrder, symbol: _Symbol) -> Path:
    """EAN and UPC: guard bars reach down between the digits, each of which stands below its own bars."""
    scale, x = _columns(order, symbol)
    height = order.height_px
    padding = round(PADDING * height)
    if not order.text:
        return Path(_bars(symbol.rows[0], x, scale, padding, height - padding))
    unit = min(scale, DIGITS_SHARE * height / DIGITS_TO)
    bottom = round(height - padding - DIGITS_TO * unit)
    data = _bars(symbol.rows[0], x, scale, padding, bottom)
    # The last row has guard bars only.
    data += _bars(symbol.rows[-1], x, scale, bottom, bottom + round(GUARD * unit))
    base = height - padding
    digits = []
    for part, begins, wide in PLACES[order.barcode.symbology]:
        for number, digit in enumerate(order.barcode.value[part]):
            middle = x + (begins + wide * (number + 0.5)) * scale
            digits.append(_written(lettered(digit), middle, base, DIGIT_EM * wide * unit))
    return Path(data) + Path.joined(digits)


def _stacked(order: BarcodeOrder, symbol: _Symbol, lettering: Lettering | None) -> Path:
    """All in the middle, as large as fits."""
    quiet = QUIET[order.barcode.symbology][0]
    width, height = order.width_px, order.height_px
    columns, rows = symbol.columns + 2 * quiet, len(symbol.rows) + 2 * quiet
    em = 0.0 if lettering is None else _em(lettering, TEXT_EM * min(width, height), width * (1 - 2 * PADDING))
    room = 0.0 if lettering is None else em * (CAPITAL + _below(lettering)) + (TEXT_GAP + PADDING) * height
    scale = min(width // columns, int(height - room) // rows)
    if scale == 0:
        raise _too_small("width", columns) if width < columns else _too_small("height", rows + int(room) + 1)
    x = (width - scale * symbol.columns) // 2
    y = int(height - room - scale * rows) // 2 + scale * quiet
    data = []
    for row, same in groupby(symbol.rows):
        bottom = y + scale * len(list(same))
        data.append(_bars(row, x, scale, y, bottom))
        y = bottom
    path = Path("".join(data))
    if lettering is not None:
        base = y + scale * quiet + TEXT_GAP * height + em * CAPITAL
        path += _written(lettering, width / 2, base, em)
    return path
