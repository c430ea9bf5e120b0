"""Micro QR codes, module for module against segno; and what there is no Micro QR code for."""

from __future__ import annotations

import numpy as np
import pytest
import segno
import zxingcpp

import fastcore

MICRO = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.MicroQRCode)

# Digits, alphanumeric characters, bytes and kanji that fit (ISO/IEC 18004:2015, table 7).
CAPACITY = {
    ("M1", "L"): (5, 0, 0, 0),
    ("M2", "L"): (10, 6, 0, 0),
    ("M2", "M"): (8, 5, 0, 0),
    ("M3", "L"): (23, 14, 9, 6),
    ("M3", "M"): (18, 11, 7, 4),
    ("M4", "L"): (35, 21, 15, 9),
    ("M4", "M"): (30, 18, 13, 8),
    ("M4", "Q"): (21, 13, 9, 5),
}
CHARACTERS = "7Zz点"


def _segno(text: str, version: str, level: str, mask: int | None) -> bytes:
    error = None if version == "M1" else level
    code = segno.make_micro(text, version=version, error=error, mask=mask, boost_error=False)
    return b"".join(map(bytes, code.matrix))


@pytest.mark.parametrize(("version", "level"), CAPACITY)
@pytest.mark.parametrize("mask", range(4))
def test_equals_segno(version: str, level: str, mask: int) -> None:
    for character, longest in zip(CHARACTERS, CAPACITY[version, level], strict=True):
        if longest:
            text = character * longest
            symbol = fastcore.encode(text, version=version, level=level, mask=mask)
            assert symbol.modules == _segno(text, version, level, mask)
            assert (symbol.micro, symbol.version, symbol.mask) == (True, int(version[1]), mask)
            assert repr(symbol).startswith(f"<Symbol version {version}-{level}, mask {mask}, ")


@pytest.mark.parametrize(("version", "level"), CAPACITY)
def test_padding_and_mask_equal_segno(version: str, level: str) -> None:
    # In M3 segno pads with zeros only (docs/adr/0006); so many digits need no padding.
    text = "1" * 18 if version == "M3" else "12"
    assert fastcore.encode(text, version=version, level=level).modules == _segno(text, version, level, None)


@pytest.mark.parametrize("text", ["123456", "12345678901", "MICRO", "micro", "点茗"])
def test_zxing_reads_it(text: str) -> None:
    symbol = fastcore.encode(text, micro=True)
    assert symbol.micro
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    image = np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((6, 6))).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(image, formats=MICRO)
    assert found.text == text


def test_smallest() -> None:
    assert [fastcore.encode("1" * n, micro=True, level="L").version for n in (1, 10, 11, 23, 24, 35)] == [
        2,
        2,
        3,
        3,
        4,
        4,
    ]
    assert fastcore.encode("12345", version="M4", level="L", boost=True).level == "Q"


def test_there_is_no_such_symbol() -> None:
    for text, keywords, message in [
        ("1", {"version": "M2", "level": "Q"}, "M2 does not have level Q"),
        ("1", {"micro": True, "level": "H"}, "a Micro QR code does not have level H"),
        ("1", {"micro": True, "version": 7}, "version 7 is not a Micro QR code"),
        ("1", {"micro": True, "mask": 4}, "masks 0 to 3"),
        ("A", {"version": "M1"}, "M1 cannot hold alphanumeric"),
        ("a", {"version": "M2"}, "M2 cannot hold byte"),
        ("点", {"version": "M2"}, "M2 cannot hold kanji"),
        ("é", {"micro": True}, "cannot hold characters beyond ASCII"),
    ]:
        with pytest.raises(fastcore.IllegalCombination, match=message):
            fastcore.encode(text, **keywords)  # type: ignore[arg-type]
    with pytest.raises(fastcore.IllegalVersion):
        fastcore.encode("1", version="M5")
    with pytest.raises(fastcore.DataTooLong, match="36 digits long; version M4 at level L holds at most 35"):
        fastcore.encode("1" * 36, micro=True, level="L")


def test_an_empty_text_takes_no_bits_and_is_in_a_level_that_there_is() -> None:
    symbol = fastcore.encode("", micro=True, level="L", boost=True)
    assert (symbol.version, symbol.level) == (2, "M")
    assert fastcore.encode("", micro=True, level="Q").version == 4
    assert fastcore.encode("", version="M1", boost=True).level == "L"


def test_images() -> None:
    symbol = fastcore.encode("1", version="M1")
    assert symbol.size == 11
    assert fastcore.svg(symbol, margin=2).count(b'viewBox="0 0 15 15"') == 1
    assert fastcore.png(symbol, scale=1, margin=2)[16:24] == (15).to_bytes(4) * 2
