"""How often somebody may do something: token buckets in memory, of this process alone."""

from collections.abc import Hashable
from ipaddress import IPv6Address, ip_address
from itertools import islice


class Buckets:
    """`burst` at once, and then one more every `every_s`, for each key.

    A bucket is one number, the time at which it is full again (the generic cell rate algorithm, ITU-T I.371). Of more
    than `max_keys`, those that nothing was taken from for the longest are forgotten.
    """

    def __init__(self, *, burst: int, every_s: float, max_keys: int = 50_000) -> None:
        self._every_s = every_s
        self._most_s = burst * every_s
        self._max_keys = max_keys
        self._full_at: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: Hashable, now_s: float) -> float:
        """How long until there is one to take; 0 where there is."""
        full_at = self._full_at.get(key, now_s)
        return max(0.0, full_at + self._every_s - self._most_s - now_s)

    def take(self, key: Hashable, now_s: float) -> float:
        """Takes one and returns 0; or, where there is none, says how long until there is."""
        wait_s = self.wait_s(key, now_s)
        if wait_s == 0:
            self._full_at[key] = max(self._full_at.pop(key, now_s), now_s) + self._every_s
            if len(self._full_at) > self._max_keys:
                for oldest in list(islice(self._full_at, self._max_keys // 16 + 1)):
                    del self._full_at[oldest]
        return wait_s

    def refill(self, key: Hashable) -> None:
        self._full_at.pop(key, None)


def network(address: str) -> str:
    """Whom a limit is for: an IPv4 address, or the /64 of an IPv6 one, as that is what one home or phone has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
