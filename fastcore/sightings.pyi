from collections.abc import Iterable

class Sightings:
    """Who scanned which link on which day, told in the order of the log, and numbered from 0 on."""

    #: Once it is closed: of all that differ, in the order of these four, the day, the account, the visitor, and the
    #: link, each as a text like `{1,2,3}`.
    columns: list[str]

    def add(self, sightings: Iterable[tuple[int, int, int, int]]) -> None:
        """Those that come next: of each the day, the account, its visitor, and the link."""

    def close(self) -> None:
        """No more come."""

    def days(self) -> list[tuple[int, int]]:
        """Once it is closed: the days, each with the accounts, in order."""

    def of_link(self, places: Iterable[int]) -> list[int]:
        """The numbers of those at these places, from 1 on, of the columns: of several that are the same, the first."""

    def of_account(self, places: Iterable[int]) -> list[int]:
        """The same, without those before which the visitor was seen on that day by another link of the account."""
