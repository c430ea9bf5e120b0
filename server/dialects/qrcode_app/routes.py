"""qrcode-app: the table of its routes, and what each does."""

from dataclasses import replace
from functools import partial
from math import ceil

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects import key_formats
from server.dialects.access import Access
from server.dialects.dialect import Kit, url_of
from server.dialects.qrcode_app import barcodes, from_domain, stats
from server.dialects.qrcode_app.errors import Refusal
from server.dialects.qrcode_app.from_domain import Told, qr_id_of
from server.dialects.qrcode_app.to_domain import (
    code_id,
    content_of,
    destination_of,
    look_of,
    name_of,
    page_of,
    permissions_of,
    protection_of,
)
from server.dialects.qrcode_app.wire import read_fields
from server.domain.errors import InvalidValue, NotFound
from server.domain.ids import id_number
from server.domain.model import ApiKeyId, Caller, Link
from server.domain.whole import every
from server.images import image_answer
from server.wire import ByMethod, json_response

#: How many keys a page of the store has at most.
PAGE = 100


def routes(kit: Kit) -> list[Route]:
    access = Access(kit)

    def told(request: Request) -> Told:
        return Told(kit.base_url, partial(url_of, request))

    # --- codes ---

    async def generate(request: Request, caller: Caller) -> Response:
        fields = await read_fields(request)
        content = content_of(fields, caller.account)
        look = look_of(fields, content)
        # What would not scan is stored all the same, as the vendor does; its picture says so.
        code = await kit.codes.create(caller.account, content, name=None, **look._asdict(), allow_unscannable=True)
        return json_response({"success": True, "data": told(request).static(code)})

    async def create_dynamic(request: Request, caller: Caller) -> Response:
        fields = await read_fields(request)
        destination, look = destination_of(fields), look_of(fields)
        guards, password = protection_of(fields)
        code = await kit.codes.create(
            caller.account,
            destination,
            name=name_of(fields),
            **look._asdict(),
            allow_unscannable=True,
            guards=guards,
            password=password,
        )
        return json_response({"success": True, "data": told(request).qr(code)}, 201)

    async def change_destination(request: Request, caller: Caller) -> Response:
        code = await kit.codes.get(caller.account.id, code_id(request))
        destination = destination_of(await read_fields(request))
        if not isinstance(code.content, Link):
            raise Refusal("INVALID_PARAMETER", "A static QR code says its content itself: it has no destination.")
        link = await kit.links.change(caller.account, code.content.id, {"destination": destination})
        return json_response({"success": True, "data": told(request).qr(replace(code, content=link))})

    async def show_all(request: Request, caller: Caller) -> Response:
        asked = page_of(request)
        account, selection = caller.account.id, asked.selection
        page = await kit.codes.list(account, selection, limit=asked.limit, skip=asked.skip)
        total = await kit.codes.count(account, selection)
        pages = {"total": total, "page": asked.page, "limit": asked.limit, "pages": ceil(total / asked.limit)}
        return json_response({"data": [told(request).qr(code) for code in page.items], "pagination": pages})

    async def show(request: Request, caller: Caller) -> Response:
        code = await kit.codes.get(caller.account.id, code_id(request))
        return json_response({"data": told(request).qr(code)})

    async def delete(request: Request, caller: Caller) -> Response:
        """Nobody is redirected any more: for the vendor the link is a part of the code."""
        code = await kit.codes.get(caller.account.id, code_id(request))
        await kit.codes.delete(caller.account.id, code.id, with_link=True)
        return json_response({"success": True, "data": {"qr_id": qr_id_of(code), "deleted": True}})

    async def download(request: Request, caller: Caller) -> Response:
        code = code_id(request)
        shown = await kit.codes.show(caller.account, code, allow_unscannable=True)
        name = str(request.path_params["qr_id"])
        return await image_answer(request, shown, kit.limits.renders(caller.account), download=name)

    # --- keys ---

    async def create_key(request: Request, caller: Caller) -> Response:
        fields = await read_fields(request)
        name = name_of(fields)
        if name is None:
            raise Refusal("INVALID_PARAMETER", "name is required.")
        try:
            record, key = await kit.accounts.create_key(
                caller.account,
                name,
                permissions=permissions_of(fields),
                form=key_formats()["qrcode-app"],
                by=caller.key,
            )
        except InvalidValue as exc:
            raise Refusal("FORBIDDEN", exc.detail) from exc
        whole = from_domain.key(record)
        answer = {"key_id": whole["key_id"], "name": whole["name"], "api_key": key, "created_at": whole["created_at"]}
        return json_response(answer, 201)

    async def show_keys(_: Request, caller: Caller) -> Response:
        found = await every(lambda before: kit.accounts.keys(caller.account.id, before=before, limit=PAGE))
        return json_response({"data": list(map(from_domain.key, found))})

    async def revoke_key(request: Request, caller: Caller) -> Response:
        key_id = str(request.path_params["key_id"])
        number = id_number("key", key_id)
        try:
            if number is None:
                raise NotFound
            await kit.accounts.delete_key(caller.account.id, ApiKeyId(number))
        except NotFound as exc:
            raise Refusal("NOT_FOUND", "The key_id does not exist or does not belong to your account.") from exc
        return json_response({"success": True, "data": {"key_id": key_id, "revoked": True}})

    return [
        Route("/v1/qrcodes/generate", ByMethod(POST=access("qr-codes:write", generate))),
        Route("/v1/qrcodes/dynamic", ByMethod(POST=access("qr-codes:write", create_dynamic))),
        Route("/v1/qrcodes", ByMethod(GET=access("qr-codes:read", show_all))),
        Route(
            "/v1/qrcodes/{qr_id}",
            ByMethod(GET=access("qr-codes:read", show), DELETE=access("qr-codes:write", delete)),
        ),
        Route("/v1/qrcodes/{qr_id}/destination", ByMethod(PUT=access("qr-codes:write", change_destination))),
        Route("/v1/qrcodes/{qr_id}/download", ByMethod(GET=access("qr-codes:read", download))),
        *stats.routes(kit, access),
        *barcodes.routes(kit, access),
        Route(
            "/v1/api-keys",
            ByMethod(GET=access("api-keys:read", show_keys), POST=access("api-keys:write", create_key)),
        ),
        Route("/v1/api-keys/{key_id}", ByMethod(DELETE=access("api-keys:write", revoke_key))),
    ]
