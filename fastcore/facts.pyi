from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

K_contra = TypeVar("K_contra", contravariant=True)
V_co = TypeVar("V_co", covariant=True)
T = TypeVar("T")
P = TypeVar("P")
R = TypeVar("R", bound=tuple[object, ...])

class Known(Generic[K_contra, V_co]):
    """What a function makes of keys that come again and again."""

    def __init__(self, make: Callable[[K_contra], V_co], most: int) -> None:
        """At most so many are remembered; then all are forgotten."""

    def __call__(self, key: K_contra) -> V_co: ...

class Salted:
    """A hash that is begun with a salt of 1 to 64 bytes. As good as the salt, and so kept no longer."""

    def __init__(self, salt: bytes) -> None: ...
    def visitor(self, address: bytes | None, agent: bytes) -> int:
        """A number of 64 bits, signed, for who has this address and user agent: BLAKE2b (RFC 7693) of the two, with a
        line feed between them, by this key. Without the salt nobody can tell from it whose it is, nor whether it is the
        same as another day's."""

class Peers(Generic[T, P]):
    """Who is at the other end of a connection."""

    def __init__(
        self,
        kind: type[T],
        bits: int | None,
        place: Callable[[str], P],
        other: Callable[[str], tuple[bytes | None, T | None, P]],
    ) -> None:
        """Of an IPv4 address so many bits are kept, or nothing; `kind` is the tuple of what is left and its bits.
        `place` tells where it is. Whatever else may be at the other end is for `other`."""

    def __call__(self, peer: str) -> tuple[bytes | None, T | None, P]:
        """The address, what of it is kept, and its place."""

class Finder(Generic[R, T]):
    """Makes scans of records."""

    def __init__(
        self,
        kind: type[T],
        agents: Known[bytes, tuple[str | None, tuple[str | None, ...]]],
        referrers: Known[bytes, tuple[str | None, str | None]],
        languages: Known[bytes, str | None],
        clients: Known[Any, tuple[bytes | None, object, tuple[str | None, ...]]],
        client_of: Callable[[R], bytes | None] | None,
        place_said: Callable[[bytes, bytes, bytes, Any], tuple[str | None, ...]],
    ) -> None:
        """A scan is a `kind` of tuple. Of a user agent its text, and its device, system, browser, that one's version,
        and bot are known; of a referrer its text and host; of a client its address, what of that is kept, and its
        place. A client is looked up by the peer, or by what `client_of` makes of the record. `place_said` is asked
        where the record says something of a place, and given the client's."""

    def scans(self, records: Iterable[R], salts: dict[int, Salted]) -> list[T]:
        """Of records, with the fields of server.scans.record.Record, of days whose salts are here, by the days' numbers
        since 1970. Times become microseconds since 2000."""
