"""Bytes of a fuzzer, read as the values that a target needs."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Reader:
    """Hands out what it was given, from the front; behind its end all bytes are 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, first: int, last: int) -> int:
        """In [first, last]."""
        size = ((last - first).bit_length() + 7) // 8
        taken = self._take(size).ljust(size, b"\0")
        return first + int.from_bytes(taken, "little") % (last - first + 1)

    def flag(self) -> bool:
        return self.number(0, 1) == 1

    def choice(self, values: Sequence[T]) -> T:
        return values[self.number(0, len(values) - 1)]

    def fraction(self) -> float:
        """In [-1, 2], mostly in [0, 1]."""
        return self.number(-50, 200) / 100

    def some(self, most: int = 255) -> bytes:
        """At most so many bytes, as the next ones say."""
        return self._take(self.number(0, most))

    def text(self, most: int = 255) -> str:
        """Any, also halves of surrogate pairs."""
        taken = self.some(most)
        try:
            return taken.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return taken.decode("latin-1")

    def rest(self) -> bytes:
        return self._take(len(self._data))

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        self._at += count
        return taken
