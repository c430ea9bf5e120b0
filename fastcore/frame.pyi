from collections.abc import Iterable

def frame(head: bytes, pairs: Iterable[Iterable[bytes]], tags: dict[bytes, bytes]) -> bytes:
    """A record: the length of its body and the CRC-32 (ISO 3309) of it, each a little-endian uint32, and the body,
    which is `head` and then, of each pair whose first half is in `tags`, that tag and the second half."""
