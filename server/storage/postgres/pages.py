"""Lists in pages: newest first, by primary key, so that a page stays right while rows are added or deleted."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from server.domain.model import Page

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

T = TypeVar("T")

ABOVE_ALL = (1 << 63) - 1


async def page(
    connection: "Connection",
    query: str,
    of: Sequence[int],
    before: int | None,
    limit: int,
    value: Callable[[asyncpg.Record], T],
) -> Page[T]:
    """Runs a query whose last parameters, behind `of`, are an id to stay below and a limit; makes a page of its rows.

    One row more than asked for is read, which tells whether there is a next page.
    """
    rows = await connection.fetch(query, *of, ABOVE_ALL if before is None else before, limit + 1)
    more = len(rows) > limit
    return Page([value(row) for row in rows[:limit]], rows[limit - 1]["id"] if more else None)
