"""Records are what struct and zlib make of the same fields."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.frame import frame

TAGS = {b"user-agent": b"\na", b"referer": b"\nr", b"x": b""}
NAMES = st.sampled_from([*TAGS, b"accept", b"", b"User-Agent"])


@given(st.binary(), st.lists(st.tuples(NAMES, st.binary(max_size=700))))
def test_a_record_is_its_length_its_checksum_and_the_fields_that_are_wanted(
    head: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    body = head + b"".join(TAGS[name] + value for name, value in pairs if name in TAGS)
    expected = struct.pack("<II", len(body), zlib.crc32(body)) + body
    assert frame(head, pairs, TAGS) == expected
    assert frame(head, iter([list(pair) for pair in pairs]), TAGS) == expected


@pytest.mark.parametrize(
    "pairs", [[(b"user-agent", "text")], [("user-agent", b"")], [(b"user-agent", None)], [(b"a",)], [None], None]
)
def test_what_are_no_pairs_of_bytes_is_refused(pairs: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        frame(b"", pairs, TAGS)  # type: ignore[arg-type]
