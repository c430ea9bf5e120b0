"""QR codes, with the links they stand for."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

import asyncpg
import orjson

from server.domain.content import Content, as_json, stored_content
from server.domain.design import design_of, plain
from server.domain.label import Label
from server.domain.model import AccountId, Link, Page, QrCode, QrCodeChanges, QrCodeId
from server.domain.plan import Plan
from server.domain.ports import Refused, Versions
from server.domain.selection import PageEnd, QrCodeSelection
from server.domain.tag import Tag
from server.domain.turns import in_turns
from server.storage.postgres.caps import make_room, room
from server.storage.postgres.links import COLUMN_NAMES, COUNTED_NAMES, add_link, add_links, link_of
from server.storage.postgres.pages import Shelf, Where
from server.storage.postgres.pictures import add_pictures, drop_pictures, lock_pictures
from server.storage.postgres.pool import Database, Undone, versioned

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

# A code and its link share some column names; the link's come second, behind "link_".
COLUMNS = f"""
    codes.id, codes.account_id, codes.name, codes.tags, codes.content, codes.design, codes.size_px, codes.format,
    codes.created_at, codes.updated_at, codes.deleted_at, codes.link_id,
    coalesce(codes.scans_before, 0) AS scans_before,
    {", ".join(f"links.{name} AS link_{name}" for name in COLUMN_NAMES if name != "id")},
    links.destination_changes AS link_destination_changes,
    coalesce(scan_totals.scans, 0) AS link_scans, scan_totals.last_scan_at AS link_last_scan_at
"""
LINKS = """
    LEFT JOIN links ON links.id = codes.link_id
    LEFT JOIN scan_totals ON scan_totals.link_id = codes.link_id
