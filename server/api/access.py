"""Who calls: the account behind the key of a request."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from server.domain.accounts import Accounts
from server.domain.errors import Unauthenticated
from server.domain.model import Account
from server.wire import Handler, bearer_key

AccountHandler = Callable[[Request, Account], Awaitable[Response]]


class Access:
    """Opens handlers to those who hold a key."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def __call__(self, handler: AccountHandler) -> Handler:
        """`handler`, called with the account of the request's key; raises Unauthenticated."""

        async def with_account(request: Request) -> Response:
            key = bearer_key(request) or request.headers.get("x-api-key")
            if not key:
                raise Unauthenticated
            return await handler(request, await self._accounts.authenticate(key))

        return with_account
