"""Lists in pages: newest first, by primary key, so that a page stays right while rows are added or deleted."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import asyncpg

from server.domain.model import AccountId, Page

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

T = TypeVar("T")

ABOVE_ALL = (1 << 63) - 1


async def page(
    connection: "Connection",
    query: str,
    account: AccountId,
    before: int | None,
    limit: int,
    value: Callable[[asyncpg.Record], T],
) -> Page[T]:
    """Runs a query of ($1 account, $2 id to stay below, $3 limit) and makes a page of its rows.

    One row more than asked for is read, which tells whether there is a next page.
    """
    rows = await connection.fetch(query, account, ABOVE_ALL if before is None else before, limit + 1)
    more = len(rows) > limit
    return Page([value(row) for row in rows[:limit]], rows[limit - 1]["id"] if more else None)
