"""One scan as bytes in a journal.

    length      u32   of the body; 0 where nothing has been written yet, END behind a segment's last record
    checksum    u32   CRC-32 of the body
    body:
      time      u64   nanoseconds since 1970
      link id   u64
      peer            the address at the other end of the connection, as text
      fields          each "\n", a letter, and the value of the request header that `tags` has it for, as it came

The letter "q" has no value: it says that the path was in upper case, as symbols print it and nobody types it.

All numbers are little-endian. No value has a line break in it (RFC 9110, 5.5; the HTTP server refuses such requests),
no letter is ever used for something else, and those that are not known are passed over. Fields stand in the order of
the request, some of them more than once.

What follows from all that is found out when it is written to the database: the hot side only copies, and most of that
not in Python (ADR 16; bench/writer.py measures it).

Journals of the first version have neither peer nor fields, but the lengths, 3 u16, and then the values of user agent,
referrer and language. An older process may have left some, so they are read, and never written.
"""

import struct
from time import time_ns
from typing import Literal, NamedTuple

from typing_extensions import Buffer

from fastcore.frame import Form, unframe
from server.asgi import Scope
from server.domain.model import LinkId

FRAME = struct.Struct("<II")
HEAD = struct.Struct("<Q8s")
END = b"\xff\xff\xff\xff"

TAGS = {
    b"user-agent": b"\na",
    b"referer": b"\nr",
    b"accept-language": b"\nl",
    b"x-forwarded-for": b"\nx",
    b"forwarded": b"\nf",
}
COUNTRY, REGION, CITY = b"\nc", b"\ng", b"\nt"
FROM_CODE = b"\nq"

# Longer ones are cut. Browsers send up to about 350, 2,000 and 100 bytes, proxies some 50 each; and a CDN a name in
# percent-encoding takes up to nine for a character.
MAX_AGENT = 512
MAX_REFERRER = 2048
MAX_LANGUAGE = 128
MAX_FORWARDED = 512
MAX_PEER = 64
MAX_COUNTRY = 16
MAX_NAME = 256
LENGTHS = {  # in the order of Record
    b"a": MAX_AGENT,
    b"r": MAX_REFERRER,
    b"l": MAX_LANGUAGE,
    b"x": MAX_FORWARDED,
    b"f": MAX_FORWARDED,
    b"q": 0,
    b"c": MAX_COUNTRY,
    b"g": MAX_NAME,
    b"t": MAX_NAME,
}
ENDS = frozenset([b"x", b"f"])

#: What is longer in all is looked at field by field; what is not is kept as it came.
MAX_BODY = HEAD.size + MAX_PEER + sum(2 + most for most in LENGTHS.values())
MAX_RECORD = FRAME.size + MAX_BODY

LENGTHS_1 = struct.Struct("<HHH")


#: Records, how many bytes they took, and what stands behind them (fastcore/frame.pyi).
Unpacked = tuple[list["Record"], int, Literal["empty", "end", "bad", "cut"]]


class Record(NamedTuple):
    """A scan as it came, with nothing concluded from it."""

    link_id: LinkId
    #: Microseconds since 1970.
    time_us: int
    #: Who connected, as text; empty where that is not known.
    peer: str
    #: Empty where there was none, as with all headers.
    agent: bytes
    referrer: bytes
    language: bytes
    #: X-Forwarded-For and Forwarded, several of one name joined by commas (RFC 9110, 5.3).
    forwarded_for: bytes
    forwarded: bytes
    #: Whether the path was that of a symbol.
    from_code: bool
    #: As a CDN says them.
    country: bytes = b""
    region: bytes = b""
    city: bytes = b""


def tags(*, country: str, region: str, city: str) -> dict[bytes, bytes]:
    """Which headers are kept, where a CDN says a visitor's place in these; empty for one that does not."""
    said = {country: COUNTRY, region: REGION, city: CITY}
    return {name.lower().encode(): tag for name, tag in said.items() if name} | TAGS


