"""Scans as PostgreSQL's binary COPY takes them (documentation of COPY, "Binary Format"; network.c, inet_recv).

A row is one pack of what has a fixed length, and the rest in front of which its length stands. asyncpg's
copy_records_to_table, which finds a codec for each value, and for an inet parses a text, takes four times as long.

The id comes first, and is put before the rest once it is known: ids are handed out under a lock for which other writers
wait.
"""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from server.domain.model import AccountId, Address, LinkId, Scan

COLUMNS = (
    *("id", "account_id", "link_id", "scanned_at", "visitor", "from_code"),
    *("address", "user_agent", "device", "os", "browser", "language", "referrer"),
    *("referrer_host", "browser_version", "bot", "country", "region", "city", "network"),
)

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
NO_REFERRER = NULL + NULL  # nor a host of one

#: The number of columns, and the first with its length.
NUMBER = struct.Struct(">hiq")
#: The account, where there is one, and then four columns more.
ACCOUNT = struct.Struct(">iq")
FIXED = struct.Struct(">iqiqiqi?")
LENGTH = struct.Struct(">i")
INET = struct.Struct(">iBBBB")
FAMILIES = {4: 2, 16: 3}  # PGSQL_AF_INET and PGSQL_AF_INET6, by an address's bytes

#: Texts that come again and again are encoded once.
MAX_KNOWN = 1 << 14

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


def owners(accounts: Mapping[LinkId, AccountId]) -> dict[LinkId, bytes]:
    """The accounts of links, as `rows` takes them."""
    return {link: ACCOUNT.pack(8, account) for link, account in accounts.items()}


def rows(scans: list[Scan], times_us: list[int], owners: Mapping[LinkId, bytes]) -> list[bytes]:
    """The scans, with their times as numbers, each but for its id."""
    owner = owners.get
    return [
        owner(scan.link_id, NULL)
        + FIXED.pack(8, scan.link_id, 8, time_us, 8, scan.visitor, 1, scan.from_code)
        + (NULL if scan.address is None else _inet(scan.address))
        + _texts(scan.user_agent, scan.device, scan.os, scan.browser)
        + _known(scan.language)
        + (NO_REFERRER if scan.referrer is None else _text(scan.referrer) + _known(scan.referrer_host))
        + _texts(scan.browser_version, scan.bot, scan.country, scan.region, scan.city, scan.network)
        for scan, time_us in zip(scans, times_us, strict=True)
    ]


def numbered(rows: list[bytes], first: int) -> bytes:
    """The rows as one COPY, with ids from `first` on."""
    parts = [HEADER]
    for number, row in enumerate(rows, first):
        parts += (NUMBER.pack(len(COLUMNS), 8, number), row)
    parts.append(TRAILER)
    return b"".join(parts)


def _inet(address: Address) -> bytes:
    packed, bits = address
    size = len(packed)
    return INET.pack(size + 4, FAMILIES[size], bits, 0, size) + packed


def _text(text: str | None) -> bytes:
    if text is None:
        return NULL
    data = text.encode()
    return LENGTH.pack(len(data)) + data


_known = lru_cache(MAX_KNOWN)(_text)


@lru_cache(MAX_KNOWN)
def _texts(*texts: str | None) -> bytes:
    return b"".join(map(_text, texts))
