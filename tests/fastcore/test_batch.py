"""A batch is what rows, tallies and sightings make of the same scans, each by itself."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcore.batch import Batch
from fastcore.facts import Known
from fastcore.rows import packed_rows
from fastcore.sightings import Sightings
from fastcore.tally import Run, Tally
from tests.fastcore.test_tally import NAMES

DAY_US = 86_400_000_000
QUARTER_US = 900_000_000
MOST = 3

Scan = tuple[Any, ...]

TEXTS = st.sampled_from([None, "", "a", "bé"])
SCANS = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.integers(-9, 9).map(lambda number: number * DAY_US // 5),
        *[TEXTS] * 3,
        st.sampled_from([None, (b"\x01\x02\x03\x00", 24)]),
        st.integers(-2, 2),
        st.sampled_from(["bot", "mobile"]),
        *[TEXTS] * 2,
        st.sampled_from([None, True, False]),
        *[TEXTS] * 7,
    ),
    max_size=30,
)


def agent_keys(facts: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(f"agent {fact}" for fact in facts)


def place_keys(facts: tuple[str | None, ...]) -> tuple[str, ...]:
    return tuple(f"place {fact}" for fact in facts)


def language_key(language: str | None) -> str:
    return f"language {language}"


def source_key(from_code: bool | None) -> str:
    return f"from a code: {from_code}"


def batch(**replaced: Any) -> Batch:  # noqa: ANN401
    made = {"agent": agent_keys, "place": place_keys, "language": language_key, "source": source_key} | replaced
    known = [Known(make, 4) for make in made.values()]
    return Batch(Tally(QUARTER_US, MOST), Tally(QUARTER_US, MOST), Sightings(), *known)


def keys_of(scan: Scan) -> tuple[str, ...]:
    _, _, _, _, language, _, _, device, os, browser, from_code, country, city, region, network, version, bot, host = (
        scan
    )
    return (
        *agent_keys((device, os, browser, version, bot)),
        *place_keys((country, region, city, network)),
        *(language_key(language), host or "", source_key(from_code)),
    )


def told(runs: list[Run]) -> list[tuple[Any, ...]]:
    return [tuple(getattr(run, name) for name in NAMES) for run in runs]


@settings(deadline=None)
@given(SCANS, st.integers(0, 30), st.integers(0, 1 << 60))
def test_a_batch_is_what_its_parts_are(scans: list[Scan], cut: int, first: int) -> None:
    accounts = {1: 11, 2: 12, 3: 11}
    ours = batch()
    ours.add(scans[:cut], accounts)
    ours.add(iter(scans[cut:]), accounts)
    ours.close()
    numbered = [((number, accounts.get(scan[0])), scan) for number, scan in enumerate(scans, first)]
    numbered.sort(key=lambda row: (row[0][1] or 0, row[1][0], row[0][0]))
    parts = zip(*numbered, strict=True) if numbered else ()
    assert b"".join(ours.rows(first)) == packed_rows(*parts)
    assert ours.count == len(scans)
    of_links, of_accounts, sightings = Tally(QUARTER_US, MOST), Tally(QUARTER_US, MOST), Sightings()
    for scan in scans:
        link, time_us, visitor, device = scan[0], scan[1], scan[6], scan[7]
        account = accounts.get(link, 0)
        of_links.add([(account, link, time_us, keys_of(scan), device == "bot")])
        of_accounts.add([(account, 0, time_us, keys_of(scan), device == "bot")])
        sightings.add([(time_us // DAY_US, account, visitor, link)])
    assert told(ours.of_links.close()) == told(of_links.close())
    assert told(ours.of_accounts.close()) == told(of_accounts.close())
    ours.sightings.close()
    sightings.close()
    assert ours.sightings.columns == sightings.columns


WHOLE: Scan = (1, 2, "a", "b", "c", None, 3, "mobile", "d", "e", True, *["f"] * 7)


def test_there_may_be_any_number_of_scans() -> None:
    scans = [(number % 7, number, "x" * (number % 700), *WHOLE[3:]) for number in range(30_000)]
    ours = batch()
    ours.add(scans, {})
    ours.close()
    expected = packed_rows(*zip(*(((n, None), scan) for link in range(7) for n, scan in of(link, scans)), strict=True))
    chunks = [*ours.rows(0)]
    assert len(chunks) > 1
    assert b"".join(chunks) == expected


def of(link: int, scans: list[Scan]) -> list[tuple[int, Scan]]:
    """Those of a link, with their numbers."""
    return [(number, scan) for number, scan in enumerate(scans) if scan[0] == link]


@pytest.mark.parametrize(
    "scan", [None, WHOLE[:-1], (*WHOLE, None), (*WHOLE[:1], None, *WHOLE[2:]), (*WHOLE[:2], 1.5, *WHOLE[3:])]
)
def test_what_is_no_scan_is_refused(scan: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError):
        batch().add([scan], {})


@pytest.mark.parametrize(
    ("name", "key"), [("agent", None), ("agent", "text"), ("place", ["list"]), ("language", None), ("source", 1)]
)
def test_what_is_no_key_is_refused(name: str, key: object) -> None:
    def told() -> None:
        made = batch(**{name: lambda _: key})
        made.add([WHOLE], {})
        made.of_links.close()

    with pytest.raises(TypeError):
        told()
