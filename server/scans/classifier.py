"""What follows from a scan's request: the record as it came becomes a row as it is kept.

Much of it repeats itself from scan to scan, and is looked up: user agents, languages, addresses. What is left takes
some 5 us for each, and an address that is new 3 more by the installed country data (bench/writer.py).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop

from server.domain.model import Scan
from server.domain.referrer import host_of
from server.scans.agent import agent
from server.scans.geo import NOWHERE, Place, place_said
from server.scans.record import Record
from server.scans.visitor import Visitors, visitor

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_US = 86_400_000_000

#: Headers that are remembered, and addresses.
MAX_KNOWN = 1 << 15


class Classifier:
    """Makes scans of records."""

    def __init__(self, visitors: Visitors, place: Callable[[str], Place]) -> None:
        """`place` says where an address is, and never raises."""
        self._visitors = visitors

        def place_of(address: bytes) -> Place:
            return place(inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address))

        self._place = lru_cache(MAX_KNOWN)(place_of)

    def days(self, records: list[Record]) -> dict[int, date]:
        """The records' days, by their number since 1970: whose salt their scans take."""
        numbers = {record.time_us // DAY_US for record in records}
        return {number: self._visitors.salt_day((UNIX_EPOCH + timedelta(days=number)).date()) for number in numbers}

    def scan(self, record: Record, salt: bytes) -> Scan:
        address = self._visitors.address(record)
        user_agent = _repeated(record.agent)
        device, os, browser, browser_version, bot = agent(user_agent or "")
        referrer, referrer_host = _referrer(record.referrer) if record.referrer else (None, None)
        country, region, city, network = self._where(record, address)
        return Scan(
            record.link_id,
            UNIX_EPOCH + timedelta(microseconds=record.time_us),
            user_agent,
            referrer,
            _repeated(record.language),
            self._visitors.kept(address),
            visitor(salt, address, record.agent),
            device,
            os,
            browser,
            record.from_code,
            country,
            city,
            region,
            network,
            browser_version,
            bot,
            referrer_host,
        )

    def _where(self, record: Record, address: bytes | None) -> Place:
        """As a CDN says, and where it does not, as the address tells."""
        found = NOWHERE if address is None else self._place(address)
        if not (record.country or record.region or record.city):
            return found
        return place_said(record.country, record.region, record.city).or_else(found)


def _referrer(header: bytes) -> tuple[str | None, str | None]:
    """What it says, and its host."""
    text = _text(header)
    return text, host_of(text) if text else None


def _text(header: bytes) -> str | None:
    """A header's value as PostgreSQL can hold it: UTF-8 without U+0000."""
    return header.decode("utf-8", "replace").replace("\x00", "\ufffd") or None


#: Of headers that come again and again.
_repeated = lru_cache(MAX_KNOWN)(_text)
