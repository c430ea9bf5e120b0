"""Texts that a static code says."""

import pytest

from server.domain.content import MAX_CHARACTERS, Text
from server.domain.errors import InvalidValue


@pytest.mark.parametrize("text", ["a", " ", "line\r\nline\t", "é🍣", "7" * MAX_CHARACTERS])
def test_a_text_stays_as_it_is(text: str) -> None:
    assert Text(text).text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("7" * (MAX_CHARACTERS + 1), "too_long"),
        ("a\x00b", "invalid_character"),
        ("a\ud800b", "invalid_character"),
    ],
)
def test_what_no_symbol_or_no_database_holds_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Text(text)
    assert (refusal.value.reason, refusal.value.field) == (why, "text")


def test_a_text_that_is_too_long_hears_how_long_it_is_and_may_be() -> None:
    with pytest.raises(InvalidValue, match=r"7089 .* 8000"):
        Text("x" * 8000)
