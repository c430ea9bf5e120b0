"""Who was in memory and is not in the database any more: a load calls the roll, and who does not answer is missing.

The roll is a string for each page of the load before, as a million slugs in a set would be 100 MB. Pages mostly
answer as they were. Where a row has gone, or come, all that follow are shifted against theirs, by so few slugs that
what is ahead of its page, and what is behind, stay small sets.
"""

SEPARATOR = "\n"


class Roll:
    """The slugs that were loaded, and those that have joined them since."""

    def __init__(self) -> None:
        self.joined: dict[str, None] = {}
        self._pages: list[str] = []
        #: Of the call before this one.
        self._known: list[str] = []
        #: Have answered before their page was called; and are called, and have not answered.
        self._ahead: set[str] = set()
        self._behind: set[str] = set()

    def join(self, slug: str) -> None:
        self.joined[slug] = None

    def begin(self) -> None:
        self._known, self._pages = self._pages, []
        self._ahead, self._behind = set(), set(self.joined)
        self.joined = {}

    def answer(self, slugs: list[str]) -> None:
        """The next page."""
        page, place = SEPARATOR.join(slugs), len(self._pages)
        self._pages.append(page)
        if place >= len(self._known):
            self._behind.difference_update(slugs)
        elif page != self._known[place]:
            self._ahead.update(slugs)
            self._call(place)

    def missing(self) -> set[str]:
        """Who has not answered, once all pages have."""
        for place in range(len(self._pages), len(self._known)):
            self._call(place)
        return self._behind

    def _call(self, place: int) -> None:
        self._behind.update(self._known[place].split(SEPARATOR))
        there = self._ahead & self._behind
        self._ahead -= there
        self._behind -= there

    def end(self) -> None:
        self._known, self._ahead, self._behind = [], set(), set()

    def break_off(self) -> None:
        """Whoever has not answered by now may still be there."""
        self._pages += self._known[len(self._pages) :]
        self.joined |= dict.fromkeys(self._behind)
        self.end()
