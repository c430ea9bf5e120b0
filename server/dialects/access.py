"""Who calls a dialect: the account behind a key, in whichever header the vendor has it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from time import time as unix_time

from starlette.requests import Request
from starlette.responses import Response

from server.asgi import CALLER, ASGIApp, Headers, Message, Receive, Scope, Send
from server.dialects.dialect import Kit
from server.domain.errors import Forbidden, Unauthenticated
from server.domain.keys import PERMISSIONS, RENDER, Permission, may
from server.domain.limits import MINUTE_S, Quota, Standing
from server.domain.model import Caller
from server.idempotency import HEADER, Idempotency
from server.openapi import declare, declared, is_declared
from server.wire import Handler, bearer_key

CallerHandler = Callable[[Request, Caller], Awaitable[Response]]

#: Where in a request's scope it is said how far its account may still go.
STANDING = "qredge.standing"


class Access:
    """Opens handlers, which may be declared (`server.openapi`), to those who hold a key that may do what `needs` says.
    What it makes raises Unauthenticated, Forbidden, PlanLimit and RateLimited. Each request of an account that is known
    counts, whatever becomes of it. With `once`, a POST is done once for each Idempotency-Key, unless it draws, which
    makes nothing."""

    def __init__(
        self, kit: Kit, key_of: Callable[[Request], str | None] = bearer_key, *, once: Idempotency | None = None
    ) -> None:
        self._kit = kit
        self._key_of = key_of
        self._once = once

    def __call__(self, needs: str, handler: CallerHandler) -> Handler:
        permission = Permission(needs)
        assert permission in PERMISSIONS, needs

        async def with_caller(request: Request) -> Response:
            key = self._key_of(request)
            if not key:
                raise Unauthenticated
            caller = await self._kit.accounts.authenticate(key)
            request.scope[CALLER] = caller
            standing = await self._kit.limits.count_request(caller.account)
            request.scope[STANDING] = standing
            if standing.refusal is not None:
                raise standing.refusal
            if not may(caller.key.permissions, permission):
                raise Forbidden.needs(permission)
            once = self._once if request.method == "POST" and HEADER in request.headers else None
            if once is not None and permission != RENDER:
                return await once(request, caller.account.id, lambda heard: handler(heard, caller))
            return await handler(request, caller)

        if is_declared(handler):
            declare(with_caller, replace(declared(handler), permission=permission))
        return with_caller


def telling(app: ASGIApp, headers: Callable[[Scope], Headers], standing: Callable[[Standing], Headers]) -> ASGIApp:
    """The app, whose every answer has `headers`, whoever has made it, and to an account that is known `standing`."""

    async def telling(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = standing(scope[STANDING]) if STANDING in scope else []
                message["headers"] = [*message["headers"], *headers(scope), *known]
            await send(message)

        await app(scope, receive, answer)

    return telling


def minute_headers(standing: Standing, otherwise: int) -> Headers:
    """X-RateLimit-Limit, -Remaining and -Reset, a moment, which many vendors have: of the minute, where it is limited;
    an account without a limit is told the vendor's own, of which all is left."""
    free = Quota("requests_per_minute", otherwise, otherwise, MINUTE_S, 0)
    quota = min(standing.quotas, key=lambda each: each.limit != free.limit, default=free)
    return [
        (b"x-ratelimit-limit", b"%d" % quota.allowed),
        (b"x-ratelimit-remaining", b"%d" % quota.remaining),
        (b"x-ratelimit-reset", b"%d" % (int(unix_time()) + quota.reset_s)),
    ]
