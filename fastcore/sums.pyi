from collections.abc import Iterable
from typing import Any, Protocol

class Day(Protocol):
    """Four counts, the day's number, and its counts by quarter of an hour, or None where no edge is within it."""

    def __getitem__(self, at: int, /) -> Any: ...  # noqa: ANN401 -- what stands there

def summed(rows: Iterable[bytes], figures: Iterable[Iterable[int]], most: int) -> list[tuple[dict[bytes, int], int]]:
    """A row has lines, with a line feed between them: each is empty or a JSON object of counts, as `{"CH":12,"FR":3}`,
    without spaces, all counts natural numbers of at most 64 bits in all, and a key always written in the same way. For
    each of the figures, the objects in those lines of all rows, counted from 0 and at most 31, added up by their keys:
    of the keys, as they stand between their quotes, the `most` with the largest counts, and those with as large a one
    as the last of these; and the sum of all counts. Raises ValueError for what is no such object. Others go on
    meanwhile: it holds the interpreter's lock only to tell what it has found."""

def series(
    edges: Iterable[int], days: Iterable[Day], figures: Iterable[Iterable[int]], late: bool = False
) -> list[list[int]]:
    """For each of the figures, between each edge and the next, counted in quarters of an hour: the sum of its columns
    among a day's four counts. Edges and days are in order. By quarter of an hour a day has, of each that counts
    anything, its number in the day (u8), and then, in the same order, all of their first counts, all second, third and
    fourth ones (u32, little-endian). It may leave out those behind the last edge in it, or, with `late`, those before
    the first one. Raises ValueError for what are no such counts."""
