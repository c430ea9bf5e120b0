"""Use cases: webhooks."""

import base64
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from secrets import token_bytes

from server.domain.delivery import NATIVE, TEST, Delivery, EventType, Webhook, WebhookChanges
from server.domain.destination import Destination
from server.domain.errors import InvalidValue, NotFound, WebhookInactive
from server.domain.ids import id_text
from server.domain.label import Label
from server.domain.limits import allow_webhooks
from server.domain.model import Account, AccountId, EventId, Page, WebhookId
from server.domain.ports import WebhookStore
from server.domain.whole import every

#: Standard Webhooks takes 24 to 64.
SECRET_BYTES = 32

#: How many a page of the store has at most.
PAGE = 100

#: How long the secret before the last one signs, too.
OVERLAP = timedelta(hours=24)


class Webhooks:
    """Webhooks of an account, and the log of what was sent to them.

    `check` raises InvalidValue, without a field, for a URL that nothing is sent to. Secrets are returned once, by what
    makes them.
    """

    def __init__(
        self,
        store: WebhookStore,
        check: Callable[[str], Awaitable[None]],
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], int],
    ) -> None:
        self._store = store
        self._check = check
        self._now = now
        self._new_id = new_id

    async def create(
        self,
        account: Account,
        url: Destination,
        events: tuple[EventType, ...],
        *,
        name: Label | None = None,
        format: str = NATIVE,
        active: bool = True,
        secret: bytes | None = None,
    ) -> tuple[Webhook, str]:
        """A new webhook and its secret, which may be the receiver's own; raises InvalidValue for where it leads, and
        PlanLimit."""
        allow_webhooks(account.plan)
        await self._check_url(url)
        now = self._now()
        webhook = Webhook(
            id=WebhookId(self._new_id()),
            account_id=account.id,
            name=name,
            url=url,
            events=events,
            format=format,
            active=active,
            created_at=now,
            updated_at=now,
        )
        secret = secret or token_bytes(SECRET_BYTES)
        await self._store.add(webhook, secret)
        return webhook, secret_text(secret)

    async def get(self, account: AccountId, webhook_id: WebhookId) -> Webhook:
        return _found(await self._store.get(account, webhook_id), webhook_id)

    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[Webhook, int]:
        return await self._store.list(account, before=before, limit=limit)

    async def told_in(self, account: AccountId, formats: Collection[str]) -> Sequence[Webhook]:
        """All of these formats, the newest first."""
        found = await every(lambda before: self._store.list(account, before=before, limit=PAGE))
        return [each for each in found if each.format in formats]

    async def change(self, account: Account, webhook_id: WebhookId, changes: WebhookChanges) -> Webhook:
        if changes.get("active"):
            allow_webhooks(account.plan)
        if "url" in changes:
            await self.get(account.id, webhook_id)  # whoever has none has no names looked up either
            await self._check_url(changes["url"])
        return _found(await self._store.change(account.id, webhook_id, changes, self._now()), webhook_id)

    async def delete(self, account: AccountId, webhook_id: WebhookId) -> None:
        if not await self._store.delete(account, webhook_id):
            raise _missing(webhook_id)

    async def rotate_secret(self, account: AccountId, webhook_id: WebhookId) -> tuple[Webhook, str]:
        """A new secret, beside which the one before signs for OVERLAP."""
        secret, now = token_bytes(SECRET_BYTES), self._now()
        webhook = _found(await self._store.rotate(account, webhook_id, secret, now, now + OVERLAP), webhook_id)
        return webhook, secret_text(secret)

    async def test(self, account: AccountId, webhook_id: WebhookId) -> Delivery:
        """Has an event sent that says nothing; raises WebhookInactive."""
        await self._active(account, webhook_id)
        delivery = await self._store.add_event(webhook_id, TEST)
        if delivery is None:
            raise _missing(webhook_id)
        return delivery

    async def deliveries(
        self, account: AccountId, webhook_id: WebhookId, *, before: int | None, limit: int
    ) -> Page[Delivery, int]:
        await self.get(account, webhook_id)
        return await self._store.deliveries(webhook_id, before=before, limit=limit)

    async def redeliver(self, account: AccountId, webhook_id: WebhookId, event_id: EventId) -> Delivery:
        """Has it sent again now, and as often as a new one if need be; raises WebhookInactive."""
        await self._active(account, webhook_id)
        delivery = await self._store.redeliver(webhook_id, event_id, self._now())
        if delivery is None:
            raise NotFound.of("delivery", id_text("evt", event_id))
        return delivery

    async def _check_url(self, url: str) -> None:
        try:
            await self._check(url)
        except InvalidValue as exc:
            raise InvalidValue(exc.reason, exc.detail, field="url") from exc

    async def _active(self, account: AccountId, webhook_id: WebhookId) -> None:
        if not (await self.get(account, webhook_id)).active:
            raise WebhookInactive


def _found(webhook: Webhook | None, webhook_id: WebhookId) -> Webhook:
    if webhook is None:
        raise _missing(webhook_id)
    return webhook


def _missing(webhook_id: WebhookId) -> NotFound:
    return NotFound.of("webhook", id_text("whk", webhook_id))


def secret_text(secret: bytes) -> str:
    """The secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(secret).decode()}"
