"""Text that is legal because it exists: the base of slugs, destinations and labels."""

from typing import Self


class CheckedText(str):
    """A str whose constructor checks it and raises InvalidValue."""

    __slots__ = ()

    @classmethod
    def stored(cls, text: str) -> Self:
        """Text that was checked when it was stored. A rule that has grown stricter since does not undo it."""
        return str.__new__(cls, text)
