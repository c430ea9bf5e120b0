"""qrcodestack: scans in figures, and one by one."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrcodestack import from_domain
from server.dialects.qrcodestack.errors import WrongFields
from server.dialects.qrcodestack.to_domain import code_id, period_of, query_of, wanted_of
from server.dialects.qrcodestack.wire import (
    MAX_SCANS,
    ROOT,
    AnalyticsAnswer,
    DataAnswer,
    PeriodQuery,
    ScanPageAnswer,
    ScansQuery,
)
from server.domain.limits import WITHHELD
from server.domain.model import Caller
from server.domain.stats import Asked, GroupBy
from server.openapi import operation
from server.wire import ByMethod, json_response

#: By what scans are counted, as far as an account's plan tells of places.
BY: tuple[GroupBy, ...] = ("device", "os", "browser", "country")


def routes(kit: Kit, access: Access) -> list[Route]:
    @operation(query=PeriodQuery, answers={200: DataAnswer[AnalyticsAnswer]})
    async def get_qr_code_analytics(request: Request, caller: Caller) -> Response:
        """Count the scans of a QR code."""
        query = query_of(request, PeriodQuery)
        told = tuple(by for by in BY if by not in WITHHELD[caller.account.plan.geo_detail])
        asked = Asked(period=period_of(query, kit.now()), group_by=told)
        stats = await kit.codes.stats(caller.account, code_id(request), asked)
        ever = query.start is None and query.end is None
        return json_response({"success": True, "data": from_domain.analytics(stats, ever=ever)})

    @operation(query=ScansQuery, answers={200: ScanPageAnswer})
    async def list_qr_code_scans(request: Request, caller: Caller) -> Response:
        """List the scans of a QR code, the newest first."""
        query = query_of(request, ScansQuery)
        if query.skip + query.limit > MAX_SCANS:
            raise WrongFields(
                {"page": f"Pages go back {MAX_SCANS:,} scans. Say `to`, the time of the last one you have."}
            )
        pages = await kit.scans.of_code(caller.account, code_id(request), wanted_of(query))
        found = await pages(before=None, limit=query.limit, skip=query.skip)
        detail = caller.account.plan.geo_detail
        return json_response(
            {
                "success": True,
                "data": [from_domain.scan(each, detail) for each in found.scans],
                "pagination": {"page": query.page, "limit": query.limit, "has_more": found.next is not None},
            }
        )

    return [
        Route(f"{ROOT}/qr-codes/{{id}}/analytics", ByMethod(GET=access("scans:read", get_qr_code_analytics))),
        Route(f"{ROOT}/qr-codes/{{id}}/scans", ByMethod(GET=access("scans:read", list_qr_code_scans))),
    ]
