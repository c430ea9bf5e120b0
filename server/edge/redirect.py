"""The redirect.

A scan of a plain link is one dict lookup, one append to the journal and two sends, and waits for nothing. Everything
else about slugs is rare: links with guards, other spellings, and slugs that are not in memory, which may ask the
database. What is no slug goes on to the application. Nobody here knows PostgreSQL, HTTP frameworks, or what a scan is
made of. Measured by bench/redirect.py.
"""

import re
from collections.abc import Callable
from time import monotonic, perf_counter
from typing import Literal
from urllib.parse import unquote_plus

from server.asgi import ASGIApp, Message, Receive, Scope, Send
from server.domain.decide import GuardedLink
from server.domain.errors import StorageUnavailable
from server.domain.model import ID_BYTES
from server.domain.slug import MAX_LENGTH, RESERVED
from server.edge.answers import EMPTY_BODY, leads_to
from server.edge.cache import GONE, LinkCache
from server.edge.guarded import GuardedScans
from server.edge.limits import Buckets, network
from server.edge.pages import Page, retry_after, send_page
from server.requests import Durations

SLUG = rf"[A-Za-z0-9_-]{{1,{MAX_LENGTH}}}"
#: /{slug}, /q/{slug} and /q/{slug}/
SLUG_PATH = re.compile(rf"/(?:q/(?P<q>{SLUG})/?|(?P<slug>{SLUG}))")
#: /r.php?c={slug}
QUERY_PATH = "/r.php"
QUERY_SLUG = re.compile(rb"(?:^|&)c=([^&]*)")

Kind = Literal["plain", "guarded", "gone", "unknown", "unavailable"]


class Redirects:
    """How slugs were answered, for /metrics."""

    def __init__(self) -> None:
        #: Of plain links that led on.
        self.plain = Durations()
        #: All, by kind and status.
        self.answered: dict[tuple[Kind, int], Durations] = {("plain", 302): self.plain}

    def count(self, kind: Kind, status: int, seconds: float) -> None:
        self.answered.setdefault((kind, status), Durations()).add(seconds)


def redirect(
    app: ASGIApp,
    links: LinkCache,
    record: Callable[[bytes, Scope], None],
    guarded: GuardedScans,
    redirects: Redirects,
    *,
    address: Callable[[Scope], str],
    unknown_per_min: int,
) -> ASGIApp:
    """`app` with the redirect in front of it.

    `record(link id in eight bytes, the request)` has kept the scan when it returns. Of slugs that no link ever had,
    each address may ask for `unknown_per_min`, or for any number with 0; a link that there is, is never refused.
    """
    unknown = Buckets(burst=unknown_per_min, every_s=60 / unknown_per_min) if unknown_per_min else None
    took = redirects.plain.add

    async def edge(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        slug = scope["path"][1:]
        entry = links.live.get(slug) or links.live.get(slug.lower())  # as people follow it, and as symbols say it
        if entry is not None and scope["method"] == "GET":
            began = perf_counter()
            record(entry[:ID_BYTES], scope)
            await send(leads_to(entry[ID_BYTES:]))
            await send(EMPTY_BODY)
            took(perf_counter() - began)
        elif (slug := _slug(scope)) is not None and slug not in RESERVED:
            await rare(slug, scope, receive, send)
        else:
            await app(scope, receive, send)

    async def rare(slug: str, scope: Scope, receive: Receive, send: Send) -> None:
        """Another spelling, another method, a link with guards, or a slug that is not in memory."""
        began, status = perf_counter(), 0

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        kind = await resolved(slug, scope, receive, noted)
        if status:  # else the visitor has gone
            redirects.count(kind, status, perf_counter() - began)

    async def resolved(slug: str, scope: Scope, receive: Receive, send: Send) -> Kind:
        """Answers, and tells what it was."""
        try:
            entry = await links.resolve(slug)
        except StorageUnavailable:
            await send_page(scope, send, Page.UNAVAILABLE, retry_after(StorageUnavailable.retry_after_s))
            return "unavailable"
        if entry is None:
            wait_s = unknown.take(network(address(scope)), monotonic()) if unknown is not None else 0
            if wait_s > 0:
                await send_page(scope, send, Page.TOO_MANY_UNKNOWN, retry_after(wait_s))
            else:
                await send_page(scope, send, Page.NOT_FOUND)
            return "unknown"
        if entry == GONE:
            await send_page(scope, send, Page.GONE)
            return "gone"
        if isinstance(entry, GuardedLink):
            await guarded.answer(entry, _query(scope), scope, receive, send)
            return "guarded"
        if scope["method"] not in ("GET", "HEAD"):
            await send_page(scope, send, Page.METHOD_NOT_ALLOWED, (b"allow", b"GET, HEAD"))
            return "plain"
        if scope["method"] == "GET":
            record(entry[:ID_BYTES], scope)
        await send(leads_to(entry[ID_BYTES:]))
        await send(EMPTY_BODY)
        return "plain"

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
