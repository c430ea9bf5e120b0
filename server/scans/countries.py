"""Countries of addresses, by the data that geoip2fast brings along.

Its own look-up, in plain Python and with much beside the country, takes 7 us, and its data 48 MB as it holds them. Here
they are arrays, of 10 MB.
"""

import gzip
import pickle
from array import array
from bisect import bisect_right
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Generic, TypeVar

import geoip2fast

from fastcore.networks import Networks

T = TypeVar("T")

#: Both kinds of addresses; the file that geoip2fast would take by itself has IPv4 only.
FILE = Path(geoip2fast.__file__).parent / "geoip2fast-ipv6.dat.gz"
#: Of its format.
VERSION = 120

HALF = 64
LOW = (1 << HALF) - 1


class Countries(Generic[T]):
    """Networks and what `value` makes of their countries' codes, and of those that stand for what is in none.

    A network begins with an address, has a length in bits, and ends before the next one begins.
    """

    def __init__(self, value: Callable[[str], T]) -> None:
        """Raises whatever is wrong with the file."""
        with gzip.open(FILE) as file:
            version, _, _, (_, names, firsts, codes, lengths) = pickle.load(file)
        if version != VERSION:
            raise ValueError(f"{FILE} has a format that is not known: {version}")
        first = list(chain.from_iterable(firsts))
        bits = bytes(chain.from_iterable(lengths))
        self._values = [value(name.partition(":")[0]) for name in names]
        self._codes = array("H", chain.from_iterable(codes))
        split = bisect_right(first, (1 << 32) - 1)
        self._first4 = array("I", first[:split])
        self._high6 = array("Q", [number >> HALF for number in first[split:]])
        self._low6 = array("Q", [number & LOW for number in first[split:]])
        self._networks = Networks(self._first4, bits[:split], self._high6, self._low6, bits[split:])

    def of(self, address: str) -> T | None:
        """What is in no network has none. Raises OSError for what is no address."""
        at = self._networks.find(inet_pton(AF_INET6 if ":" in address else AF_INET, address))
        return None if at < 0 else self._values[self._codes[at]]
