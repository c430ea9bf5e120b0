"""What follows from records is what plain Python makes of the same; visitors' numbers are those of hashlib."""

from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.facts import Finder, Known, Peers, Salted

DAY_US = 86_400_000_000
#: Of 2000.
SINCE_1970 = 10_957

#: Is not to be asked.
NEVER: Any = None


@given(st.binary(min_size=1, max_size=64), st.one_of(st.none(), st.binary(max_size=16)), st.binary(max_size=600))
def test_a_visitor_is_known_by_the_hash_of_address_and_agent(salt: bytes, address: bytes | None, agent: bytes) -> None:
    expected = blake2b((address or b"") + b"\n" + agent, digest_size=8, key=salt).digest()
    assert Salted(salt).visitor(address, agent) == int.from_bytes(expected, "little", signed=True)


@pytest.mark.parametrize("size", [*range(110, 132), 239, 255, 256, 383, 384])
def test_blocks_end_anywhere(size: int) -> None:
    expected = blake2b(b"1234\n" + b"x" * size, digest_size=8, key=b"k" * 64).digest()
    assert Salted(b"k" * 64).visitor(b"1234", b"x" * size) == int.from_bytes(expected, "little", signed=True)


@pytest.mark.parametrize("salt", [b"", b"x" * 65])
def test_a_salt_has_up_to_64_bytes(salt: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 64"):
        Salted(salt)


def test_what_is_known_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def double(number: int) -> int:
        asked.append(number)
        return 2 * number

    known = Known(double, 2)
    assert [known(number) for number in (1, 2, 1, 2, 3, 3, 1)] == [2, 4, 2, 4, 6, 6, 2]
    assert asked == [1, 2, 3, 1]


def test_what_cannot_be_made_is_not_known() -> None:
    known: Known[int, int] = Known(lambda number: 1 // number, 2)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            known(0)
    with pytest.raises(TypeError):
        known([])  # type: ignore[arg-type]


class Kept(NamedTuple):
    packed: bytes
    bits: int


@given(st.integers(0, (1 << 32) - 1), st.one_of(st.none(), st.integers(0, 32)))
def test_of_an_address_some_bits_are_kept(number: int, bits: int | None) -> None:
    address = IPv4Address(number)
    kept = None if bits is None else Kept(IPv4Network((number, bits), strict=False).network_address.packed, bits)
    peers = Peers(Kept, bits, "place of {}".format, NEVER)
    found = peers(str(address))
    assert found == (address.packed, kept, f"place of {address}")
    assert bits is None or type(found[1]) is Kept


@pytest.mark.parametrize("peer", ["", "::1", "1.2.3", "1.2.3.256", "1.2.3.04", "1.2.3.4 ", "1.2.3.4\0", "unix:", "é"])
def test_what_is_no_address_is_for_another(peer: str) -> None:
    other = (None, None, "nowhere")
    assert Peers(Kept, 24, NEVER, {peer: other}.__getitem__)(peer) == other


@pytest.mark.parametrize("bits", [-1, 33])
def test_an_address_has_32_bits(bits: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        Peers(Kept, bits, NEVER, NEVER)


class Made(NamedTuple):
    """As server.domain.model.Scan."""

    link: int
    time_us: int
    agent: str | None
    referrer: str | None
    language: str | None
    kept: object
    visitor: int
    device: str
    os: str | None
    browser: str | None
    from_code: bool
    country: str | None
    city: str | None
    region: str | None
    network: str | None
    version: str | None
    bot: str | None
    host: str | None


Record = tuple[Any, ...]


def agent_of(header: bytes) -> tuple[str, tuple[str, ...]]:
    return f"text of {header!r}", ("mobile", "iOS", "Safari", "18", "Bot")


def referrer_of(header: bytes) -> tuple[str, str]:
    return f"referrer {header!r}", f"host of {header!r}"


def language_of(header: bytes) -> str:
    return f"language {header!r}"


def client_by(key: object) -> tuple[bytes, str, tuple[str, ...]]:
    return f"address {key}".encode(), f"kept {key}", ("CH", "Vaud", f"city {key}", "fixed")


def said(country: bytes, region: bytes, city: bytes, place: tuple[str, ...]) -> tuple[str, ...]:
    return country.decode(), region.decode(), city.decode(), place[3]


def peer_of(record: Record) -> str:
    return f"behind {record[6]!r}"


def finder(*, proxied: bool = False, replaced: dict[str, Any] | None = None) -> "Finder[Record, Made]":
    made: dict[str, Any] = {
        "agent": agent_of,
        "referrer": referrer_of,
        "language": language_of,
        "client": client_by,
    } | (replaced or {})
    known = (Known(made[name], 8) for name in ("agent", "referrer", "language", "client"))
    agents, referrers, languages, clients = known
    return Finder(Made, agents, referrers, languages, clients, peer_of if proxied else None, said)  # type: ignore[arg-type]


TIMES = st.integers(0, (1 << 64) // 1000)
SHORT = st.binary(max_size=2)
RECORDS = st.lists(
    st.tuples(
        st.integers(0, (1 << 64) - 1),
        TIMES,
        st.text(max_size=2),
        *[SHORT] * 5,
        st.booleans(),
        *[SHORT.map(bytes.hex).map(str.encode)] * 3,
    ),
    max_size=9,
)


@given(RECORDS, st.booleans())
def test_a_scan_is_what_follows_from_its_record(records: list[Record], proxied: bool) -> None:
    salts = {record[1] // DAY_US: Salted(b"%d" % record[1]) for record in records}
    expected = []
    for record in records:
        link, time_us, peer, agent, referrer, language, _, _, from_code, *place = record
        address, kept, (country, region, city, network) = client_by(peer_of(record) if proxied else peer)
        if any(place):
            country, region, city = map(bytes.decode, place)
        text, (device, os, browser, version, bot) = agent_of(agent)
        values = (
            *(link, time_us - SINCE_1970 * DAY_US, text, referrer_of(referrer)[0], language_of(language), kept),
            *(salts[time_us // DAY_US].visitor(address, agent), device, os, browser, from_code),
            *(country, city, region, network, version, bot, referrer_of(referrer)[1]),
        )
        expected.append(Made(*values))
    found = finder(proxied=proxied).scans(records, salts)
    assert found == expected
    assert all(type(scan) is Made for scan in found)


WHOLE: Record = (1, 2, "peer", b"a", b"r", b"l", b"", b"", True, b"", b"", b"")


@pytest.mark.parametrize(
    "record",
    [
        None,
        WHOLE[:-1],
        (*WHOLE, b""),
        (*WHOLE[:3], None, *WHOLE[4:]),
        (*WHOLE[:3], "a", *WHOLE[4:]),
        (1, None, *WHOLE[2:]),
    ],
)
def test_what_is_no_record_is_refused(record: Any) -> None:  # noqa: ANN401
    with pytest.raises((TypeError, ValueError)):
        finder().scans([record], {0: Salted(b"x")})


@pytest.mark.parametrize("salt", [None, b"x"])
def test_what_is_no_salt_is_refused(salt: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError):
        finder().scans([WHOLE], {0: salt})
    with pytest.raises(KeyError):
        finder().scans([WHOLE], {1: salt})


@pytest.mark.parametrize("name", ["agent", "referrer", "client"])
@pytest.mark.parametrize("made", [None, (), (1, None, None), ("text", ("mobile",), 3)])
def test_what_is_no_fact_is_refused(name: str, made: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        finder(replaced={name: lambda _: made}).scans([WHOLE], {0: Salted(b"x")})
