"""Countries of addresses, by the data that geoip2fast brings along.

Its own look-up, in plain Python and with much beside the country, takes 7 us, and its data 48 MB as it holds them. Here
they are arrays, of 8 MB.
"""

import gzip
import pickle
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_pton
from typing import Generic, TypeVar

import geoip2fast

T = TypeVar("T")

#: Both kinds of addresses; the file that geoip2fast would take by itself has IPv4 only.
FILE = Path(geoip2fast.__file__).parent / "geoip2fast-ipv6.dat.gz"
#: Of its format.
VERSION = 120

HALF = 64
LOW = (1 << HALF) - 1

#: Bits by which IPv4 networks are found first: some 120 begin with the same.
PREFIX = 12
REST = 32 - PREFIX


class Countries(Generic[T]):
    """Networks and what `value` makes of their countries' codes, and of those that stand for what is in none.

    A network begins with an address, has a length in bits, and ends before the next one begins. Those of IPv6 are
    found by the first half of their address; few begin in the middle of one.
    """

    def __init__(self, value: Callable[[str], T]) -> None:
        """Raises whatever is wrong with the file."""
        with gzip.open(FILE) as file:
            version, _, _, (_, names, firsts, codes, lengths) = pickle.load(file)
        if version != VERSION:
            raise ValueError(f"{FILE} has a format that is not known: {version}")
        first = list(chain.from_iterable(firsts))
        self._values = [value(name.partition(":")[0]) for name in names]
        self._codes = array("H", chain.from_iterable(codes))
        self._lengths = array("B", chain.from_iterable(lengths))
        #: Of the first network of IPv6.
        self._split = bisect_right(first, (1 << 32) - 1)
        self._first4 = array("I", first[: self._split])
        #: How many begin below each prefix.
        self._below4 = array("I", [bisect_left(self._first4, prefix << REST) for prefix in range((1 << PREFIX) + 1)])
        self._first6 = array("Q", [number >> HALF for number in first[self._split :]])
        #: The second halves that are not 0, by the network's place.
        self._within6 = {place: low for place, number in enumerate(first[self._split :]) if (low := number & LOW)}

    def of(self, address: str) -> T | None:
        """What is in no network has none. Raises OSError for what is no address."""
        if ":" in address:
            return self._of6(int.from_bytes(inet_pton(AF_INET6, address)))
        number = int.from_bytes(inet_pton(AF_INET, address))
        prefix = number >> REST
        at = bisect_right(self._first4, number, self._below4[prefix], self._below4[prefix + 1]) - 1
        if number - self._first4[at] >> 32 - self._lengths[at]:
            return None
        return self._values[self._codes[at]]

    def _of6(self, number: int) -> T | None:
        half = number >> HALF
        at = bisect_right(self._first6, half) - 1
        while at >= 0 and self._first6[at] == half and self._within6.get(at, 0) > number & LOW:
            at -= 1
        if at < 0:
            return None
        first = self._first6[at] << HALF | self._within6.get(at, 0)
        place = self._split + at
        if number - first >> 128 - self._lengths[place]:
            return None
        return self._values[self._codes[place]]
