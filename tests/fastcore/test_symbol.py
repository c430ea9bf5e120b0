"""Whole symbols, module for module, against independent encoders; and read back by real decoders."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import segno
import zxingcpp
from qrcodegen import QrSegment
from segno import encoder

import fastcore
from fastcore import _probe
from tests.fastcore import same_segments

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = "LMQH"
VERSIONS = range(1, 41)

QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

Pixels = npt.NDArray[np.uint8]


def _digits(version: int, level: str) -> str:
    """Digits that nearly fill a symbol and do not end at a codeword boundary.

    At a boundary segno writes eight padding bits where the standard (7.4.10) asks for none: see
    test_segno_pads_a_full_codeword.
    """
    length_bits = 10 if version < 10 else 12 if version < 27 else 14
    count = int((_probe.data_codewords(version, LEVELS.index(level)) * 8 - 24) * 0.29)
    while (4 + length_bits + -(-count * 10 // 3) + 4) % 8 == 0:
        count -= 1
    return "".join(random.Random(version).choices("0123456789", k=count))


def _segno(text: str, version: int, level: str, mask: int) -> bytes:
    code = segno.make_qr(text, version=version, error=level, mask=mask, boost_error=False)
    return b"".join(map(bytes, code.matrix))


def _segno_under_each_mask(text: str, version: int, level: str) -> Iterator[bytes]:
    """What segno draws, by its own steps, but with codewords and check codewords made once for all masks."""
    code = encoder.encode(text, version=version, error=level, mask=0, boost_error=False)  # type: ignore[no-untyped-call]
    size = len(code.matrix)
    encoder.find_and_apply_best_mask(code.matrix, size, size, 0)  # type: ignore[no-untyped-call]  # takes it away again
    for mask in range(8):
        matrix = [row[:] for row in code.matrix]
        encoder.find_and_apply_best_mask(matrix, size, size, mask)  # type: ignore[no-untyped-call]
        encoder.add_format_info(matrix, code.version, code.error, mask)  # type: ignore[no-untyped-call]
        yield b"".join(map(bytes, matrix))


def _image(symbol: fastcore.Symbol, scale: int = 4) -> Pixels:
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    light = np.pad(255 * (1 - modules), 4, constant_values=255)
    return np.kron(light, np.ones((scale, scale), np.uint8)).astype(np.uint8)


@pytest.mark.parametrize("version", VERSIONS)
def test_equals_segno_at_each_level_under_each_mask(version: int) -> None:
    for level in LEVELS:
        text = _digits(version, level)
        for mask, theirs in enumerate(_segno_under_each_mask(text, version, level)):
            symbol = fastcore.encode(text, version=version, level=level, mask=mask)
            assert (symbol.version, symbol.level, symbol.mask) == (version, level, mask)
            assert symbol.size == 17 + 4 * version
            assert symbol.modules == theirs, (level, mask)


@pytest.mark.parametrize("version", [1, 7, 13, 40])
def test_segnos_steps_draw_what_segno_draws(version: int) -> None:
    text = _digits(version, "M")
    for mask, theirs in enumerate(_segno_under_each_mask(text, version, "M")):
        assert theirs == _segno(text, version, "M", mask)


def test_segno_pads_a_full_codeword() -> None:
    """Where segno departs from the standard: pinned, so that the day it changes is noticed.

    Bytes always end at a codeword boundary after the terminator; 7.4.10 pads only what does not.
    """
    ours = fastcore.encode("hello", version=1, mask=0)
    assert ours.modules != _segno("hello", 1, "M", 0)
    theirs = same_segments.drawn([QrSegment.make_bytes(b"hello")], ours, 0)
    assert ours.modules == same_segments.modules(theirs)


@pytest.mark.parametrize("version", VERSIONS)
def test_chooses_the_mask_that_qrcodegen_chooses(version: int) -> None:
    level = LEVELS[version % 4]
    codewords = _probe.data_codewords(version, LEVELS.index(level))
    data = random.Random(version).randbytes(codewords - 3)
    ours = fastcore.encode(data, version=version, level=level)
    theirs = same_segments.drawn([QrSegment.make_bytes(data)], ours)
    assert ours.mask == theirs.get_mask()
    assert ours.modules == same_segments.modules(theirs)


@pytest.mark.parametrize("version", VERSIONS)
def test_zxing_reads_it(version: int) -> None:
    for level in LEVELS:
        text = f"version {version}, level {level}"
        if version < 3:
            text = text[:4]
        symbol = fastcore.encode(text, version=version, level=level)
        found = zxingcpp.read_barcodes(_image(symbol), formats=QR)
        assert [code.text for code in found] == [text]


# Versions that OpenCV 5.0 reads at no level, though the symbols are the ones that others draw.
OPENCV_CANNOT = {33, 34, 37}


@pytest.mark.parametrize("version", [version for version in VERSIONS if version not in OPENCV_CANNOT])
def test_opencv_reads_it(version: int) -> None:
    """OpenCV reads most symbols but not all: of each version at least one level, and never a wrong text."""
    reads = []
    for level in LEVELS:
        text = f"v{version}" + "x" * (10 * version if version > 7 else 0)
        for scale in (4, 8):
            image = _image(fastcore.encode(text, version=version, level=level), scale)
            read, _, _ = cv2.QRCodeDetector().detectAndDecode(image)
            assert read in ("", text)
            reads.append(read)
    assert text in reads


@pytest.mark.parametrize("version", VERSIONS)
def test_the_middles_of_all_alignment_patterns_are_known(version: int) -> None:
    symbol = fastcore.encode("1", version=version)
    modules = np.frombuffer(symbol.modules, np.uint8).reshape(symbol.size, symbol.size)
    pattern = np.pad(np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.uint8), 1, constant_values=1)
    for column, row in symbol.alignments:
        assert np.array_equal(modules[row - 2 : row + 3, column - 2 : column + 3], pattern)
    across = version // 7 + 2
    assert len(set(symbol.alignments)) == (across * across - 3 if version > 1 else 0)


def test_micro_qr_codes_have_no_alignment_patterns() -> None:
    assert fastcore.encode("1", micro=True).alignments == ()
