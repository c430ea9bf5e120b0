"""The database's shape: numbered plain SQL files, applied in order, forward only.

A file that has been applied anywhere is never edited again; a test and the checksum both say so. Each runs in a
transaction of its own, under one advisory lock, so that several servers may start at once; and each gives up on a
lock that a running system holds, instead of making everybody queue behind it.
"""

import hashlib
from importlib import resources

import asyncpg

LOCK = 7461283551  # any number nobody else uses as an advisory lock in this database
LOCK_TIMEOUT = "10s"
CONNECT_TIMEOUT_S = 5


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
        await connection.execute("SELECT pg_advisory_lock($1)", LOCK)
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


async def _apply(connection: asyncpg.Connection, name: str, sql: str, applied: str | None) -> bool:
    checksum = _checksum(sql)
    if applied is not None:
        if applied != checksum:
            raise MigrationChanged(name)
        return False
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        await connection.execute(sql)
        await connection.execute("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", name, checksum)
    return True
