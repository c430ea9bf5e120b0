"""Counts of scans: however they are cut into batches, the rows are the same, and no row grows with its scans."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.tally import Run
from server.domain.model import AccountId, LinkId
from server.storage import rollup
from server.storage.rollup import (
    ALL_LINKS,
    DIMENSIONS,
    OTHER,
    QUARTER_US,
    SLOTS,
    UNKNOWN,
    Counts,
    Keys,
    Row,
    agent_keys,
    language_key,
    pack_slots,
    place_keys,
    source_key,
    tally,
    unpack,
    unpack_slots,
)

OURS = AccountId(1)
DAY = 9_000 * SLOTS


class Told(NamedTuple):
    """A scan as it is told to a tally."""

    account: AccountId
    link: LinkId
    quarter: int
    city: str
    bot: bool = False

    @property
    def keys(self) -> Keys:
        return (*["x"] * DIMENSIONS.index("city"), self.city, *["y"] * (len(DIMENSIONS) - DIMENSIONS.index("city") - 1))


def row_of(runs: Iterable[Run]) -> Row:
    row = Row()
    for run in runs:
        row.add(run)
    return row


def runs_of(scans: list[Told], cuts: Iterable[int] = ()) -> list[Run]:
    """The runs of scans that come in batches which end at `cuts`."""
    runs: list[Run] = []
    ends = sorted({min(cut, len(scans)) for cut in cuts} | {len(scans)})
    for start, end in zip([0, *ends], ends, strict=False):
        found = tally()
        told = [
            (scan.account, link, scan.quarter * QUARTER_US + number, scan.keys, scan.bot)
            for number, scan in enumerate(scans[start:end], start)
            for link in (scan.link, ALL_LINKS)
        ]
        found.add(told[:5])
        found.add(told[5:])
        # As if every third scan were a visitor's first.
        found.add_firsts(place for place in range(len(told)) if (start + place // 2) % 3 == 0)
        for run in found.close():
            run.number += 2 * start
            runs.append(run)
    return runs


def rows_of(runs: list[Run]) -> dict[tuple[str, int, int, int], tuple[object, ...]]:
    """All rows: what is counted of a quarter of an hour, a day, and everything."""
    rows: dict[tuple[str, int, int, int], Row] = {}
    for run in sorted(runs, key=lambda run: run.number):
        for kind, start in (("quarter", run.quarter), ("day", run.quarter // SLOTS), ("ever", 0)):
            rows.setdefault((kind, run.account, run.link, start), Row()).add(run)
    return {
        of: (row.counts, row.slots, row.groups, row.last_scan_us, row.last_bot_us) for of, row in sorted(rows.items())
    }


TOLD = st.builds(
    Told,
    st.integers(1, 2).map(AccountId),
    st.integers(1, 3).map(LinkId),
    st.sampled_from([DAY, DAY + 1, DAY + SLOTS - 1, DAY + SLOTS]),
    st.sampled_from([UNKNOWN, "a", "b", "c", "d", "e"]),
    st.booleans(),
)


@given(st.lists(TOLD, max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_the_cuts_between_batches_change_nothing(scans: list[Told], cuts: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rollup, "MAX_KEYS", 3)
        patch.setattr(rollup, "MAX_RUN", 7)
        assert rows_of(runs_of(scans, cuts)) == rows_of(runs_of(scans))


@given(st.lists(TOLD, max_size=40))
def test_what_is_counted_is_what_was_told(scans: list[Told]) -> None:
    rows: dict[tuple[int, int], Row] = {}
    for run in runs_of(scans):
        rows.setdefault((run.account, run.link), Row()).add(run)
    for (account, link), row in rows.items():
        of_row = [
            (number, scan)
            for number, scan in enumerate(scans)
            if scan.account == account and link in (scan.link, ALL_LINKS)
        ]
        for bots in (False, True):
            kind = [scan for _, scan in of_row if scan.bot is bots]
            assert unpack(row.groups, "city", bots=bots) == Counter(scan.city for scan in kind)
            assert unpack(row.groups, "source", bots=bots) == ({"y": len(kind)} if kind else {})
            assert row.counts[bots] == len(kind)
            times = [scan.quarter * QUARTER_US + number for number, scan in of_row if scan.bot is bots]
            assert (row.last_bot_us if bots else row.last_scan_us) == max(times, default=None)
        slots = Counter(scan.quarter % SLOTS for _, scan in of_row)
        assert {slot: counts.people + counts.bots for slot, counts in row.slots.items()} == slots
    assert len(rows) == len({(scan.account, link) for scan in scans for link in (scan.link, ALL_LINKS)})


@given(st.lists(TOLD, max_size=30), st.integers(0, 30))
def test_a_packed_row_goes_on_as_if_it_had_not_been_packed(scans: list[Told], cut: int) -> None:
    runs = runs_of(scans, [cut])
    whole = row_of(runs)
    first = row_of(runs[:cut])
    again = Row(
        first.groups,
        counts=first.counts,
        slots=pack_slots(first.slots),
        last_scan_us=first.last_scan_us,
        last_bot_us=first.last_bot_us,
    )
    for run in runs[cut:]:
        again.add(run)
    assert (again.groups, again.counts, again.slots) == (whole.groups, whole.counts, whole.slots)
    assert (again.last_scan_us, again.last_bot_us) == (whole.last_scan_us, whole.last_bot_us)


def test_what_comes_first_is_kept_by_its_name() -> None:
    cities = ["a", *(f"{number}" for number in range(rollup.MAX_KEYS + 10)), *["a"] * 5, "0", "late", "late"]
    cities += [UNKNOWN] * 3
    row = row_of(runs_of([Told(OURS, LinkId(1), DAY, city) for city in cities], [1, 300]))
    found = unpack(row.groups, "city", bots=False)
    assert len(found) == rollup.MAX_KEYS + 1
    assert (found["a"], found["0"], found[OTHER]) == (6 * 2, 2 * 2, (11 + 2 + 3) * 2)
    assert "late" not in found


def test_a_link_has_its_own_keys_and_the_account_those_of_all() -> None:
    runs = runs_of([Told(OURS, LinkId(1), DAY, "a"), Told(OURS, LinkId(2), DAY, "b")])
    cities = {run.link: unpack(run.groups, "city", bots=False) for run in runs}
    assert cities == {LinkId(1): {"a": 1}, LinkId(2): {"b": 1}, ALL_LINKS: {"a": 1, "b": 1}}


def test_a_run_ends_where_another_quarter_of_an_hour_comes_in_between() -> None:
    runs = runs_of([Told(OURS, LinkId(1), DAY + late, "a") for late in (0, 0, 1, 0)])
    of_link = [(run.number, run.quarter - DAY, run.people) for run in runs if run.link == LinkId(1)]
    assert of_link == [(0, 0, 2), (4, 1, 1), (6, 0, 1)]


@given(st.dictionaries(st.integers(0, SLOTS - 1), st.builds(Counts, *[st.integers(0, 2**32 - 1)] * 4)))
def test_slots_come_out_as_they_went_in(slots: dict[int, Counts]) -> None:
    packed = pack_slots(slots)
    assert len(packed) == rollup.SLOT_BYTES * len(slots)
    assert unpack_slots(packed) == slots


def test_nothing_is_packed_into_nothing() -> None:
    assert (Row().groups, pack_slots({}), unpack_slots(b"")) == (b"", b"", {})
    assert unpack(b"", "city", bots=True) == {}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("de-CH,de;q=0.9,en;q=0.8", "de"),
        ("EN", "en"),
        ("gsw", "gsw"),
        (" fr ;q=0.9", "fr"),
        ("*", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
        ("'; DROP TABLE", UNKNOWN),
        ("\u00e9\u00e9", UNKNOWN),
    ],
)
def test_a_language_is_the_one_a_browser_would_like_best(header: str | None, key: str) -> None:
    assert language_key(header) == key


def test_keys_say_whose_version_and_where() -> None:
    assert agent_keys("mobile", "iOS", "Mobile Safari", "18", None) == (
        *("mobile", "iOS", "Mobile Safari", "Mobile Safari 18"),
        UNKNOWN,
    )
    assert agent_keys("bot", None, None, "2", "Twitterbot") == ("bot", UNKNOWN, UNKNOWN, UNKNOWN, "Twitterbot")
    assert place_keys("US", "Texas", "Paris", "fixed") == ("US", "Texas, US", "Paris, US", "fixed")
    assert place_keys(None, None, "Paris", None) == (UNKNOWN, UNKNOWN, "Paris", UNKNOWN)
    assert [source_key(each) for each in (True, False, None)] == ["scan", "click", UNKNOWN]
