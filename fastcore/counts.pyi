def counted(people: list[tuple[str, ...]], bots: list[tuple[str, ...]]) -> bytes:
    """Of scans that have as many keys each, how often each key comes, place by place: for each place of the people's a
    line, as `{"CH":12,"FR":3}` with the keys in the order in which they came first, and then for each of the bots';
    with a line feed between two lines, and none at the end. Of no people the lines are empty; of no bots there are
    none."""

def merged(groups: list[bytes], most: int) -> bytes:
    """Such lines of scans that followed each other, the first ones of each added up, then the second ones, and so on.
    To the keys of the first groups others are added as long as there are less than `most`; what comes later is counted
    as U+0000, unless its key is there. Raises ValueError for what are no such lines."""
