"""The tag: a word that people sort their links and codes by."""

from collections.abc import Iterable
from typing import Self

from server.domain.checked import CheckedText
from server.domain.errors import InvalidValue
from server.domain.label import one_line

MAX_LENGTH = 50

#: Of one link or code.
MAX_TAGS = 20


class Tag(CheckedText):
    """One line of 1 to 50 characters, in lower case, as "Menu" and "menu" are meant to be the same; without a comma,
    which stands between tags where they have to be one text."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        tag = one_line(text.strip().lower(), MAX_LENGTH)
        if "," in tag:
            raise InvalidValue("invalid_character", "A tag has no comma: several tags are several texts.")
        return super().__new__(cls, tag)


def each_once(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    """The tags in the order in which they were given, none twice."""
    return tuple(dict.fromkeys(tags))
