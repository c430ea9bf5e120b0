from collections.abc import Iterable

class Run:
    """Scans one after the other of one link, or of one account, within a quarter of an hour."""

    account: int
    link: int
    #: That of its first scan, in the tally.
    number: int
    #: Quarters of an hour since 2000.
    quarter: int
    people: int
    bots: int
    unique_people: int
    unique_bots: int
    #: Microseconds since 2000.
    last_scan_us: int | None
    last_bot_us: int | None
    #: What they have in common (fastcore/counts.pyi, `counted`), once no more come.
    groups: bytes
    def __init__(self, account: int, link: int, number: int, quarter: int) -> None: ...

class Tally:
    """Counts scans, in the order of the log."""

    def __init__(self, quarter_us: int, most: int) -> None:
        """A run has at most so many people, and so many bots."""

    def add(self, scans: Iterable[tuple[int, int, int, tuple[str, ...], bool]]) -> None:
        """Those that come next: of each the account, the link, microseconds since 2000, its keys, and whether it is by
        a bot. They are numbered from 0 on."""

    def add_firsts(self, scans: Iterable[int]) -> None:
        """The scans of these numbers are the first ones of their visitors."""

    def settle(self, most: int) -> bool:
        """Where no more scans come: does a part of what `close` would, for so many runs; whether there are more."""

    def close(self) -> list[Run]:
        """All runs, in the order of their first scans. No more scans come, but `add_firsts` may."""
