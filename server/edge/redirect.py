"""The redirect.

A scan of a plain link is one dict lookup, one append to the journal and two sends, and waits for nothing. Everything
else about slugs is rare: links with guards, other spellings, and slugs that are not in memory, which may ask the
database. What is no slug goes on to the application. Nobody here knows PostgreSQL, HTTP frameworks, or what a scan is
made of. Measured by bench/redirect.py.
"""

import re
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote_plus

from server.asgi import ASGIApp, Headers, Receive, Scope, Send
from server.domain.decide import Ended, GuardedLink, decide
from server.domain.errors import StorageUnavailable
from server.domain.slug import MAX_LENGTH, RESERVED
from server.edge.cache import GONE, ID_BYTES, LinkCache
from server.edge.pages import Page, send_page

SLUG = rf"[A-Za-z0-9_-]{{1,{MAX_LENGTH}}}"
#: /{slug}, /q/{slug} and /q/{slug}/
SLUG_PATH = re.compile(rf"/(?:q/(?P<q>{SLUG})/?|(?P<slug>{SLUG}))")
#: /r.php?c={slug}
QUERY_PATH = "/r.php"
QUERY_SLUG = re.compile(rb"(?:^|&)c=([^&]*)")

# A redirect is for this scan only: the next one may lead elsewhere, and has to be counted (RFC 9111, 5.2.2).
CACHE_CONTROL = (b"cache-control", b"private, no-store")
NO_CONTENT = (b"content-length", b"0")
EMPTY_BODY = {"type": "http.response.body", "body": b""}


def redirect(
    app: ASGIApp, links: LinkCache, record: Callable[[bytes, Headers], None], now: Callable[[], datetime]
) -> ASGIApp:
    """`app` with the redirect in front of it.

    `record(link id in eight bytes, request headers)` has kept the scan when it returns.
    """

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        entry = links.live.get(scope["path"][1:])
        if entry is not None and scope["method"] == "GET":
            record(entry[:ID_BYTES], scope["headers"])
            await send(_to(302, entry[ID_BYTES:]))
            await send(EMPTY_BODY)
        elif (slug := _slug(scope)) is not None and slug not in RESERVED:
            await rare(slug, scope, send)
        else:
            await app(scope, receive, send)

    async def rare(slug: str, scope: Scope, send: Send) -> None:
        """Another spelling, another method, a link with guards, or a slug that is not in memory."""
        try:
            entry = await links.resolve(slug)
        except StorageUnavailable:
            await send_page(scope, send, Page.UNAVAILABLE)
            return
        if entry is None:
            await send_page(scope, send, Page.NOT_FOUND)
        elif entry == GONE:
            await send_page(scope, send, Page.GONE)
        elif scope["method"] not in ("GET", "HEAD"):
            await send_page(scope, send, Page.METHOD_NOT_ALLOWED)
        elif isinstance(entry, GuardedLink):
            await guarded(entry, scope, send)
        else:
            if scope["method"] == "GET":
                record(entry[:ID_BYTES], scope["headers"])
            await send(_to(302, entry[ID_BYTES:]))
            await send(EMPTY_BODY)

    async def guarded(link: GuardedLink, scope: Scope, send: Send) -> None:
        decision = decide(link, now=now(), query=_query(scope))
        if isinstance(decision, Ended):
            if decision.fallback is None:
                await send_page(scope, send, Page.GONE)
                return
            answer = _to(302, decision.fallback.encode())
        else:
            if scope["method"] == "GET":
                record(link.link_id.to_bytes(ID_BYTES, "little"), scope["headers"])
            answer = _to(decision.status, decision.location.encode())
        await send(answer)
        await send(EMPTY_BODY)

    return edge


def _slug(scope: Scope) -> str | None:
    """The slug that is asked for in one of its spellings, in lower case."""
    path = scope["path"]
    if path == QUERY_PATH:
        named = QUERY_SLUG.search(scope["query_string"])
        slug = unquote_plus(named[1].decode("latin-1")) if named else ""
        return slug.lower() if re.fullmatch(SLUG, slug) else None
    found = SLUG_PATH.fullmatch(path)
    return (found["slug"] or found["q"]).lower() if found else None


def _query(scope: Scope) -> bytes:
    """The scan's query, without what only says which link it is."""
    query: bytes = scope["query_string"]
    return QUERY_SLUG.sub(b"", query, count=1) if scope["path"] == QUERY_PATH else query


def _to(status: int, location: bytes) -> dict[str, object]:
    return {
        "type": "http.response.start",
        "status": status,
        "headers": [(b"location", location), CACHE_CONTROL, NO_CONTENT],
    }
