"""What holds for every text, and for every number of threads."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcore

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

# Readers trim or translate control characters; everything else has to come back.
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), min_size=1, max_size=120)


@settings(deadline=None, max_examples=150)
@given(text=TEXTS, level=st.sampled_from("LMQH"), boost=st.booleans())
def test_every_text_is_read_as_it_was_written(text: str, level: str, boost: bool) -> None:
    symbol = fastcore.encode(text, level=level, boost=boost)
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    image = np.kron(np.pad(255 * (1 - modules), 4, constant_values=255), np.ones((4, 4))).astype(np.uint8)
    (found,) = zxingcpp.read_barcodes(image, formats=QR, text_mode=zxingcpp.TextMode.Plain)
    assert found.text == text


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=700), level=st.sampled_from("LMQH"))
def test_bits_fit_and_a_smaller_version_would_not_do(data: bytes, level: str) -> None:
    symbol = fastcore.encode(data, level=level)
    assert symbol.bits_free >= 0
    if symbol.version > 1:
        with pytest.raises(fastcore.DataTooLong) as caught:
            fastcore.encode(data, level=level, version=symbol.version - 1)
        assert caught.value.needed_bits > caught.value.available_bits


def _work(seed: int) -> list[bytes]:
    """Modules and files of bytes and texts, alone and in sequences, at random sizes and in random colours."""
    rng = random.Random(seed)
    out = []
    for _ in range(40):
        length = rng.randint(2, 400)
        text = "".join(rng.choices("0123456789ABCabcé漢字🙂", k=length))
        data: str | bytes = text if rng.random() < 0.5 else rng.randbytes(2 * length)
        level = rng.choice("LMQH")
        for symbol in (fastcore.encode(data, level=level), *fastcore.encode_sequence(data, count=2, level=level)):
            dark, light = rng.choice(["#000", "#123456"]), rng.choice(["#fff", "#fedcba", None])
            out += [
                symbol.modules,
                fastcore.png(symbol, size_px=rng.randint(200, 900), dark=dark, light=light),
                fastcore.svg(symbol, dark=dark, light=light),
            ]
    return out


def test_eight_threads_give_what_one_gives() -> None:
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(_work, range(8)))
    assert together == [_work(seed) for seed in range(8)]
