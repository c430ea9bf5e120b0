"""Sums are those that Python's dicts make of the same objects."""

import json
import re
import struct
from collections import Counter
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.sums import series, summed

KEYS = st.one_of(st.text(max_size=12), st.sampled_from(["", "CH", "Zürich, CH", '"', "\\", "\0", '\\"', "a" * 300]))
OBJECT = st.dictionaries(KEYS, st.integers(0, 1 << 40), max_size=40)
OBJECTS = st.lists(OBJECT, max_size=12)


def named(found: dict[bytes, int]) -> dict[str, int]:
    return {json.loads(b'"' + key + b'"'): count for key, count in found.items()}


def added(objects: list[dict[str, int]], most: int) -> tuple[dict[bytes, int], int]:
    """Of rows that have but one line."""
    [found] = summed([orjson.dumps(each) for each in objects], [[0]], most)
    return found


@given(OBJECTS)
def test_counts_are_added_by_their_keys(objects: list[dict[str, int]]) -> None:
    expected: dict[str, int] = {}
    for each in objects:
        for key, count in each.items():
            expected[key] = expected.get(key, 0) + count
    found, total = added(objects, 10_000)
    assert (named(found), total) == (expected, sum(expected.values()))


@given(OBJECTS, st.integers(1, 30))
def test_the_largest_are_told_with_all_that_are_as_large_as_the_last(objects: list[dict[str, int]], most: int) -> None:
    small = [{key: count % 7 for key, count in each.items()} for each in objects]
    expected: Counter[str] = Counter()
    for each in small:
        expected.update(each)
    counts = sorted(expected.values(), reverse=True)
    least = counts[most - 1] if len(counts) > most else 0
    found, total = added(small, most)
    assert named(found) == {key: count for key, count in expected.items() if count >= least}
    assert total == sum(counts)


def test_there_may_be_any_number_of_keys() -> None:
    objects = [{f"host-{number * step}.example.com": number for number in range(1, 5000)} for step in (1, 2, 3)]
    expected: Counter[str] = Counter()
    for each in objects:
        expected.update(each)
    found, total = added(objects, 1 << 20)
    assert (named(found), total) == (expected, sum(expected.values()))


@given(st.lists(st.lists(st.one_of(st.none(), OBJECT), max_size=4)), st.lists(st.sets(st.integers(0, 5)), max_size=4))
def test_of_each_row_the_wanted_lines_are_added(
    rows: list[list[dict[str, int] | None]], wanted: list[set[int]]
) -> None:
    packed = [b"\n".join(b"" if line is None else orjson.dumps(line) for line in row) for row in rows]
    found = summed(packed, wanted, 10_000)
    for lines, (counts, total) in zip(wanted, found, strict=True):
        expected: Counter[str] = Counter()
        for row in rows:
            for line in lines & {*range(len(row))}:
                expected.update(row[line] or {})
        assert (named(counts), total) == (expected, expected.total())


def test_keys_of_any_length_are_told_apart() -> None:
    """Those that differ in one place, also where that is behind an escape."""
    keys = [("x" * at + mark).ljust(length, "x") for length in range(40) for at in range(length) for mark in ('"', "y")]
    objects = [{key: at for at, key in enumerate(dict.fromkeys(keys))}] * 2
    found, total = added(objects, 10_000)
    assert (named(found), total) == ({key: 2 * at for key, at in objects[0].items()}, 2 * sum(objects[0].values()))


@pytest.mark.parametrize("place", [-1, 32])
def test_a_row_has_no_more_lines(place: int) -> None:
    with pytest.raises(ValueError, match="lines"):
        summed([b'{"a":1}'], [[0], [place]], 5)


@pytest.mark.parametrize(
    "line",
    [
        *(b"{", b"}", b"[]", b" {}", b'{"', b'{"a"}', b'{"a":}', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1}}'),
        *(b'{"a":-1}', b'{"a":1 }', b'{"a":1.5}', b'{"a', b'{"a\\', b'{"a\\"', b'{"a":"b"}', b"{a:1}", b'{"a":1"b":2}'),
    ],
)
def test_what_is_no_object_of_counts_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="no object of counts"):
        summed([b'{"b":1}', line], [[0]], 5)


