"""mask: GET POST /qr-codes; GET /qr-codes/{id}; GET /qr-codes/{id}/image."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.mask.fields import body_of
from server.dialects.mask.from_domain import page_answer, qr_answer, short_url
from server.dialects.mask.to_domain import DYNAMIC, image_asked, new_qr_code, path_qr_code, qr_codes_asked
from server.dialects.mask.wire import QrAnswer
from server.domain.errors import NotFound
from server.domain.ids import id_text
from server.domain.limits import allow_size
from server.domain.model import Caller, Link, QrCode
from server.domain.order import Order
from server.images import image_answer
from server.wire import ByMethod, json_response


def routes(kit: Kit, access: Access) -> list[Route]:
    def answer(code: QrCode) -> QrAnswer:
        return qr_answer(code, _link(code), kit.base_url)

    async def asked_for(request: Request, caller: Caller) -> QrCode:
        code = await kit.codes.get(caller.account.id, path_qr_code(request))
        _link(code)
        return code

    async def create(request: Request, caller: Caller) -> Response:
        """What would not scan is made all the same; its picture says so."""
        new = new_qr_code(await body_of(request))
        code = await kit.codes.create(
            caller.account, new.link, name=None, design=new.design, size_px=new.size_px, allow_unscannable=True
        )
        return json_response(answer(code), 201)

    async def show_all(request: Request, caller: Caller) -> Response:
        asked = qr_codes_asked(request)
        page = await kit.codes.list(caller.account.id, DYNAMIC, after=asked.after, limit=asked.limit)
        return json_response(page_answer(page, DYNAMIC, answer))

    async def show(request: Request, caller: Caller) -> Response:
        return json_response(answer(await asked_for(request, caller)))

    async def image(request: Request, caller: Caller) -> Response:
        """It says the link's short URL as it is answered, and not in the capitals of the native API."""
        kind, size_px = image_asked(request)
        allow_size(caller.account.plan, size_px or 0, None)
        code = await asked_for(request, caller)
        order = Order(
            text=short_url(kit.base_url, _link(code)),
            design=code.design,
            format=kind,
            size_px=size_px or code.size_px,
        )
        shown = kit.studio.show(order, caller.account.id, allow_unscannable=True)
        return await image_answer(request, shown, kit.limits.renders(caller.account))

    return [
        Route(
            "/api/v1/qr-codes", ByMethod(GET=access("qr-codes:read", show_all), POST=access("qr-codes:write", create))
        ),
        Route("/api/v1/qr-codes/{id}", ByMethod(GET=access("qr-codes:read", show))),
        Route("/api/v1/qr-codes/{id}/image", ByMethod(GET=access("qr-codes:read", image))),
    ]


def _link(code: QrCode) -> Link:
    """Raises NotFound for a static code, of which the vendor has none."""
    if not isinstance(code.content, Link):
        raise NotFound.of("QR code", id_text("qr", code.id))
    return code.content
