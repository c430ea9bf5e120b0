"""Runs are what plain Python makes of the same scans."""

from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.counts import counted
from fastcore.tally import Tally

QUARTER_US = 10

SCANS = st.lists(
    st.tuples(
        st.integers(1, 2),
        st.integers(1, 3),
        st.integers(-25, 25),
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy")),
        st.booleans(),
    ),
    max_size=40,
)
Scan = tuple[int, int, int, tuple[str, ...], bool]


NAMES = (
    *("account", "link", "number", "quarter", "people", "bots", "unique_people", "unique_bots"),
    *("last_scan_us", "last_bot_us", "groups"),
)


def runs(scans: list[Scan], firsts: set[int]) -> list[tuple[Any, ...]]:
    """Those of each link, one after the other; then in the order of their first scans."""
    found = []
    numbered = sorted(enumerate(scans), key=lambda each: each[1][:2])
    for (account, link, quarter), some in groupby(numbered, lambda each: (*each[1][:2], each[1][2] // QUARTER_US)):
        of_run = list(some)
        people, bots = ([each for each in of_run if each[1][4] is bot] for bot in (False, True))
        values = (
            *(account, link, of_run[0][0], quarter, len(people), len(bots)),
            *(sum(number in firsts for number, _ in side) for side in (people, bots)),
            *(max((scan[2] for _, scan in side), default=None) for side in (people, bots)),
            counted([scan[3] for _, scan in people], [scan[3] for _, scan in bots]),
        )
        found.append(values)
    return sorted(found, key=lambda run: run[2])


@given(SCANS, st.sets(st.integers(0, 39)), st.integers(0, 40))
def test_runs_are_of_a_link_and_a_quarter_of_an_hour(scans: list[Scan], firsts: set[int], cut: int) -> None:
    tally = Tally(QUARTER_US, 1_000)
    tally.add(scans[:cut])
    tally.add(iter(scans[cut:]))
    links = len({scan[:2] for scan in scans})
    assert [tally.settle(1) for _ in range(cut)] == [settled < links for settled in range(1, cut + 1)]
    found = tally.close()
    tally.add_firsts(number for number in firsts if number < len(scans))
    assert [tuple(getattr(run, name) for name in NAMES) for run in found] == runs(scans, firsts)


@pytest.mark.parametrize("bot", [False, True])
def test_a_run_ends_when_it_has_so_many(bot: bool) -> None:
    tally = Tally(QUARTER_US, 3)
    tally.add((1, 2, time_us, ("a",), bot) for time_us in range(8))
    assert [(run.number, run.people + run.bots) for run in tally.close()] == [(0, 3), (3, 3), (6, 2)]


def test_a_scan_that_was_not_told_is_not_the_first() -> None:
    tally = Tally(QUARTER_US, 3)
    with pytest.raises(IndexError):
        tally.add_firsts([0])


def test_a_quarter_of_an_hour_has_a_length() -> None:
    with pytest.raises(ValueError, match="not empty"):
        Tally(0, 3)


@pytest.mark.parametrize("scan", [(1, 2, 3, ("a",)), (1, 2, None, ("a",), True), ("x", 2, 3, ("a",), True), None])
def test_what_is_no_scan_is_refused(scan: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        Tally(QUARTER_US, 3).add([scan])  # type: ignore[list-item]
