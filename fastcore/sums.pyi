def summed(lines: list[bytes], most: int) -> tuple[dict[bytes, int], int]:
    """The counts of JSON objects added up by their keys, as `{"CH":12,"FR":3}`: without spaces, all counts natural
    numbers of at most 64 bits in all, and a key always written in the same way. Of the keys, as they stand between
    their quotes, the `most` with the largest counts, and those with as large a one as the last of these; and the sum of
    all counts. Raises ValueError for what is no such object."""

def column_sums(columns: bytes | memoryview, rows: int, first: int, end: int) -> list[int]:
    """Of columns that follow each other, each of so many unsigned numbers of 32 bits, little-endian: the sum of those
    from row `first` on and before row `end`. Raises ValueError where there are no such rows."""
