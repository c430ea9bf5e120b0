"""GET /links/export, /qr-codes/export; POST /links/import, /qr-codes/import: as CSV."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any, TypeVar

from pydantic import with_config
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from typing_extensions import TypedDict

from server.api import cells
from server.api.access import Access
from server.api.answers import Answers
from server.api.bulk import LinkMaker, Maker, Mode, QrCodeMaker, Refusal, problem_answer, refuse_all
from server.api.designs import MAX_DRAWN_BYTES
from server.api.fields import Query
from server.api.lists import LinkFilters, QrCodeFilters
from server.api.problems import Problem
from server.domain.errors import BadPicture, Busy, SlugTaken, Unscannable
from server.domain.ids import id_text
from server.domain.links import Links
from server.domain.many import Many
from server.domain.model import Account, Page
from server.domain.qrcodes import QrCodes
from server.domain.selection import PageEnd
from server.domain.turns import in_turns
from server.openapi import File, operation, shown
from server.pipeline import in_thread
from server.wire import ByMethod, json_response, read_body

T = TypeVar("T")

CSV = File("text/csv")
LINKS_CSV = File("text/csv", example="destination,title\nhttps://example.com/menu,Menu\n")
CODES_CSV = File("text/csv", example="destination,name\nhttps://example.com/menu,Table 7\n")

#: Things in one query of an export, and in one piece of its answer.
PAGE_ROWS = 500

MAX_LINK_ROWS = 5000
MAX_CODE_ROWS = 1000

LINK_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "destination": cells.text,
    "slug": cells.text,
    "title": cells.text,
    "tags": cells.words,
    "active": cells.boolean,
    "expires_at": cells.text,
    "fallback_url": cells.text,
    "redirect_status": cells.number,
    "forward_query": cells.boolean,
    "max_scans": cells.number,
    "rules": cells.json,
    "password": cells.text,
}
CODE_COLUMNS: Mapping[str, Callable[[str], object]] = {
    "name": cells.text,
    "tags": cells.words,
    "destination": cells.text,
    "link_id": cells.text,
    "content": cells.json,
    "design": cells.json,
    "size": cells.number,
    "format": cells.text,
    "allow_unscannable": cells.boolean,
}

#: What an export says besides, and an import passes over.
LINK_TOLD = ("id", "short_url", "password_protected", "scans", "created_at", "updated_at", "deleted_at")
CODE_TOLD = (
    *("id", "kind", "short_url", "image_url", "scans", "scans_since_created"),
    *("created_at", "updated_at", "deleted_at"),
)

#: What an import may say, and an export does not.
UNTOLD = ("password", "allow_unscannable")


class ImportQuery(Query):
    mode: Mode = "all_or_nothing"


class RowAnswer(TypedDict):
    #: As spreadsheets count: the header is 1.
    row: int
    status: int
    #: Of what was made.
    id: str | None
    problem: Problem | None


@with_config(
    shown(
        {
            "created": 1,
            "failed": 0,
            "rows": [{"row": 2, "status": 201, "id": "lnk_1da3xg8m2v7ks", "problem": None}],
        }
    )
)
class ImportAnswer(TypedDict):
    created: int
    failed: int
    rows: list[RowAnswer]


def routes(links: Links, codes: QrCodes, many: Many, answers: Answers, access: Access) -> list[Route]:
    link_maker, code_maker = LinkMaker(many), QrCodeMaker(many)

    @operation(query=LinkFilters, answers={200: CSV}, sends=["Content-Disposition"])
    async def export_links(request: Request, account: Account) -> Response:
        """Export the links as CSV, the newest first, if no other order is asked for."""
        selection = LinkFilters.of(request).selection()
        return await _exported(
            "links",
            [*LINK_TOLD, *LINK_COLUMNS],
            lambda after: links.list(account.id, selection, after=after, limit=PAGE_ROWS),
            answers.link,
        )

    @operation(query=QrCodeFilters, answers={200: CSV}, sends=["Content-Disposition"])
    async def export_qr_codes(request: Request, account: Account) -> Response:
        """Export the QR codes as CSV, the newest first, if no other order is asked for."""
        selection = QrCodeFilters.of(request).selection()
        return await _exported(
            "qr-codes",
            [*CODE_TOLD, *CODE_COLUMNS],
            lambda after: codes.list(account.id, selection, after=after, limit=PAGE_ROWS),
            answers.qr_code,
        )

    @operation(
        body=LINKS_CSV,
        query=ImportQuery,
        answers={201: ImportAnswer, 200: ImportAnswer},
        refusals=[SlugTaken, Busy],
    )
    async def import_links(request: Request, account: Account) -> Response:
        """Create many links from CSV.

        The columns are called as the fields of a link; those that only an export has are passed over.
        """

        def read(body: bytes | bytearray) -> Iterator[tuple[int, object]]:
            return cells.read(body, LINK_COLUMNS, LINK_TOLD, most=MAX_LINK_ROWS)

        return await _imported(request, account, read, link_maker, lambda link: id_text("lnk", link.id))

    @operation(
        body=CODES_CSV,
        query=ImportQuery,
        answers={201: ImportAnswer, 200: ImportAnswer},
        refusals=[BadPicture, Unscannable, Busy],
    )
    async def import_qr_codes(request: Request, account: Account) -> Response:
        """Create many QR codes from CSV.

        The columns are called as the fields of a code; those that only an export has are passed over. Where a row has
        a link_id and a destination, as an export does, the link_id counts.
        """

        def read(body: bytes | bytearray) -> Iterator[tuple[int, object]]:
            for place, row in cells.read(body, CODE_COLUMNS, CODE_TOLD, most=MAX_CODE_ROWS):
                if isinstance(row, dict) and "link_id" in row:
                    row.pop("destination", None)
                yield place, row

        return await _imported(request, account, read, code_maker, lambda code: id_text("qr", code.id))

    return [
        Route("/links/export", ByMethod(GET=access("links:read", export_links))),
        Route("/links/import", ByMethod(POST=access("links:write", import_links))),
        Route("/qr-codes/export", ByMethod(GET=access("qr-codes:read", export_qr_codes))),
        Route("/qr-codes/import", ByMethod(POST=access("qr-codes:write", import_qr_codes))),
    ]


async def _exported(
    name: str,
    columns: list[str],
    page: Callable[[PageEnd | None], Awaitable[Page[T, PageEnd]]],
    answer: Callable[[T], Mapping[str, Any]],
) -> Response:
    """What is refused is so before the first byte; where the database goes after that, the answer breaks off."""
    columns = [column for column in columns if column not in UNTOLD]
    first = await page(None)

    async def pieces() -> AsyncIterator[bytes]:
        found = first
        yield cells.written([columns])
        while True:
            told = ({**each, "tags": cells.joined(each["tags"])} for each in map(answer, found.items))
            yield cells.written([each[column] for column in columns] for each in told)
            if found.next is None:
                return
            found = await page(found.next)

    headers = {"content-disposition": f'attachment; filename="{name}.csv"', "content-type": cells.MEDIA_TYPE}
    return StreamingResponse(pieces(), 200, headers)


async def _imported(
    request: Request,
    account: Account,
    read: Callable[[bytes | bytearray], Iterator[tuple[int, object]]],
    maker: Maker[Any, T],
    id_of: Callable[[T], str],
) -> Response:
    """Nothing is made before all of the body is here."""
    whole = ImportQuery.of(request).mode == "all_or_nothing"
    body = await read_body(request, max_bytes=MAX_DRAWN_BYTES)
    rows = dict(await in_thread(read(body)))
    outcomes = await maker.make(account, rows, whole=whole)
    refused = {place: each for place, each in outcomes.items() if isinstance(each, Refusal)}
    if whole and refused:
        raise await refuse_all(request, refused, "rows")
    told: list[RowAnswer] = []
    async for row, each in in_turns(sorted(outcomes.items())):
        if isinstance(each, Refusal):
            status, problem = problem_answer(request, each)
            told.append({"row": row, "status": status, "id": None, "problem": problem})
        else:
            told.append({"row": row, "status": 201, "id": id_of(each), "problem": None})
    answer: ImportAnswer = {"created": len(told) - len(refused), "failed": len(refused), "rows": told}
    return json_response(answer, 201 if whole else 200)
