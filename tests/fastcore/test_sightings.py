"""Sightings are what plain Python makes of the same."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.sightings import Sightings

Sighting = tuple[int, int, int, int]

FEW = st.integers(-1, 1)
LARGE = st.sampled_from([-(1 << 63), (1 << 63) - 1, -10, 10, 99])
TOLD = st.lists(st.tuples(FEW, FEW, st.one_of(FEW, LARGE), st.one_of(FEW, LARGE)), max_size=40)


def check(told: list[Sighting], places: list[int], cut: int = 0) -> None:
    of_link: dict[Sighting, int] = {}
    of_account: dict[tuple[int, int, int], int] = {}
    for number, sighting in enumerate(told):
        if of_link.setdefault(sighting, number) == number:
            of_account.setdefault(sighting[:3], number)
    sightings = Sightings()
    sightings.add(told[:cut])
    sightings.add(iter(told[cut:]))
    sightings.close()
    found = sorted(of_link)
    columns = [*zip(*found, strict=True)] or [(), (), (), ()]
    assert sightings.columns == ["{" + ",".join(map(str, column)) + "}" for column in columns]
    assert sightings.days() == sorted({sighting[:2] for sighting in told})
    places = [place for place in places if place <= len(found)]
    numbers = [of_link[found[place - 1]] for place in places]
    assert sightings.of_link(places) == numbers
    assert sightings.of_account(places) == [number for number in numbers if number in of_account.values()]


@given(TOLD, st.lists(st.integers(1, 40)), st.integers(0, 40))
def test_each_is_kept_once_and_the_first_scan_is_known(told: list[Sighting], places: list[int], cut: int) -> None:
    check(told, places, cut)


def test_there_may_be_any_number_of_them() -> None:
    chance = random.Random(5)
    told = [(9_000, chance.randrange(100), chance.randrange(-99, 99), chance.randrange(9)) for _ in range(20_000)]
    check(told, [*range(1, 20_001)])


def test_there_is_none_at_another_place() -> None:
    sightings = Sightings()
    sightings.add([(1, 2, 3, 4)])
    for closed in (False, True):
        for place in (-1, 0, 2) if closed else (1,):
            with pytest.raises(IndexError):
                sightings.of_link([place])
        sightings.close()
    assert sightings.of_account([1]) == [0]


def test_no_more_come_once_it_is_closed() -> None:
    sightings = Sightings()
    sightings.close()
    sightings.close()
    with pytest.raises(ValueError, match="no more"):
        sightings.add([(1, 2, 3, 4)])


@pytest.mark.parametrize("sighting", [(1, 2, 3), (1, 2, 3, None), (1, 2, 1 << 63, 4), None])
def test_what_is_no_sighting_is_refused(sighting: object) -> None:
    with pytest.raises((TypeError, ValueError, OverflowError)):
        Sightings().add([sighting])  # type: ignore[list-item]
