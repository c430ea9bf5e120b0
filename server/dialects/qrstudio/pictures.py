"""POST /generate/, /validate/."""

from time import perf_counter
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.asgi import Message
from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrstudio.from_domain import dynamic_headers, image_headers, quota_headers
from server.dialects.qrstudio.to_domain import NewDynamic, Wanted, echoed, fields_of, wanted_of
from server.dialects.qrstudio.wire import MAX_BODY_BYTES
from server.domain.errors import Forbidden
from server.domain.keys import Permission, may
from server.domain.model import Account, Caller, Hit, Image, Link
from server.domain.order import Order
from server.idempotency import HEADER, Idempotency
from server.wire import ByMethod, json_response, read_body

WRITE = Permission("qr-codes:write")


class Ready(NamedTuple):
    """A picture that is to be drawn. A dynamic code is there by then."""

    account: Account
    order: Order
    link: Link | None


class Drawn(NamedTuple):
    image: Image
    hit: Hit
    link: Link | None


class Pictures:
    """Draws what is wanted. Both steps belong into one `together`, so that a code is there only if its picture is."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    async def ready(self, account: Account, wanted: Wanted) -> Ready:
        says, order = wanted.says, wanted.order
        if not isinstance(says, NewDynamic):
            return Ready(account, order, None)
        code = await self._kit.codes.create(
            account, says.destination, name=says.name, design=order.design, allow_unscannable=True
        )
        assert isinstance(code.content, Link), "it leads to a destination"
        said = self._kit.codes.order(code.content, code.design)
        return Ready(account, order._replace(text=said.text, design=said.design), code.content)

    async def draw(self, ready: Ready) -> Drawn:
        shown = self._kit.studio.show(ready.order, ready.account.id, allow_unscannable=True)
        return Drawn(*await shown.draw(), ready.link)


def may_make(caller: Caller, wanted: Wanted) -> None:
    """A key that draws need not be one that stores."""
    if isinstance(wanted.says, NewDynamic) and not may(caller.key.permissions, WRITE):
        raise Forbidden.needs(WRITE)


def routes(kit: Kit, access: Access, once: Idempotency) -> list[Route]:
    pictures = Pictures(kit)

    async def generate(request: Request, caller: Caller) -> Response:
        body = await read_body(request, max_bytes=MAX_BODY_BYTES)
        wanted = await wanted_of(kit, caller.account, await fields_of(request, body))
        may_make(caller, wanted)

        async def draw(_: Request) -> Response:
            began = perf_counter()
            async with kit.limits.renders(caller.account) as left, kit.kept.together():
                image, hit, link = await pictures.draw(await pictures.ready(caller.account, wanted))
            headers = image_headers(image, hit, perf_counter() - began) | quota_headers(caller.account.plan, left)
            if link is not None:
                headers |= dynamic_headers(kit.base_url, link)
            return Response(image.body, 200, headers, image.media_type)

        if isinstance(wanted.says, NewDynamic) and HEADER in request.headers:
            return await once(_heard(request, body), caller.account.id, draw)
        return await draw(request)

    async def validate(request: Request, caller: Caller) -> Response:
        body = await read_body(request, max_bytes=MAX_BODY_BYTES)
        wanted = await wanted_of(kit, caller.account, await fields_of(request, body))
        return json_response({**echoed(wanted.fields), "valid": True})

    return [
        Route("/api/v1/generate", ByMethod(POST=access("render", generate))),
        Route("/api/v1/validate", ByMethod(POST=access("render", validate))),
    ]


def _heard(request: Request, body: bytes | bytearray) -> Request:
    """The request, whose body was read already, to be read again."""

    async def receive() -> Message:
        return {"type": "http.request", "body": bytes(body), "more_body": False}

    return Request(request.scope, receive)
