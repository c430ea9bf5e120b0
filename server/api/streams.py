"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), one for each scan.

    retry: 1000                     once, at the beginning
    id: scn_1da3xg8m2v7kq           where the client stands, also before its first event

    id: scn_1da3xg8m2v7kr
    event: scan
    data: {"id": "scn_1da3xg8m2v7kr", ...}

    : here                          when nothing has happened for a while, with where the client stands
    id: scn_1da3xg8m2v7kr

A stream ends when its client goes, or does not read for a long time; when its key may not do this any more; and when
the server stops. In any case the client may come back with the last id that it has seen.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

import orjson
from starlette.responses import Response

from server.asgi import Receive, Scope, Send
from server.domain.errors import Forbidden, PlanLimit, StorageUnavailable, Unauthenticated
from server.domain.ids import id_text
from server.domain.model import LinkId, RecordedScan
from server.domain.ports import Following

EVENTS = "text/event-stream"

#: Proxies close connections on which nothing happens, the strictest after a minute or half of one.
HEARTBEAT_S = 15.0
#: So long a client may leave unread what it was sent.
PATIENCE_S = 30.0
#: How old what is known of the key may be.
CHECK_EVERY_S = 1.0
#: When a client that was cut off comes back.
RETRY = b"retry: 1000\n"


class EventStream(Response):
    """The scans that `following` finds, of one link or of all. `admitted` raises where the caller may not see them any
    more."""

    def __init__(
        self,
        following: Following,
        link_id: LinkId | None,
        answer: Callable[[RecordedScan], object],
        admitted: Callable[[], Awaitable[None]],
    ) -> None:
        self.status_code = 200
        self.background = None
        # nginx would keep events back until there are many.
        self.init_headers({"content-type": EVENTS, "cache-control": "no-store", "x-accel-buffering": "no"})
        self._following = following
        self._link_id = link_id
        self._answer = answer
        self._admitted = admitted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body"})
                return
            tasks = [asyncio.create_task(_gone(receive)), asyncio.create_task(self._send(send))]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                task.result()
        finally:
            self._following.close()

    async def _send(self, send: Send) -> None:
        """Everything there is, as fast as the client takes it."""
        try:
            async with aclosing(self._chunks()) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(PATIENCE_S):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        except TimeoutError:
            return  # whoever does not read is cut off, in the middle of an event perhaps
        await send({"type": "http.response.body"})

    async def _chunks(self) -> AsyncGenerator[bytes]:
        loop = asyncio.get_running_loop()
        checked_s = said_s = loop.time()
        yield RETRY + self._place()
        while not self._following.ended:
            scans = await self._following.next(HEARTBEAT_S)
            if loop.time() - checked_s >= CHECK_EVERY_S:
                try:
                    await self._admitted()
                except (Unauthenticated, Forbidden, PlanLimit):
                    return
                except StorageUnavailable:
                    continue  # without the database there is nothing to be seen either
                checked_s = loop.time()
            wanted = [scan for scan in scans if self._link_id in (None, scan.link_id)]
            if wanted:
                yield b"".join(map(self._event, wanted))
            elif loop.time() - said_s >= HEARTBEAT_S:
                yield b": here\n" + self._place()
            else:
                continue
            said_s = loop.time()

    def _place(self) -> bytes:
        return f"id: {id_text('scn', self._following.behind)}\n\n".encode()

    def _event(self, scan: RecordedScan) -> bytes:
        assert scan.id is not None, "it was found by its id"
        data = orjson.dumps(self._answer(scan), option=orjson.OPT_UTC_Z)
        return b"id: %b\nevent: scan\ndata: %b\n\n" % (id_text("scn", scan.id).encode(), data)


async def _gone(receive: Receive) -> None:
    """Returns when the client has closed the connection."""
    while (await receive())["type"] != "http.disconnect":
        pass
