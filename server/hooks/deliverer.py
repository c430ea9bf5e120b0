"""The deliverer: takes what is due from the outbox, and sends it.

Several may run, on as many servers: what one has claimed is nobody else's until LEASE_S later. One that dies in
between has it sent a second time, by whoever claims it then; so receivers get everything at least once. Nothing is
remembered but what is under way, so nothing is lost with this process.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from server.domain.delivery import KEPT, NATIVE, SCANS_EVERY_S, Attempt, Due, Voice, next_attempt
from server.domain.errors import InvalidValue, StorageUnavailable
from server.domain.ids import id_text
from server.domain.model import WebhookId
from server.domain.ports import Outbox

if TYPE_CHECKING:
    from server.outbound import Answer

#: What a receiver has to answer within.
WITHIN_S = 15.0

#: Longer than anything may take from the claim to its end, in the database.
LEASE_S = 60.0

#: Deliveries under way at a time.
AT_ONCE = 64

POLL_S = 0.5
RETRY_S = 1.0
FORGET_EVERY_S = 3600.0

#: How long those under way may take to end when the server stops; what has not is sent again later.
LAST_S = 3.0

CONTENT_TYPE = {"content-type": "application/json"}

#: URL, body, headers -> the answer; raises InvalidValue where there is none.
Post = Callable[[str, bytes, Mapping[str, str]], Awaitable["Answer"]]

log = logging.getLogger(__name__)


class Means(NamedTuple):
    """What webhooks are told by."""

    post: Post
    #: By the format of a webhook.
    voices: Mapping[str, Voice]


class Deliverer:
    """Sends what waits in the outbox, each webhook's in the voice of its format; in the server's own, where there is no
    such voice any more."""

    def __init__(self, outbox: Outbox, means: Callable[[], Means], *, now: Callable[[], datetime]) -> None:
        """`means` are asked for when there is something to tell."""
        self._outbox = outbox
        self._means = means
        self._now = now
        #: What is being sent, each to its webhook.
        self.under_way: dict[asyncio.Task[None], WebhookId] = {}
        #: Attempts that have ended: with an answer that was wanted, with another one or none.
        self.succeeded = self.failed = 0
        self._ended = asyncio.Event()
        self._forget_at = 0.0
        self._gather_at = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until `stop` is set, and then gives those under way a moment."""
        silent = False
        while not stop.is_set():
            try:
                await self._gather()
                claimed = await self.send()
                await self._forget()
                silent = False
            except StorageUnavailable:
                if not silent:
                    log.warning("the database cannot be reached; webhooks are told of nothing until it is back")
                silent = True
                await _pause(RETRY_S, stop)
                continue
            except Exception:  # whatever it is, what waits may not wait for ever
                log.exception("webhooks cannot be told of what happens; trying again")
                await _pause(RETRY_S, stop)
                continue
            if not claimed:
                await _pause(POLL_S, stop, self._ended)
        if self.under_way:
            await asyncio.wait(self.under_way, timeout=LAST_S)
        for task in self.under_way:
            task.cancel()

    async def send(self) -> int:
        """Begins to send what is due, as far as there is room; returns how many. Raises StorageUnavailable."""
        self._ended.clear()
        room = AT_ONCE - len(self.under_way)
        if room == 0:
            return 0
        now = self._now()
        claimed = await self._outbox.claim(now, now + timedelta(seconds=LEASE_S), self._busy(), room)
        for due in claimed:
            task = asyncio.create_task(self._deliver(due))
            self.under_way[task] = due.webhook_id
            task.add_done_callback(self._done)
        return len(claimed)

    def _busy(self) -> dict[WebhookId, int]:
        return Counter(self.under_way.values())

    def _done(self, task: asyncio.Task[None]) -> None:
        del self.under_way[task]
        self._ended.set()

    async def _deliver(self, due: Due) -> None:
        try:
            attempt = await self._attempt(due)
            self.succeeded += attempt.succeeded
            self.failed += not attempt.succeeded
            next_at = None if attempt.succeeded else next_attempt(due.attempts + 1, attempt, random.random())
            reason = await self._outbox.settle(due, attempt, next_at)
        except StorageUnavailable:
            return  # nobody knows that it was sent, so it will be once more
        except Exception:  # whatever it is, it comes again when the claim has run out
            log.exception("%s cannot be sent", id_text("evt", due.event.id))
            return
        if reason is not None:
            log.warning("webhook %s is disabled: %s", id_text("whk", due.webhook_id), reason)

    async def _attempt(self, due: Due) -> Attempt:
        post, voices = self._means()
        at, began = self._now(), monotonic()
        voice = voices.get(due.format) or voices[NATIVE]
        body = voice.body(due.event)
        said = {"content-length": str(len(body)), **CONTENT_TYPE, **voice.headers(due.event, at, body, due.secrets)}
        answer, error, wait = None, None, None
        try:
            answer = await post(due.url, body, said)
        except InvalidValue as exc:
            error = exc.detail
        else:
            wait = retry_after(answer.headers.get("retry-after", ""), at)
        return Attempt(
            at=at,
            duration_ms=round((monotonic() - began) * 1000),
            response_status=answer and answer.status,
            error=error,
            retry_after=wait,
        )

    async def _gather(self) -> None:
        if monotonic() >= self._gather_at and not await self._outbox.gather_scans():
            self._gather_at = monotonic() + SCANS_EVERY_S

    async def _forget(self) -> None:
        """What is older than can be seen, now and then."""
        if monotonic() >= self._forget_at and not await self._outbox.forget(self._now() - KEPT):
            self._forget_at = monotonic() + FORGET_EVERY_S


def retry_after(text: str, now: datetime) -> timedelta | None:
    """How long to wait, as a Retry-After says: seconds, or a date (RFC 9110, 10.2.3); None where it says neither."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:10]), 1 << 31))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return at.replace(tzinfo=at.tzinfo or UTC) - now


async def _pause(seconds: float, *unless: asyncio.Event) -> None:
    """Waits, but not past the moment when one of the events is set."""
    tasks = [asyncio.create_task(each.wait()) for each in unless]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
