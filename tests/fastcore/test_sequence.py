"""Structured append: a text spread over several symbols."""

from __future__ import annotations

from functools import reduce
from operator import xor

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno
import zxingcpp

import fastcore
from tests.fastcore import same_segments


def _image(symbol: fastcore.Symbol) -> npt.NDArray[np.uint8]:
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    return np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((4, 4))).astype(np.uint8)


def _texts(symbols: tuple[fastcore.Symbol, ...]) -> list[str]:
    found = []
    for symbol in symbols:
        (code,) = zxingcpp.read_barcodes(_image(symbol))
        found.append(code.text)
    return found


@pytest.mark.parametrize("text", ["0123456789" * 20, "structured append " * 30, "grüße 日本語 " * 25])
@pytest.mark.parametrize("count", [2, 7, 16])
def test_a_reader_reads_every_part(text: str, count: int) -> None:
    symbols = fastcore.encode_sequence(text, count=count)
    assert len(symbols) == count
    assert len({symbol.version for symbol in symbols}) == 1
    assert "".join(_texts(symbols)) == text


@pytest.mark.parametrize("text", ["0123456789" * 20, "structured append " * 6])
@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_reader_puts_it_together_whatever_their_order(text: str, count: int) -> None:
    """OpenCV looks at position and total itself; zxing-cpp does too, but does not tell Python of them."""
    images = [_image(symbol) for symbol in fastcore.encode_sequence(text, count=count)]
    for shuffled in (images, images[::-1], [*images[1:], images[0]]):
        _, texts, _, _ = cv2.QRCodeDetector().detectAndDecodeMulti(np.hstack(shuffled))
        assert sorted(texts) == [""] * (count - 1) + [text]


def test_as_few_symbols_of_a_version_as_hold_it() -> None:
    symbols = fastcore.encode_sequence("7" * 100, version=1, level="L")
    assert (len(symbols), symbols[0].version) == (3, 1)
    with pytest.raises(fastcore.DataTooLong):
        fastcore.encode_sequence("7" * 1000, version=1, level="L")


@pytest.mark.parametrize("count", [2, 3, 5, 16])
def test_position_number_and_parity_equal_segnos(count: int) -> None:
    text = "31415926535897932384626433832795" * count
    for position, ours in enumerate(fastcore.encode_sequence(text, count=count)):
        theirs = segno.make_sequence(text, symbol_count=count, error="M", mask=ours.mask, boost_error=False)
        assert ours.modules == b"".join(map(bytes, theirs[position].matrix))


@pytest.mark.parametrize("count", [2, 3, 5, 16])
def test_parity_of_kanji_equals_segnos(count: int) -> None:
    text = "日本語東京大阪漢字文" * count
    for position, ours in enumerate(fastcore.encode_sequence(text, count=count)):
        theirs = segno.make_sequence(text, symbol_count=count, error="M", mask=ours.mask, boost_error=False)
        assert ours.modules == b"".join(map(bytes, theirs[position].matrix))


# The parity is that of "all the original input data", kanji as the two bytes of Shift JIS, without headers and
# padding (ISO/IEC 18004:2015, 8). We take it of the bytes that the symbols hold, which is all that a reader could
# compare it with. segno encodes the whole text once more for it, in the first that can of ISO 8859-1, Shift JIS and
# UTF-8: the same for ASCII and for kanji alone (tested above), another number for "grüße", which it nevertheless
# writes as UTF-8 when told to. So these are compared with qrcodegen, which draws any segments.
MIXED: list[str | bytes] = [
    "0123456789日本",
    "0123456789日本語東京大阪" * 3,
    "漢字文字化け熙" * 20,
    "ABC123abc" * 12,
    "grüße 日本語 " * 9,
    "Ελλάδα, 🙂🎉 and 漢字" * 5,
    "日本語" * 20 + "é" * 40 + "0123456789" * 9,  # some parts in kanji mode, some in UTF-8
    bytes(range(256)) * 2,
]


@pytest.mark.parametrize("data", MIXED)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_each_part_and_the_parity_of_all_equal_qrcodegens(data: str | bytes, count: int) -> None:
    symbols = fastcore.encode_sequence(data, count=count)
    parts = []
    for symbol in symbols:
        segments, data = same_segments.segments(data, symbol)
        parts.append(segments)
    assert not data
    parity = reduce(xor, b"".join(segment.data for segments in parts for segment in segments))
    for position, (symbol, segments) in enumerate(zip(symbols, parts, strict=True)):
        header = same_segments.append_header(position, count, parity)
        theirs = same_segments.drawn([header, *[segment.drawn() for segment in segments]], symbol, symbol.mask)
        assert same_segments.modules(theirs) == symbol.modules


def test_parity_by_hand() -> None:
    """30 ^ 31 ^ ... ^ 39 are 01; 日 is 93 FA in Shift JIS, 本 is 96 7B: 85 in all."""
    symbols = fastcore.encode_sequence("0123456789日本", count=3)
    kanji = symbols[-1]
    assert kanji.segments == (("kanji", 2),)
    (segment,), _ = same_segments.segments("日本", kanji)
    theirs = same_segments.drawn([same_segments.append_header(2, 3, 0x85), segment.drawn()], kanji, kanji.mask)
    assert same_segments.modules(theirs) == kanji.modules


@pytest.mark.parametrize(
    ("text", "wanted"), [("z" * 400 + "7" * 100, {"version": 1}), ("z" * 4000 + "7" * 3900, {"count": 2})]
)
def test_too_long_speaks_of_a_part_that_does_not_fit(text: str, wanted: dict[str, int]) -> None:
    """The last part, digits for the most part, would fit."""
    with pytest.raises(fastcore.DataTooLong) as caught:
        fastcore.encode_sequence(text, level="L", **wanted)
    assert caught.value.unit == "bytes"
    assert caught.value.length > caught.value.max_length
    assert caught.value.needed_bits > caught.value.available_bits


def test_refused() -> None:
    for count in (0, 1, 17, True):
        with pytest.raises(fastcore.IllegalCount, match="2 to 16"):
            fastcore.encode_sequence("x", count=count)
    with pytest.raises(TypeError, match="count or version"):
        fastcore.encode_sequence("x")
    with pytest.raises(fastcore.IllegalCombination, match="Micro"):
        fastcore.encode_sequence("x", version="M2")  # type: ignore[arg-type]
