"""One scan as bytes in a journal.

    length      u32   of the body; 0 where nothing has been written yet, END behind a segment's last record
    checksum    u32   CRC-32 of the body
    body:
      time      u64   nanoseconds since 1970
      link id   u64
      lengths   3 u16 of what follows: user agent, referrer, language
      ...             the request headers as they came

All numbers are little-endian. What follows from the headers is found out when they are written to the database: the
hot side only copies.
"""

import struct
from datetime import UTC, datetime, timedelta
from time import time_ns
from zlib import crc32

from server.asgi import Headers
from server.domain.model import LinkId, Scan

FRAME = struct.Struct("<II")
BODY = struct.Struct("<Q8sHHH")
END = b"\xff\xff\xff\xff"
END_LENGTH = 0xFFFFFFFF

# Longer ones are cut. Browsers send up to about 350, 2,000 and 100 bytes.
MAX_AGENT = 512
MAX_REFERRER = 2048
MAX_LANGUAGE = 128
MAX_RECORD = FRAME.size + BODY.size + MAX_AGENT + MAX_REFERRER + MAX_LANGUAGE

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def pack(link_id: bytes, headers: Headers) -> bytes:
    """A record of a scan now. `link_id` is eight bytes."""
    fields = dict(headers)
    agent = fields.get(b"user-agent", b"")[:MAX_AGENT]
    referrer = fields.get(b"referer", b"")[:MAX_REFERRER]
    language = fields.get(b"accept-language", b"")[:MAX_LANGUAGE]
    body = BODY.pack(time_ns(), link_id, len(agent), len(referrer), len(language)) + agent + referrer + language
    return FRAME.pack(len(body), crc32(body)) + body


def unpack(body: bytes) -> Scan:
    """The scan in a body whose checksum is right."""
    nanoseconds, link_id, agent, referrer, language = BODY.unpack_from(body)
    at = BODY.size
    return Scan(
        link_id=LinkId(int.from_bytes(link_id, "little")),
        scanned_at=UNIX_EPOCH + timedelta(microseconds=nanoseconds // 1000),
        user_agent=_text(body[at : at + agent]),
        referrer=_text(body[at + agent : at + agent + referrer]),
        language=_text(body[at + agent + referrer : at + agent + referrer + language]),
    )


def _text(header: bytes) -> str | None:
    """A header's value as PostgreSQL can hold it: UTF-8 without U+0000."""
    return header.decode("utf-8", "replace").replace("\x00", "\ufffd") or None