"""
LINK_COLUMNS = (*COLUMN_NAMES, *COUNTED_NAMES)

ADD = """
    INSERT INTO qr_codes
        (id, account_id, name, tags, link_id, content, design, size_px, format, scans_before, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""

NAMES = (
    *("id", "account_id", "name", "tags", "link_id", "content", "design"),
    *("size_px", "format", "scans_before", "created_at", "updated_at"),
)
ADD_MANY = f"""
    INSERT INTO qr_codes ({", ".join(NAMES)})
    SELECT {", ".join(NAMES)} FROM jsonb_populate_recordset(NULL::qr_codes, $1)
"""

GET = f"""
    SELECT {COLUMNS} FROM qr_codes AS codes {LINKS}
    WHERE codes.account_id = $1 AND codes.id = $2 AND codes.deleted_at IS NULL
"""

FIND = f"SELECT {COLUMNS} FROM qr_codes AS codes {LINKS} WHERE codes.id = $1 AND codes.deleted_at IS NULL"

# As the indexes of migration 0019 have them.
SHELF = Shelf(
    columns=COLUMNS,
    source=f"qr_codes AS codes {LINKS}",
    table="codes",
    searched="lower(codes.name)",
    keys={
        "created_at": "codes.created_at",
        "updated_at": "codes.updated_at",
        "name": "lower(coalesce(codes.name, '')) COLLATE \"C\"",
    },
    counted_id="codes.id",
)
TYPES = "coalesce(codes.content->>'type', 'url') = ANY ({}::text[])"
KINDS = {"dynamic": "codes.link_id IS NOT NULL", "static": "codes.link_id IS NULL"}

# As for links; a version of a code has that of its link in it.
CHANGE = f"""
    WITH codes AS (
        UPDATE qr_codes SET {{changes}}
        WHERE account_id = $1 AND id = $2 AND deleted_at IS {{deleted}} NULL
            AND ($4::timestamptz[] IS NULL OR EXISTS (
                SELECT FROM unnest($4, $5::timestamptz[]) AS held (code, link)
                WHERE held.code = qr_codes.updated_at AND held.link IS NOT DISTINCT FROM
                    (SELECT links.updated_at FROM links WHERE links.id = qr_codes.link_id)
            ))
        RETURNING qr_codes.*
    )
    SELECT {COLUMNS} FROM codes {LINKS}
"""

DESIGN = "SELECT design FROM qr_codes WHERE account_id = $1 AND id = $2 AND deleted_at IS NULL FOR UPDATE"

DELETED_IS_DYNAMIC = """
    SELECT link_id IS NOT NULL FROM qr_codes WHERE account_id = $1 AND id = $2 AND deleted_at IS NOT NULL
"""

# What was deleted so many days ago, by this database's clock, so that no server's wrong one can cost a code.
DELETED_BEFORE = "deleted_at < now() - make_interval(days => $1)"
ACCOUNTS_TO_PURGE = f"SELECT DISTINCT account_id FROM qr_codes WHERE {DELETED_BEFORE}"
PURGE = f"""
    DELETE FROM qr_codes WHERE id IN (
        SELECT id FROM qr_codes WHERE {DELETED_BEFORE} AND account_id = $2 LIMIT $3
    ) RETURNING design
"""

#: Codes that are purged at once, while nobody of the account adds or changes a picture.
PURGED_AT_ONCE = 500


class PostgresQrCodes:
    """`QrCodeStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, code: QrCode, plan: Plan, *, with_link: bool) -> None:
        link = code.content if isinstance(code.content, Link) else None
        content = None if isinstance(code.content, Link) else code.content
        async with self._database.transaction() as connection:
            more = {"links": int(with_link), "dynamic_codes": int(link is not None)}
            await make_room(connection, code.account_id, plan, **more)
            if link and with_link:
                await add_link(connection, link)
            if code.design.pictures:
                await lock_pictures(connection, code.account_id)
                await add_pictures(connection, code.account_id, code.design)
            await connection.execute(
                ADD,
                code.id,
                code.account_id,
                code.name,
                code.tags,
                link and link.id,
                content and _json(as_json(content)),
                _json(plain(code.design)),
                code.size_px,
                code.format,
                code.scans_before,
                code.created_at,
                code.updated_at,
            )

    async def add_many(
        self, codes: Sequence[QrCode], plan: Plan, *, with_link: Collection[QrCodeId], whole: bool
    ) -> Refused[QrCodeId]:
        needs = {code.id: _needs(code, with_link) for code in codes}
        with suppress(Undone):
            async with self._database.transaction() as connection:
                free = await room(connection, codes[0].account_id, plan, **Counter(chain(*needs.values())))
                refused: Refused[QrCodeId] = {}
                for code in codes:
                    if full := [limit for limit in needs[code.id] if not free[limit]]:
                        refused[code.id] = plan.refusal(full[0])
                    else:
                        free |= {limit: free[limit] - 1 for limit in needs[code.id]}
                own = [
                    (code.content, code.id)
                    for code in codes
                    if isinstance(code.content, Link) and code.id in with_link and code.id not in refused
                ]
                taken = await add_links(connection, [link for link, _ in own])
                refused |= {code: taken[link.id] for link, code in own if link.id in taken}
                if whole and refused:
                    raise Undone
                await _add_codes(connection, [code for code in codes if code.id not in refused])
        return refused

    async def get(self, account: AccountId, code: QrCodeId) -> QrCode | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(GET, account, code)
        return None if row is None else code_of(row)

    async def find(self, code: QrCodeId) -> QrCode | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(FIND, code)
        return None if row is None else code_of(row)

    async def list(
        self, account: AccountId, selection: QrCodeSelection, *, after: PageEnd | None, limit: int, skip: int = 0
    ) -> Page[QrCode, PageEnd]:
        where = _where(account, selection)
        async with self._database.connection() as connection:
            return await SHELF.page(connection, account, selection, where, code_of, after=after, limit=limit, skip=skip)

    async def count(self, account: AccountId, selection: QrCodeSelection) -> int:
        where = _where(account, selection)
        async with self._database.connection() as connection:
            found: int = await connection.fetchval(f"SELECT count(*) FROM {SHELF.source} WHERE {where}", *where.values)
        return found

    async def change(
        self, account: AccountId, code: QrCodeId, changes: QrCodeChanges, at: datetime, only_if: Versions = None
    ) -> QrCode | None:
        columns: dict[str, object] = {**changes}
        if "design" in changes:
            columns["design"] = _json(plain(changes["design"]))
        if "content" in changes:
            columns["content"] = _json(as_json(changes["content"]))
        async with self._database.transaction() as connection:
            before = None
            if "design" in changes:
                await lock_pictures(connection, account)
                before = await connection.fetchval(DESIGN, account, code)
                if before is not None:
                    await add_pictures(connection, account, changes["design"])
            row = await _update(connection, account, code, columns, at, only_if)
            if before is not None:
                gone = changes["design"] if row is None else design_of(orjson.loads(before))
                await drop_pictures(connection, account, gone)
        return None if row is None else code_of(row)

    async def delete(self, account: AccountId, code: QrCodeId, at: datetime, only_if: Versions = None) -> QrCode | None:
        """Its pictures stay as long as it may be restored."""
        async with self._database.transaction() as connection:
            row = await _update(connection, account, code, {"deleted_at": at}, at, only_if)
        return None if row is None else code_of(row)

    async def restore(self, account: AccountId, code: QrCodeId, plan: Plan, at: datetime) -> QrCode | None:
        async with self._database.transaction() as connection:
            dynamic = await connection.fetchval(DELETED_IS_DYNAMIC, account, code)
            if dynamic is None:
                return None
            await make_room(connection, account, plan, dynamic_codes=int(dynamic))
            row = await _update(connection, account, code, {"deleted_at": None}, at, None, deleted="NOT")
        return None if row is None else code_of(row)

    async def purge(self, days: int) -> int:
        """Removes the codes that were deleted so many days ago, with pictures that no other has; returns how many."""
        async with self._database.connection() as connection:
            accounts = [AccountId(row[0]) for row in await connection.fetch(ACCOUNTS_TO_PURGE, days)]
        return sum([await self._purge(account, days) for account in accounts])

    async def _purge(self, account: AccountId, days: int) -> int:
        purged = 0
        while True:
            async with self._database.transaction() as connection:
                await lock_pictures(connection, account)
                rows = await connection.fetch(PURGE, days, account, PURGED_AT_ONCE)
                for (design,) in rows:
                    await drop_pictures(connection, account, design_of(orjson.loads(design)))
            purged += len(rows)
            if len(rows) < PURGED_AT_ONCE:
                return purged


def _where(account: AccountId, selection: QrCodeSelection) -> Where:
    where = SHELF.where(account, selection)
    if selection.kind is not None:
        where.add(KINDS[selection.kind])
    if selection.types:
        where.add(TYPES, selection.types)
    if selection.link_id is not None:
        where.add("codes.link_id = {}", selection.link_id)
    if selection.slug is not None:
        where.add("links.slug = {}", selection.slug)
    return where


async def _update(
    connection: "Connection",
    account: AccountId,
    code: QrCodeId,
    columns: Mapping[str, object],
    at: datetime,
    only_if: Versions,
    *,
    deleted: str = "",
) -> asyncpg.Record | None:
    query = CHANGE.format(changes=versioned(columns, at=3, first=6), deleted=deleted)
    codes, links = None, None
    if only_if is not None:
        codes = [times[0] for times in only_if]
        links = [times[1] if len(times) > 1 else None for times in only_if]
    return await connection.fetchrow(query, account, code, at, codes, links, *columns.values())


def code_of(row: asyncpg.Record) -> QrCode:
    """The code in a row that has the columns of `COLUMNS`."""
    if row["link_id"] is None:
        content: Link | Content = stored_content(orjson.loads(row["content"]))
    else:
        content = link_of({column: row[f"link_{column}"] for column in LINK_COLUMNS})
    return QrCode(
        id=QrCodeId(row["id"]),
        account_id=AccountId(row["account_id"]),
        name=None if row["name"] is None else Label.stored(row["name"]),
        tags=tuple(map(Tag.stored, row["tags"])),
        content=content,
        design=design_of(orjson.loads(row["design"])),
        size_px=row["size_px"],
        format=row["format"],
        scans_before=row["scans_before"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        deleted_at=row["deleted_at"],
    )


def _needs(code: QrCode, with_link: Collection[QrCodeId]) -> list[str]:
    """The limits of a plan that are about this code."""
    if not isinstance(code.content, Link):
        return []
    return ["dynamic_codes", "links"] if code.id in with_link else ["dynamic_codes"]


async def _add_codes(connection: "Connection", codes: Sequence[QrCode]) -> None:
    """Adds them, and each picture that they have once."""
    pictured = {tuple(code.design.pictures.values()): code for code in codes if code.design.pictures}
    if pictured:
        await lock_pictures(connection, codes[0].account_id)
    for code in pictured.values():
        await add_pictures(connection, code.account_id, code.design)
    rows = [_columns(code) async for code in in_turns(codes)]
    await connection.execute(ADD_MANY, orjson.dumps(rows).decode())


def _columns(code: QrCode) -> dict[str, object]:
    """The values of `NAMES`."""
    return {
        "id": code.id,
        "account_id": code.account_id,
        "name": code.name,
        "tags": code.tags,
        "link_id": code.content.id if isinstance(code.content, Link) else None,
        "content": None if isinstance(code.content, Link) else as_json(code.content),
        "design": plain(code.design),
        "size_px": code.size_px,
        "format": code.format,
        "scans_before": code.scans_before,
        "created_at": code.created_at,
        "updated_at": code.updated_at,
    }


def _json(value: Mapping[str, object]) -> str:
    return orjson.dumps(value).decode()
