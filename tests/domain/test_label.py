"""Labels: names and titles."""

import pytest

from server.domain.errors import InvalidValue
from server.domain.label import MAX_LENGTH, Label


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Table 7", "Table 7"),
        ("  Table 7 \n", "Table 7"),
        ("x" * MAX_LENGTH, "x" * MAX_LENGTH),
        (" " + "x" * MAX_LENGTH, "x" * MAX_LENGTH),
        ("Menü für 日本 🍣", "Menü für 日本 🍣"),
        ("<b>&amp;'\"", "<b>&amp;'\""),  # data, not markup: escaping is for whoever shows it
    ],
)
def test_a_label_is_kept_without_the_space_around_it(sent: str, kept: str) -> None:
    assert Label(sent) == kept


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        (" \t\n\u2003", "empty"),
        ("x" * (MAX_LENGTH + 1), "too_long"),
        *[(f"a{chr(code)}b", "invalid_character") for code in [0, 9, 10, 13, 0x1B, 0x7F, 0x85, 0x2028, 0x2029]],
        ("a\ud800b", "invalid_character"),  # no UTF-8 can hold it, so no database
    ],
)
def test_what_is_no_line_of_text_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Label(text)
    assert refusal.value.reason == why