def form_of(tags: dict[bytes, bytes]) -> Form:
    return Form(tags, MAX_RECORD)


#: That of records in which no CDN says anything.
PLAIN = form_of(TAGS)


def put(buffer: Buffer, at: int, limit: int, link_id: bytes, scope: Scope, form: Form) -> int:
    """Writes a record of a scan now into `buffer`. `link_id` is eight bytes. Returns where the record ends, or 0 where
    nothing was written, as it would end behind `limit`, or has to be cut: `pack` makes it then."""
    client, path = scope["client"], scope["path"]
    mark = FROM_CODE if path.isupper() else b""
    return form.put(buffer, at, limit, time_ns(), link_id, client[0] if client else "", mark, scope["headers"])


def pack(link_id: bytes, scope: Scope, form: Form) -> bytes:
    """The same record, with nothing in it that is too long."""
    client = scope["client"]
    head = (
        HEAD.pack(time_ns(), link_id)
        + (client[0].encode() if client else b"")
        + (FROM_CODE if scope["path"].isupper() else b"")
    )
    record = form.frame(head, scope["headers"])
    return record if len(record) <= MAX_RECORD else form.frame(_cut(record[FRAME.size :]), ())


def _cut(body: bytes) -> bytes:
    """A body with nothing in it that is too long."""
    peer, fields = _fields(body)
    return b"".join([body[: HEAD.size], peer, *(b"\n" + tag + value for tag, value in fields.items())])


def _fields(body: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """The peer, and each letter's value, cut where it is too long: of X-Forwarded-For and Forwarded the beginning, as
    whatever a client has made up stands there, and of all else the end."""
    peer, *lines = body[HEAD.size :].split(b"\n")
    fields: dict[bytes, bytes] = {}
    for line in lines:
        tag, value = line[:1], line[1:]
        if tag in ENDS:
            fields[tag] = (fields[tag] + b"," + value if tag in fields else value)[-LENGTHS[tag] :]
        elif tag in LENGTHS:
            fields[tag] = value[: LENGTHS[tag]]
    return peer[:MAX_PEER], fields


def unpack(body: bytes) -> Record:
    """The record in a body whose checksum is right."""
    nanoseconds, link_id = HEAD.unpack_from(body)
    peer, fields = _fields(body)
    field = fields.get
    return Record(
        LinkId(int.from_bytes(link_id, "little")),
        nanoseconds // 1000,
        peer.decode("ascii", "replace"),
        field(b"a", b""),
        field(b"r", b""),
        field(b"l", b""),
        field(b"x", b""),
        field(b"f", b""),
        b"q" in fields,
        field(b"c", b""),
        field(b"g", b""),
        field(b"t", b""),
    )


def unpack_all(data: bytes) -> Unpacked:
    """The same for all records that `data` begins with, which is quicker for each."""
    return unframe(data, MAX_RECORD, unpack, Record, MAX_PEER, LENGTHS)


def seen(scope: Scope) -> Record:
    """The record that a scan by this request would be."""
    return unpack(pack(bytes(8), scope, PLAIN)[FRAME.size :])


def unpack_all_1(data: bytes) -> Unpacked:
    return unframe(data, MAX_RECORD, unpack_1)


def unpack_1(body: bytes) -> Record:
    """The record in a body of the first version."""
    nanoseconds, link_id = HEAD.unpack_from(body)
    agent, referrer, language = LENGTHS_1.unpack_from(body, HEAD.size)
    at = HEAD.size + LENGTHS_1.size
    return Record(
        LinkId(int.from_bytes(link_id, "little")),
        nanoseconds // 1000,
        "",
        body[at : at + agent],
        body[at + agent : at + agent + referrer],
        body[at + agent + referrer : at + agent + referrer + language],
        b"",
        b"",
        False,
    )
