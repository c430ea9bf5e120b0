from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from typing_extensions import Buffer

T = TypeVar("T")

class Form:
    """What records look like. One is the length of its body and the CRC-32 (ISO 3309) of it, each a little-endian
    uint32, and the body, which ends with the fields: of each pair whose first half is in `tags`, at most 16, that tag
    and the second half."""

    def __init__(self, tags: dict[bytes, bytes], longest: int = 0xFFFFFFFF) -> None: ...
    def frame(self, head: bytes, pairs: Iterable[Iterable[bytes]]) -> bytes:
        """A record, however long: its body is `head` and the fields."""

    def put(
        self,
        buffer: Buffer,
        at: int,
        limit: int,
        first: int,
        second: bytes,
        line: str,
        mark: bytes,
        pairs: list[tuple[bytes, bytes]],
    ) -> int:
        """Writes a record into `buffer` and returns where it ends; or writes nothing and returns 0, where it would have
        more than `longest` bytes or end behind `limit`. Its body is `first` as a little-endian uint64, the eight bytes
        of `second`, the line in UTF-8, `mark`, and the fields."""

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
