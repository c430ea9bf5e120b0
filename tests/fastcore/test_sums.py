"""Sums are those that Python's dicts make of the same objects."""

import json
import struct
from collections import Counter

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.sums import column_sums, summed

KEYS = st.one_of(st.text(max_size=12), st.sampled_from(["", "CH", "Zürich, CH", '"', "\\", "\0", '\\"', "a" * 300]))
OBJECTS = st.lists(st.dictionaries(KEYS, st.integers(0, 1 << 40), max_size=40), max_size=12)


def named(found: dict[bytes, int]) -> dict[str, int]:
    return {json.loads(b'"' + key + b'"'): count for key, count in found.items()}


@given(OBJECTS)
def test_counts_are_added_by_their_keys(objects: list[dict[str, int]]) -> None:
    expected: dict[str, int] = {}
    for each in objects:
        for key, count in each.items():
            expected[key] = expected.get(key, 0) + count
    found, total = summed([orjson.dumps(each) for each in objects], 10_000)
    assert (named(found), total) == (expected, sum(expected.values()))


@given(OBJECTS, st.integers(1, 30))
def test_the_largest_are_told_with_all_that_are_as_large_as_the_last(objects: list[dict[str, int]], most: int) -> None:
    small = [{key: count % 7 for key, count in each.items()} for each in objects]
    expected: Counter[str] = Counter()
    for each in small:
        expected.update(each)
    counts = sorted(expected.values(), reverse=True)
    least = counts[most - 1] if len(counts) > most else 0
    found, total = summed([orjson.dumps(each) for each in small], most)
    assert named(found) == {key: count for key, count in expected.items() if count >= least}
    assert total == sum(counts)


def test_there_may_be_any_number_of_keys() -> None:
    objects = [{f"host-{number * step}.example.com": number for number in range(1, 5000)} for step in (1, 2, 3)]
    expected: Counter[str] = Counter()
    for each in objects:
        expected.update(each)
    found, total = summed([orjson.dumps(each) for each in objects], 1 << 20)
    assert (named(found), total) == (expected, sum(expected.values()))


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"}", b"[]", b" {}", b'{"', b'{"a"}', b'{"a":}', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1}}'),
        *(b'{"a":-1}', b'{"a":1 }', b'{"a":1.5}', b'{"a', b'{"a\\', b'{"a\\"', b'{"a":"b"}', b"{a:1}", b'{"a":1"b":2}'),
    ],
)
def test_what_is_no_object_of_counts_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="no object of counts"):
        summed([b'{"b":1}', line], 5)


@pytest.mark.parametrize("lines", [[None], ["{}"], None])
def test_what_are_no_lines_is_refused(lines: object) -> None:
    with pytest.raises(TypeError):
        summed(lines, 5)  # type: ignore[arg-type]


@given(st.lists(st.lists(st.integers(0, (1 << 32) - 1), min_size=7, max_size=7), max_size=5), st.data())
def test_columns_are_summed_between_rows(columns: list[list[int]], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, 7))
    end = data.draw(st.integers(first, 7))
    packed = b"".join(struct.pack("<7I", *column) for column in columns)
    assert column_sums(packed, 7, first, end) == [sum(column[first:end]) for column in columns]
    assert column_sums(memoryview(b"front" + packed)[5:], 7, first, end) == column_sums(packed, 7, first, end)


@pytest.mark.parametrize("rows", [(2, -1, 1), (2, 2, 1), (2, 0, 3), (3, 0, 1), (-1, 0, 0), (0, 0, 1)])
def test_rows_that_are_not_there_are_not_summed(rows: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="no such rows"):
        column_sums(bytes(16), *rows)
