"""Lines of counts are what Python's dicts make of the same keys, and orjson of these, to the byte."""

from collections.abc import Iterable

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.counts import counted, merged

OTHER = "\0"
AWKWARD = ["", "CH", "Zürich, CH", '"', "\\", "\0", '\\"', "a" * 300, "\x7f", *map(chr, range(32)), "\u2028\U0001f600"]
KEYS = st.one_of(st.text(max_size=6), st.sampled_from(AWKWARD))
SCANS = st.integers(1, 4).flatmap(lambda keys: st.lists(st.tuples(*[KEYS] * keys), max_size=40))
#: Each of the lines of a group.
LINES = st.lists(st.dictionaries(KEYS, st.integers(0, (1 << 64) - 1), max_size=12), max_size=5)


def packed(lines: Iterable[dict[str, int]]) -> bytes:
    return b"\n".join(orjson.dumps(line) if line else b"" for line in lines)


def merge(group: dict[str, int], more: dict[str, int], most: int) -> None:
    for key, count in more.items():
        name = key if key in group or len(group) < most else OTHER
        group[name] = (group.get(name, 0) + count) % (1 << 64)


def groups(scans: list[tuple[str, ...]], places: int) -> list[dict[str, int]]:
    found: list[dict[str, int]] = [{} for _ in range(places)]
    for keys in scans:
        for group, key in zip(found, keys, strict=True):
            group[key] = group.get(key, 0) + 1
    return found


@given(SCANS, st.integers(0, 40))
def test_keys_are_counted_in_the_order_in_which_they_came(scans: list[tuple[str, ...]], cut: int) -> None:
    people, bots = scans[:cut], scans[cut:]
    places = len(scans[0]) if scans else 0
    expected = packed(groups(people, places) + groups(bots, places))
    assert counted(people, bots) == (expected if bots else packed(groups(people, places) if people else []))


def test_there_may_be_any_number_of_keys() -> None:
    scans: list[tuple[str, ...]] = [(f"host-{number * number % 7919}", "x") for number in range(20_000)]
    assert counted(scans, []) == packed(groups(scans, 2))
    assert counted([], scans) == b"\n\n" + packed(groups(scans, 2))


@given(LINES, st.lists(LINES, max_size=4), st.integers(1, 8))
def test_lines_are_added_to_those_before_them_as_long_as_there_is_room(
    first: list[dict[str, int]], others: list[list[dict[str, int]]], most: int
) -> None:
    expected = [dict(line) for line in first]
    for lines in others:
        expected += [{} for _ in lines[len(expected) :]]
        for group, more in zip(expected, lines, strict=False):
            merge(group, more, most)
    assert merged([packed(first), *map(packed, others)], most) == packed(expected)


@given(SCANS, st.integers(0, 40))
def test_scans_counted_in_two_parts_are_the_same_as_in_one(scans: list[tuple[str, ...]], cut: int) -> None:
    assert merged([counted(scans[:cut], []), counted(scans[cut:], [])], 1 << 20) == counted(scans, [])
    assert merged([counted(scans[:cut], scans), counted(scans[cut:], [])], 1 << 20) == counted(scans, scans)


def test_nothing_is_counted_as_nothing() -> None:
    assert counted([], []) == merged([], 1) == merged([b"", b""], 1) == b""


MALFORMED = [
    *(b"{", b"}", b"[]", b" {}", b"{}", b'{"', b'{"a"}', b'{"a":}', b'{"a":1', b'{"a":1,', b'{"a":1,}', b'{"a":1}}'),
    *(b'{"a":-1}', b'{"a":1 }', b'{"a":1.5}', b'{"a', b'{"a\\', b'{"a\\"', b'{"a":"b"}', b"{a:1}", b'{"a":1"b":2}'),
    *(b'{"a":1}{"b":1}', b'{"a":1}\n{', b'\n{"a":1', b'\n\n"'),
]


@pytest.mark.parametrize("lines", MALFORMED)
def test_what_are_no_lines_of_counts_is_refused(lines: bytes) -> None:
    for several in ([lines], [b'{"b":1}\n{"c":1}', lines]):
        with pytest.raises(ValueError, match="no lines of counts"):
            merged(several, 5)


@pytest.mark.parametrize("lines", [[None], ["{}"], None])
def test_lines_are_bytes(lines: object) -> None:
    with pytest.raises(TypeError):
        merged(lines, 5)  # type: ignore[arg-type]


@pytest.mark.parametrize("scans", [[None], [("a", "b"), ("a",)], [(b"a",)], [["a"]], [("a", None)], None])
def test_scans_have_a_key_for_each_place(scans: object) -> None:
    with pytest.raises(TypeError):
        counted(scans, [])  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        counted([], scans)  # type: ignore[arg-type]
