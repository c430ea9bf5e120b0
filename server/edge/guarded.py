"""Scans of links with guards: `domain.decide` decides, and here is what it needs to know and what comes of it.

A scan waits for nothing here, unless it brings a password or its link has a scan limit.
"""

import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import partial
from time import monotonic, perf_counter
from typing import Protocol
from urllib.parse import parse_qs

from server.asgi import Receive, Scope, Send
from server.domain.decide import Ended, GuardedLink, Locked, Redirect, decide
from server.domain.errors import Busy, StorageUnavailable
from server.domain.model import ID_BYTES
from server.domain.ports import Hasher, UseStore
from server.domain.rules import Visitor
from server.edge.answers import EMPTY_BODY, leads_to
from server.edge.limits import Buckets, network
from server.edge.pages import Page, retry_after, send_page
from server.patience import Patience, TooSlow, until

#: Enough for any password, however its form is encoded.
MAX_FORM_BYTES = 4096

#: Passwords that one address may try on one link: so many at once, and one more in each such time.
TRIES = 5
TRY_EVERY_S = 30.0


class VisitorOf(Protocol):
    """Who makes a request, as `decide` asks it."""

    def __call__(self, scope: Scope, *, with_country: bool) -> Visitor: ...


class FormTooLarge(Exception):
    """What was sent is no password."""


class VisitorGone(Exception):
    """The connection was closed before all was sent."""


class GuardedScans:
    """Answers scans of links with guards."""

    def __init__(
        self,
        record: Callable[[bytes, Scope], None],
        *,
        now: Callable[[], datetime],
        address: Callable[[Scope], str],
        hasher: Hasher,
        uses: UseStore,
        visitor: VisitorOf,
    ) -> None:
        """`record` is that of `redirect`; `address` is the visitor's."""
        self._record = record
        self._now = now
        self._address = address
        self._hasher = hasher
        self._uses = uses
        self._visitor = visitor
        self._patience = Patience()
        self._tries = Buckets(burst=TRIES, every_s=TRY_EVERY_S)

    async def answer(self, link: GuardedLink, query: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        """`query` is what may go on to the destination."""
        method = scope["method"]
        visitor = partial(self._visitor, scope)
        decision = decide(link, now=self._now(), query=query, unlocked=False, visitor=visitor)
        if method == "POST" and isinstance(decision, Locked):
            if not await self._unlocked(link, decision.password_hash, scope, receive, send):
                return
            decision = decide(link, now=self._now(), query=query, unlocked=True, visitor=visitor)
        elif method not in ("GET", "HEAD"):
            allow = b"GET, HEAD, POST" if isinstance(decision, Locked) else b"GET, HEAD"
            await send_page(scope, send, Page.METHOD_NOT_ALLOWED, (b"allow", allow))
            return
        if isinstance(decision, Redirect) and decision.max_scans is not None:
            # Exactness before availability, where someone asked for a limit. A messenger's preview uses nothing up.
            count = self._uses.left if method == "HEAD" or visitor(with_country=False).bot else self._uses.take
            try:
                if not await count(link.link_id, decision.max_scans):
                    decision = Ended(link.guards.fallback_url)
            except StorageUnavailable as exc:
                await send_page(scope, send, Page.UNAVAILABLE, retry_after(exc.retry_after_s))
                return
        if isinstance(decision, Locked):
            await send_page(scope, send, Page.LOCKED)
        elif isinstance(decision, Redirect):
            if method != "HEAD":
                self._record(link.link_id.to_bytes(ID_BYTES, "little"), scope)
            # Behind a form, a page is to be fetched, and not to be posted to (RFC 9110, 15.4.4).
            await _lead(send, decision.location, 303 if method == "POST" else decision.status)
        elif decision.fallback is not None:
            await _lead(send, decision.fallback, 303 if method == "POST" else 302)
        else:
            await send_page(scope, send, Page.GONE)

    async def _unlocked(
        self, link: GuardedLink, password_hash: str, scope: Scope, receive: Receive, send: Send
    ) -> bool:
        """Whether the form holds the password; if it does not, that has been answered."""
        try:
            password = await self._password(receive)
        except VisitorGone:
            return False
        except TooSlow:
            await send_page(scope, send, Page.TOO_SLOW, (b"connection", b"close"))
            return False
        except FormTooLarge:
            await send_page(scope, send, Page.TOO_LARGE)
            return False
        key = (link.link_id, network(self._address(scope)))
        wait_s = self._tries.take(key, monotonic())
        if wait_s > 0:
            await send_page(scope, send, Page.TOO_MANY_TRIES, retry_after(wait_s))
            return False
        try:
            right = await self._hasher.matches(password_hash, password)
        except Busy as exc:
            await send_page(scope, send, Page.BUSY, retry_after(exc.retry_after_s))
            return False
        if right:
            self._tries.refill(key)
        else:
            await send_page(scope, send, Page.WRONG_PASSWORD)
        return right

    async def _password(self, receive: Receive) -> str:
        """The password in a form (application/x-www-form-urlencoded); empty where there is none."""
        body = b""
        more = True
        deadline = until(perf_counter(), 0)
        while more:
            message = await self._patience.hear(receive, deadline)
            if message["type"] == "http.disconnect":
                raise VisitorGone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_FORM_BYTES:
                raise FormTooLarge
        fields = parse_qs(body.decode("utf-8", "replace"))
        return unicodedata.normalize("NFC", fields.get("password", [""])[0])


async def _lead(send: Send, location: str, status: int) -> None:
    await send(leads_to(location.encode(), status))
    await send(EMPTY_BODY)
