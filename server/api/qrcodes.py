"""POST GET /qr-codes; GET PATCH DELETE /qr-codes/{id}; POST /qr-codes/{id}/restore; GET /qr-codes/{id}/image;
GET /qr-codes/{id}/stats."""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers, PageAnswer, QrCodeAnswer, StatsAnswer
from server.api.etags import only_if, unless_held, with_etag
from server.api.lists import Expanding, QrCodeListQuery
from server.api.problems import in_query
from server.api.schema import ImageQuery, QrCodeChange, QrCodeCreate, StatsQuery, path_id
from server.cursors import cursors
from server.domain.errors import BadPicture, Busy, ChangedMeanwhile, NotCounted, NotFound, NotStatic, Unscannable
from server.domain.ids import id_text
from server.domain.limits import Limits
from server.domain.model import Account, QrCodeId
from server.domain.ports import Versions
from server.domain.qrcodes import QrCodes
from server.images import PICTURE, PICTURE_HEADERS, image_answer
from server.openapi import operation
from server.wire import ByMethod, json_response


def routes(
    codes: QrCodes, limits: Limits, answers: Answers, access: Access, now: Callable[[], datetime]
) -> list[Route]:
    @operation(
        body=QrCodeCreate,
        answers={201: QrCodeAnswer},
        sends=["Location", "ETag"],
        refusals=[NotFound, BadPicture, Unscannable, Busy],
    )
    async def create_qr_code(request: Request, account: Account) -> Response:
        """Create a QR code.

        With a `destination` it gets a link of its own; with a `link_id` it is for that link; with a `content` it says
        it itself, for good, and its scans cannot be counted.
        """
        body = await QrCodeCreate.of(request)
        code = await codes.create(
            account,
            body.says(),
            name=body.name,
            tags=body.tags,
            design=body.design.value,
            size_px=body.size,
            format=body.format,
            allow_unscannable=body.allow_unscannable,
        )
        answer = answers.qr_code(code)
        return with_etag(answer, code.version, 201, location=f"/v1/qr-codes/{answer['id']}")

    @operation(query=QrCodeListQuery, answers={200: PageAnswer[QrCodeAnswer]})
    async def list_qr_codes(request: Request, account: Account) -> Response:
        """List QR codes, the newest first, if no other order is asked for.

        `cursor` goes with the filters and the order of the page that gave it.
        """
        query = QrCodeListQuery.of(request)
        selection = query.selection()
        page = await codes.list(account.id, selection, after=query.place(selection), limit=query.limit)
        answer = partial(answers.qr_code, with_link=query.expand == "link")
        return json_response(answers.page(page, answer, cursors(selection)))

    @operation(query=Expanding, takes=["If-None-Match"], answers={200: QrCodeAnswer, 304: None}, sends=["ETag"])
    async def get_qr_code(request: Request, account: Account) -> Response:
        """Get a QR code."""
        query = Expanding.of(request)
        code = await codes.get(account.id, _id(request))
        return unless_held(request, answers.qr_code(code, with_link=query.expand == "link"), code.version)

    @operation(
        body=QrCodeChange,
        takes=["If-Match"],
        answers={200: QrCodeAnswer},
        sends=["ETag"],
        refusals=[BadPicture, NotStatic, Unscannable, Busy, ChangedMeanwhile],
    )
    async def update_qr_code(request: Request, account: Account) -> Response:
        """Change a QR code.

        What is absent stays as it is; a `design` or a `content` is replaced as a whole.
        """
        code_id = _id(request)
        body = await QrCodeChange.of(request)
        code = await codes.change(
            account,
            code_id,
            body.changes(),
            allow_unscannable=body.allow_unscannable,
            only_if=_only_if(request, code_id),
        )
        return with_etag(answers.qr_code(code), code.version)

    @operation(takes=["If-Match"], answers={204: None}, refusals=[ChangedMeanwhile])
    async def delete_qr_code(request: Request, account: Account) -> Response:
        """Delete a QR code.

        Its link stays, so that what is printed goes on working; to end that, delete the link.
        """
        code_id = _id(request)
        await codes.delete(account.id, code_id, only_if=_only_if(request, code_id))
        return Response(status_code=204)

    @operation(answers={200: QrCodeAnswer}, sends=["ETag"])
    async def restore_qr_code(request: Request, account: Account) -> Response:
        """Restore a deleted QR code.

        It can be, as long as it is kept. A code that is not deleted stays as it is.
        """
        code = await codes.restore(account, _id(request))
        return with_etag(answers.qr_code(code), code.version)

    @operation(
        query=ImageQuery,
        takes=["If-None-Match"],
        answers={200: PICTURE, 304: None},
        sends=PICTURE_HEADERS,
        refusals=[BadPicture, Unscannable, Busy],
    )
    async def get_qr_code_image(request: Request, account: Account) -> Response:
        """Draw a QR code."""
        code_id = _id(request)
        query = ImageQuery.of(request)
        shown = await codes.show(
            account,
            code_id,
            format=query.format,
            size_px=query.size,
            dpi=query.dpi,
            allow_unscannable=query.allow_unscannable,
        )
        download = id_text("qr", code_id) if query.download else None
        with in_query():
            return await image_answer(request, shown, limits.renders(account), download=download)

    @operation(query=StatsQuery, answers={200: StatsAnswer}, refusals=[NotCounted])
    async def get_qr_code_stats(request: Request, account: Account) -> Response:
        """Count the scans of a QR code.

        Those of a static one cannot be counted.
        """
        code_id = _id(request)
        asked = StatsQuery.of(request).asked(now())
        return json_response(answers.stats(await codes.stats(account, code_id, asked)))

    return [
        Route(
            "/qr-codes",
            ByMethod(POST=access("qr-codes:write", create_qr_code), GET=access("qr-codes:read", list_qr_codes)),
        ),
        Route(
            "/qr-codes/{id}",
            ByMethod(
                GET=access("qr-codes:read", get_qr_code),
                PATCH=access("qr-codes:write", update_qr_code),
                DELETE=access("qr-codes:write", delete_qr_code),
            ),
        ),
        Route("/qr-codes/{id}/restore", ByMethod(POST=access("qr-codes:write", restore_qr_code))),
        Route("/qr-codes/{id}/image", ByMethod(GET=access("qr-codes:read", get_qr_code_image))),
        Route("/qr-codes/{id}/stats", ByMethod(GET=access("qr-codes:read", get_qr_code_stats))),
    ]


def _id(request: Request) -> QrCodeId:
    return QrCodeId(path_id(request, "qr", "QR code"))


def _only_if(request: Request, code_id: QrCodeId) -> Versions:
    return only_if(request, id_text("qr", code_id))
