"""Rows into tables by PostgreSQL's binary COPY, and times as it has them (documentation of COPY, "Binary Format")."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from server.storage.postgres.pool import Connection

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
SECOND_US = 1_000_000
DAY_S = 86_400
DAY_US = DAY_S * SECOND_US


def microseconds(at: datetime) -> int:
    """The time as PostgreSQL has it: since 2000."""
    since = at - EPOCH
    return (since.days * DAY_S + since.seconds) * SECOND_US + since.microseconds


def moment(time_us: int) -> datetime:
    return EPOCH + timedelta(microseconds=time_us)


async def copy(connection: "Connection", table: str, columns: Sequence[str], rows: Iterable[bytearray]) -> None:
    """Adds rows as `fastcore.rows` makes them, some of them at a time."""

    async def source() -> AsyncIterator[bytes | bytearray]:
        yield HEADER
        for some in rows:
            yield some
        yield TRAILER

    whatever_has_a_buffer = cast("AsyncIterator[bytes]", source())
    await connection.copy_to_table(table, source=whatever_has_a_buffer, columns=columns, format="binary")
