"""Whole lists, for who does not turn pages."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from server.domain.model import Page

T = TypeVar("T")
P = TypeVar("P")


async def every(page_behind: Callable[[P | None], Awaitable[Page[T, P]]]) -> list[T]:
    """All that is on the pages, given how to have the one that goes on from a place, or the first one."""
    page = await page_behind(None)
    found = [*page.items]
    while page.next is not None:
        page = await page_behind(page.next)
        found += page.items
    return found
