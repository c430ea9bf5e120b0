"""What follows from a scan's request: the record as it came becomes a row as it is kept.

Much of it repeats itself from scan to scan, and is looked up: user agents, languages, addresses. What is left takes
some 4 us for each, and an address that is new 2 more by the installed country data (bench/writer.py).
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import lru_cache, partial
from hashlib import blake2b
from socket import AF_INET, AF_INET6, inet_ntop

from server.domain.model import Address, Scan
from server.domain.referrer import host_of
from server.scans.agent import Agent, agent
from server.scans.geo import NOWHERE, Place, place_said
from server.scans.record import Record
from server.scans.visitor import Visitors, salted, visitor

UNIX_EPOCH = date(1970, 1, 1)
DAY_US = 86_400_000_000
#: Of 2000.
SINCE_1970_US = (date(2000, 1, 1) - UNIX_EPOCH).days * DAY_US

#: Headers that are remembered, and addresses.
MAX_KNOWN = 1 << 15

#: As Scan(*values), without the function in Python that this is.
_new_scan = partial(tuple.__new__, Scan)


class Classifier:
    """Makes scans of records."""

    def __init__(self, visitors: Visitors, place: Callable[[str], Place]) -> None:
        """`place` says where an address is, and never raises."""
        self._visitors = visitors

        def of_address(address: bytes | None) -> tuple[Address | None, Place]:
            if address is None:
                return None, NOWHERE
            return visitors.kept(address), place(inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address))

        #: What of an address is kept, and where it is.
        self._of_address = lru_cache(MAX_KNOWN)(of_address)

    def days(self, records: list[Record]) -> dict[int, date]:
        """The records' days, by their number since 1970: whose salt their scans take."""
        numbers = {record.time_us // DAY_US for record in records}
        return {number: self._visitors.salt_day(UNIX_EPOCH + timedelta(days=number)) for number in numbers}

    def scans(self, records: list[Record], salts: Mapping[int, bytes]) -> list[Scan]:
        """Of records of days whose salts are here, by the days' numbers since 1970."""
        begun = {number: salted(salt) for number, salt in salts.items()}
        return [self._scan(record, begun[record.time_us // DAY_US]) for record in records]

    def _scan(self, record: Record, begun: blake2b) -> Scan:
        link, time_us, _, header, referrer, language, _, _, from_code, *said = record
        address = self._visitors.address(record)
        kept, place = self._of_address(address)
        country, region, city, network = place_said(*said).or_else(place) if any(said) else place
        user_agent, (device, os, browser, browser_version, bot) = _agent(header)
        referrer_text, referrer_host = _referrer(referrer)
        return _new_scan(
            (
                link,
                time_us - SINCE_1970_US,
                user_agent,
                referrer_text,
                _repeated(language),
                kept,
                visitor(begun, address, header),
                device,
                os,
                browser,
                from_code,
                country,
                city,
                region,
                network,
                browser_version,
                bot,
                referrer_host,
            )
        )


@lru_cache(MAX_KNOWN)
def _agent(header: bytes) -> tuple[str | None, Agent]:
    text = _text(header)
    return text, agent(text or "")


@lru_cache(MAX_KNOWN)
def _referrer(header: bytes) -> tuple[str | None, str | None]:
    """What it says, and its host."""
    text = _text(header)
    return text, host_of(text) if text else None


def _text(header: bytes) -> str | None:
    """A header's value as PostgreSQL can hold it: UTF-8 without U+0000."""
    return header.decode("utf-8", "replace").replace("\x00", "\ufffd") or None


#: Of headers that come again and again.
_repeated = lru_cache(MAX_KNOWN)(_text)