COUNT = rb'"(?:[^"\\]|\\.)*":([0-9]+)'
WRITTEN = re.compile(rb"\{(?:%b(?:,%b)*)?\}" % (COUNT, COUNT), re.DOTALL)


@given(st.lists(st.text('{}":,\\a1', max_size=18).map(str.encode), max_size=3), st.binary(max_size=9))
def test_a_row_is_refused_or_added_up_as_it_is_written(lines: list[bytes], last: bytes) -> None:
    lines += last.split(b"\n")
    said = [line for line in lines if line]
    if not all(map(WRITTEN.fullmatch, said)):
        with pytest.raises(ValueError, match="no object of counts"):
            summed([b"\n".join(lines)], [range(len(lines))], 5)
        return
    [(_, total)] = summed([b"\n".join(lines)], [range(len(lines))], 5)
    assert total == sum(int(count) for line in said for count in re.findall(COUNT, line, re.DOTALL))


@pytest.mark.parametrize("rows", [[None], ["{}"], None])
def test_what_are_no_rows_is_refused(rows: object) -> None:
    with pytest.raises(TypeError):
        summed(rows, [[0]], 5)  # type: ignore[arg-type]


DAY_COUNTS = st.dictionaries(st.integers(0, 95), st.tuples(*[st.integers(0, (1 << 32) - 1)] * 4), max_size=8)


def day_of(number: int, slots: dict[int, tuple[int, ...]]) -> tuple[int | bytes, ...]:
    slots = dict(sorted(slots.items()))
    columns = list(zip(*slots.values(), strict=True)) or [()] * 4
    packed = bytes(slots) + b"".join(struct.pack(f"<{len(slots)}I", *column) for column in columns)
    return (*map(sum, columns), number, packed)


@given(
    st.dictionaries(st.integers(-3, 8), DAY_COUNTS, max_size=6),
    st.lists(st.integers(-400, 900), max_size=8, unique=True),
    st.lists(st.sets(st.integers(0, 3)), max_size=4),
)
def test_a_series_is_what_is_between_its_edges(
    days: dict[int, dict[int, tuple[int, ...]]], edges: list[int], figures: list[set[int]]
) -> None:
    edges.sort()
    counted = {96 * day + slot: counts for day, slots in days.items() for slot, counts in slots.items()}
    between = [[counted[at] for at in counted if first <= at < end] for first, end in pairwise(edges)]
    expected = [[sum(each[at] for each in within for at in figure) for within in between] for figure in figures]
    told = [day_of(*day) for day in sorted(days.items()) if edges and day[0] >= edges[0] // 96]
    assert series(edges, told, figures) == expected
    assert series(edges, told, figures, late=True) == expected


@given(DAY_COUNTS, st.lists(st.integers(1, 95), min_size=1, max_size=4, unique=True))
def test_a_day_need_not_tell_what_is_before_or_behind_all_edges(
    slots: dict[int, tuple[int, ...]], edges: list[int]
) -> None:
    edges = [0, *sorted(edges), 96]
    whole = day_of(0, slots)
    early = day_of(0, {slot: counts for slot, counts in slots.items() if slot < edges[-2]})[-1]
    late = day_of(0, {slot: counts for slot, counts in slots.items() if slot >= edges[1]})[-1]
    figures = [[0], [1, 2], [3]]
    expected = series(edges, [whole], figures)
    assert series(edges, [(*whole[:-1], early)], figures) == expected
    assert series(edges, [(*whole[:-1], late)], figures, late=True) == expected


@pytest.mark.parametrize("packed", [bytes(16), bytes(18), None, "none"])
def test_what_are_no_counts_of_a_day_is_refused(packed: object) -> None:
    assert series([0, 96], [(1, 2, 3, 4, 0, packed)], [[0, 1]]) == [[3]]
    with pytest.raises(ValueError, match="counts of a day"):
        series([0, 1], [(1, 2, 3, 4, 0, packed)], [[0]])


@pytest.mark.parametrize("figures", [[[4]], [[-1]], [[0]] * 5])
def test_there_are_no_more_figures_than_counts(figures: list[list[int]]) -> None:
    with pytest.raises(ValueError, match=r"counts|figures"):
        series([0, 1], [], figures)
