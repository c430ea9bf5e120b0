"""Records are what struct and zlib make of the same fields."""

import struct
import zlib
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastcore.frame import Form, unframe

TAGS = {b"user-agent": b"\na", b"referer": b"\nr", b"x": b""}
FORM = Form(TAGS)
FRAME_BYTES = 8
NAMES = st.sampled_from([*TAGS, b"accept", b"", b"User-Agent"])


@given(st.binary(), st.lists(st.tuples(NAMES, st.binary(max_size=700))))
def test_a_record_is_its_length_its_checksum_and_the_fields_that_are_wanted(
    head: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    body = head + b"".join(TAGS[name] + value for name, value in pairs if name in TAGS)
    expected = struct.pack("<II", len(body), zlib.crc32(body)) + body
    assert FORM.frame(head, pairs) == expected
    assert FORM.frame(head, iter([list(pair) for pair in pairs])) == expected


@given(
    st.integers(0, (1 << 64) - 1),
    st.binary(min_size=8, max_size=8),
    st.text(max_size=20),
    st.binary(max_size=4),
    st.lists(st.tuples(NAMES, st.binary(max_size=700))),
)
def test_a_record_that_has_room_is_put_there_and_one_that_has_not_is_not(
    first: int, second: bytes, line: str, mark: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    record = FORM.frame(struct.pack("<Q8s", first, second) + line.encode() + mark, pairs)
    size, before = len(record), b"\xaa" * 100
    buffer = bytearray(before * 2 + bytes(size))
    assert FORM.put(buffer, 100, 100 + size - 1, first, second, line, mark, pairs) == 0
    assert Form(TAGS, size - 1).put(buffer, 100, len(buffer), first, second, line, mark, pairs) == 0
    assert buffer == before * 2 + bytes(size)
    assert Form(TAGS, size).put(buffer, 100, 100 + size, first, second, line, mark, pairs) == 100 + size
    assert buffer == before + record + (before + bytes(size))[size:]


@pytest.mark.parametrize(("at", "limit"), [(-1, 99), (0, 101), (-500, 10)])
def test_nothing_is_put_outside_of_the_buffer(at: int, limit: int) -> None:
    buffer = bytearray(100)
    with pytest.raises(ValueError, match="outside"):
        FORM.put(buffer, at, limit, 1, bytes(8), "", b"", [])
    assert buffer == bytes(100)


@pytest.mark.parametrize(
    ("buffer", "second", "pairs"),
    [
        (b"x" * 100, bytes(8), []),
        (bytearray(100), bytes(7), []),
        (bytearray(100), bytes(8), [[b"x", b""]]),
        (bytearray(100), bytes(8), [(b"x",)]),
        (bytearray(100), bytes(8), [(b"x", None)]),
        (bytearray(100), bytes(8), [("x", b"")]),
        (bytearray(100), bytes(8), ()),
    ],
)
def test_what_is_no_record_is_not_put(buffer: bytes, second: bytes, pairs: object) -> None:
    with pytest.raises((TypeError, ValueError, BufferError)):
        FORM.put(buffer, 0, 100, 1, second, "", b"", pairs)  # type: ignore[arg-type]


def test_names_of_any_size_are_told_apart() -> None:
    names = [b"x" * size for size in (1, 62, 63, 64, 127, 128)]
    form = Form({name: b"\n%d" % len(name) for name in names})
    record = form.frame(b"", [(b"x" * size, b"=") for size in range(130)])
    assert record[FRAME_BYTES:] == b"".join(b"\n%d=" % len(name) for name in names)


def test_a_form_has_at_most_sixteen_fields_of_bytes() -> None:
    sixteen = Form({bytes([letter]): b"" for letter in range(16)})
    assert sixteen.frame(b"", [(b"\x0f", b"=")])[FRAME_BYTES:] == b"="
    with pytest.raises(ValueError, match="at most 16 fields"):
        Form({bytes([letter]): b"" for letter in range(17)})
    with pytest.raises(ValueError, match="4 GiB"):
        Form({}, 1 << 32)
    for tags in ({b"x": None}, {None: b"x"}, {"x": b""}, {b"x": ""}):
        with pytest.raises(TypeError):
            Form(tags)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "pairs", [[(b"user-agent", "text")], [("user-agent", b"")], [(b"user-agent", None)], [(b"a",)], [None], None]
)
def test_what_are_no_pairs_of_bytes_is_refused(pairs: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        FORM.frame(b"", pairs)  # type: ignore[arg-type]


class Read(NamedTuple):
    """What a body has in it."""

    second: int
    first: int
    line: str
    a: bytes
    b: bytes
    flag: bool


LENGTHS = {b"a": 5, b"b": 300, b"f": 0}
MAX_LINE = 8
LONGEST = 1000


def read(body: bytes) -> Read:
    """As `unframe` does it, slowly; and in one way or another also what that leaves to it."""
    first, second = struct.unpack_from("<QQ", body)
    line, *fields = body[16:].split(b"\n")
    values = {field[:1]: field[1:] for field in fields}
    return Read(
        *(second, first // 1000, line.decode("latin-1")),
        *(values.get(b"a", b""), values.get(b"b", b""), b"f" in values),
    )


def framed(*bodies: bytes) -> bytes:
    return b"".join(FORM.frame(body, ()) for body in bodies)


BYTES = st.binary(max_size=6).map(lambda value: value.replace(b"\n", b"n"))
LINES = st.one_of(BYTES, st.tuples(st.sampled_from([b"a", b"b", b"f", b"?"]), BYTES).map(b"".join))
BODIES = st.one_of(
    st.binary(max_size=20),
    st.tuples(st.binary(min_size=16, max_size=16), st.lists(LINES, max_size=5)).map(
        lambda parts: parts[0] + b"\n".join(parts[1])
    ),
)


@given(st.lists(BODIES, max_size=5), st.sampled_from([b"", bytes(8), bytes(7), b"\xff" * 4, b"\xff" * 3, b"\1" * 12]))
def test_records_come_out_as_they_are_read_one_by_one(bodies: list[bytes], behind: bytes) -> None:
    whole = [body for body in bodies if len(body) >= 16]
    short = len(whole) < len(bodies)
    if short:
        whole = bodies[: next(place for place, body in enumerate(bodies) if len(body) < 16)]
    ends = {b"": "cut", bytes(8): "empty", bytes(7): "cut", b"\xff" * 4: "end", b"\xff" * 3: "cut"}
    ended = "bad" if short else ends.get(behind, "bad")
    if short and not bodies[len(whole)]:
        ended = "empty"
    expected = ([read(body) for body in whole], len(framed(*whole)), ended)
    assert unframe(framed(*bodies) + behind, LONGEST, read, Read, MAX_LINE, LENGTHS) == expected
    assert unframe(framed(*bodies) + behind, LONGEST, read) == expected


@pytest.mark.parametrize(
    ("body", "usual"),
    [
        (b"line", True),
        (b"", True),
        (b"line\nf\nb" + b"x" * 300 + b"\naxxxxx", True),
        (b"line\na\xff\x00", True),
        (b"line\na", True),
        (b"l" * 9, False),
        (b"lin\xe9", False),
        (b"line\na1\na2", False),
        (b"line\naxxxxxx", False),
        (b"line\nfx", False),
        (b"line\n?", False),
        (b"line\n", False),
        (b"line\n\na1", False),
    ],
)
def test_only_what_is_unusual_is_read_slowly(body: bytes, usual: bool) -> None:
    slowly = []

    def noted(body: bytes) -> Read:
        slowly.append(body)
        return read(body)

    records, _, _ = unframe(framed(bytes(16) + body), LONGEST, noted, Read, MAX_LINE, LENGTHS)
    assert records == [read(bytes(16) + body)]
    assert [type(record) for record in records] == [Read]
    assert bool(slowly) is not usual


def test_what_is_damaged_or_too_long_ends_it() -> None:
    good = framed(bytes(16))
    assert unframe(good * 3, LONGEST, read, Read, MAX_LINE, LENGTHS) == ([read(bytes(16))] * 3, 3 * len(good), "cut")
    for at in range(4, len(good)):
        damaged = bytearray(good)
        damaged[at] ^= 1
        assert unframe(good + bytes(damaged), LONGEST, read, Read, MAX_LINE, LENGTHS)[1:] == (len(good), "bad")
    longest = framed(bytes(LONGEST - 8))
    assert unframe(longest, LONGEST, read)[1:] == (LONGEST, "cut")
    assert unframe(longest, LONGEST - 1, read)[1:] == (0, "bad")
    for cut in range(len(good)):
        assert unframe(good + good[:cut], LONGEST, read)[1:] == (len(good), "cut")


def test_what_a_reader_raises_is_raised() -> None:
    def refuse(_: bytes) -> Read:
        raise KeyError

    with pytest.raises(KeyError):
        unframe(framed(bytes(16)), LONGEST, refuse)
    with pytest.raises(ValueError, match="at most 16 fields"):
        unframe(b"", LONGEST, read, Read, MAX_LINE, {bytes([letter]): 1 for letter in range(17)})
