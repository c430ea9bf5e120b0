"""Lists in pages. A page goes on from where the one before has ended, in the order of the list and behind that of
ids, so that it stays right while rows are added, changed and deleted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import asyncpg

from server.domain.model import AccountId, Page
from server.domain.selection import LinkSelection, PageEnd, QrCodeSelection, Selection

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

T = TypeVar("T")

ABOVE_ALL = (1 << 63) - 1

#: So many links are sorted by their scans sooner than found along the scans of all accounts' links.
SORTED_AT_ONCE = 20_000
LINKS_UP_TO = "SELECT count(*) FROM (SELECT FROM links WHERE account_id = $1 LIMIT $2) AS found"

#: How a backslash, and what it escapes, is said in a pattern of LIKE.
IN_PATTERN = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


async def page(
    connection: "Connection",
    query: str,
    of: Sequence[int],
    before: int | None,
    limit: int,
    value: Callable[[asyncpg.Record], T],
) -> Page[T, int]:
    """Runs a query whose last parameters, behind `of`, are an id to stay below and a limit; makes a page of its rows.

    One row more than asked for is read, which tells whether there is a next page.
    """
    rows = await connection.fetch(query, *of, ABOVE_ALL if before is None else before, limit + 1)
    more = len(rows) > limit
    return Page([value(row) for row in rows[:limit]], rows[limit - 1]["id"] if more else None)


class Where:
    """Conditions that all hold, and the values in them. The conditions are words of this program, never of a request's;
    what a request says is a value."""

    def __init__(self, values: list[object] | None = None) -> None:
        """`values` are those of other conditions in the same query, to which its own are added."""
        self._conditions: list[str] = []
        self.values: list[object] = [] if values is None else values

    def add(self, condition: str, *values: object) -> None:
        """Each {} in the condition stands for one of the values."""
        first = len(self.values) + 1
        self._conditions.append(condition.format(*(f"${first + place}" for place, _ in enumerate(values))))
        self.values += values

    def but(self, condition: str, *values: object) -> "Where":
        """The same with one more."""
        more = Where()
        more._conditions, more.values = [*self._conditions], [*self.values]
        more.add(condition, *values)
        return more

    def __str__(self) -> str:
        return " AND ".join(self._conditions)


class Shelf(NamedTuple):
    """A table of which lists are made, beside the totals of its scans."""

    columns: str
    #: What stands behind FROM, with scan_totals in it.
    source: str
    #: The name that the table has there.
    table: str
    #: The text in which is searched, in lower case.
    searched: str
    #: What rows are sorted by, under the name that requests know it by.
    keys: Mapping[str, str]
    #: The id of a row that has scans. Where scan_totals has it, too, an index has the two in order.
    counted_id: str

    def where(self, account: AccountId, selection: Selection) -> Where:
        """What a row has to be to belong to any selection."""
        where = Where()
        where.add(f"{self.table}.account_id = {{}}", account)
        if selection.deleted != "include":
            where.add(f"{self.table}.deleted_at IS {'NOT ' * (selection.deleted == 'only')}NULL")
        if selection.search is not None:
            where.add(f"{self.searched} LIKE lower({{}})", f"%{selection.search.translate(IN_PATTERN)}%")
        if selection.tags:
            where.add(f"{self.table}.tags @> {{}}::text[]", selection.tags)
        if selection.created_after is not None:
            where.add(f"{self.table}.created_at >= {{}}", selection.created_after)
        if selection.created_before is not None:
            where.add(f"{self.table}.created_at < {{}}", selection.created_before)
        return where

    async def page(
        self,
        connection: "Connection",
        account: AccountId,
        selection: LinkSelection | QrCodeSelection,
        where: Where,
        value: Callable[[asyncpg.Record], T],
        *,
        after: PageEnd | None,
        limit: int,
        skip: int = 0,
    ) -> Page[T, PageEnd]:
        """As many rows as asked for, and one more, which tells whether there is a next page. `where` is what `where`
        says, and what else a row has to be. Rows are skipped in a list that is all of one stretch."""
        sort, descending = selection.sort, selection.descending
        assert not (skip and sort == "scans"), "which has two"
        rows: list[asyncpg.Record] = []
        few = sort == "scans" and await _has_few_links(connection, account)
        for stretch in self._stretches(sort, descending, after, few=few):
            if len(rows) <= limit:
                query, values = self._query(where, stretch, descending, limit + 1 - len(rows), skip)
                # Prepared anew: which index serves depends on the values, and a plan for any of them may be the wrong.
                statement = await connection.prepare(query)
                rows += await statement.fetch(*values)
        last = rows[limit - 1] if len(rows) > limit else None
        return Page([value(row) for row in rows[:limit]], None if last is None else PageEnd(last["place"], last["id"]))

    def _query(
        self, where: Where, stretch: "Stretch", descending: bool, limit: int, skip: int
    ) -> tuple[str, list[object]]:
        where = where.but(stretch.condition)
        beyond, order = ("<", "DESC") if descending else (">", "ASC")
        key, row_id = stretch.key, stretch.row_id
        if stretch.after is not None:
            if key is None:
                where.add(f"{row_id} {beyond} {{}}", stretch.after.id)
            else:
                where.add(f"({key}, {row_id}) {beyond} ({{}}, {{}})", *stretch.after)
        by = f"{row_id} {order}" if key is None else f"{key} {order}, {row_id} {order}"
        columns = f"{self.columns}, {key or 0} AS place"
        return (
            f"SELECT {columns} FROM {self.source} WHERE {where} ORDER BY {by} LIMIT {limit:d} OFFSET {skip:d}",
            where.values,
        )

    def _stretches(self, sort: str, descending: bool, after: PageEnd | None, *, few: bool) -> Iterator["Stretch"]:
        """What a list is made of, one behind the other. By scans, these are the rows that have any, by an index of
        the totals of everybody's links, unless they are few among them, and those that have none, which may have no
        total."""
        row_id = f"{self.table}.id"
        if sort != "scans":
            yield Stretch("true", self.keys[sort], row_id, after)
            return
        counted = Stretch("scan_totals.scans > 0", "scan_totals.scans" + " + 0" * few, self.counted_id)
        uncounted = Stretch("coalesce(scan_totals.scans, 0) = 0", None, row_id)
        stretches = [counted, uncounted] if descending else [uncounted, counted]
        if after is not None:
            if (after.key == 0) == descending:  # the first is behind us
                del stretches[0]
            stretches[0] = stretches[0]._replace(after=after)
        yield from stretches


class Stretch(NamedTuple):
    """Rows of a list that stand together."""

    condition: str
    #: None where all have the same.
    key: str | None
    row_id: str
    #: The place behind which it begins.
    after: PageEnd | None = None


async def _has_few_links(connection: "Connection", account: AccountId) -> bool:
    found: int = await connection.fetchval(LINKS_UP_TO, account, SORTED_AT_ONCE)
    return found < SORTED_AT_ONCE
