"""Who scanned: the client's address, what of it is kept, and a number in its place.

A client can write what it likes into X-Forwarded-For and Forwarded, and proxies add to what is there already. So the
address is that of the connection, unless the operator trusts who is at its other end, as at that of a Unix socket; then
it is the last one before it in these headers, and so on, from the right.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from socket import AF_INET, AF_INET6, inet_pton
from typing import Literal

from server.domain.model import Address
from server.scans.record import Record

Network = IPv4Network | IPv6Network

Keep = Literal["full", "truncated", "none"]
Salting = Literal["daily", "never"]

#: By an address's bytes: the bits that are left when it is truncated. It is what one site or household has (RFC 6177),
#: and its neighbours.
TRUNCATED = {4: 24, 16: 48}

#: The day whose salt is for all days, where it never changes.
ALWAYS = date.min

#: Peers that are remembered; they matter only where there are proxies, of which there are few.
MAX_KNOWN = 1 << 12

MAPPED = bytes(10) + b"\xff\xff"  # before an IPv4 address in IPv6 (RFC 4291, 2.5.5.2)

#: An address as proxies write it: IPv6 in brackets, or IPv4; with a port perhaps, which Forwarded lets be a word.
NODE = re.compile(r"\[([^\]]*)\](?::\w+)?|([\d.]+):\w+")


class Visitors:
    """Who scanned, as far as the operator wants to know. `trusted` are proxies, and with `by_file` whoever is at the
    other end of a Unix socket, where there is no address. Addresses are 4 or 16 bytes."""

    def __init__(self, *, trusted: tuple[Network, ...], keep: Keep, salting: Salting, by_file: bool = False) -> None:
        self._trusted = trusted
        self._by_file = by_file
        self._daily = salting == "daily"
        self._keep = keep
        self._is_trusted = lru_cache(MAX_KNOWN)(self._within_trusted)

    @property
    def trusting(self) -> bool:
        """Whether an address may be another one than that of the connection."""
        return bool(self._trusted) or self._by_file

    def address(self, record: Record) -> bytes | None:
        """The client's; None where it is not known, as behind a trusted proxy that does not tell."""
        address = known(record.peer)
        by_file = not record.peer and self._by_file
        if not by_file and (address is None or not self._trusted or not self._is_trusted(address)):
            return address
        for hop in _hops(record):
            address = known(hop)
            if address is None or not self._is_trusted(address):
                return address
        return address

    def _within_trusted(self, address: bytes) -> bool:
        value = ip_address(address)
        return any(value in network for network in self._trusted)

    def kept_bits(self, size: int) -> int | None:
        """How many bits go into the log of an address of so many bytes, of which the others become 0; None where
        nothing does."""
        if self._keep == "none":
            return None
        return size * 8 if self._keep == "full" else TRUNCATED[size]

    def kept(self, address: bytes) -> Address | None:
        """What of an address goes into the log."""
        bits = self.kept_bits(len(address))
        return None if bits is None else Address(address[: bits // 8].ljust(len(address), b"\0"), bits)

    def salt_day(self, day: date) -> date:
        """Whose salt a scan of this day takes."""
        return day if self._daily else ALWAYS


def _hops(record: Record) -> Iterator[str]:
    """Where the request came from before it came to the peer, the last first. X-Forwarded-For goes first, as nearly
    every proxy writes that one, and one that does not write the other passes on what a client has made up."""
    if record.forwarded_for:
        for hop in reversed(record.forwarded_for.split(b",")):
            yield hop.decode("ascii", "replace").strip()
    elif record.forwarded:
        # RFC 7239, 4. Cut at every comma, also inside quotes: no address has one, and a quote that a client has left
        # open must not swallow what a proxy has added.
        for element in reversed(record.forwarded.split(b",")):
            yield _for(element.decode("ascii", "replace"))


def _for(element: str) -> str:
    """Who the element is for, as 'for="[2001:db8::1]:4711";proto=https'; empty where it does not say."""
    for pair in element.split(";"):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return value.strip().strip('"')
    return ""


def known(text: str) -> bytes | None:
    """The address in a text as connections and proxies have it, with a port perhaps; None for anything else, as
    "unknown" and "_hidden" (RFC 7239, 6). An IPv4 address that was mapped into IPv6 is itself."""
    try:
        return inet_pton(AF_INET, text)
    except (OSError, ValueError):
        pass
    if found := NODE.fullmatch(text):
        text = found[1] or found[2]
    try:
        if ":" not in text:
            return inet_pton(AF_INET, text)
        # Without the zone, which means something to its own machine only.
        address = inet_pton(AF_INET6, text.partition("%")[0])
    except (OSError, ValueError):
        return None
    return address.removeprefix(MAPPED)
