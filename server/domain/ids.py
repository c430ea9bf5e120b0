"""Ids: 63-bit integers that grow with time, and their public text form.

An id is milliseconds since 2024 (41 bits, until 2093) followed by 22 random bits. So a newer thing has the greater
id, which makes "newest first" and cursors a matter of the primary key alone; nobody can read from an id how many
there are; and it is known before the database is asked. Within one process ids never repeat; two processes clash
once in four million when they make an id in the same millisecond, and then the primary key refuses the second.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# Crockford's base32 (https://www.crockford.com/base32.html), lower case: no i, l, o or u.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
DIGITS = {letter: value for value, letter in enumerate(ALPHABET)}
LENGTH = 13  # 13 x 5 bits hold 63

EPOCH = datetime(2024, 1, 1, tzinfo=UTC)
RANDOM_BITS = 22


def id_source(now: Callable[[], datetime]) -> Callable[[], int]:
    """A function that returns a new id at each call, always greater than the one before."""
    last = 0

    def new_id() -> int:
        nonlocal last
        milliseconds = (now() - EPOCH) // timedelta(milliseconds=1)
        last = max(last + 1, milliseconds << RANDOM_BITS | secrets.randbits(RANDOM_BITS))
        return last

    return new_id


def id_text(prefix: str, number: int) -> str:
    """The public form: id_text("lnk", 5) == "lnk_0000000000005"."""
    digits = "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (LENGTH - 1), -1, -5))
    return f"{prefix}_{digits}"


def id_number(prefix: str, text: str) -> int | None:
    """The id of a public form; None when it is not exactly what `id_text` writes."""
    head, _, digits = text.partition("_")
    if head != prefix or len(digits) != LENGTH or not all(digit in DIGITS for digit in digits):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | DIGITS[digit]
    return number if number < 1 << 63 else None
