"""Webhooks, what they are told, which triggers put down (migration 0014), and how that went."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TypeVar

import asyncpg
import orjson

from server.domain.delivery import (
    MAX_SCANS_TOLD,
    QUOTA_REACHED,
    SCAN_RECORDED,
    TEST,
    Attempt,
    Delivery,
    DisabledReason,
    Due,
    Event,
    QuotaUsed,
    Webhook,
    WebhookChanges,
    disabled_by,
)
from server.domain.destination import Destination
from server.domain.ids import EPOCH, RANDOM_BITS
from server.domain.label import Label
from server.domain.model import AccountId, EventId, Link, Page, QrCode, RecordedScan, WebhookId
from server.storage.postgres.links import COLUMNS as LINK_COLUMNS
from server.storage.postgres.links import SCANS, link_of
from server.storage.postgres.pages import page
from server.storage.postgres.pool import Database, assignments
from server.storage.postgres.qrcodes import COLUMNS as CODE_COLUMNS
from server.storage.postgres.qrcodes import code_of
from server.storage.postgres.recorded import COLUMNS as SCAN_COLUMNS

log = logging.getLogger(__name__)

T = TypeVar("T")

Thing = Link | QrCode | tuple[RecordedScan, ...] | QuotaUsed

WEBHOOK = """
    id, account_id, name, url, events, format, active, disabled_reason, failing_since, old_secret_until,
    created_at, updated_at
"""

ADD = """
    INSERT INTO webhooks (id, account_id, name, url, events, format, active, created_at, updated_at, secret, scans_told)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce(max(last), 0) FROM scan_ids
"""
GET = f"SELECT {WEBHOOK} FROM webhooks WHERE account_id = $1 AND id = $2"
LIST = f"SELECT {WEBHOOK} FROM webhooks WHERE account_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"

# Of scans, one that did not want them until now is told of those that come.
CHANGE = f"""
    UPDATE webhooks SET {{changes}}, scans_told = CASE WHEN active AND '{SCAN_RECORDED}' = ANY (events) THEN scans_told
        ELSE (SELECT coalesce(max(last), 0) FROM scan_ids) END
    WHERE account_id = $1 AND id = $2 RETURNING {WEBHOOK}
"""
DELETE = "DELETE FROM webhooks WHERE account_id = $1 AND id = $2 RETURNING id"
ROTATE = f"""
    UPDATE webhooks SET old_secret = secret, old_secret_until = $5, secret = $3, updated_at = $4
    WHERE account_id = $1 AND id = $2 RETURNING {WEBHOOK}
"""

#: What a webhook begins with that is given another address, or another chance.
FRESH = {"disabled_reason": None, "failing_since": None, "failures": 0}

ADD_EVENT = """
    SELECT add_webhook_event(ARRAY[id], $2, jsonb_build_object('webhook_id', id)) FROM webhooks WHERE id = $1
"""

DELIVERY = """
    events.id, type, at, status, attempts, next_attempt_at, last_attempt_at, response_status, duration_ms, error
"""
DELIVERIES = f"""
    SELECT {DELIVERY} FROM webhook_deliveries JOIN webhook_events AS events ON events.id = event_id
    WHERE webhook_id = $1 AND event_id < $2 ORDER BY event_id DESC LIMIT $3
"""
DELIVERY_OF = f"""
    SELECT {DELIVERY} FROM webhook_deliveries JOIN webhook_events AS events ON events.id = event_id
    WHERE webhook_id = $1 AND event_id = $2
"""
REDELIVER = f"""
    UPDATE webhook_deliveries SET status = 'pending', attempts = 0, next_attempt_at = $3
    FROM webhook_events AS events
    WHERE events.id = event_id AND webhook_id = $1 AND event_id = $2 RETURNING {DELIVERY}
