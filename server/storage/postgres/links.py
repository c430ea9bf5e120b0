"""Links, and the whole link table as the redirect wants it."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from io import BytesIO
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, cast

import asyncpg
import orjson

from server.domain.destination import Destination
from server.domain.errors import InvalidValue, SlugTaken
from server.domain.guards import Guards
from server.domain.label import Label
from server.domain.model import AccountId, Link, LinkChanges, LinkId, Page, Target, Targets
from server.domain.plan import Plan
from server.domain.ports import Refused, Versions
from server.domain.rules import Rule, plain_rules, rules_of
from server.domain.selection import LinkSelection, PageEnd
from server.domain.slug import Slug
from server.domain.tag import Tag
from server.domain.turns import in_turns
from server.storage.lines import last_id, slices, targets
from server.storage.postgres.caps import make_room, room
from server.storage.postgres.pages import Shelf
from server.storage.postgres.pool import Database, Row, Undone, versioned

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

log = logging.getLogger(__name__)

GUARDS = [each.name for each in fields(Guards)]

#: The columns that a link has of its own, with its guards; `link_of` wants them, and COUNTED_NAMES.
COLUMN_NAMES = [
    *("id", "account_id", "slug", "destination", "title", "tags", "created_at", "updated_at", "deleted_at"),
    *GUARDS,
]
#: Beside them, what is counted of it.
COUNTED_NAMES = ("destination_changes", "scans", "last_scan_at")
COLUMNS = ", ".join(
    [
        *(f"links.{name}" for name in COLUMN_NAMES),
        *("links.destination_changes", "coalesce(scans, 0) AS scans", "scan_totals.last_scan_at"),
    ]
)
SCANS = "LEFT JOIN scan_totals ON scan_totals.link_id = links.id"

ADD = f"""
    INSERT INTO links ({", ".join(COLUMN_NAMES)})
    VALUES ({", ".join(f"${place}" for place, _ in enumerate(COLUMN_NAMES, start=1))})
"""

# In the order of their slugs, so that two who want the same ones cannot wait for each other.
ADD_MANY = f"""
    INSERT INTO links ({", ".join(COLUMN_NAMES)})
    SELECT {", ".join(COLUMN_NAMES)} FROM jsonb_populate_recordset(NULL::links, $1) ORDER BY slug COLLATE "C"
    ON CONFLICT DO NOTHING RETURNING id
"""

TAKEN = "SELECT slug FROM links WHERE slug = ANY($1)"

SOME = f"SELECT {COLUMNS} FROM links {SCANS} WHERE account_id = $1 AND links.id = ANY($2) AND deleted_at IS NULL"

GET = f"""
    SELECT {COLUMNS} FROM links {SCANS}
    WHERE account_id = $1 AND links.id = $2 AND deleted_at IS NULL
"""

# As the indexes of migration 0019 have them.
SHELF = Shelf(
    columns=COLUMNS,
    source=f"links {SCANS}",
    table="links",
    searched="lower(links.slug || E'\\n' || coalesce(links.title, '') || E'\\n' || links.destination)",
    keys={
        "created_at": "links.created_at",
        "updated_at": "links.updated_at",
        "title": "lower(coalesce(links.title, '')) COLLATE \"C\"",
    },
    counted_id="scan_totals.link_id",
)

# {changes} is made of this program's column names, never of a request's words; {deleted} is "" or "NOT". Whoever waits
# for another one's change of the row asks anew whether it is of such a version.
CHANGE = f"""
    WITH changed AS (
        UPDATE links SET {{changes}}
        WHERE account_id = $1 AND id = $2 AND deleted_at IS {{deleted}} NULL
            AND ($4::timestamptz[] IS NULL OR updated_at = ANY($4))
        RETURNING links.*
    )
    SELECT {COLUMNS} FROM changed AS links {SCANS}
"""

# Few links have guards, and a million have none: those are to be read as fast as if there were no such thing.
TARGETS = f"""
    SELECT id, slug, destination, deleted_at IS NOT NULL AS deleted,
        CASE WHEN NOT active OR redirect_status <> 302 OR forward_query
            OR num_nonnulls(expires_at, fallback_url, password_hash, max_scans, rules) > 0
        THEN jsonb_build_object({", ".join(f"'{name}', {name}" for name in GUARDS)}) END AS guards
    FROM links
