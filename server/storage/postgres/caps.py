"""How many things an account may have, decided in the transaction that adds one."""

from typing import TYPE_CHECKING

from server.domain.model import AccountId
from server.domain.plan import Plan

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

# Whoever comes second waits here for the first one's transaction to end, and counts what it has left.
LOCK = "SELECT 1 FROM accounts WHERE id = $1 FOR NO KEY UPDATE"

#: Limit -> how many there are, counted up to $2.
COUNTS = {
    "links": "SELECT count(*) FROM (SELECT FROM links WHERE account_id = $1 AND deleted_at IS NULL LIMIT $2) AS found",
    "dynamic_codes": """
        SELECT count(*) FROM (
            SELECT FROM qr_codes WHERE account_id = $1 AND link_id IS NOT NULL AND deleted_at IS NULL LIMIT $2
        ) AS found
    """,
    "keys": """
        SELECT count(*) FROM (
            SELECT FROM api_keys WHERE account_id = $1 AND (expires_at IS NULL OR expires_at > now()) LIMIT $2
        ) AS found
    """,
}


async def lock_account(connection: "Connection", account: AccountId) -> None:
    """Until the end of the transaction."""
    await connection.execute(LOCK, account)


async def make_room(connection: "Connection", account: AccountId, plan: Plan, **more: int) -> None:
    """Called in the transaction that adds so many `links`, `dynamic_codes` or `keys`, before it does; raises PlanLimit
    where that would be more than the plan allows. Asks nothing where it allows any number."""
    found = await room(connection, account, plan, **more)
    for limit, count in more.items():
        if found[limit] < count:
            raise plan.refusal(limit)


async def room(connection: "Connection", account: AccountId, plan: Plan, **more: int) -> dict[str, int]:
    """How many of these the plan allows, as `make_room`."""
    caps = {limit: cap for limit, count in more.items() if count and (cap := getattr(plan, limit)) is not None}
    if caps:
        await lock_account(connection, account)
    for limit, cap in caps.items():
        there = await connection.fetchval(COUNTS[limit], account, cap)
        more[limit] = min(more[limit], cap - there)
    return more
