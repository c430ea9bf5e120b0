"""Barcodes that are no QR codes of ours: what each symbology can say, and what is to be drawn."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple, Self, get_args

from server.domain.colour import BLACK, WHITE, Colour, contrast
from server.domain.errors import InvalidValue
from server.domain.scannability import LEAST_CONTRAST

Symbology = Literal[
    "ean-13",
    "ean-8",
    "upc-a",
    "upc-e",
    "code-128",
    "code-39",
    "code-93",
    "codabar",
    "itf",
    "itf-14",
    "databar",
    "databar-limited",
    "databar-expanded",
    "databar-stacked",
    "databar-stacked-omnidirectional",
    "databar-expanded-stacked",
    "pdf417",
    "micro-pdf417",
    "data-matrix",
    "aztec",
    "qr",
    "micro-qr",
    "rmqr",
]
BarcodeFormat = Literal["png", "svg", "pdf"]

FORMATS: tuple[BarcodeFormat, ...] = get_args(BarcodeFormat)

#: Whose modules are of use in two directions: nobody reads a text below them.
MATRICES: frozenset[Symbology] = frozenset(["pdf417", "micro-pdf417", "data-matrix", "aztec", "qr", "micro-qr", "rmqr"])
SQUARES: frozenset[Symbology] = frozenset(["data-matrix", "aztec", "qr", "micro-qr"])

#: As many as a QR code has digits, which is the most of all (ISO/IEC 18004:2015, table 7).
MAX_VALUE = 7089
#: Of a text below a symbol.
MAX_TEXT = 80
#: zbar and zxing-cpp pass over shorter ones: a scan that leaves the symbol by its upper or lower side is one, too.
MIN_ITF = 6

MIN_SIDE_PX, DEFAULT_WIDTH_PX, DEFAULT_HEIGHT_PX = 32, 400, 200

DIGITS = frozenset("0123456789")
#: ISO/IEC 16388:2007.
CODE_39 = DIGITS | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%")
#: ANSI/AIM BC3-1995: between a start and a stop character.
CODABAR = DIGITS | frozenset("-$:/.+")
CODABAR_ENDS = frozenset("ABCD")
ASCII = frozenset(map(chr, range(128)))


@dataclass(frozen=True, slots=True)
class Barcode:
    """A symbology and what it says."""

    symbology: Symbology
    #: Whole: with its check digit.
    value: str

    @classmethod
    def of(cls, symbology: Symbology, value: str) -> Self:
        """From a value with its check digit, which has to be right, or without; raises InvalidValue ("value")."""
        if not value:
            raise _wrong("empty", "A barcode says something; this value is empty.")
        return cls(symbology, RULES.get(symbology, _anything)(value))

    @property
    def name(self) -> str:
        """As people know it."""
        return NAMES[self.symbology]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarcodeOrder:
    """A picture of a barcode."""

    barcode: Barcode
    format: BarcodeFormat = "png"
    #: In pixels, which a vector format takes for its units. [32, 9000]
    width_px: int
    height_px: int
    #: Whether what it says stands below it, to be read by people.
    text: bool
    color: Colour = BLACK
    background: Colour = WHITE
    #: Pixels per inch, as in `Order`.
    dpi: float | None = None

    def __post_init__(self) -> None:
        ground = self.background.over(WHITE)
        ink = self.color.over(ground)
        if ink.luminance >= ground.luminance:
            # Of a pattern of light bars most readers see only the gaps.
            raise InvalidValue("inverted", "The bars of a barcode are darker than its background.", field="color")
        found = contrast(ink, ground)
        if found < LEAST_CONTRAST:
            raise InvalidValue(
                "low_contrast",
                f"The contrast between {self.color} and the background's {self.background} is {found:.1f}; it must be "
                f"at least {LEAST_CONTRAST:.0f}.",
                field="color",
            )


class Extent(NamedTuple):
    width_px: int
    height_px: int


def default_extent(symbology: Symbology, width_px: int | None, height_px: int | None) -> Extent:
    """What was said of it, and what fits to that: squares for squares."""
    if symbology in SQUARES:
        width_px = width_px or height_px or DEFAULT_WIDTH_PX
        return Extent(width_px, height_px or width_px)
    return Extent(width_px or DEFAULT_WIDTH_PX, height_px or DEFAULT_HEIGHT_PX)


# --- what a symbology can say -------------------------------------------------------------------------------------

NAMES: Mapping[Symbology, str] = {
    "ean-13": "EAN-13",
    "ean-8": "EAN-8",
    "upc-a": "UPC-A",
    "upc-e": "UPC-E",
    "code-128": "Code 128",
    "code-39": "Code 39",
    "code-93": "Code 93",
    "codabar": "Codabar",
    "itf": "ITF",
    "itf-14": "ITF-14",
    "databar": "GS1 DataBar",
    "databar-limited": "GS1 DataBar Limited",
    "databar-expanded": "GS1 DataBar Expanded",
    "databar-stacked": "GS1 DataBar Stacked",
    "databar-stacked-omnidirectional": "GS1 DataBar Stacked Omnidirectional",
    "databar-expanded-stacked": "GS1 DataBar Expanded Stacked",
    "pdf417": "PDF417",
    "micro-pdf417": "MicroPDF417",
    "data-matrix": "Data Matrix",
    "aztec": "Aztec",
    "qr": "QR code",
    "micro-qr": "Micro QR code",
    "rmqr": "rMQR code",
}


def _wrong(reason: str, detail: str) -> InvalidValue:
    return InvalidValue(reason, detail, field="value")


def _allow(name: str, characters: frozenset[str], rule: str, value: str) -> str:
    for position, character in enumerate(value):
        if character not in characters:
            raise _wrong(
                "invalid_character",
                f"{name} has {rule} only; the character at position {position} is {character!a}.",
            )
    return value


def check_digit(digits: str) -> str:
    """Of a number without it: modulo 10, of weights 3 and 1 from the right (GS1 General Specifications, 7.9)."""
    return str(-sum(int(digit) * (1, 3)[place % 2 == 0] for place, digit in enumerate(reversed(digits))) % 10)


def _checked(name: str, length: int, value: str, whole: Callable[[str], str] = lambda digits: digits) -> str:
    """Digits, of which the last checks the others; `whole` has those that it is computed of."""
    _allow(name, DIGITS, "digits", value)
    if len(value) not in (length - 1, length):
        raise _wrong(
            "invalid_length",
            f"{name} has {length} digits, or {length - 1} without its check digit; this value has {len(value)}.",
        )
    data = value[: length - 1]
    right = check_digit(whole(data))
    if value != data and value[-1] != right:
        raise _wrong(
            "invalid_check_digit",
            f"The check digit of {data} is {right}, not {value[-1]}: it was mistyped, or is to be left out.",
        )
    return data + right


def upc_a_of(digits: str) -> str:
    """The eleven digits of UPC-A that the first seven of UPC-E stand for: it leaves zeros out (ISO/IEC 15420:2009)."""
    system, body, last = digits[0], digits[1:6], digits[6]
    if last in "012":
        return f"{system}{body[:2]}{last}0000{body[2:]}"
    if last == "3":
        return f"{system}{body[:3]}00000{body[3:]}"
    if last == "4":
        return f"{system}{body[:4]}00000{body[4]}"
    return f"{system}{body}0000{last}"


def _upc_e(value: str) -> str:
    digits = _checked("UPC-E", 8, value, upc_a_of)
    if digits[0] not in "01":
        raise _wrong("invalid_format", f"UPC-E begins with the number system 0 or 1, not {digits[0]}.")
    return digits


def _databar_limited(value: str) -> str:
    digits = _checked("GS1 DataBar Limited", 14, value)
    if digits[0] not in "01":
        raise _wrong(
            "invalid_format",
            f"GS1 DataBar Limited begins with 0 or 1, not {digits[0]} (ISO/IEC 24724): take GS1 DataBar instead.",
        )
    return digits


def _itf(value: str) -> str:
    """Digits go in pairs, so that an odd number of them has a 0 put before it (ISO/IEC 16390:2007)."""
    digits = _allow("ITF", DIGITS, "digits", value)
    if len(digits) < MIN_ITF:
        raise _wrong(
            "invalid_length",
            f"ITF has at least {MIN_ITF} digits, as readers pass over shorter ones; this value has {len(digits)}.",
        )
    return "0" * (len(digits) % 2) + digits


def _codabar(value: str) -> str:
    if len(value) < 3 or not {value[0], value[-1]} <= CODABAR_ENDS:
        raise _wrong("invalid_format", "Codabar begins and ends with A, B, C or D, as A12345B does.")
    _allow("Codabar", CODABAR, "digits and - $ : / . + between its ends", value[1:-1])
    return value


def _anything(value: str) -> str:
    return value


#: What is not named here says any text, or finds out when it is encoded.
RULES: Mapping[Symbology, Callable[[str], str]] = {
    "ean-13": partial(_checked, "EAN-13", 13),
    "ean-8": partial(_checked, "EAN-8", 8),
    "upc-a": partial(_checked, "UPC-A", 12),
    "upc-e": _upc_e,
    "itf-14": partial(_checked, "ITF-14", 14),
    "databar": partial(_checked, "GS1 DataBar", 14),
    "databar-limited": _databar_limited,
    "databar-stacked": partial(_checked, "GS1 DataBar Stacked", 14),
    "databar-stacked-omnidirectional": partial(_checked, "GS1 DataBar Stacked Omnidirectional", 14),
    "code-128": partial(_allow, "Code 128", ASCII, "ASCII characters"),
    "code-39": partial(_allow, "Code 39", CODE_39, "capitals, digits, spaces and - . $ / + %"),
    "code-93": partial(_allow, "Code 93", ASCII, "ASCII characters"),
    "itf": _itf,
    "codabar": _codabar,
}
