"""POST GET /qr-codes; GET PATCH DELETE /qr-codes/{id}; GET /qr-codes/{id}/image; GET /qr-codes/{id}/stats."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers
from server.api.images import image_answer
from server.api.problems import in_query
from server.api.schema import ImageQuery, PageQuery, QrCodeChange, QrCodeCreate, StatsQuery, path_id
from server.domain.ids import id_text
from server.domain.model import Account, QrCodeId
from server.domain.qrcodes import QrCodes
from server.wire import ByMethod, json_response


def routes(codes: QrCodes, answers: Answers, access: Access, now: Callable[[], datetime]) -> list[Route]:
    async def create(request: Request, account: Account) -> Response:
        body = await QrCodeCreate.of(request)
        code = await codes.create(
            account.id,
            body.says(),
            name=body.name,
            design=body.design.value(),
            allow_unscannable=body.allow_unscannable,
        )
        answer = answers.qr_code(code)
        return json_response(answer, 201, {"location": f"/v1/qr-codes/{answer['id']}"})

    async def list_(request: Request, account: Account) -> Response:
        query = PageQuery.of(request)
        page = await codes.list(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.qr_code))

    async def show(request: Request, account: Account) -> Response:
        return json_response(answers.qr_code(await codes.get(account.id, _id(request))))

    async def change(request: Request, account: Account) -> Response:
        code_id = _id(request)
        body = await QrCodeChange.of(request)
        code = await codes.change(account.id, code_id, body.changes(), allow_unscannable=body.allow_unscannable)
        return json_response(answers.qr_code(code))

    async def delete(request: Request, account: Account) -> Response:
        await codes.delete(account.id, _id(request))
        return Response(status_code=204)

    async def image(request: Request, account: Account) -> Response:
        code_id = _id(request)
        query = ImageQuery.of(request)
        shown = await codes.show(
            account.id,
            code_id,
            format=query.format,
            size_px=query.size,
            dpi=query.dpi,
            allow_unscannable=query.allow_unscannable,
        )
        download = f"{id_text('qr', code_id)}.{query.format}" if query.download else None
        return await image_answer(request, shown, in_query(), download=download)

    async def stats(request: Request, account: Account) -> Response:
        code_id = _id(request)
        period = StatsQuery.of(request).period(now())
        return json_response(answers.stats(await codes.stats(account.id, code_id, period)))

    return [
        Route("/qr-codes", ByMethod(POST=access("qr-codes:write", create), GET=access("qr-codes:read", list_))),
        Route(
            "/qr-codes/{id}",
            ByMethod(
                GET=access("qr-codes:read", show),
                PATCH=access("qr-codes:write", change),
                DELETE=access("qr-codes:write", delete),
            ),
        ),
        Route("/qr-codes/{id}/image", ByMethod(GET=access("qr-codes:read", image))),
        Route("/qr-codes/{id}/stats", ByMethod(GET=access("qr-codes:read", stats))),
    ]


def _id(request: Request) -> QrCodeId:
    return QrCodeId(path_id(request, "qr", "QR code"))
