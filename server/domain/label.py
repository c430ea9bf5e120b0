"""The label: a name or title that people give to a thing."""

import unicodedata
from typing import Self

from server.domain.checked import CheckedText
from server.domain.errors import InvalidValue

MAX_LENGTH = 200


class Label(CheckedText):
    """One line of 1 to 200 characters, without white space around it and without control characters."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        return super().__new__(cls, one_line(text.strip(), MAX_LENGTH))


def one_line(text: str, at_most: int) -> str:
    """The text, which is one line of 1 to `at_most` characters without control characters; raises InvalidValue."""
    if not text:
        raise InvalidValue("empty", "This may not be empty.")
    if len(text) > at_most:
        raise InvalidValue("too_long", f"This has at most {at_most} characters; it has {len(text)}.")
    for position, character in enumerate(text):
        # Cc: controls; Zl, Zp: line and paragraph separators; Cs: halves of characters, which UTF-8 cannot hold.
        if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
            raise InvalidValue(
                "invalid_character",
                f"This may not contain the character U+{ord(character):04X} (position {position}).",
            )
    return text
