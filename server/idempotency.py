"""Idempotency-Key: a request that is sent again is answered again, and done once.

    a key is claimed -> the request is done, all that it stores in one transaction with its answer -> committed

What dies before the commit has done nothing; what comes meanwhile is 409; what comes later gets the kept answer.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from server.asgi import Message
from server.dispatch import MAX_REST_S, Problem
from server.domain.errors import IdempotencyKeyReused, InvalidIdempotencyKey, StorageUnavailable
from server.domain.idempotency import RENEW_S, IdempotencyKey, KeptAnswer
from server.domain.model import AccountId
from server.domain.ports import AnswerStore
from server.wire import json_response

HEADER = "idempotency-key"

#: Refusals that would be the same again. The others may pass, as who may do what changes, and a picture's host is down
#: today: such a request is done when it is sent again.
FINAL = frozenset([404, 409, 422])
KEPT_HEADERS = ("content-type", "location", "etag", "cache-control")

#: Of a body whose hash is compared with that of the first request.
MAX_COMPARED_BYTES = 64 << 20


class ShownOnce(Response):
    """JSON with secrets in it, which are kept nowhere: sent again, they are null, and Idempotent-Omitted names them."""

    def __init__(self, answer: Mapping[str, object], shown: Mapping[str, str], status: int) -> None:
        whole = json_response({**answer, **shown}, status)
        super().__init__(whole.body, status, media_type="application/json")
        self.kept = bytes(json_response({**answer, **dict.fromkeys(shown)}).body)
        self.omitted = ", ".join(shown)


class Idempotency:
    """Does requests that have an Idempotency-Key.

    `refusals` are the errors that `problem` answers as such; `headers` are kept of answers beside KEPT_HEADERS.
    """

    def __init__(
        self,
        store: AnswerStore,
        problem: Problem,
        refusals: tuple[type[Exception], ...],
        *,
        headers: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._problem = problem
        self._refusals = refusals
        self._headers = KEPT_HEADERS + headers

    async def __call__(
        self, request: Request, account: AccountId, do: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        """The answer to the request: kept, or what `do` answers. Raises InvalidIdempotencyKey, IdempotencyKeyReused,
        RequestInProgress, and what is not final of what `do` raises."""
        key, claim = _key(request), secrets.randbits(63)
        heard = _Heard(request)
        kept = await self._store.claim(account, key, claim)
        if kept is not None:
            if await heard.sha256() != kept.request_sha256:
                raise IdempotencyKeyReused
            return Response(kept.body, kept.status, {**kept.headers, "idempotent-replayed": "true"})
        renewing = asyncio.create_task(self._renew(account, key, claim))
        try:
            async with self._store.together():
                response = await self._answer(heard.request, do)
                await self._store.keep(account, key, claim, self._kept(response, await heard.sha256()))
            return response
        except BaseException:
            with suppress(StorageUnavailable):  # then the lease ends
                await self._store.release(account, key, claim)
            raise
        finally:
            renewing.cancel()

    async def _renew(self, account: AccountId, key: IdempotencyKey, claim: int) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            with suppress(StorageUnavailable):
                await self._store.renew(account, key, claim)

    async def _answer(self, request: Request, do: Callable[[Request], Awaitable[Response]]) -> Response:
        """The answer, also where it is a refusal that is final."""
        try:
            return await do(request)
        except self._refusals as exc:
            response = self._problem(request, exc)
            if response.status_code not in FINAL:
                raise
            return response

    def _kept(self, response: Response, request_sha256: bytes) -> KeptAnswer:
        headers = {name: response.headers[name] for name in self._headers if name in response.headers}
        body = bytes(response.body)
        if isinstance(response, ShownOnce):
            headers["idempotent-omitted"] = response.omitted
            body = response.kept
        return KeptAnswer(request_sha256=request_sha256, status=response.status_code, headers=headers, body=body)


class _Heard:
    """A request whose body is hashed while it is read."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._hash = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
        self._size = 0
        self._more = True
        self.request = Request(request.scope, self._hear)

    async def _hear(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")
            self._size += len(body)
            self._more = message.get("more_body", False)
            self._hash.update(body)
        else:
            self._more = False
        return message

    async def sha256(self) -> bytes:
        """Of the request, with what nobody has read of it yet."""
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_REST_S):
                while self._more and self._size <= MAX_COMPARED_BYTES:
                    await self._hear()
        if self._more:
            raise HTTPException(413, f"With an Idempotency-Key, a body has at most {MAX_COMPARED_BYTES} bytes.")
        return self._hash.digest()


def _key(request: Request) -> IdempotencyKey:
    given = request.headers.getlist(HEADER)
    if len(given) > 1:
        raise InvalidIdempotencyKey
    return IdempotencyKey(given[0])
