"""POST GET /qr-codes; GET PATCH DELETE /qr-codes/{id}; GET /qr-codes/{id}/image; GET /qr-codes/{id}/stats."""

from collections.abc import Callable
from datetime import datetime
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers
from server.api.problems import in_query
from server.api.schema import ImageQuery, PageQuery, QrCodeChange, QrCodeCreate, StatsQuery, path_id
from server.domain.model import Account, Hit, QrCodeId
from server.domain.qrcodes import QrCodes
from server.wire import ByMethod, json_response, not_modified


def routes(codes: QrCodes, answers: Answers, access: Access, now: Callable[[], datetime]) -> list[Route]:
    async def create(request: Request, account: Account) -> Response:
        body = await QrCodeCreate.of(request)
        code = await codes.create(account.id, body.says(), name=body.name, design=body.design.value())
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
        return json_response(answers.qr_code(await codes.change(account.id, code_id, body.changes())))

    async def delete(request: Request, account: Account) -> Response:
        await codes.delete(account.id, _id(request))
        return Response(status_code=204)

    async def image(request: Request, account: Account) -> Response:
        code_id = _id(request)
        query = ImageQuery.of(request)
        picture = await codes.picture(account.id, code_id, format=query.format, size_px=query.size)
        # A code's design may change, so its picture is to be asked for again, at the price of a 304.
        headers = {"etag": f'"{picture.etag}"', "cache-control": "private, no-cache"}
        if not_modified(request, picture.etag):
            return Response(status_code=304, headers=headers)
        began = perf_counter()
        with in_query():
            image, hit = await picture.draw()
        headers["x-cache"] = "MISS" if hit is Hit.MISS else "HIT"
        headers["x-render-ms"] = f"{(perf_counter() - began) * 1000:.2f}"
        return Response(image.body, 200, headers, image.media_type)

    async def stats(request: Request, account: Account) -> Response:
        code_id = _id(request)
        period = StatsQuery.of(request).period(now())
        return json_response(answers.stats(await codes.stats(account.id, code_id, period)))

    return [
        Route("/qr-codes", ByMethod(POST=access(create), GET=access(list_))),
        Route("/qr-codes/{id}", ByMethod(GET=access(show), PATCH=access(change), DELETE=access(delete))),
        Route("/qr-codes/{id}/image", ByMethod(GET=access(image))),
        Route("/qr-codes/{id}/stats", ByMethod(GET=access(stats))),
    ]


def _id(request: Request) -> QrCodeId:
    return QrCodeId(path_id(request, "qr", "QR code"))
