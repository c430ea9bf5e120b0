"""A guard against becoming slow: ratios to others in the same run, far below what is measured.

The figures themselves are made by bench/ and shown in docs/performance.md.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import pytest
import zxingcpp

import fastcore

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.alone

TEXT = "https://example.com/" + "q" * 100  # version 7 at level M
ROUNDS = 7


def _ratio(ours: Callable[[], object], theirs: Callable[[], object], times: int) -> float:
    """How many times as long theirs takes: best of several rounds, ours `times` calls to their one."""
    best_ours = best_theirs = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(times):
            ours()
        middle = time.perf_counter()
        theirs()
        best_theirs = min(best_theirs, time.perf_counter() - middle)
        best_ours = min(best_ours, (middle - start) / times)
    return best_theirs / best_ours


def test_encode_is_many_times_as_fast_as_zxing() -> None:
    ratio = _ratio(
        lambda: fastcore.encode(TEXT),
        lambda: zxingcpp.create_barcode(TEXT, zxingcpp.BarcodeFormat.QRCode, ec_level="M"),
        times=20,
    )
    assert ratio > 12  # 63 with AVX-512


@pytest.mark.parametrize(
    ("version", "size_px", "least"),
    [(7, 512, 20), (40, 1024, 7), (3, 9000, 250)],  # 68, 19 and 984
)
def test_png_is_many_times_as_fast_as_compressing_its_rows(version: int, size_px: int, least: int) -> None:
    symbol = fastcore.encode(TEXT[: 14 * version], version=version)
    file = fastcore.png(symbol, size_px=size_px)
    start = file.index(b"IDAT")
    length = int.from_bytes(file[start - 4 : start])
    rows = zlib.decompress(file[start + 4 : start + 4 + length])
    ratio = _ratio(lambda: fastcore.png(symbol, size_px=size_px), lambda: zlib.compress(rows, 9), times=20)
    assert ratio > least
