"""Answers to requests with an Idempotency-Key."""

from contextlib import AbstractAsyncContextManager

import orjson

from server.domain.errors import RequestInProgress
from server.domain.idempotency import KEPT_HOURS, LEASE_S, IdempotencyKey, KeptAnswer
from server.domain.model import AccountId
from server.storage.postgres.pool import Database

# By the clock of the database, as it is the only one that all processes share.
CLAIM = f"""
    INSERT INTO kept_answers AS kept (account_id, key, claim) VALUES ($1, $2, $3)
    ON CONFLICT (account_id, key) DO UPDATE
    SET claim = excluded.claim, at = now(), request_sha256 = NULL, status = NULL, headers = NULL, body = NULL
    WHERE kept.at < now() - CASE
        WHEN kept.status IS NULL THEN interval '{LEASE_S} seconds' ELSE interval '{KEPT_HOURS} hours'
    END
    RETURNING claim
"""

FIND = "SELECT request_sha256, status, headers, body FROM kept_answers WHERE account_id = $1 AND key = $2"

RENEW = "UPDATE kept_answers SET at = now() WHERE account_id = $1 AND key = $2 AND claim = $3"

KEEP = """
    UPDATE kept_answers SET at = now(), request_sha256 = $4, status = $5, headers = $6, body = $7
    WHERE account_id = $1 AND key = $2 AND claim = $3 RETURNING claim
"""

RELEASE = "DELETE FROM kept_answers WHERE account_id = $1 AND key = $2 AND claim = $3 AND status IS NULL"

# A piece at a time, so that nobody who claims a key waits for long.
FORGET = f"""
    DELETE FROM kept_answers WHERE (account_id, key) IN (
        SELECT account_id, key FROM kept_answers WHERE at < now() - interval '{KEPT_HOURS} hours' LIMIT 1000
        FOR UPDATE SKIP LOCKED
    )
    RETURNING claim
"""


class PostgresAnswers:
    """`AnswerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, account: AccountId, key: IdempotencyKey, claim: int) -> KeptAnswer | None:
        async with self._database.connection() as connection:
            if await connection.fetchval(CLAIM, account, key, claim) is not None:
                return None
            row = await connection.fetchrow(FIND, account, key)
        if row is None or row["status"] is None:  # where it is gone by now, whoever had it has given it up
            raise RequestInProgress
        return KeptAnswer(
            request_sha256=row["request_sha256"],
            status=row["status"],
            headers=orjson.loads(row["headers"]),
            body=row["body"],
        )

    async def renew(self, account: AccountId, key: IdempotencyKey, claim: int) -> None:
        async with self._database.connection() as connection:
            await connection.execute(RENEW, account, key, claim)

    def together(self) -> AbstractAsyncContextManager[None]:
        return self._database.together()

    async def keep(self, account: AccountId, key: IdempotencyKey, claim: int, answer: KeptAnswer) -> None:
        headers = orjson.dumps(dict(answer.headers)).decode()
        async with self._database.transaction() as connection:
            kept = await connection.fetchval(
                KEEP, account, key, claim, answer.request_sha256, answer.status, headers, answer.body
            )
        if kept is None:
            raise RequestInProgress

    async def release(self, account: AccountId, key: IdempotencyKey, claim: int) -> None:
        async with self._database.connection() as connection:
            await connection.execute(RELEASE, account, key, claim)

    async def forget(self) -> int:
        forgotten = 0
        while True:
            async with self._database.connection() as connection:
                gone = len(await connection.fetch(FORGET))
            if gone == 0:
                return forgotten
            forgotten += gone
