"""Whose word on the client's address is taken, and what is made of it."""

from datetime import date
from hashlib import blake2b
from ipaddress import ip_address, ip_network

import pytest

from fastcore.facts import Salted
from server.domain.model import LinkId
from server.scans.classifier import Classifier
from server.scans.geo import NOWHERE
from server.scans.record import Record
from server.scans.visitor import Visitors, known


def came(peer: str, *, forwarded_for: str = "", forwarded: str = "") -> Record:
    return Record(LinkId(1), 0, peer, b"", b"", b"", forwarded_for.encode(), forwarded.encode(), False)


def address(record: Record, *trusted: str) -> str:
    visitors = Visitors(trusted=tuple(map(ip_network, trusted)), keep="full", salting="daily")
    found = visitors.address(record)
    return "None" if found is None else str(ip_address(found))


PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")


def test_without_trusted_proxies_nobody_is_believed() -> None:
    told = came("203.0.113.9", forwarded_for="198.51.100.1", forwarded="for=198.51.100.2")
    assert address(told) == "203.0.113.9"
    assert address(told, *PROXIES) == "203.0.113.9"


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9:4711", "203.0.113.9"),
        ("10.0.0.1", " 203.0.113.9 ", "203.0.113.9"),
        ("10.0.0.1", "2001:db8::9", "2001:db8::9"),
        ("10.0.0.1", "[2001:db8::9]", "2001:db8::9"),
        ("10.0.0.1", "[2001:db8::9]:4711", "2001:db8::9"),
        ("10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("2001:db8:ffff::1", "203.0.113.9", "203.0.113.9"),
        # Proxies behind proxies, and what a client has made up before them.
        ("10.0.0.1", "203.0.113.9, 10.0.0.3, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.9.9.9, 203.0.113.9", "203.0.113.9"),
        # Somebody in the operator's own network.
        ("10.0.0.1", "10.0.0.7", "10.0.0.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        # A proxy that hides its client, and garbage: not known, rather than the proxy's or a stranger's.
        ("10.0.0.1", "203.0.113.9, unknown", "None"),
        ("10.0.0.1", "203.0.113.9,", "None"),
        ("10.0.0.1", "203.0.113.9, <script>", "None"),
        ("10.0.0.1", "203.0.113.9, 300.1.1.1", "None"),
        ("10.0.0.1", "203.0.113.9, [::1", "None"),
        ("10.0.0.1", "203.0.113.9, 1.2.3.4:5:6", "None"),
        ("", "203.0.113.9", "None"),
    ],
)
def test_x_forwarded_for_is_read_from_the_right(peer: str, header: str, client: str) -> None:
    assert address(came(peer, forwarded_for=header), *PROXIES) == client


@pytest.mark.parametrize(
    ("header", "client"),
    [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=203.0.113.9;proto=https;by=10.0.0.1", "203.0.113.9"),
        ('proto=https; for="203.0.113.9:4711"', "203.0.113.9"),
        ('for="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('for="[2001:db8:cafe::17]:_port"', "2001:db8:cafe::17"),
        ("for=203.0.113.9, for=10.0.0.2;by=10.0.0.1", "203.0.113.9"),
        ("for=1.1.1.1,for=203.0.113.9", "203.0.113.9"),
        ('for="1.1.1.1, for=203.0.113.9', "203.0.113.9"),  # a quote that a client has left open
        ("for=unknown", "None"),
        ("for=_gazonk", "None"),
        ("for=203.0.113.9, proto=https", "None"),
        ("=;;,", "None"),
    ],
)
def test_forwarded_is_read_from_the_right(header: str, client: str) -> None:
    assert address(came("10.0.0.1", forwarded=header), *PROXIES) == client


def test_where_both_are_given_x_forwarded_for_goes_first() -> None:
    assert address(came("10.0.0.1", forwarded_for="203.0.113.9", forwarded="for=1.1.1.1"), *PROXIES) == "203.0.113.9"


def test_an_address_has_no_zone() -> None:
    assert known("fe80::1%eth0") == ip_address("fe80::1").packed


def test_without_its_salt_a_visitor_is_another() -> None:
    who = ip_address("203.0.113.9").packed
    one, other = Salted(b"a" * 32), Salted(b"b" * 32)
    assert one.visitor(who, b"phone") == one.visitor(who, b"phone") == Salted(b"a" * 32).visitor(who, b"phone")
    several = {
        one.visitor(who, b"phone"),
        other.visitor(who, b"phone"),
        one.visitor(who, b"tablet"),
        one.visitor(ip_address("203.0.113.10").packed, b"phone"),
        one.visitor(None, b"phone"),
    }
    assert len(several) == 5
    assert all(-(1 << 63) <= number < 1 << 63 for number in several)


def test_a_visitor_has_the_number_that_an_older_version_gave_it() -> None:
    """Where the salt never changes, it must not change from one version to the next."""
    who = ip_address("203.0.113.9").packed
    expected = blake2b(who + b"\nphone", digest_size=8, key=b"a" * 32).digest()
    assert Salted(b"a" * 32).visitor(who, b"phone") == int.from_bytes(expected, "little", signed=True)


def test_who_may_open_a_unix_socket_is_a_proxy_to_trust() -> None:
    visitors = Visitors(trusted=(), keep="full", salting="daily", by_file=True)
    assert visitors.address(came("", forwarded_for="198.51.100.1, 203.0.113.9")) == ip_address("203.0.113.9").packed
    assert visitors.address(came("192.0.2.1", forwarded_for="203.0.113.9")) == ip_address("192.0.2.1").packed
    assert visitors.address(came("")) is None


@pytest.mark.parametrize("by_file", [False, True])
@pytest.mark.parametrize("trusted", [(), ("10.0.0.0/8",)])
@pytest.mark.parametrize("peer", ["", "10.0.0.1", "192.0.2.1"])
def test_what_is_written_is_the_address_of_whoever_is_believed(
    peer: str, trusted: tuple[str, ...], by_file: bool
) -> None:
    visitors = Visitors(trusted=tuple(map(ip_network, trusted)), keep="full", salting="daily", by_file=by_file)
    record = came(peer, forwarded_for="203.0.113.9")
    (scan,) = Classifier(visitors, lambda _: NOWHERE).scans([record], {0: bytes(32)})
    address = visitors.address(record)
    assert scan.address == (None if address is None else visitors.kept(address))


def test_a_salt_that_never_changes_is_one_for_all_days() -> None:
    from_daily = Visitors(trusted=(), keep="none", salting="daily").salt_day
    from_never = Visitors(trusted=(), keep="none", salting="never").salt_day
    days = [date(2026, 11, 20), date(2026, 11, 21)]
    assert [from_daily(day) for day in days] == days
    assert len({from_never(day) for day in days}) == 1
