"""qrcodestack: the table of its routes, and what each does."""

from dataclasses import replace
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrcodestack import bulk, document, from_domain, scans
from server.dialects.qrcodestack.to_domain import (
    DYNAMIC,
    body_of,
    code_changes,
    code_id,
    link_changes,
    new_code,
    query_of,
)
from server.dialects.qrcodestack.wire import (
    ROOT,
    DataAnswer,
    ImageQuery,
    MeAnswer,
    PageAnswer,
    PageQuery,
    QrCodeAnswer,
    QrCodeCreate,
    QrCodeUpdate,
)
from server.domain.errors import NotFound, PlanLimit
from server.domain.model import Account, Caller, Link, QrCode
from server.images import image_answer
from server.openapi import File, operation
from server.wire import ByMethod, json_response

#: Of a picture: for an hour, by whoever has asked with the key.
CACHED = "private, max-age=3600"


def routes(kit: Kit) -> list[Route]:
    access = Access(kit)

    async def found(request: Request, account: Account) -> tuple[QrCode, Link]:
        code = await kit.codes.get(account.id, code_id(request))
        if not isinstance(code.content, Link):
            raise NotFound
        return code, code.content

    def answer(code: QrCode, status: int = 200) -> Response:
        return json_response({"success": True, "data": from_domain.qr_code(code, kit.base_url)}, status)

    @operation(answers={200: DataAnswer[MeAnswer]})
    async def get_me(request: Request, caller: Caller) -> Response:
        """Account, plan and usage."""
        usage = await kit.limits.usage(caller.account)
        return json_response({"success": True, "data": from_domain.me(caller.account, usage)})

    @operation(body=QrCodeCreate, answers={201: DataAnswer[QrCodeAnswer]}, refusals=[PlanLimit])
    async def create_qr_code(request: Request, caller: Caller) -> Response:
        """Create a dynamic QR code."""
        wanted = new_code(await body_of(request, QrCodeCreate))
        code = await kit.codes.create(
            caller.account,
            wanted.says,
            name=wanted.name,
            design=wanted.design,
            allow_unscannable=wanted.allow_unscannable,
        )
        return answer(code, 201)

    @operation(query=PageQuery, answers={200: PageAnswer[QrCodeAnswer]})
    async def list_qr_codes(request: Request, caller: Caller) -> Response:
        """List QR codes, the newest first."""
        query = query_of(request, PageQuery)
        account = caller.account.id
        page = await kit.codes.list(account, DYNAMIC, limit=query.limit, skip=query.skip)
        total = await kit.codes.count(account, DYNAMIC)
        return json_response(
            {
                "success": True,
                "data": [from_domain.qr_code(code, kit.base_url) for code in page.items],
                "pagination": {
                    "page": query.page,
                    "limit": query.limit,
                    "total": total,
                    "total_pages": ceil(total / query.limit),
                },
            }
        )

    @operation(answers={200: DataAnswer[QrCodeAnswer]})
    async def get_qr_code(request: Request, caller: Caller) -> Response:
        """Fetch a QR code."""
        code, _ = await found(request, caller.account)
        return answer(code)

    @operation(body=QrCodeUpdate, answers={200: DataAnswer[QrCodeAnswer]}, refusals=[PlanLimit])
    async def update_qr_code(request: Request, caller: Caller) -> Response:
        """Change where a QR code leads, its name, or its design."""
        body = await body_of(request, QrCodeUpdate)
        code, link = await found(request, caller.account)
        of_code, of_link = code_changes(body, code.design), link_changes(body)
        async with kit.kept.together():
            if of_code:
                code = await kit.codes.change(caller.account, code.id, of_code, allow_unscannable=True)
            if of_link:
                link = await kit.links.change(caller.account, link.id, of_link)
        return answer(replace(code, content=link))

    @operation(answers={204: None})
    async def delete_qr_code(request: Request, caller: Caller) -> Response:
        """Delete a QR code, which then leads nowhere."""
        code, _ = await found(request, caller.account)
        async with kit.kept.together():
            await kit.codes.delete(caller.account.id, code.id, with_link=True)
        return Response(status_code=204)

    @operation(query=ImageQuery, answers={200: File("image/png")}, sends=["Cache-Control", "ETag"])
    async def get_qr_code_image(request: Request, caller: Caller) -> Response:
        """Draw a QR code as PNG."""
        size_px = query_of(request, ImageQuery).size
        code, _ = await found(request, caller.account)
        shown = await kit.codes.show(caller.account, code.id, format="png", size_px=size_px, allow_unscannable=True)
        return await image_answer(request, shown, kit.limits.renders(caller.account), cached=CACHED)

    table = [
        Route(f"{ROOT}/me", ByMethod(GET=access("account:read", get_me))),
        Route(
            f"{ROOT}/qr-codes",
            ByMethod(
                GET=access("qr-codes:read", list_qr_codes),
                POST=access("qr-codes:write", create_qr_code),
            ),
        ),
        Route(
            f"{ROOT}/qr-codes/{{id}}",
            ByMethod(
                GET=access("qr-codes:read", get_qr_code),
                PATCH=access("qr-codes:write", update_qr_code),
                DELETE=access("qr-codes:write", delete_qr_code),
            ),
        ),
        Route(f"{ROOT}/qr-codes/{{id}}/image", ByMethod(GET=access("qr-codes:read", get_qr_code_image))),
        *scans.routes(kit, access),
        *bulk.routes(kit, access),
    ]
    return [*table, *document.routes(table)]
