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
        label = text.strip()
        if not label:
            raise InvalidValue("empty", "This may not be empty.")
        if len(label) > MAX_LENGTH:
            raise InvalidValue("too_long", f"This has at most {MAX_LENGTH} characters; it has {len(label)}.")
        for position, character in enumerate(label):
            # Cc: controls; Zl, Zp: line and paragraph separators; Cs: halves of characters, which UTF-8 cannot hold.
            if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
                raise InvalidValue(
                    "invalid_character",
                    f"This may not contain the character U+{ord(character):04X} (position {position}).",
                )
        return super().__new__(cls, label)
