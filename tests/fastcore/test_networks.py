"""The network of an address is the one that ipaddress finds by asking each."""

from array import array
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.networks import Networks

HALF = 64
LOW = (1 << HALF) - 1

FEW4 = st.integers(0, 7).map(lambda number: number * 0x2345_6789 & 0xFFFF_FFFF)
FEW6 = st.builds(lambda high, low: high << 125 | high << 60 | low << 61 | low, st.integers(0, 7), st.integers(0, 7))


def networks(of4: list[IPv4Network], of6: list[IPv6Network]) -> Networks:
    first6 = [int(each.network_address) for each in of6]
    return Networks(
        array("I", [int(each.network_address) for each in of4]),
        bytes(each.prefixlen for each in of4),
        array("Q", [number >> HALF for number in first6]),
        array("Q", [number & LOW for number in first6]),
        bytes(each.prefixlen for each in of6),
    )


def apart(given: list[Any]) -> list[Any]:
    """Those that are in no other one, in order."""
    found: list[Any] = []
    for each in sorted(given):
        if not found or each.network_address > found[-1].broadcast_address:
            found.append(each)
    return found


@given(
    st.lists(st.tuples(FEW4, st.integers(0, 32)), max_size=8),
    st.lists(st.tuples(FEW6, st.integers(0, 128)), max_size=8),
    st.lists(FEW4, max_size=4),
    st.lists(FEW6, max_size=4),
)
def test_an_address_is_in_the_network_that_has_it(
    given4: list[tuple[int, int]], given6: list[tuple[int, int]], spots4: list[int], spots6: list[int]
) -> None:
    of4 = apart([IPv4Network(each, strict=False) for each in given4])
    of6 = apart([IPv6Network(each, strict=False) for each in given6])
    edges = [int(each[at]) + beside for each in of4 for at in (0, -1) for beside in (-1, 0, 1)]
    edges6 = [int(each[at]) + beside for each in of6 for at in (0, -1) for beside in (-1, 0, 1, 1 << HALF)]
    find = networks(of4, of6).find
    for number in {*spots4, 0, (1 << 32) - 1, *(each % (1 << 32) for each in edges)}:
        address = IPv4Address(number)
        assert find(address.packed) == next((at for at, each in enumerate(of4) if address in each), -1)
    for number in {*spots6, 0, (1 << 128) - 1, *(each % (1 << 128) for each in edges6)}:
        address6 = IPv6Address(number)
        assert find(address6.packed) == next((len(of4) + at for at, each in enumerate(of6) if address6 in each), -1)


@pytest.mark.parametrize("address", [b"", b"123", b"12345", b"x" * 17])
def test_what_is_no_address_is_refused(address: bytes) -> None:
    with pytest.raises(ValueError, match="4 bytes or 16"):
        networks([], []).find(address)


@pytest.mark.parametrize(
    ("first4", "bits4", "first6", "bits6"), [(1, 0, 0, 0), (0, 0, 0, 1), (1, 33, 0, 0), (0, 0, 1, 129)]
)
def test_what_are_no_networks_is_refused(first4: int, bits4: int, first6: int, bits6: int) -> None:
    with pytest.raises(ValueError, match="network"):
        Networks(
            array("I", [0] * first4),
            bytes([bits4]) if bits4 else b"",
            array("Q", [0] * first6),
            array("Q", [0] * first6),
            bytes([bits6]) if bits6 else b"",
        )