"""

#: Deliveries that one webhook gets at a time. One that fails gets one: it may be slow, and hold up others.
AT_A_TIME = 4

# Webhooks for which something waits are found by stepping through the index of what waits, as there may be very much
# for one of them. Where there is more than can be taken, each of them is as likely to be.
CLAIM = f"""
    WITH RECURSIVE waiting (id) AS (
        (SELECT webhook_id FROM webhook_deliveries WHERE next_attempt_at IS NOT NULL ORDER BY webhook_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT webhook_id FROM webhook_deliveries
            WHERE next_attempt_at IS NOT NULL AND webhook_id > waiting.id ORDER BY webhook_id LIMIT 1
        ) FROM waiting WHERE id IS NOT NULL
    ), due AS (
        SELECT webhooks.url, webhooks.format, webhooks.secret, taken.*,
            CASE WHEN webhooks.old_secret_until > $1 THEN webhooks.old_secret END AS old_secret
        FROM waiting
        JOIN webhooks ON webhooks.id = waiting.id AND webhooks.active
        LEFT JOIN unnest($3::bigint[], $4::int[]) AS busy (webhook_id, sends) ON busy.webhook_id = webhooks.id
        CROSS JOIN LATERAL (
            SELECT webhook_id, event_id FROM webhook_deliveries
            WHERE webhook_id = webhooks.id AND next_attempt_at <= $1
            ORDER BY next_attempt_at, event_id
            LIMIT greatest(CASE WHEN failing_since IS NULL THEN {AT_A_TIME} ELSE 1 END - coalesce(sends, 0), 0)
            FOR NO KEY UPDATE SKIP LOCKED
        ) AS taken
        ORDER BY random() LIMIT $5
    ), claimed AS (
        UPDATE webhook_deliveries AS deliveries SET next_attempt_at = $2
        FROM due WHERE deliveries.webhook_id = due.webhook_id AND deliveries.event_id = due.event_id
        RETURNING deliveries.webhook_id, deliveries.event_id, attempts, url, format, secret, old_secret
    )
    SELECT claimed.*, events.type, events.at, events.data
    FROM claimed JOIN webhook_events AS events ON events.id = event_id ORDER BY event_id
