"""Indexes that a migration leaves to be built while the server runs, as that takes longer than a lock may be held."""

from typing import TYPE_CHECKING

import asyncpg

from server.domain.errors import StorageUnavailable
from server.storage.postgres.pool import Database

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

WITHOUT = "SELECT scans_without_index()::text"

# Until the connection is reset; so the writers of two servers do not build the same one.
ALONE = "SELECT pg_try_advisory_lock(hashtext('index_scans'))"

# What an attempt has left that was broken off is there under its name, and of no use; one that only could not be
# attached is as good as new.
STATE = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)"
CLEAR = "DROP INDEX {index}"
BUILD = "CREATE INDEX CONCURRENTLY {index} ON {part} (account_id, id) WHERE id IS NOT NULL"
ATTACH = "ALTER INDEX scans_account ATTACH PARTITION {index}"

# All others would queue behind a lock that is waited for.
PATIENCE = "SET lock_timeout = '{seconds}s'"

#: A hundred million scans take some minutes.
BUILD_S = 86_400.0
RESET_S = 5.0


async def index_scans(database: Database) -> list[str]:
    """Builds the index of scans by account for the months that are without; returns those. Nobody who reads or writes
    waits for it. Raises StorageUnavailable where somebody is in the way, or at it."""
    try:
        async with database.connection() as connection:
            try:
                parts = [row[0] for row in await connection.fetch(WITHOUT)]
                if parts and not await connection.fetchval(ALONE):
                    raise StorageUnavailable
                for part in parts:
                    await _index(connection, part, f"{part}_account")
            finally:
                await connection.reset(timeout=RESET_S)
            return parts
    except asyncpg.LockNotAvailableError as exc:
        raise StorageUnavailable from exc


async def _index(connection: "Connection", part: str, index: str) -> None:
    valid = await connection.fetchval(STATE, index)
    await connection.execute(PATIENCE.format(seconds=1))
    if valid is False:
        await connection.execute(CLEAR.format(index=index))
    if not valid:
        await connection.execute(PATIENCE.format(seconds=0))
        await connection.execute(BUILD.format(index=index, part=part), timeout=BUILD_S)
        await connection.execute(PATIENCE.format(seconds=1))
    await connection.execute(ATTACH.format(index=index))
