"""Who calls: the account behind the key of a request, and whether that key may do it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from server.api.standing import standing_headers
from server.asgi import CALLER, key_in
from server.dispatch import TOLD
from server.domain.accounts import Accounts
from server.domain.errors import Forbidden, Unauthenticated
from server.domain.keys import PERMISSIONS, RENDER, Permission, may
from server.domain.limits import Limits
from server.domain.model import Account, Caller
from server.idempotency import HEADER, Idempotency
from server.openapi import declare, declared
from server.wire import Handler

AccountHandler = Callable[[Request, Account], Awaitable[Response]]
CallerHandler = Callable[[Request, Caller], Awaitable[Response]]


class Access:
    """Opens handlers, which have to be declared, to those who hold a key that may do what `needs` says. What it makes
    raises Unauthenticated, Forbidden, PlanLimit and RateLimited."""

    def __init__(self, accounts: Accounts, limits: Limits, once: Idempotency) -> None:
        self._accounts = accounts
        self._limits = limits
        self._once = once

    def __call__(self, needs: str, handler: AccountHandler) -> Handler:
        """`handler`, called with the account of the request's key."""

        def with_account(request: Request, caller: Caller) -> Awaitable[Response]:
            return handler(request, caller.account)

        return self.caller(needs, declare(with_account, declared(handler)))

    def caller(self, needs: str, handler: CallerHandler) -> Handler:
        """The same for a handler that has to know the key, too. A POST is done once for each Idempotency-Key, unless
        it draws, which makes nothing."""
        permission = Permission(needs)
        assert permission in PERMISSIONS, needs

        async def with_caller(request: Request) -> Response:
            key = _key(request)
            caller = self._accounts.known(key) or await self._accounts.authenticate(key)
            request.scope[CALLER] = caller
            standing = self._limits.count_free(caller.account) or await self._limits.count_request(caller.account)
            request.scope[TOLD] = standing_headers(standing)
            if standing.refusal is not None:
                raise standing.refusal
            if not may(caller.key.permissions, permission):
                raise Forbidden.needs(permission)
            if request.scope["method"] == "POST" and permission != RENDER and HEADER in request.headers:
                return await self._once(request, caller.account.id, lambda heard: handler(heard, caller))
            return await handler(request, caller)

        return declare(with_caller, replace(declared(handler), permission=permission))

    async def admit(self, request: Request, permission: Permission) -> Caller:
        """Who calls, if they still may do this; an answer without an end asks again, which is not a request more."""
        caller = await self._accounts.authenticate(_key(request))
        if not caller.account.plan.api_access:
            raise caller.account.plan.refusal("api_access")
        if not may(caller.key.permissions, permission):
            raise Forbidden.needs(permission)
        return caller


def _key(request: Request) -> str:
    key = key_in(request.scope)
    if not key:
        raise Unauthenticated
    return key
