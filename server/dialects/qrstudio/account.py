"""GET /usage/; GET POST /keys/; DELETE /keys/{id}/; POST /keys/{id}/rotate/; GET /api/health/, /api/status/."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.dialects import key_formats
from server.dialects.access import Access
from server.dialects.dialect import Kit
from server.dialects.qrstudio.fields import Field, text
from server.dialects.qrstudio.from_domain import key_answer, usage_answer
from server.dialects.qrstudio.to_domain import checked, json_fields, label
from server.dialects.qrstudio.wire import Key
from server.domain.errors import NotFound, StorageUnavailable
from server.domain.ids import id_number
from server.domain.keys import NATIVE
from server.domain.model import Account, ApiKey, ApiKeyId, Caller
from server.domain.whole import every
from server.idempotency import ShownOnce
from server.wire import ByMethod, json_response

KEY = {"name": Field(text(100), required=True)}

#: How the keys of each service begin, by the name of their form; any other is one of the server's own.
PREFIXES = {name: form.prefix for name, form in key_formats().items()}
FORM = key_formats()["qrstudio"]

#: How many keys a page of the store has at most.
PAGE = 100


def routes(kit: Kit, access: Access) -> list[Route]:
    async def usage(request: Request, caller: Caller) -> Response:
        used = await kit.limits.usage(caller.account)
        return json_response(usage_answer(caller.account.plan, used, request.headers["x-api-key"].strip()))

    async def every_key(account: Account) -> list[ApiKey]:
        return await every(lambda before: kit.accounts.keys(account.id, before=before, limit=PAGE))

    def answer(key: ApiKey, caller: Caller) -> Key:
        return key_answer(key, caller.account.plan, PREFIXES.get(key.format, NATIVE.prefix), kit.now())

    async def show_keys(_: Request, caller: Caller) -> Response:
        return json_response({"keys": [answer(each, caller) for each in await every_key(caller.account)]})

    async def create_key(request: Request, caller: Caller) -> Response:
        """What the key that asks may do, the new one may, too."""
        name = label(checked(KEY, await json_fields(request))["name"])
        key, raw = await kit.accounts.create_key(
            caller.account, name, permissions=caller.key.permissions, form=FORM, by=caller.key
        )
        return ShownOnce(answer(key, caller), {"raw_key": raw}, 201)

    async def delete_key(request: Request, caller: Caller) -> Response:
        await kit.accounts.delete_key(caller.account.id, _id(request))
        return Response(status_code=204)

    async def rotate_key(request: Request, caller: Caller) -> Response:
        """Another key in place of this one, which opens nothing any more."""
        wanted = _id(request)
        old = next((each for each in await every_key(caller.account) if each.id == wanted), None)
        if old is None:
            raise NotFound
        async with kit.kept.together():
            await kit.accounts.delete_key(caller.account.id, old.id)
            key, raw = await kit.accounts.create_key(
                caller.account,
                old.name,
                permissions=old.permissions,
                expires_at=old.expires_at,
                form=FORM,
                by=caller.key,
            )
        return ShownOnce(answer(key, caller), {"raw_key": raw}, 200)

    async def health(_: Request) -> Response:
        return json_response({"status": "ok"})

    async def status(_: Request) -> Response:
        try:
            await kit.accounts.list(before=None, limit=1)
        except StorageUnavailable:
            return json_response({"status": "degraded", "components": {"api": "ok", "database": "unavailable"}}, 503)
        return json_response({"status": "ok", "components": {"api": "ok", "database": "ok"}})

    return [
        Route("/api/v1/usage", ByMethod(GET=access("account:read", usage))),
        Route(
            "/api/v1/keys", ByMethod(GET=access("api-keys:read", show_keys), POST=access("api-keys:write", create_key))
        ),
        Route("/api/v1/keys/{id}", ByMethod(DELETE=access("api-keys:write", delete_key))),
        Route("/api/v1/keys/{id}/rotate", ByMethod(POST=access("api-keys:write", rotate_key))),
        Route("/api/health", ByMethod(GET=health)),
        Route("/api/status", ByMethod(GET=status)),
    ]


def _id(request: Request) -> ApiKeyId:
    number = id_number("key", str(request.path_params["id"]))
    if number is None:
        raise NotFound
    return ApiKeyId(number)
