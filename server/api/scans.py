"""GET /scans, /links/{id}/scans, /qr-codes/{id}/scans; GET /scans/export; GET /scans/stream."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers, PageAnswer, ScanAnswer
from server.api.exports import FORMATS, scan_file
from server.api.problems import InvalidFields, WrongField
from server.api.schema import AccountLogFilters, AccountLogQuery, LogExportQuery, LogQuery, StreamQuery, path_id
from server.api.streams import EVENTS, EventStream
from server.domain.errors import Busy, NotCounted, NotFound, TooManyStreams
from server.domain.ids import id_number
from server.domain.keys import Permission
from server.domain.log import Pages
from server.domain.model import Account, LinkId, QrCodeId, ScanId
from server.domain.scans import Scans
from server.openapi import File, operation
from server.wire import ByMethod, json_response

NEEDS = Permission("scans:read")
LAST_EVENT = "Last-Event-ID"


def routes(scans: Scans, answers: Answers, access: Access) -> list[Route]:
    async def pages_of(account: Account, query: AccountLogFilters) -> Pages:
        link_id, code_id = query.one()
        if link_id is not None:
            return await scans.of_link(account, link_id, query.wanted())
        if code_id is not None:
            return await scans.of_code(account, code_id, query.wanted())
        return await scans.of_account(account, query.wanted())

    async def page(account: Account, pages: Pages, query: LogQuery) -> Response:
        found = await pages(before=query.cursor, limit=query.limit)
        return json_response(answers.log(found, account.plan.geo_detail))

    @operation(query=AccountLogQuery, answers={200: PageAnswer[ScanAnswer]}, refusals=[NotFound, NotCounted, Busy])
    async def list_scans(request: Request, account: Account) -> Response:
        """List the account's scans.

        Those that came into the log last are first; of a link or a QR code alone, the newest.
        """
        query = AccountLogQuery.of(request)
        return await page(account, await pages_of(account, query), query)

    @operation(
        query=LogExportQuery,
        answers={200: File(*(each.media_type.partition(";")[0] for each in FORMATS.values()))},
        sends=["Content-Disposition"],
        refusals=[NotFound, NotCounted, Busy],
    )
    async def export_scans(request: Request, account: Account) -> Response:
        """Export the account's scans as CSV or NDJSON.

        All of them, or those of a link or a QR code, with the filters and in the order of the list.
        """
        query = LogExportQuery.of(request)
        pages = await pages_of(account, query)
        return await scan_file(query.format, pages, lambda scan: answers.scan(scan, account.plan.geo_detail))

    @operation(query=LogQuery, answers={200: PageAnswer[ScanAnswer]})
    async def list_link_scans(request: Request, account: Account) -> Response:
        """List the scans of a link, the newest first."""
        link_id = LinkId(path_id(request, "lnk", "link"))
        query = LogQuery.of(request)
        return await page(account, await scans.of_link(account, link_id, query.wanted()), query)

    @operation(query=LogQuery, answers={200: PageAnswer[ScanAnswer]}, refusals=[NotCounted])
    async def list_qr_code_scans(request: Request, account: Account) -> Response:
        """List the scans of a QR code, which are those of its link, the newest first."""
        code_id = QrCodeId(path_id(request, "qr", "QR code"))
        query = LogQuery.of(request)
        return await page(account, await scans.of_code(account, code_id, query.wanted()), query)

    @operation(query=StreamQuery, answers={200: File(EVENTS)}, takes=[LAST_EVENT], refusals=[TooManyStreams, Busy])
    async def stream_scans(request: Request, account: Account) -> Response:
        """Follow the account's scans.

        Server-sent events without an end, one for each scan as it comes into the log. Whoever comes back with the id
        of the last event goes on behind it, and misses none.
        """
        link_id = StreamQuery.of(request).link_id
        following = await scans.follow(account.id, _last_event(request), link_id)

        async def admitted() -> None:
            await access.admit(request, NEEDS)

        return EventStream(following, link_id, lambda scan: answers.scan(scan, account.plan.geo_detail), admitted)

    return [
        Route("/scans", ByMethod(GET=access(NEEDS, list_scans))),
        Route("/scans/export", ByMethod(GET=access(NEEDS, export_scans))),
        Route("/links/{id}/scans", ByMethod(GET=access(NEEDS, list_link_scans))),
        Route("/qr-codes/{id}/scans", ByMethod(GET=access(NEEDS, list_qr_code_scans))),
        Route("/scans/stream", ByMethod(GET=access(NEEDS, stream_scans))),
    ]


def _last_event(request: Request) -> ScanId | None:
    given = request.headers.get(LAST_EVENT)
    if not given:
        return None
    number = id_number("scn", given)
    if number is None:
        detail = "This is the id of an event, as it was."
        raise InvalidFields([WrongField(parameter=LAST_EVENT, code="invalid_id", detail=detail)])
    return ScanId(number)
