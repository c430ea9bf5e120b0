"""The log as a file of any length, of which a page at a time is in memory."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from starlette.responses import Response, StreamingResponse

from server.api import cells
from server.api.answers import ScanAnswer
from server.domain.log import Pages
from server.domain.model import RecordedScan
from server.domain.turns import PIECE, Turn
from server.wire import json_bytes

Format = Literal["csv", "ndjson"]

#: Scans in one query.
PAGE_ROWS = 500

COLUMNS = list(ScanAnswer.__annotations__)

Rows = Sequence[Mapping[str, object]]


class _Written(NamedTuple):
    media_type: str
    #: What it begins with.
    header: bytes
    of: Callable[[Rows], bytes]


def _table(rows: Rows) -> bytes:
    return cells.written([row[column] for column in COLUMNS] for row in rows)


def _lines(rows: Rows) -> bytes:
    return b"".join([json_bytes(row) + b"\n" for row in rows])


FORMATS: Mapping[Format, _Written] = {
    "csv": _Written(cells.MEDIA_TYPE, cells.written([COLUMNS]), _table),
    "ndjson": _Written("application/x-ndjson", b"", _lines),
}


async def scan_file(kind: Format, pages: Pages, answer: Callable[[RecordedScan], ScanAnswer]) -> Response:
    """What is refused is so before the first byte; where the database goes after that, the answer breaks off. No
    connection to it is held while the client reads, however slowly; and when the client goes, so does the query that
    is under way."""
    media_type, header, written = FORMATS[kind]
    first = await pages(before=None, limit=PAGE_ROWS)

    async def pieces() -> AsyncIterator[bytes]:
        page = first
        yield header
        while True:
            for at in range(0, len(page.scans), PIECE):
                yield written([answer(scan) for scan in page.scans[at : at + PIECE]])
                await Turn()
            if page.next is None:
                return
            page = await pages(before=page.next, limit=PAGE_ROWS)

    headers = {"content-disposition": f'attachment; filename="scans.{kind}"', "content-type": media_type}
    return StreamingResponse(pieces(), 200, headers)
