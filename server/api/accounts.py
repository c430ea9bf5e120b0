"""GET /account; POST GET /api-keys; DELETE /api-keys/{id}."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import Answers
from server.api.idempotency import ShownOnce
from server.api.schema import KeyCreate, PageQuery, path_id
from server.domain.accounts import Accounts
from server.domain.model import Account, ApiKeyId, Caller
from server.wire import ByMethod, json_response


def routes(accounts: Accounts, answers: Answers, access: Access) -> list[Route]:
    async def show(request: Request, account: Account) -> Response:
        return json_response(answers.account(account))

    async def create_key(request: Request, caller: Caller) -> Response:
        body = await KeyCreate.of(request)
        record, key = await accounts.create_key(
            caller.account.id,
            body.name,
            permissions=body.permissions,
            expires_at=body.expires_at,
            by=caller.key,
        )
        return ShownOnce(answers.key(record), {"key": key}, 201)

    async def list_keys(request: Request, account: Account) -> Response:
        query = PageQuery.of(request)
        page = await accounts.keys(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.key))

    async def delete_key(request: Request, account: Account) -> Response:
        await accounts.delete_key(account.id, ApiKeyId(path_id(request, "key", "API key")))
        return Response(status_code=204)

    return [
        Route("/account", ByMethod(GET=access("account:read", show))),
        Route(
            "/api-keys",
            ByMethod(POST=access.caller("api-keys:write", create_key), GET=access("api-keys:read", list_keys)),
        ),
        Route("/api-keys/{id}", ByMethod(DELETE=access("api-keys:write", delete_key))),
    ]
