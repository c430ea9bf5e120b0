"""GET /account; POST GET /api-keys; DELETE /api-keys/{id}."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.api.access import Access
from server.api.answers import AccountAnswer, Answers, KeyAnswer, NewKeyAnswer, PageAnswer
from server.api.schema import KeyCreate, PageQuery, path_id
from server.domain.accounts import Accounts
from server.domain.limits import Limits
from server.domain.model import Account, ApiKeyId, Caller
from server.idempotency import ShownOnce
from server.openapi import operation
from server.wire import ByMethod, cursor_of, json_response


def routes(accounts: Accounts, limits: Limits, answers: Answers, access: Access) -> list[Route]:
    @operation(answers={200: AccountAnswer})
    async def get_account(request: Request, account: Account) -> Response:
        """Get the account, its plan and what it has used of it."""
        return json_response(answers.account(account, await limits.usage(account)))

    @operation(body=KeyCreate, answers={201: NewKeyAnswer})
    async def create_key(request: Request, caller: Caller) -> Response:
        """Create an API key.

        The key itself is in this answer, and in no other.
        """
        body = await KeyCreate.of(request)
        record, key = await accounts.create_key(
            caller.account,
            body.name,
            permissions=body.permissions,
            expires_at=body.expires_at,
            by=caller.key,
        )
        return ShownOnce(answers.key(record), {"key": key}, 201)

    @operation(query=PageQuery, answers={200: PageAnswer[KeyAnswer]})
    async def list_keys(request: Request, account: Account) -> Response:
        """List API keys, the newest first."""
        query = PageQuery.of(request)
        page = await accounts.keys(account.id, before=query.cursor, limit=query.limit)
        return json_response(answers.page(page, answers.key, cursor_of))

    @operation(answers={204: None})
    async def delete_key(request: Request, account: Account) -> Response:
        """Revoke an API key.

        It opens nothing from that moment on, on every process.
        """
        await accounts.delete_key(account.id, ApiKeyId(path_id(request, "key", "API key")))
        return Response(status_code=204)

    return [
        Route("/account", ByMethod(GET=access("account:read", get_account))),
        Route(
            "/api-keys",
            ByMethod(POST=access.caller("api-keys:write", create_key), GET=access("api-keys:read", list_keys)),
        ),
        Route("/api-keys/{id}", ByMethod(DELETE=access("api-keys:write", delete_key))),
    ]
