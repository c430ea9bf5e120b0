from collections.abc import Iterable, Iterator
from typing import TypeVar

from fastcore.facts import Known
from fastcore.sightings import Sightings
from fastcore.tally import Tally

L = TypeVar("L", bound=int)
A = TypeVar("A", bound=int)

class Batch:
    """All that is made of scans, as server.domain.model.Scan has them: rows, and what is counted."""

    #: Of each link, of all links of each account, and who scanned what.
    of_links: Tally
    of_accounts: Tally
    sightings: Sightings
    count: int
    def __init__(
        self,
        of_links: Tally,
        of_accounts: Tally,
        sightings: Sightings,
        agent_keys: Known[tuple[str | None, ...], tuple[str, ...]],
        place_keys: Known[tuple[str | None, ...], tuple[str, ...]],
        language_key: Known[str | None, str],
        source_key: Known[bool | None, str],
    ) -> None:
        """The keys by which a scan is counted are those of its agent, those of its place, that of its language, its
        referrer's host or "", and that of whether it is from a code."""

    def add(self, scans: Iterable[tuple[object, ...]], accounts: dict[L, A]) -> None:
        """Those that come next in the order of the log, with their links' accounts; one that is gone has none, and is
        counted for account 0."""

    def close(self) -> None:
        """No more come."""

    def rows(self, first: int) -> Iterator[bytearray]:
        """Once it is closed: their rows (fastcore.rows), some of them at a time. Each is a number, its account, and
        all that is said of the scan. The first scan has the number `first`, and so on. Rows stand in the order of their
        accounts, links and numbers, so that those of a link go to the same places of table and indexes."""
