"""Long work in pieces, so that whatever else this process does goes on beside it."""

from collections.abc import AsyncIterator, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

#: Things that are handled in one piece, at some 20 us each.
PIECE = 50


class Turn:
    """Awaited, it lets all others have theirs: a bare yield is what event loops know for that."""

    def __await__(self) -> Generator[None, None, None]:
        yield


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """The items, with a turn for others between any two pieces of them."""
    for place, item in enumerate(items, start=1):
        yield item
        if place % PIECE == 0:
            await Turn()
