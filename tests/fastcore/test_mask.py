"""The mask stage: penalties against an independent implementation, on every instruction set."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from qrcodegen import QrCode

from fastcore import _probe

if TYPE_CHECKING:
    from collections.abc import Iterator

SETS = range(3)  # plain, AVX2, AVX-512; see _probe.use_instruction_set
ECC = [QrCode.Ecc.LOW, QrCode.Ecc.MEDIUM, QrCode.Ecc.QUARTILE, QrCode.Ecc.HIGH]


@pytest.fixture(params=SETS)
def _instruction_set(request: pytest.FixtureRequest) -> Iterator[None]:
    if _probe.use_instruction_set(request.param) != request.param:
        _probe.use_instruction_set(max(SETS))
        pytest.skip("this processor does not know the set")
    yield
    _probe.use_instruction_set(max(SETS))


def _theirs(data: bytes, version: int, level: int, mask: int) -> int:
    code = QrCode(version, ECC[level], data, mask)
    return int(code._get_penalty_score())


def _datas(version: int) -> Iterator[bytes]:
    """Data codewords like nothing at all, like noise, and full of long runs."""
    count = _probe.data_codewords(version, 0)
    rng = random.Random(version)
    yield bytes(count)
    yield b"\xff" * count
    yield rng.randbytes(count)
    # Long runs, so that finder-like patterns of two and more modules per part come about.
    yield bytes(rng.choice([0, 0, 0xFF, 0xFF, 0xF0, 0x0F, 0xCC]) for _ in range(count))


@pytest.mark.usefixtures("_instruction_set")
@pytest.mark.parametrize("version", [1, 2, 7, 11, 12, 24, 25, 36, 37, 40])
def test_penalties_equal_qrcodegens(version: int) -> None:
    for data in _datas(version):
        ours = _probe.penalties(data, version, 0)
        masks = range(8) if version < 12 else (version % 8, (version + 3) % 8)
        assert [ours[mask] for mask in masks] == [_theirs(data, version, 0, mask) for mask in masks]


def test_instruction_sets_agree() -> None:
    for version in range(1, 41):
        data = random.Random(version).randbytes(_probe.data_codewords(version, 2))
        answers = []
        for number in SETS:
            _probe.use_instruction_set(number)
            answers.append(_probe.penalties(data, version, 2))
        _probe.use_instruction_set(max(SETS))
        assert answers == [answers[0]] * len(answers)
