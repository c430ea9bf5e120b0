"""The database's shape: numbered plain SQL files, applied in order, forward only.

A file that has been applied anywhere is never edited again; a test and the checksum both say so. Each runs in a
transaction of its own, under one advisory lock, so that several servers may start at once; and each gives up on a
lock that a running system holds, instead of making everybody queue behind it.

An index of a large table takes seconds, in which nobody could write to it. So a file may be made of CREATE INDEX
CONCURRENTLY instead, and of nothing else; then it has no transaction, and an attempt that fails goes on where it was at
the next one (docs/adr/0019-indexes-are-made-beside-the-work.md).
"""

import asyncio
import hashlib
import re
from importlib import resources

import asyncpg

LOCK = 7461283551  # any number nobody else uses as an advisory lock in this database
LOCK_TIMEOUT = "10s"
TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
LOCK_EVERY_S = 0.1
CONNECT_TIMEOUT_S = 5

COMMENT = re.compile(r"--.*")
INDEX = re.compile(r"CREATE INDEX CONCURRENTLY (\w+) (.+)", re.DOTALL)

#: What is left of an index whose making was broken off.
REMAINS = "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid"

NOTE = "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)"


class MigrationChanged(Exception):
    """A migration that this database has applied differs from the file of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Migration {name} was applied to this database with another text. "
            "Migrations are never edited; restore the file, and put the change into a new one."
        )


def files() -> dict[str, str]:
    """File name -> SQL, in the order in which they are applied."""
    folder = resources.files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}


def checksums() -> dict[str, str]:
    """File name -> what a database notes of it once it is applied."""
    return {name: _checksum(sql) for name, sql in files().items()}


def _checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


async def migrate(database_url: str) -> list[str]:
    """Brings the database up to date; returns the names of what it applied."""
    connection = await asyncpg.connect(database_url, timeout=CONNECT_TIMEOUT_S)
    try:
        await _alone(connection)
        await connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute("""
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name        text PRIMARY KEY,
                checksum    text NOT NULL,
                applied_at  timestamptz NOT NULL DEFAULT now()
            )
        """)
        rows = await connection.fetch("SELECT name, checksum FROM schema_migrations")
        applied = {row["name"]: row["checksum"] for row in rows}
        return [name for name, sql in files().items() if await _apply(connection, name, sql, applied.get(name))]
    finally:
        await connection.close()


async def _alone(connection: asyncpg.Connection) -> None:
    """Returns when no other server migrates. It does not wait for that in a statement, as whoever makes an index waits
    for all that have begun before."""
    while not await connection.fetchval(TRY_LOCK, LOCK):  # noqa: ASYNC110 -- the event is another process's
        await asyncio.sleep(LOCK_EVERY_S)


async def _apply(connection: asyncpg.Connection, name: str, sql: str, applied: str | None) -> bool:
    checksum = _checksum(sql)
    if applied is not None:
        if applied != checksum:
            raise MigrationChanged(name)
        return False
    if indexes := _indexes(sql):
        for index, on in indexes.items():
            if await connection.fetchval(REMAINS, index):
                await connection.execute(f"DROP INDEX CONCURRENTLY {index}")
            await connection.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {index} {on}")
        await connection.execute(NOTE, name, checksum)
        return True
    async with connection.transaction():
        await connection.execute(sql)
        await connection.execute(NOTE, name, checksum)
    return True


def _indexes(sql: str) -> dict[str, str]:
    """Name and definition of each, if the file has nothing else in it."""
    statements = [each.strip() for each in COMMENT.sub("", sql).split(";")]
    found = [INDEX.fullmatch(each) for each in statements if each]
    return {each[1]: each[2] for each in found if each} if all(found) else {}
