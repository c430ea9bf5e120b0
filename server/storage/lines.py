"""The link table as lines, as PostgreSQL's COPY sends them (documentation of COPY, "Text Format"):

    id <tab> slug <tab> destination <tab> <line feed>
    id <tab> slug <tab> destination <tab> {"deleted": ..., "guards": ...} <line feed>

So nobody makes an object for each column of each row, and the same lines are a file. Whether all of a page are plain
is seen in its bytes at once: a million links are looked at one by one only where they have to be.
"""

import re
from collections.abc import Iterator

import orjson

from server.domain.model import ID_BYTES, LinkId, Target, Targets

#: Some 2,000 links, which are taken apart in two milliseconds.
SLICE_BYTES = 128 << 10

# Printable ASCII, but for the backslash, with which COPY escapes what would look like an end of a column or a line.
PLAIN = bytes(byte for byte in range(0x20, 0x7F) if byte != ord("\\"))
PLAIN_LINE = b"\t\t\t\n"
END = b"\t\n"

ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def slices(lines: bytes) -> Iterator[bytes]:
    """The same in so many lines at a time as may be taken apart before others have their turn."""
    begin = 0
    while begin < len(lines):
        end = lines.find(b"\n", begin + SLICE_BYTES) + 1 or len(lines)
        yield lines[begin:end]
        begin = end


def targets(page: bytes) -> Targets:
    """The links in whole lines."""
    count = page.count(b"\n")
    others: list[Target] = []
    if page.count(END) < count or page.translate(None, PLAIN) != PLAIN_LINE * count:
        lines = page.split(b"\n")[:-1]
        plain = [line.endswith(b"\t") and line.translate(None, PLAIN) == PLAIN_LINE[:-1] for line in lines]
        others = [_target(line) for line, is_plain in zip(lines, plain, strict=True) if not is_plain]
        page = b"".join([line + b"\n" for line, is_plain in zip(lines, plain, strict=True) if is_plain])
    columns = page.replace(END, b"\t").split(b"\t")
    columns.pop()
    return Targets(
        b"\t".join(columns[1::3]).decode("ascii").split("\t") if columns else [],
        [
            int(number).to_bytes(ID_BYTES, "little") + destination
            for number, destination in zip(columns[0::3], columns[2::3], strict=True)
        ],
        others,
    )


def last_id(page: bytes) -> int:
    """Of the last link in whole lines."""
    return int(page[page.rfind(b"\n", 0, -1) + 1 :].split(b"\t", 1)[0])


def _target(line: bytes) -> Target:
    number, slug, destination, rest = (_unescaped(column) for column in line.split(b"\t"))
    target = Target(LinkId(int(number)), slug, destination, deleted=False)
    return target._replace(**orjson.loads(rest)) if rest else target


def _unescaped(column: bytes) -> str:
    return ESCAPE.sub(lambda found: ESCAPED.get(found[1], found[1]), column.decode())
