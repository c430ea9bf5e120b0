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
from server.domain.ports import Refused
from server.storage.postgres.caps import make_room, room
from server.storage.postgres.links import COLUMN_NAMES, add_link, add_links, link_of
from server.storage.postgres.pages import page
from server.storage.postgres.pictures import add_pictures, drop_pictures, lock_pictures
from server.storage.postgres.pool import Database, Undone, assignments

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

# A code and its link share some column names; the link's come second, behind "link_".
COLUMNS = f"""
    codes.id, codes.account_id, codes.name, codes.content, codes.design, codes.created_at, codes.updated_at,
    codes.link_id, {", ".join(f"links.{name} AS link_{name}" for name in COLUMN_NAMES if name != "id")},
    coalesce(scan_totals.scans, 0) AS link_scans
"""
LINKS = """
    LEFT JOIN links ON links.id = codes.link_id
    LEFT JOIN scan_totals ON scan_totals.link_id = codes.link_id
"""
LINK_COLUMNS = (*COLUMN_NAMES, "scans")

ADD = """
    INSERT INTO qr_codes (id, account_id, name, link_id, content, design, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""

NAMES = ("id", "account_id", "name", "link_id", "content", "design", "created_at", "updated_at")
ADD_MANY = f"""
    INSERT INTO qr_codes ({", ".join(NAMES)})
    SELECT {", ".join(NAMES)} FROM jsonb_populate_recordset(NULL::qr_codes, $1)
"""

GET = f"SELECT {COLUMNS} FROM qr_codes AS codes {LINKS} WHERE codes.account_id = $1 AND codes.id = $2"

LIST = f"""
    SELECT {COLUMNS} FROM qr_codes AS codes {LINKS}
    WHERE codes.account_id = $1 AND codes.id < $2
    ORDER BY codes.id DESC LIMIT $3
"""

CHANGE = f"""
    WITH codes AS (
        UPDATE qr_codes SET {{changes}} WHERE account_id = $1 AND id = $2 RETURNING qr_codes.*
    )
    SELECT {COLUMNS} FROM codes {LINKS}
"""

DELETE = "DELETE FROM qr_codes WHERE account_id = $1 AND id = $2 RETURNING design"

DESIGN = "SELECT design FROM qr_codes WHERE account_id = $1 AND id = $2 FOR UPDATE"


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
                link and link.id,
                content and _json(as_json(content)),
                _json(plain(code.design)),
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
                own = {
                    code.content: code.id
                    for code in codes
                    if isinstance(code.content, Link) and code.id in with_link and code.id not in refused
                }
                taken = await add_links(connection, list(own))
                refused |= {code: taken[link.id] for link, code in own.items() if link.id in taken}
                if whole and refused:
                    raise Undone
                await _add_codes(connection, [code for code in codes if code.id not in refused])
        return refused

    async def get(self, account: AccountId, code: QrCodeId) -> QrCode | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(GET, account, code)
        return None if row is None else code_of(row)

    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[QrCode]:
        async with self._database.connection() as connection:
            return await page(connection, LIST, [account], before, limit, code_of)

    async def change(self, account: AccountId, code: QrCodeId, changes: QrCodeChanges, at: datetime) -> QrCode | None:
        columns: dict[str, object] = {**changes, "updated_at": at}
        if "design" in changes:
            columns["design"] = _json(plain(changes["design"]))
        if "content" in changes:
            columns["content"] = _json(as_json(changes["content"]))
        query = CHANGE.format(changes=assignments(columns, first=3))
        async with self._database.transaction() as connection:
            before = None
            if "design" in changes:
                await lock_pictures(connection, account)
                before = await connection.fetchval(DESIGN, account, code)
                if before is not None:
                    await add_pictures(connection, account, changes["design"])
            row = await connection.fetchrow(query, account, code, *columns.values())
            if before is not None:
                await drop_pictures(connection, account, design_of(orjson.loads(before)))
        return None if row is None else code_of(row)

    async def delete(self, account: AccountId, code: QrCodeId) -> bool:
        async with self._database.transaction() as connection:
            await lock_pictures(connection, account)
            design = await connection.fetchval(DELETE, account, code)
            if design is not None:
                await drop_pictures(connection, account, design_of(orjson.loads(design)))
        return design is not None


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
        content=content,
        design=design_of(orjson.loads(row["design"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
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
    await connection.execute(ADD_MANY, orjson.dumps([_columns(code) for code in codes]).decode())


def _columns(code: QrCode) -> dict[str, object]:
    """The values of `NAMES`."""
    return {
        "id": code.id,
        "account_id": code.account_id,
        "name": code.name,
        "link_id": code.content.id if isinstance(code.content, Link) else None,
        "content": None if isinstance(code.content, Link) else as_json(code.content),
        "design": plain(code.design),
        "created_at": code.created_at,
        "updated_at": code.updated_at,
    }


def _json(value: Mapping[str, object]) -> str:
    return orjson.dumps(value).decode()
