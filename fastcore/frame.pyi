from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

T = TypeVar("T")

def frame(head: bytes, pairs: Iterable[Iterable[bytes]], tags: dict[bytes, bytes]) -> bytes:
    """A record: the length of its body and the CRC-32 (ISO 3309) of it, each a little-endian uint32, and the body,
    which is `head` and then, of each pair whose first half is in `tags`, that tag and the second half."""

def unframe(
    data: bytes,
    longest: int,
    read: Callable[[bytes], T],
    kind: type[T] | None = None,
    first: int = 0,
    fields: dict[bytes, int] | None = None,
) -> tuple[list[T], int, Literal["empty", "end", "bad", "cut"]]:
    """The records that `data` begins with, how many of its bytes they take, and what stands behind them: "empty", zeros
    in place of a length; "end", ones; "bad", a record of more than `longest` bytes, one whose checksum is wrong, or one
    that `read` raises struct.error for; "cut", less than a record.

    `read` makes a record of a body. Where a `kind` of tuple is given, it is asked only where a body is not as nearly
    all are: two little-endian uint64, a line in ASCII of at most `first` bytes, and then, each behind a line feed, once
    at most and in any order, a letter of `fields` and at most so many bytes. The tuple has the second number, the
    thousandth part of the first, the line, and for each of the fields its bytes, or whether it is there, where it may
    have none.
    """
