"""GET POST /dynamic/; GET PATCH DELETE /dynamic/{short_id}/; GET /dynamic/{short_id}/analytics/."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit, url_of
from server.dialects.qrstudio.errors import Refusal
from server.dialects.qrstudio.fields import Broken, Field, flag, integer
from server.dialects.qrstudio.from_domain import analytics, dynamic
from server.dialects.qrstudio.to_domain import LEVEL, checked, destination, json_fields, label
from server.dialects.qrstudio.wire import DYNAMIC
from server.domain.design import Design
from server.domain.errors import NotFound
from server.domain.limits import WITHHELD
from server.domain.model import Account, Caller, Link, LinkChanges, QrCode
from server.domain.selection import QrCodeSelection
from server.domain.stats import Asked, GroupBy, Period
from server.wire import ByMethod, json_response

PAGE_SIZE, MAX_PAGE_SIZE = 25, 100
MAX_PAGE = 1_000_000

DYNAMIC_CODES = QrCodeSelection(kind="dynamic")


def _no_variants(given: object) -> object:
    if given:
        raise Broken("A/B variants are not available here.")
    return given


CHANGES = {**DYNAMIC, "is_active": Field(flag, required=True), "variants": Field(_no_variants)}

DAYS_OF = ZoneInfo("UTC")
#: By what scans are counted, as far as an account's plan tells of places.
BY: tuple[GroupBy, ...] = ("country", "device", "os", "browser", "referrer")


def routes(kit: Kit, access: Access) -> list[Route]:
    async def found(request: Request, account: Account) -> tuple[QrCode, Link]:
        slug = str(request.path_params["short_id"]).lower()
        page = await kit.codes.list(account.id, QrCodeSelection(kind="dynamic", slug=slug), limit=1)
        if not page.items:
            raise NotFound
        return _with_link(page.items[0])

    async def create(request: Request, caller: Caller) -> Response:
        fields = checked(DYNAMIC, await json_fields(request))
        code = await kit.codes.create(
            caller.account,
            destination(fields["destination_url"]),
            name=label(fields["name"]),
            design=Design(level=LEVEL),
        )
        return json_response(dynamic(*_with_link(code), kit.base_url), 201)

    async def show_all(request: Request, caller: Caller) -> Response:
        size = min(_number(request.query_params.get("page_size"), PAGE_SIZE), MAX_PAGE_SIZE)
        page = _number(request.query_params.get("page"), 1 if "page" not in request.query_params else 0)
        count = await kit.codes.count(caller.account.id, DYNAMIC_CODES)
        if not 0 < page <= max(1, -(-count // size)):
            raise Refusal(404, {"detail": "Invalid page."})
        codes = await kit.codes.list(caller.account.id, DYNAMIC_CODES, limit=size, skip=(page - 1) * size)

        def url(number: int) -> str:
            return url_of(request, f"/api/v1/dynamic/?page={number}&page_size={size}")

        return json_response(
            {
                "count": count,
                "next": url(page + 1) if page * size < count else None,
                "previous": url(page - 1) if page > 1 else None,
                "results": [dynamic(*_with_link(code), kit.base_url) for code in codes.items],
            }
        )

    async def show(request: Request, caller: Caller) -> Response:
        return json_response(dynamic(*await found(request, caller.account), kit.base_url))

    async def change(request: Request, caller: Caller) -> Response:
        code, link = await found(request, caller.account)
        fields = checked(CHANGES, await json_fields(request), partly=True)
        changes = _changes(fields)
        async with kit.kept.together():
            if changes:
                await kit.links.change(caller.account, link.id, changes)
            if "name" in fields:
                await kit.codes.change(caller.account, code.id, {"name": label(fields["name"])})
        return json_response(dynamic(*await found(request, caller.account), kit.base_url))

    async def delete(request: Request, caller: Caller) -> Response:
        code, _ = await found(request, caller.account)
        async with kit.kept.together():
            await kit.codes.delete(caller.account.id, code.id, with_link=True)
        return Response(status_code=204)

    async def count(request: Request, caller: Caller) -> Response:
        _, link = await found(request, caller.account)
        days = checked({"days": Field(integer(1, 365), 30)}, dict(request.query_params))["days"]
        end = kit.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        period = Period(start=end - timedelta(days=days), end=end, interval="day", zone=DAYS_OF)
        told = tuple(by for by in BY if by not in WITHHELD[caller.account.plan.geo_detail])
        stats = await kit.links.counted(caller.account, link.id, Asked(period=period, group_by=told))
        return json_response(analytics(link, stats))

    return [
        Route(
            "/api/v1/dynamic",
            ByMethod(GET=access("qr-codes:read", show_all), POST=access("qr-codes:write", create)),
        ),
        Route(
            "/api/v1/dynamic/{short_id}",
            ByMethod(
                GET=access("qr-codes:read", show),
                PATCH=access("qr-codes:write", change),
                DELETE=access("qr-codes:write", delete),
            ),
        ),
        Route("/api/v1/dynamic/{short_id}/analytics", ByMethod(GET=access("qr-codes:read", count))),
    ]


def _with_link(code: QrCode) -> tuple[QrCode, Link]:
    assert isinstance(code.content, Link), "only dynamic codes are looked for"
    return code, code.content


def _changes(fields: Mapping[str, Any]) -> LinkChanges:
    changes: LinkChanges = {}
    if "destination_url" in fields:
        changes["destination"] = destination(fields["destination_url"])
    if "is_active" in fields:
        changes["active"] = fields["is_active"]
    if "name" in fields:
        changes["title"] = label(fields["name"])
    return changes


def _number(given: str | None, otherwise: int) -> int:
    """A number of the query, which is passed over where it is none."""
    known = given is not None and given.isascii() and given.isdecimal() and 0 < int(given[:9]) <= MAX_PAGE
    return int(given) if given is not None and known and len(given) < 9 else otherwise
