"""What barcodes can say: check digits, computed or checked, and values that are refused."""

import random
from typing import get_args

import pytest
import zxingcpp

from server.domain.barcode import NAMES, Barcode, BarcodeOrder, Symbology, check_digit, default_extent
from server.domain.colour import BLACK, WHITE, Colour
from server.domain.errors import InvalidValue

#: Values without their check digit, and it. From the GS1 General Specifications, ISO/IEC 15420 and packages.
NUMBERS: list[tuple[Symbology, str, str]] = [
    ("ean-13", "590123412345", "7"),
    ("ean-13", "978316148410", "0"),
    ("ean-8", "9638507", "4"),
    ("upc-a", "03600029145", "2"),
    ("upc-e", "0123456", "5"),
    ("itf-14", "1540014128876", "3"),
    ("databar", "0950110153000", "3"),
    ("databar-limited", "0950110153000", "3"),
    ("databar-stacked", "0950110153000", "3"),
    ("databar-stacked-omnidirectional", "0950110153000", "3"),
]


def refused(symbology: Symbology, value: str) -> tuple[str, str]:
    with pytest.raises(InvalidValue) as caught:
        Barcode.of(symbology, value)
    assert caught.value.field == "value"
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(("symbology", "digits", "check"), NUMBERS)
def test_a_check_digit_is_computed_or_checked(symbology: Symbology, digits: str, check: str) -> None:
    assert Barcode.of(symbology, digits).value == digits + check
    assert Barcode.of(symbology, digits + check).value == digits + check
    for other in sorted(set("0123456789") - {check}):
        reason, detail = refused(symbology, digits + other)
        assert reason == "invalid_check_digit"
        assert detail.startswith(f"The check digit of {digits} is {check}, not {other}")


@pytest.mark.parametrize(("symbology", "digits", "check"), NUMBERS)
def test_a_number_of_another_length_or_of_letters_is_refused(symbology: Symbology, digits: str, check: str) -> None:
    name = NAMES[symbology]
    for value in (digits[:-1], digits + check + "0", digits[:1]):
        reason, detail = refused(symbology, value)
        assert reason == "invalid_length"
        length = len(digits)
        assert detail.startswith(f"{name} has {length + 1} digits, or {length} without its check digit")
    for wrong in ("x", " ", "\u0663", "\u00b2", "-"):
        reason, detail = refused(symbology, digits[:3] + wrong + digits[4:])
        assert reason == "invalid_character"
        assert detail.startswith(f"{name} has digits only; the character at position 3 is ")


def test_check_digits_are_those_of_zxing() -> None:
    dice = random.Random(8)
    for symbology, length in (("EAN13", 12), ("EAN8", 7), ("ITF14", 13)):
        for _ in range(50):
            digits = "".join(dice.choices("0123456789", k=length))
            made = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat[symbology])
            assert made.text == digits + check_digit(digits)


def test_upc_e_has_the_check_digit_of_the_upc_a_that_it_is_short_for() -> None:
    """For each of its ten ways to leave zeros out."""
    for last in "0123456789":
        digits = "01234" + "5" + last
        made = zxingcpp.create_barcode(digits, zxingcpp.BarcodeFormat.UPCE)
        assert made.text[-1] == Barcode.of("upc-e", digits).value[-1], digits


@pytest.mark.parametrize(
    ("symbology", "value", "reason", "rule"),
    [
        ("upc-e", "2123456", "invalid_format", "UPC-E begins with the number system 0 or 1, not 2."),
        ("databar-limited", "2950110153000", "invalid_format", "GS1 DataBar Limited begins with 0 or 1, not 2"),
        ("itf", "12345", "invalid_length", "ITF has at least 6 digits, as readers pass over shorter ones"),
        ("itf", "12345a", "invalid_character", "ITF has digits only; the character at position 5 is 'a'."),
        ("code-39", "Hello", "invalid_character", "Code 39 has capitals, digits, spaces and - . $ / + % only"),
        ("code-39", "A*B", "invalid_character", "the character at position 1 is '*'."),
        ("code-128", "Zürich", "invalid_character", "Code 128 has ASCII characters only; the character at position 1"),
        ("code-93", "Zürich", "invalid_character", "Code 93 has ASCII characters only"),
        ("codabar", "12345", "invalid_format", "Codabar begins and ends with A, B, C or D, as A12345B does."),
        ("codabar", "AB", "invalid_format", "Codabar begins and ends with A, B, C or D"),
        ("codabar", "A1B2C", "invalid_character", "between its ends only; the character at position 1 is 'B'."),
    ],
)
def test_what_a_symbology_cannot_say_is_refused(symbology: Symbology, value: str, reason: str, rule: str) -> None:
    found, detail = refused(symbology, value)
    assert found == reason
    assert rule in detail


def test_nothing_says_nothing() -> None:
    for symbology in get_args(Symbology):
        assert refused(symbology, "")[0] == "empty"


def test_itf_goes_in_pairs() -> None:
    assert Barcode.of("itf", "1234567").value == "01234567"
    assert Barcode.of("itf", "123456").value == "123456"


def test_what_was_not_said_of_the_size_fits_the_symbology() -> None:
    assert default_extent("ean-13", None, None) == (400, 200)
    assert default_extent("pdf417", 600, None) == (600, 200)
    assert default_extent("code-39", None, 90) == (400, 90)
    assert default_extent("aztec", None, None) == (400, 400)
    assert default_extent("aztec", 300, None) == (300, 300)
    assert default_extent("qr", None, 250) == (250, 250)
    assert default_extent("qr", 300, 250) == (300, 250)


def order(color: Colour, background: Colour) -> BarcodeOrder:
    barcode = Barcode.of("ean-8", "9638507")
    return BarcodeOrder(barcode=barcode, width_px=400, height_px=200, text=True, color=color, background=background)


@pytest.mark.parametrize(
    ("color", "background", "reason"),
    [
        ("white", "black", "inverted"),
        ("black", "black", "inverted"),
        ("#999", "white", "low_contrast"),
        ("transparent", "white", "inverted"),
        ("#00000040", "white", "low_contrast"),
        ("white", "transparent", "inverted"),
    ],
)
def test_bars_that_no_reader_would_see_are_refused(color: str, background: str, reason: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        order(Colour.of(color), Colour.of(background))
    assert (caught.value.reason, caught.value.field) == (reason, "color")


def test_bars_that_readers_see_are_not() -> None:
    order(BLACK, WHITE)
    order(Colour.of("#203080"), Colour.of("#ffffe0"))
    order(BLACK, Colour.of("transparent"))
