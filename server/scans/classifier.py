"""What follows from a scan's request: the record as it came becomes a row as it is kept.

Much of it repeats itself from scan to scan, and is looked up: user agents, languages, addresses. What is left is done
in C (bench/writer.py says how long it takes).
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from socket import AF_INET, AF_INET6, inet_ntop

from fastcore.facts import Finder, Known, Peers, Salted
from server.domain.model import Address, Scan
from server.domain.referrer import host_of
from server.scans.agent import Agent, agent
from server.scans.geo import NOWHERE, Place, place_said
from server.scans.record import Record
from server.scans.visitor import Visitors, known

UNIX_EPOCH = date(1970, 1, 1)
DAY_US = 86_400_000_000

#: Headers that are remembered, and addresses.
MAX_KNOWN = 1 << 15

#: Whose scan it is: the address, what of it is kept, and where it is.
Client = tuple[bytes | None, Address | None, Place]


class Classifier:
    """Makes scans of records."""

    def __init__(self, visitors: Visitors, place: Callable[[str], Place]) -> None:
        """`place` says where an address is, and never raises."""
        self._visitors = visitors

        def client(address: bytes | None) -> Client:
            if address is None:
                return None, None, NOWHERE
            text = inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)
            return address, visitors.kept(address), place(text)

        def other(peer: str) -> Client:
            return client(known(peer))

        trusting = visitors.trusting
        self._finder = Finder(
            Scan,
            Known(_agent, MAX_KNOWN),
            Known(_referrer, MAX_KNOWN),
            Known(_text, MAX_KNOWN),
            Known(client if trusting else Peers(Address, visitors.kept_bits(4), place, other), MAX_KNOWN),
            visitors.address if trusting else None,
            _place_said,
        )

    def days(self, records: list[Record]) -> dict[int, date]:
        """The records' days, by their number since 1970: whose salt their scans take."""
        numbers = {record.time_us // DAY_US for record in records}
        return {number: self._visitors.salt_day(UNIX_EPOCH + timedelta(days=number)) for number in numbers}

    def scans(self, records: list[Record], salts: Mapping[int, bytes]) -> list[Scan]:
        """Of records of days whose salts are here, by the days' numbers since 1970."""
        return self._finder.scans(records, {number: Salted(salt) for number, salt in salts.items()})


def _agent(header: bytes) -> tuple[str | None, Agent]:
    text = _text(header)
    return text, agent(text or "")


def _referrer(header: bytes) -> tuple[str | None, str | None]:
    """What it says, and its host."""
    text = _text(header)
    return text, host_of(text) if text else None


def _text(header: bytes) -> str | None:
    """A header's value as PostgreSQL can hold it: UTF-8 without U+0000."""
    return header.decode("utf-8", "replace").replace("\x00", "\ufffd") or None


def _place_said(country: bytes, region: bytes, city: bytes, place: Place) -> Place:
    """As a CDN says, and what it does not tell as the address does."""
    return place_said(country, region, city).or_else(place)
