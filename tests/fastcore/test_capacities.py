"""Every capacity boundary of the standard's table: what fits exactly, and what is said of one more."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
from qrcodegen import QrCode, QrSegment
from segno import consts

import fastcore
from tests.fastcore import same_segments


class Mode(NamedTuple):
    segno: int
    qrcodegen: QrSegment.Mode
    character: str  # that no shorter mode can say
    unit: str  # what fastcore calls such characters
    bits: int  # that take so many characters (7.4.3 to 7.4.6)
    characters: int


# In the order of the file's columns.
MODES = [
    Mode(consts.MODE_NUMERIC, QrSegment.Mode.NUMERIC, "7", "digits", bits=10, characters=3),
    Mode(consts.MODE_ALPHANUMERIC, QrSegment.Mode.ALPHANUMERIC, "Z", "characters", bits=11, characters=2),
    Mode(consts.MODE_BYTE, QrSegment.Mode.BYTE, "z", "bytes", bits=8, characters=1),
    Mode(consts.MODE_KANJI, QrSegment.Mode.KANJI, "点", "characters", bits=13, characters=1),
]
COLUMNS = range(len(MODES))

Version = int | str


def _table() -> dict[tuple[Version, str], tuple[int, ...]]:
    """By version and level the numbers of each mode; 0 where there is no such mode."""
    text = (Path(__file__).parent / "capacities.txt").read_text()
    table: dict[tuple[Version, str], tuple[int, ...]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            version, level, *counts = line.split()
            key = version if version.startswith("M") else int(version)
            table[key, level] = tuple(0 if count == "-" else int(count) for count in counts)
    return table


TABLE = _table()
QR = [key for key in TABLE if isinstance(key[0], int)]
MICRO = [key for key in TABLE if isinstance(key[0], str)]


def _available(version: Version, level: str) -> int:
    """Bits for data, by segno's table."""
    number = consts.MICRO_VERSION_MAPPING[version] if isinstance(version, str) else version
    return int(consts.SYMBOL_CAPACITY[number][None if version == "M1" else consts.ERROR_MAPPING[level]])  # type: ignore[index]


def _needed(version: Version, column: int, count: int) -> int:
    """Bits that so many characters take, by segno's table."""
    mode = MODES[column]
    if isinstance(version, str):
        grade, mode_bits = consts.MICRO_VERSION_MAPPING[version], int(version[1]) - 1
    else:
        grades = (consts.VERSION_RANGE_01_09, consts.VERSION_RANGE_10_26, consts.VERSION_RANGE_27_40)
        grade, mode_bits = grades[(version >= 10) + (version >= 27)], 4
    length_bits = int(consts.CHAR_COUNT_INDICATOR_LENGTH[mode.segno][grade])
    return mode_bits + length_bits - (-count * mode.bits // mode.characters)


def test_the_table_has_every_version_and_level() -> None:
    assert list(QR) == [(version, level) for version in range(1, 41) for level in "LMQH"]
    assert "".join(f" {version}{level}" for version, level in MICRO) == " M1L M2L M2M M3L M3M M4L M4M M4Q"


@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_says_what_segnos_tables_say(column: int) -> None:
    for (version, level), counts in TABLE.items():
        if counts[column]:
            available = _available(version, level)
            assert _needed(version, column, counts[column]) <= available < _needed(version, column, counts[column] + 1)


@pytest.mark.parametrize("column", COLUMNS)
def test_the_table_says_what_qrcodegens_tables_say(column: int) -> None:
    mode = MODES[column]
    for version, level in QR:
        assert isinstance(version, int)
        count = TABLE[version, level][column]
        available = 8 * QrCode._get_num_data_codewords(version, same_segments.ECC[level])
        for more in (0, 1):
            data = [0] * -(-(count + more) * mode.bits // mode.characters)
            needed = QrSegment.get_total_bits([QrSegment(mode.qrcodegen, count + more, data)], version)
            # None: the character count itself has too few bits.
            assert (needed is not None and needed <= available) == (more == 0), (version, level)


def _refused(text: str, version: Version, asked: Version | None, level: str, column: int) -> None:
    """A text of one character more than fits is refused, in numbers that are right."""
    with pytest.raises(fastcore.DataTooLong) as caught:
        fastcore.encode(text, version=asked, level=level, micro=isinstance(version, str))
    error = caught.value
    longest, unit = TABLE[version, level][column], MODES[column].unit
    assert (error.length, error.max_length, error.unit) == (longest + 1, longest, unit)
    assert (error.version, error.level) == (version, level)
    assert (error.needed_bits, error.available_bits) == (
        _needed(version, column, longest + 1),
        _available(version, level),
    )
    assert f"is {longest + 1} {unit} long; version {version} at level {level} holds at most {longest} " in str(error)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize(("version", "level"), TABLE)
def test_what_the_table_says_fits_and_one_more_does_not(version: Version, level: str, column: int) -> None:
    character, longest = MODES[column].character, TABLE[version, level][column]
    micro = isinstance(version, str)
    if not longest:
        with pytest.raises(fastcore.IllegalCombination, match=f"{version} cannot hold"):
            fastcore.encode(character, version=version, level=level)
        return
    full = fastcore.encode(character * longest, version=version, level=level)
    assert full.bits_used == _needed(version, column, longest)
    assert full.bits_used + full.bits_free == _available(version, level)
    _refused(character * (longest + 1), version, version, level, column)

    # Not asked for a version: this one is the smallest that holds so many, and one more takes the next.
    larger = [other for other, at in TABLE if at == level and isinstance(other, str) == micro]
    larger = larger[larger.index(version) + 1 :]
    if version != "M1":
        assert fastcore.encode(character * longest, level=level, micro=micro) == fastcore.encode(
            character * longest, level=level, version=version
        )
        if larger:
            more = fastcore.encode(character * (longest + 1), level=level, micro=micro)
            assert more == fastcore.encode(character * (longest + 1), level=level, version=larger[0])
        elif version in (40, "M4"):
            _refused(character * (longest + 1), version, None, level, column)
