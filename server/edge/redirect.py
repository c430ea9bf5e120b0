"""The redirect.

A scan of a plain link is one dict lookup, one append to the journal and two sends, and waits for nothing. A slug that
is not in memory may ask the database; everything that is no slug goes on to the application. Nobody here knows
PostgreSQL, HTTP frameworks, or what a scan is made of. Measured by bench/redirect.py.
"""

import re
from collections.abc import Callable

from server.asgi import ASGIApp, Receive, Scope, Send
from server.domain.errors import StorageUnavailable
from server.domain.slug import MAX_LENGTH, RESERVED
from server.edge.cache import GONE, ID_BYTES, LinkCache
from server.edge.pages import Page, send_page

SLUG_PATH = re.compile(rf"/[A-Za-z0-9_-]{{1,{MAX_LENGTH}}}")

# A redirect is for this scan only: the next one may lead elsewhere, and has to be counted (RFC 9111, 5.2.2).
CACHE_CONTROL = (b"cache-control", b"private, no-store")
NO_CONTENT = (b"content-length", b"0")
EMPTY_BODY = {"type": "http.response.body", "body": b""}


def redirect(app: ASGIApp, links: LinkCache, record: Callable[[bytes, Scope], None]) -> ASGIApp:
    """`app` with the redirect in front of it.

    `record(link id in eight bytes, the request)` has kept the scan when it returns.
    """

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        slug = scope["path"][1:]
        entry = links.live.get(slug) or links.live.get(slug.lower())  # as people follow it, and as symbols say it
        if entry is not None and scope["method"] == "GET":
            record(entry[:ID_BYTES], scope)
            await send(_found(entry))
            await send(EMPTY_BODY)
        elif SLUG_PATH.fullmatch(scope["path"]) and (slug := scope["path"][1:].lower()) not in RESERVED:
            await rare(slug, scope, send)
        else:
            await app(scope, receive, send)

    async def rare(slug: str, scope: Scope, send: Send) -> None:
        """Another method, or a slug that is not in memory."""
        try:
            entry = links.live.get(slug) or await links.resolve(slug)
        except StorageUnavailable:
            await send_page(scope, send, Page.UNAVAILABLE)
            return
        if entry is None:
            await send_page(scope, send, Page.NOT_FOUND)
        elif entry == GONE:
            await send_page(scope, send, Page.GONE)
        elif scope["method"] not in ("GET", "HEAD"):
            await send_page(scope, send, Page.METHOD_NOT_ALLOWED)
        else:
            if scope["method"] == "GET":
                record(entry[:ID_BYTES], scope)
            await send(_found(entry))
            await send(EMPTY_BODY)

    return edge


def _found(entry: bytes) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": 302,
        "headers": [(b"location", entry[ID_BYTES:]), CACHE_CONTROL, NO_CONTENT],
    }