"""

# A thing as its row was, with what that did not have yet as it is now. What is counted is as it is now.
LINKS_OF = f"""
    SELECT event_id, {LINK_COLUMNS}
    FROM unnest($1::bigint[], $2::text[]) AS told (event_id, data)
    LEFT JOIN links AS current ON current.id = (data::jsonb #>> '{{link,id}}')::bigint
    CROSS JOIN LATERAL jsonb_populate_record(current, data::jsonb -> 'link') AS links
    {SCANS}
"""
CODES_OF = f"""
    SELECT event_id, {CODE_COLUMNS}
    FROM unnest($1::bigint[], $2::text[]) AS told (event_id, data)
    LEFT JOIN qr_codes AS current ON current.id = (data::jsonb #>> '{{qr_code,id}}')::bigint
    LEFT JOIN links AS current_link ON current_link.id = (data::jsonb #>> '{{link,id}}')::bigint
    CROSS JOIN LATERAL jsonb_populate_record(current, data::jsonb -> 'qr_code') AS codes
    CROSS JOIN LATERAL jsonb_populate_record(current_link, nullif(data::jsonb -> 'link', 'null')) AS links
    LEFT JOIN scan_totals ON scan_totals.link_id = codes.link_id
"""

# A webhook's place in the log moves with the event: no scan is put down twice, or never, whoever else does this.
GATHER = f"""
    WITH hooks AS (
        SELECT id, account_id, scans_told FROM webhooks
        WHERE active AND '{SCAN_RECORDED}' = ANY (events) FOR NO KEY UPDATE SKIP LOCKED
    ), news AS (
        SELECT hooks.id AS hook, max(scan.id) AS last, jsonb_agg(to_jsonb(scan) ORDER BY scan.id) AS scans
        FROM hooks CROSS JOIN LATERAL (
            SELECT {SCAN_COLUMNS}, (SELECT slug FROM links WHERE links.id = scans.link_id) AS slug
            FROM scans WHERE account_id = hooks.account_id AND id > scans_told
            ORDER BY id LIMIT {MAX_SCANS_TOLD}
        ) AS scan GROUP BY hooks.id
    ), moved AS (
        UPDATE webhooks SET scans_told = last FROM news WHERE webhooks.id = hook RETURNING hook, scans
    )
    SELECT add_webhook_event(ARRAY[hook], '{SCAN_RECORDED}', jsonb_build_object('scans', scans)),
        jsonb_array_length(scans) AS scans
    FROM moved
"""

SETTLE = """
    UPDATE webhook_deliveries SET
        status = $4, attempts = attempts + 1, next_attempt_at = $5, last_attempt_at = $6, response_status = $7,
        duration_ms = $8, error = $9
    WHERE webhook_id = $1 AND event_id = $2 AND next_attempt_at = $3 RETURNING webhook_id
"""
GIVE_UP = """
    UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, error = 'what it tells of cannot be read'
    WHERE event_id = ANY($1) AND status = 'pending'
"""
SUCCEEDED = "UPDATE webhooks SET failing_since = NULL, failures = 0 WHERE id = $1 AND failing_since IS NOT NULL"
FAILED = """
    UPDATE webhooks SET failing_since = coalesce(failing_since, $2), failures = failures + 1
    WHERE id = $1 AND active RETURNING failing_since, failures
"""
DISABLE = "UPDATE webhooks SET active = false, disabled_reason = $2, updated_at = $3 WHERE id = $1"

FORGET = """
    WITH old AS (SELECT id FROM webhook_events WHERE id < $1 ORDER BY id LIMIT $2)
    DELETE FROM webhook_events WHERE id IN (SELECT id FROM old) RETURNING id
"""
FORGET_AT_A_TIME = 5_000


class PostgresWebhooks:
    """`WebhookStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, webhook: Webhook, secret: bytes) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                ADD,
                *(webhook.id, webhook.account_id, webhook.name, webhook.url, webhook.events, webhook.format),
                *(webhook.active, webhook.created_at, webhook.updated_at, secret),
            )

    async def get(self, account: AccountId, webhook: WebhookId) -> Webhook | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(GET, account, webhook)
        return None if row is None else _webhook(row)

    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[Webhook, int]:
        async with self._database.connection() as connection:
            return await page(connection, LIST, [account], before, limit, _webhook)

    async def change(
        self, account: AccountId, webhook: WebhookId, changes: WebhookChanges, at: datetime
    ) -> Webhook | None:
        columns: dict[str, object] = {**changes, "updated_at": at}
        if "url" in changes or "active" in changes:
            columns |= FRESH
        query = CHANGE.format(changes=assignments(columns, first=3))
        return await self._changed(query, account, webhook, *columns.values())

    async def delete(self, account: AccountId, webhook: WebhookId) -> bool:
        async with self._database.transaction() as connection:
            return await connection.fetchval(DELETE, account, webhook) is not None

    async def rotate(
        self, account: AccountId, webhook: WebhookId, secret: bytes, at: datetime, until: datetime
    ) -> Webhook | None:
        return await self._changed(ROTATE, account, webhook, secret, at, until)

    async def _changed(self, query: str, *arguments: object) -> Webhook | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(query, *arguments)
        return None if row is None else _webhook(row)

    async def add_event(self, webhook: WebhookId, kind: str) -> Delivery | None:
        async with self._database.transaction() as connection:
            event = await connection.fetchval(ADD_EVENT, webhook, kind)
            row = await connection.fetchrow(DELIVERY_OF, webhook, event)
        return None if row is None else _delivery(row)

    async def deliveries(self, webhook: WebhookId, *, before: int | None, limit: int) -> Page[Delivery, int]:
        async with self._database.connection() as connection:
            return await page(connection, DELIVERIES, [webhook], before, limit, _delivery)

    async def redeliver(self, webhook: WebhookId, event: EventId, at: datetime) -> Delivery | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(REDELIVER, webhook, event, at)
        return None if row is None else _delivery(row)


class PostgresOutbox:
    """`Outbox`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, at: datetime, until: datetime, busy: Mapping[WebhookId, int], most: int) -> list[Due]:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(CLAIM, at, until, list(busy), list(busy.values()), most)
            told = await connection.fetch(LINKS_OF, *_told(rows, "link"))
            things: dict[int, Thing] = dict(_things(told, link_of))
            told = await connection.fetch(CODES_OF, *_told(rows, "qr_code"))
            things |= dict(_things(told, code_of))
            things |= dict(_things((row for row in rows if row["type"] == SCAN_RECORDED), _scans))
            things |= dict(_things((row for row in rows if row["type"] in QUOTA_REACHED.values()), _quota))
            due = [_due(row, things, until) for row in rows if row["event_id"] in things or row["type"] == TEST]
            if len(due) < len(rows):
                unreadable = {row["event_id"] for row in rows} - {each.event.id for each in due}
                await connection.execute(GIVE_UP, list(unreadable))
        return due

    async def gather_scans(self) -> bool:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(GATHER)
        return any(row["scans"] == MAX_SCANS_TOLD for row in rows)

    async def settle(self, due: Due, attempt: Attempt, next_at: datetime | None) -> DisabledReason | None:
        status = "delivered" if attempt.succeeded else "failed" if next_at is None else "pending"
        async with self._database.transaction() as connection:
            ours = await connection.fetchval(
                SETTLE,
                *(due.webhook_id, due.event.id, due.claimed_until),
                *(status, next_at, attempt.at, attempt.response_status, attempt.duration_ms, attempt.error),
            )
            if ours is None:
                return None
            if attempt.succeeded:
                await connection.execute(SUCCEEDED, due.webhook_id)
                return None
            failed = await connection.fetchrow(FAILED, due.webhook_id, attempt.at)
            reason = None if failed is None else disabled_by(attempt, *failed)
            if reason is not None:
                await connection.execute(DISABLE, due.webhook_id, reason, attempt.at)
        return reason

    async def forget(self, before: datetime) -> int:
        oldest = (before - EPOCH) // timedelta(milliseconds=1) << RANDOM_BITS
        async with self._database.connection() as connection:
            return len(await connection.fetch(FORGET, oldest, FORGET_AT_A_TIME))


def _told(rows: Iterable[asyncpg.Record], kind: str) -> tuple[list[int], list[str]]:
    """Ids and data of the events about this kind of thing. One event may be told to several webhooks."""
    told = {row["event_id"]: row["data"] for row in rows if row["type"].startswith(f"{kind}.")}
    return list(told), list(told.values())


def _things(rows: Iterable[asyncpg.Record], value: Callable[[asyncpg.Record], T]) -> Iterator[tuple[int, T]]:
    """The things that events tell of. One that somebody has put in by SQL, and wrong, holds up no others."""
    for row in rows:
        try:
            yield row["event_id"], value(row)
        except Exception:
            log.exception("what event %s tells of cannot be read; webhooks are not told of it", row["event_id"])


def _scans(row: asyncpg.Record) -> tuple[RecordedScan, ...]:
    scans = orjson.loads(row["data"])["scans"]
    return tuple(RecordedScan(**scan | {"scanned_at": datetime.fromisoformat(scan["scanned_at"])}) for scan in scans)


def _quota(row: asyncpg.Record) -> QuotaUsed:
    quota = orjson.loads(row["data"])["quota"]
    return QuotaUsed(**quota | {"month": date.fromisoformat(quota["month"])})


def _due(row: asyncpg.Record, things: Mapping[int, Thing], until: datetime) -> Due:
    event_id = EventId(row["event_id"])
    thing = things.get(event_id)
    secrets: Sequence[bytes | None] = (row["secret"], row["old_secret"])
    return Due(
        webhook_id=WebhookId(row["webhook_id"]),
        event=Event(
            id=event_id,
            type=row["type"],
            at=row["at"],
            data=WebhookId(orjson.loads(row["data"])["webhook_id"]) if thing is None else thing,
        ),
        url=row["url"],
        format=row["format"],
        secrets=tuple(secret for secret in secrets if secret is not None),
        attempts=row["attempts"],
        claimed_until=until,
    )


def _webhook(row: asyncpg.Record) -> Webhook:
    return Webhook(
        id=WebhookId(row["id"]),
        account_id=AccountId(row["account_id"]),
        name=None if row["name"] is None else Label.stored(row["name"]),
        url=Destination.stored(row["url"]),
        events=tuple(row["events"]),
        format=row["format"],
        active=row["active"],
        disabled_reason=row["disabled_reason"],
        failing_since=row["failing_since"],
        old_secret_until=row["old_secret_until"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(
        event_id=EventId(row["id"]),
        type=row["type"],
        at=row["at"],
        status=row["status"],
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        last_attempt_at=row["last_attempt_at"],
        response_status=row["response_status"],
        duration_ms=row["duration_ms"],
        error=row["error"],
    )
