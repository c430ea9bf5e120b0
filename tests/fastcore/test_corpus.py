"""The optimum: on thousands of texts never more bits than other encoders take, and often fewer."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
import segno
import zxingcpp
from qrcodegen import QrSegment
from segno import consts, encoder

import fastcore
from tests.fastcore import same_segments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
ECI_BITS = 12

KANJI = "点茗日本語東京大阪漢字文字化けの試験とカタカナひらがな、。「」ー亜腕弌熙"
EMOJI = "🙂🎉🚀❤️✅🇨🇭"
LOWER = "abcdefghijklmnopqrstuvwxyz"
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


def _pick(rng: random.Random, characters: str, least: int, most: int) -> str:
    return "".join(rng.choices(characters, k=rng.randint(least, most)))


def _url(rng: random.Random) -> str:
    host = _pick(rng, LOWER, 3, 12)
    path = _pick(rng, LOWER + "0123456789", 0, 30)
    return f"https://{host}.example/{path}?id={_pick(rng, '0123456789', 0, 12)}"


def _vcard(rng: random.Random) -> str:
    name = _pick(rng, LOWER, 3, 9).title()
    phone = _pick(rng, "0123456789", 7, 12)
    return f"BEGIN:VCARD\nVERSION:3.0\nN:{name}\nTEL:+{phone}\nEMAIL:{name}@example.com\nEND:VCARD\n"


def _mixed(rng: random.Random) -> str:
    kinds = ["0123456789", ALPHANUMERIC, LOWER, "ÄÖÜßéñ", KANJI, EMOJI]
    return "".join(_pick(rng, rng.choice(kinds), 1, 15) for _ in range(rng.randint(1, 8)))


KINDS: dict[str, Callable[[random.Random], str | bytes]] = {
    "url": _url,
    "upper-case url": lambda rng: _url(rng).upper(),
    "digits": lambda rng: _pick(rng, "0123456789", 1, 200),
    "alphanumeric": lambda rng: _pick(rng, ALPHANUMERIC, 1, 150),
    "mixed": _mixed,
    "ascii mixed": lambda rng: "".join(
        _pick(rng, rng.choice(["0123456789", ALPHANUMERIC, LOWER]), 1, 20) for _ in range(rng.randint(1, 9))
    ),
    "Japanese": lambda rng: _pick(rng, KANJI, 1, 80),
    "Japanese with digits": lambda rng: _pick(rng, KANJI, 1, 20) + _pick(rng, "0123456789", 1, 20),
    "emoji": lambda rng: _pick(rng, EMOJI + LOWER, 1, 40),
    "vCard": _vcard,
    "random bytes": lambda rng: rng.randbytes(rng.randint(1, 300)),
}
EACH = 500


def _texts() -> Iterator[tuple[str, str | bytes]]:
    rng = random.Random(18004)
    for kind, make in KINDS.items():
        for _ in range(EACH):
            yield kind, make(rng)


def _segno_bits(data: str | bytes, version: int) -> int:
    """Bits that segno takes, when it has to name the character set as we do."""
    segments = encoder.prepare_data(data, None, None)  # type: ignore[no-untyped-call]
    named = isinstance(data, str) and not data.isascii() and consts.MODE_BYTE in segments.modes
    if named:
        segments = encoder.prepare_data(data, None, "utf-8")  # type: ignore[no-untyped-call]
    return int(segments.bit_length_with_overhead(version, named))


def _qrcodegen_bits(data: str | bytes, version: int) -> int:
    segments = [QrSegment.make_bytes(data)] if isinstance(data, bytes) else QrSegment.make_segments(data)
    bits = QrSegment.get_total_bits(segments, version)
    assert bits is not None
    return int(bits) + (0 if isinstance(data, bytes) or data.isascii() else ECI_BITS)


def test_never_more_bits_than_others() -> None:
    fewer: Counter[str] = Counter()
    count = 0
    for kind, data in _texts():
        symbol = fastcore.encode(data, level="L", mask=0)
        version = symbol.version
        theirs = min(_segno_bits(data, version), _qrcodegen_bits(data, version))
        assert symbol.bits_used <= theirs, (kind, data)
        fewer[kind] += symbol.bits_used < theirs
        count += 1
    assert count >= 5000
    # How often it is fewer, of 500 each: where the kind leaves a choice, in most cases.
    assert fewer["ascii mixed"] > EACH * 0.7
    assert fewer["upper-case url"] > EACH * 0.7
    assert fewer["mixed"] > EACH * 0.5
    assert fewer["digits"] == fewer["alphanumeric"] == 0


def _is_drawn_alike(data: str | bytes, level: str) -> str:
    """Compare with qrcodegen's symbol of the same segments, under a mask of the symbol's own and under a forced one.

    Returns the modes that were used.
    """
    ours = fastcore.encode(data, level=level)
    segments, rest = same_segments.segments(data, ours)
    assert not rest
    parts = [segment.drawn() for segment in segments]
    theirs = same_segments.drawn(parts, ours)
    assert ours.mask == theirs.get_mask()
    assert ours.modules == same_segments.modules(theirs)
    mask = (ours.mask + 1 + ours.version % 7) % 8
    forced = fastcore.encode(data, level=level, version=ours.version, mask=mask)
    assert forced.modules == same_segments.modules(same_segments.drawn(parts, ours, mask))
    return " ".join(segment.mode for segment in segments)


def test_qrcodegen_draws_the_same_segments_alike() -> None:
    modes = Counter(
        _is_drawn_alike(data, "LMQH"[number % 4]) for number, (_, data) in enumerate(list(_texts())[:: EACH // 25 + 1])
    )
    # Not one kind over and over.
    assert {"byte", "numeric", "alphanumeric", "eci byte", "kanji", "kanji numeric"} <= modes.keys()
    assert len(modes) > 30


@pytest.mark.parametrize(("least", "most"), [(10, 26), (27, 40)])
def test_qrcodegen_draws_long_texts_alike(least: int, most: int) -> None:
    """With the longer character counts of larger versions."""
    rng = random.Random(least)
    for kinds in (["mixed"], ["ascii mixed", "upper-case url"], ["Japanese with digits"]):
        data = ""
        while fastcore.encode(data, level="Q").version < least + 2:
            data += str(KINDS[rng.choice(kinds)](rng))
        assert least <= fastcore.encode(data, level="Q").version <= most
        _is_drawn_alike(data, "Q")


def _read(symbol: fastcore.Symbol) -> str:
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    image = np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((3, 3))).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(image, formats=QR)
    return found.text


def test_what_is_divided_is_read_as_one() -> None:
    for kind, data in list(_texts())[:: EACH // 20]:
        if isinstance(data, str):
            assert _read(fastcore.encode(data)) == data, kind


@pytest.mark.parametrize("text", ["点茗", "日本語", "漢字文字化け" * 5])
def test_kanji_equals_segno(text: str) -> None:
    symbol = fastcore.encode(text, mask=4)
    assert symbol.segments == (("kanji", len(text)),)
    theirs = segno.make_qr(text, version=symbol.version, error="M", mask=4, boost_error=False)
    assert theirs.mode == "kanji"
    assert symbol.modules == b"".join(map(bytes, theirs.matrix))


def test_segments_and_bits() -> None:
    symbol = fastcore.encode("https://example.com/0123456789012345")
    assert symbol.segments == (("byte", 20), ("numeric", 16))
    assert symbol.bits_used == 4 + 8 + 20 * 8 + 4 + 10 + 54
    assert symbol.bits_used + symbol.bits_free == 44 * 8
    assert fastcore.encode("é日").segments == (("eci", 26), ("byte", 5))
    assert fastcore.encode("").segments == ()
