"""Texts: capacities, what is said about those that do not fit, character sets."""

from __future__ import annotations

import numpy as np
import pytest
import zxingcpp
from qrcodegen import QrCode, QrSegment

import fastcore
from tests.fastcore import same_segments


def test_too_long_for_any_version_speaks_of_the_largest() -> None:
    with pytest.raises(fastcore.DataTooLong, match=r"10000000 bytes .* at most 1273 bytes"):
        fastcore.encode("x" * 10_000_000, level="H")


def test_smallest_version_agrees_with_qrcodegen() -> None:
    for level, ecc in same_segments.ECC.items():
        for count in range(1, 1200, 149):
            data = b"q" * count
            theirs = QrCode.encode_segments([QrSegment.make_bytes(data)], ecc, 1, 40, 0, False)
            assert fastcore.encode(data, level=level, mask=0).version == theirs.get_version()


@pytest.mark.parametrize(
    "text",
    ["£5", "Café", "ÄÖÜ", "±°", "éé", "Ã©", "naïve façade", "日本語", "Ελλάδα", "🙂", "A🙂1234567890123"],
)
def test_text_beyond_ascii_is_read_as_it_was_written(text: str) -> None:
    symbol = fastcore.encode(text)
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    image = np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((4, 4))).astype(np.uint8)
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [text]


def test_bytes_are_taken_as_they_are() -> None:
    data = bytes(range(128, 256))
    symbol = fastcore.encode(data, mask=3)
    theirs = same_segments.drawn([QrSegment.make_bytes(data)], symbol, 3)
    assert symbol.modules == same_segments.modules(theirs)


def test_empty_text_is_a_symbol() -> None:
    assert fastcore.encode("").version == 1
    assert fastcore.encode(b"").modules == fastcore.encode("").modules


def test_boost_raises_the_level_but_not_the_version() -> None:
    assert fastcore.encode("boost", level="L").level == "L"
    boosted = fastcore.encode("boost", level="L", boost=True)
    assert (boosted.version, boosted.level) == (1, "H")
    assert fastcore.encode("boost" * 3, level="L", boost=True).level == "L"
