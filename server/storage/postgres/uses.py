"""How often a link with a scan limit was used: one row for each, decided by one statement, whichever process asks."""

import asyncio

from server.domain.model import LinkId
from server.storage.postgres.pool import Database, translated

# A scan waits for this, so it waits no longer than a person would.
WAIT_S = 2.0

# The count begins with the scans there were without a limit, and never falls behind them where the limit was taken
# away for a while. Whoever comes second to the row waits for the first one, and then looks at what that has left.
TAKE = """
    INSERT INTO link_uses AS uses (link_id, used)
    SELECT $1, scans + 1
    FROM (SELECT coalesce((SELECT scans FROM scan_totals WHERE link_id = $1), 0) AS scans) AS total
    WHERE scans < $2
    ON CONFLICT (link_id) DO UPDATE SET used = greatest(uses.used + 1, excluded.used)
    WHERE greatest(uses.used + 1, excluded.used) <= $2
    RETURNING used
"""

USED = """
    SELECT greatest(
        (SELECT used FROM link_uses WHERE link_id = $1), (SELECT scans FROM scan_totals WHERE link_id = $1), 0
    )
"""


class PostgresUses:
    """`UseStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, link: LinkId, at_most: int) -> bool:
        return await self._ask(TAKE, link, at_most) is not None

    async def left(self, link: LinkId, at_most: int) -> bool:
        used = await self._ask(USED, link)
        return used is not None and used < at_most

    async def _ask(self, query: str, *arguments: int) -> int | None:
        with translated():
            async with asyncio.timeout(WAIT_S), self._database.connection() as connection:
                used: int | None = await connection.fetchval(query, *arguments)
                return used
