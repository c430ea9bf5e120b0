from collections.abc import Iterable

#: The last is an address: its 4 or 16 bytes, and how many bits of them are meant.
Value = int | bool | str | bytes | tuple[bytes, int] | None

def packed_rows(*parts: Iterable[tuple[Value, ...]]) -> bytearray:
    """Rows as PostgreSQL's binary COPY takes them, without its header and trailer, each made of one tuple of each part:
    numbers as bigint or, microseconds since 2000, as a time, and the others as boolean, text, bytea, and inet."""