"""
SOME_TARGETS = f"{TARGETS} WHERE slug = ANY($1)"

# A page of the table as `storage.lines` reads it. COPY takes no arguments; these are numbers of this program.
PAGE = f"""
    SELECT id, slug, destination,
        CASE WHEN deleted OR guards IS NOT NULL
        THEN jsonb_build_object('deleted', deleted, 'guards', guards) END
    FROM ({TARGETS} WHERE id > {{last:d}} ORDER BY id LIMIT {{page:d}}) AS page
"""
LAST_BEYOND = "SELECT id FROM links ORDER BY id DESC OFFSET $1 LIMIT 1"

#: Links in a statement that adds many; what it returns is read in one piece.
ADDED_AT_ONCE = 500

#: Links in a page. Where the processor is busy, each page waits for its turn at both ends.
PAGE_LINKS = 20_000
PAGE_TIMEOUT_S = 10.0


IS_DELETED = "SELECT true FROM links WHERE account_id = $1 AND id = $2 AND deleted_at IS NOT NULL"


class PostgresLinks:
    """`LinkStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: Link, plan: Plan) -> None:
        async with self._database.transaction() as connection:
            await make_room(connection, link.account_id, plan, links=1)
            await add_link(connection, link)

    async def add_many(self, links: Sequence[Link], plan: Plan, *, whole: bool) -> Refused[LinkId]:
        with suppress(Undone):
            async with self._database.transaction() as connection:
                free = await room(connection, links[0].account_id, plan, links=len(links))
                refused: Refused[LinkId] = {link.id: plan.refusal("links") for link in links[free["links"] :]}
                refused |= await add_links(connection, links[: free["links"]])
                if whole and refused:
                    raise Undone
        return refused

    async def taken(self, slugs: Sequence[Slug]) -> set[str]:
        if not slugs:
            return set()
        async with self._database.connection() as connection:
            return {row["slug"] for row in await connection.fetch(TAKEN, slugs)}

    async def some(self, account: AccountId, links: Sequence[LinkId]) -> list[Link]:
        async with self._database.connection() as connection:
            return [link_of(row) async for row in in_turns(await connection.fetch(SOME, account, links))]

    async def get(self, account: AccountId, link: LinkId) -> Link | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(GET, account, link)
        return None if row is None else link_of(row)

    async def list(
        self, account: AccountId, selection: LinkSelection, *, after: PageEnd | None, limit: int
    ) -> Page[Link, PageEnd]:
        where = SHELF.where(account, selection)
        if selection.active is not None:
            where.add(f"{'' if selection.active else 'NOT '}links.active")
        async with self._database.connection() as connection:
            return await SHELF.page(connection, account, selection, where, link_of, after=after, limit=limit)

    async def change(
        self, account: AccountId, link: LinkId, changes: LinkChanges, at: datetime, only_if: Versions = None
    ) -> Link | None:
        async with self._database.transaction() as connection:
            return await _update(connection, account, link, _stored(changes), at, only_if)

    async def delete(self, account: AccountId, link: LinkId, at: datetime, only_if: Versions = None) -> Link | None:
        async with self._database.transaction() as connection:
            return await _update(connection, account, link, {"deleted_at": at}, at, only_if)

    async def restore(self, account: AccountId, link: LinkId, plan: Plan, at: datetime) -> Link | None:
        async with self._database.transaction() as connection:
            if not await connection.fetchval(IS_DELETED, account, link):
                return None
            await make_room(connection, account, plan, links=1)
            return await _update(connection, account, link, {"deleted_at": None}, at, None, deleted="NOT")


class PostgresTargets:
    """`TargetStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self, limit: int) -> AsyncIterator[Targets]:
        async for lines in self.pages(limit):
            for some in slices(lines):
                yield targets(some)
                await asyncio.sleep(0)

    async def pages(self, limit: int) -> AsyncIterator[bytes]:
        """The same as lines. Each page is a statement of its own: however slowly they are used, nothing is held open
        that the database would have to keep old rows for."""
        async with self._database.connection() as connection:
            last: int = await connection.fetchval(LAST_BEYOND, limit, timeout=PAGE_TIMEOUT_S) or 0
            while True:
                output = BytesIO()
                query = PAGE.format(last=last, page=PAGE_LINKS)
                await connection.copy_from_query(query, output=output, null="", timeout=PAGE_TIMEOUT_S)
                if not (lines := output.getvalue()):
                    return
                yield lines
                last = last_id(lines)

    async def some(self, slugs: list[str]) -> list[Target]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(SOME_TARGETS, slugs)
        return [_target(row) for row in rows]


