"""Rows are what struct makes of the same values; that PostgreSQL takes them is for tests/scans to say."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.rows import packed_rows

Value = int | bool | str | bytes | tuple[bytes, int] | None

NUMBERS = st.integers(-(1 << 63), (1 << 63) - 1)
ADDRESSES = st.sampled_from([4, 16]).flatmap(
    lambda n: st.tuples(st.binary(min_size=n, max_size=n), st.integers(0, 128))
)
VALUES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(), st.binary(), ADDRESSES)


def packed(value: Value) -> bytes:
    if value is None:
        return struct.pack(">i", -1)
    if isinstance(value, bool):
        return struct.pack(">i?", 1, value)
    if isinstance(value, int):
        return struct.pack(">iq", 8, value)
    if isinstance(value, tuple):
        address, bits = value
        family = {4: 2, 16: 3}[len(address)]
        return struct.pack(">iBBBB", len(address) + 4, family, bits, 0, len(address)) + address
    data = value.encode() if isinstance(value, str) else value
    return struct.pack(">i", len(data)) + data


def expected(rows: list[tuple[Value, ...]]) -> bytes:
    return b"".join(struct.pack(">h", len(row)) + b"".join(map(packed, row)) for row in rows)


@given(st.lists(st.lists(VALUES, max_size=8).map(tuple), max_size=12))
def test_rows_have_the_length_of_each_value_before_it(rows: list[tuple[Value, ...]]) -> None:
    assert packed_rows(rows) == packed_rows(iter(rows)) == expected(rows)


def test_a_row_may_come_in_parts() -> None:
    assert packed_rows([(1,), ()], [("a", None), (True,)]) == packed_rows([(1, "a", None), (True,)])
    assert packed_rows() == packed_rows([], []) == b""
    with pytest.raises(ValueError, match="shorter"):
        packed_rows([(1,)], [])


def test_there_may_be_any_number_of_rows() -> None:
    rows: list[tuple[Value, ...]] = [(number, "x" * (number % 700), None) for number in range(3_000)]
    assert packed_rows(rows) == expected(rows)


@pytest.mark.parametrize("row", [(1.5,), ([],), (b"a", object()), (("::", 1),), ((b"1234", "x"),), (1 << 63, 3.0)])
def test_what_no_column_holds_is_refused(row: tuple[Value, ...]) -> None:
    with pytest.raises((TypeError, OverflowError)):
        packed_rows([row])


@pytest.mark.parametrize("address", [(b"", 0), (b"12345", 24)])
def test_an_address_has_4_bytes_or_16(address: tuple[bytes, int]) -> None:
    with pytest.raises(ValueError, match="4 bytes or 16"):
        packed_rows([(address,)])


def test_a_row_has_a_count_of_16_bits() -> None:
    assert packed_rows([(None,) * 32767])[:2] == b"\x7f\xff"
    with pytest.raises(ValueError, match="32768"):
        packed_rows([(None,) * 32767], [(1,)])


@pytest.mark.parametrize("rows", [[None], [[1]], None])
def test_a_row_is_a_tuple(rows: object) -> None:
    with pytest.raises(TypeError):
        packed_rows(rows)  # type: ignore[arg-type]
