"""Slugs: what may stand in a short URL."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.errors import InvalidValue
from server.domain.slug import ALPHABET, LENGTH, MAX_LENGTH, RESERVED, Slug


@pytest.mark.parametrize("text", ["a", "7", "a1", "summer-menu", "table_7", "a--b__c", "2026", "x" * MAX_LENGTH, "v1x"])
def test_a_legal_slug_stays_as_it_is(text: str) -> None:
    assert Slug(text) == text


@pytest.mark.parametrize(("text", "slug"), [("A", "a"), ("Summer-MENU", "summer-menu"), ("TABLE_7", "table_7")])
def test_a_slug_is_kept_in_lower_case(text: str, slug: str) -> None:
    assert Slug(text) == slug


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("x" * (MAX_LENGTH + 1), "too_long"),
        *[
            (text, "invalid_slug")
            for text in ["-", "_", "-a", "a-", "_a", "a_", "a b", " a", "a ", "a.b", "a/b", "a\\b"]
        ],
        *[
            (text, "invalid_slug")
            for text in ["a%20b", "a?b", "a#b", "a+b", "a:b", "a@b", "..", "a\n", "\na", "a\x00b"]
        ],
        # Letters to a person, but none of a-z; the Kelvin sign (U+212A) would become a k in lower case.
        *[
            (text, "invalid_slug")
            for text in ["ä", "\uff41", "é1", "İ", "\u0131", "\u212a", "\u212aey", "\u017f", "٣", "²"]
        ],
    ],
)
def test_an_illegal_slug_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Slug(text)
    assert refusal.value.reason == why


@pytest.mark.parametrize("word", sorted(RESERVED))
@pytest.mark.parametrize("spelled", [str.lower, str.upper, str.title])
def test_a_reserved_word_is_refused_in_any_spelling(word: str, spelled: Callable[[str], str]) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Slug(spelled(word))
    assert refusal.value.reason == "reserved_slug"


def test_what_the_server_answers_itself_is_reserved() -> None:
    assert {"v1", "livez", "readyz", "metrics", "docs", "i"} <= RESERVED


def test_a_random_slug_has_its_length_and_no_letters_that_look_alike_or_make_words() -> None:
    slugs = [Slug.random() for _ in range(2000)]
    assert {len(slug) for slug in slugs} == {LENGTH}
    # Every letter of the alphabet, and no other: at 16,000 draws one is missing once in 10^250 runs.
    assert set("".join(slugs)) == set(ALPHABET)
    assert not set(ALPHABET) & set("aeiou01l")


def test_random_slugs_do_not_repeat() -> None:
    # Two of 2,000 are the same once in 190,000 runs.
    assert len({Slug.random() for _ in range(2000)}) == 2000


@given(st.one_of(st.text(), st.from_regex(r"[A-Za-z0-9_-]{1,70}", fullmatch=True)))
def test_whatever_is_accepted_is_a_path_segment_that_needs_no_escaping(text: str) -> None:
    try:
        slug = Slug(text)
    except InvalidValue:
        return
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_")
    assert text.isascii()
    assert slug not in RESERVED
    assert Slug(slug) == slug == Slug(slug.upper())


def test_a_stored_slug_is_believed() -> None:
    """A word reserved later must not make the links that have it unreadable."""
    assert Slug.stored("docs") == "docs"