async def add_link(connection: "Connection", link: Link) -> None:
    """Adds the link; raises SlugTaken."""
    try:
        await connection.execute(ADD, *_columns(link).values())
    except asyncpg.UniqueViolationError as exc:
        if exc.constraint_name == "links_slug_key":
            raise SlugTaken.of(link.slug) from exc
        raise


async def add_links(connection: "Connection", links: Sequence[Link]) -> dict[LinkId, SlugTaken]:
    """Adds those whose slugs are free, and returns the others."""
    there: set[LinkId] = set()
    rest = iter(sorted(links, key=attrgetter("slug")))
    while some := [_row(link) async for link in in_turns(islice(rest, ADDED_AT_ONCE))]:
        there |= {row["id"] for row in await connection.fetch(ADD_MANY, orjson.dumps(some).decode())}
    return {link.id: SlugTaken.of(link.slug) for link in links if link.id not in there}


def _row(link: Link) -> dict[str, object]:
    """The link for ADD_MANY."""
    row = _columns(link)
    if row["rules"] is not None:
        row["rules"] = orjson.Fragment(str(row["rules"]))
    return row


def _columns(link: Link) -> dict[str, object]:
    """The values of `COLUMN_NAMES`."""
    of_guards = {name: getattr(link.guards, name) for name in GUARDS}
    return _stored({name: getattr(link, name) for name in COLUMN_NAMES if name not in of_guards} | of_guards)


async def _update(
    connection: "Connection",
    account: AccountId,
    link: LinkId,
    columns: Mapping[str, object],
    at: datetime,
    only_if: Versions,
    *,
    deleted: str = "",
) -> Link | None:
    query = CHANGE.format(changes=versioned(columns, at=3, first=5), deleted=deleted)
    held = None if only_if is None else [times[0] for times in only_if if len(times) == 1]
    row = await connection.fetchrow(query, account, link, at, held, *columns.values())
    return None if row is None else link_of(row)


def _target(row: asyncpg.Record) -> Target:
    link_id, slug, destination, deleted, guards = row
    return Target(link_id, slug, destination, deleted, None if guards is None else orjson.loads(guards))


def link_of(row: Row) -> Link:
    """The link in a row that has the columns of `COLUMNS`."""
    return Link(
        id=LinkId(row["id"]),
        account_id=AccountId(row["account_id"]),
        slug=Slug.stored(row["slug"]),
        destination=Destination.stored(row["destination"]),
        title=None if row["title"] is None else Label.stored(row["title"]),
        tags=tuple(map(Tag.stored, row["tags"])),
        guards=_guards(row),
        scans=row["scans"],
        last_scan_at=row["last_scan_at"],
        destination_changes=row["destination_changes"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )


def _stored(columns: Mapping[str, object]) -> dict[str, object]:
    """The values of columns as the driver takes them. No rules are null, as for links that never had any."""
    stored = dict(columns)
    if "rules" in columns:
        rules = cast("tuple[Rule, ...]", columns["rules"])
        stored["rules"] = orjson.dumps(plain_rules(rules)).decode() if rules else None
    return stored


def _guards(row: Row) -> Guards:
    columns = {name: row[name] for name in GUARDS}
    columns["rules"] = _rules(row)
    if columns["fallback_url"] is not None:
        columns["fallback_url"] = Destination.stored(columns["fallback_url"])
    return Guards(**columns)


def _rules(row: Row) -> tuple[Rule, ...]:
    """Of a link whose rules somebody has put in by SQL, and wrong, none: it can be looked at, and be given others."""
    if row["rules"] is None:
        return ()
    try:
        return rules_of(orjson.loads(row["rules"]))
    except InvalidValue as exc:
        log.warning("the rules of %s cannot be used: %s", row["slug"], exc)
        return ()
