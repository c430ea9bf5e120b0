"""Ids: they grow, they do not repeat, and their text form is one to one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.ids import id_number, id_source, id_text

NUMBERS = st.integers(min_value=0, max_value=(1 << 63) - 1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def clock(moments: list[datetime]) -> Callable[[], datetime]:
    """A clock that shows these moments, one after the other."""
    shown: Iterator[datetime] = iter(moments)
    return lambda: next(shown)


@given(NUMBERS)
def test_an_id_survives_its_text_form(number: int) -> None:
    text = id_text("lnk", number)
    assert id_number("lnk", text) == number
    assert len(text) == len("lnk_") + 13


@given(NUMBERS, NUMBERS)
def test_text_forms_sort_as_the_numbers_do(one: int, other: int) -> None:
    assert (id_text("qr", one) < id_text("qr", other)) == (one < other)


def test_the_form_is_the_one_that_is_written_down() -> None:
    """Ids are in other people's databases: the form may not change."""
    assert id_text("lnk", 5) == "lnk_0000000000005"
    assert id_text("qr", (1 << 63) - 1) == "qr_7zzzzzzzzzzzz"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "_",
        "lnk",
        "lnk_",
        "lnk_000000000005",  # one short
        "lnk_00000000000005",  # one too many
        "qr_0000000000005",
        "LNK_0000000000005",
        "lnk_000000000000A",
        "lnk_000000000000u",  # not in the alphabet
        "lnk_000000000000l",
        "lnk_00000000000_5",
        "lnk_000000000000٣",
        "lnk_8000000000000",  # 64 bits
        "lnk_zzzzzzzzzzzzz",
        " lnk_0000000000005",
        "lnk_0000000000005\n",
        "lnk__000000000005",
        "0000000000005",
    ],
)
def test_what_was_never_given_is_no_id(text: str) -> None:
    assert id_number("lnk", text) is None


@given(st.text())
def test_any_text_is_no_id_unless_it_is_written_the_same(text: str) -> None:
    number = id_number("lnk", text)
    assert number is None or id_text("lnk", number) == text


def test_ids_are_ordered_by_time_across_processes() -> None:
    """Each source is a process of its own; a millisecond between them is enough."""
    earlier = [id_source(lambda: NOON)() for _ in range(100)]
    later = [id_source(lambda: NOON + timedelta(milliseconds=1))() for _ in range(100)]
    assert max(earlier) < min(later)


def test_ids_grow_within_one_millisecond() -> None:
    new_id = id_source(lambda: NOON)
    ids = [new_id() for _ in range(1000)]
    assert all(one < next_ for one, next_ in pairwise(ids))


def test_ids_grow_when_the_clock_steps_back() -> None:
    new_id = id_source(clock([NOON, NOON - timedelta(hours=1), NOON - timedelta(days=900), NOON + timedelta(hours=1)]))
    ids = [new_id() for _ in range(4)]
    assert ids == sorted(set(ids))


def test_two_sources_at_the_same_moment_do_not_give_the_same_ids() -> None:
    # 22 random bits each: all ten pairs are alike once in 10^66 runs.
    ours, theirs = id_source(lambda: NOON), id_source(lambda: NOON)
    assert [ours() for _ in range(10)] != [theirs() for _ in range(10)]


@pytest.mark.parametrize("year", [2024, 2026, 2093])
def test_an_id_fits_a_bigint(year: int) -> None:
    assert 0 < id_source(lambda: datetime(year, 1, 1, 0, 0, 1, tzinfo=UTC))() < 1 << 63
