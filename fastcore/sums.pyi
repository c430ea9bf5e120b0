def summed(lines: list[bytes], most: int) -> tuple[dict[bytes, int], int]:
    """The counts of JSON objects added up by their keys, as `{"CH":12,"FR":3}`: without spaces, all counts natural
    numbers of at most 64 bits in all, and a key always written in the same way. Of the keys, as they stand between
    their quotes, the `most` with the largest counts, and those with as large a one as the last of these; and the sum of
    all counts. Raises ValueError for what is no such object."""
