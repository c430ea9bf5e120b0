"""Use cases: accounts and the keys that open them."""

from collections.abc import Callable
from datetime import datetime

from server.domain.callers import Callers
from server.domain.content.fields import email_address
from server.domain.errors import InvalidValue, NotFound, StorageUnavailable, Unauthenticated
from server.domain.ids import id_text
from server.domain.keys import ALL, NATIVE, KeyFormat, Permission, beyond, digest
from server.domain.label import Label
from server.domain.model import Account, AccountId, ApiKey, ApiKeyId, Caller, Page
from server.domain.plan import UNLIMITED, Plan
from server.domain.ports import AccountStore


class Accounts:
    """Accounts and API keys. Only a key's SHA-256 is kept; the key is returned once, by what makes it."""

    def __init__(self, store: AccountStore, *, now: Callable[[], datetime], new_id: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self._new_id = new_id
        #: Told from outside of what others change.
        self.callers = Callers(store)
        #: When keys were used, as far as that has not been stored yet.
        self._used: dict[ApiKeyId, datetime] = {}

    async def create_first(self) -> str | None:
        """On a database without accounts, makes one with a key and returns the key; else None."""
        account = self._new_account(Label("First account"), None, UNLIMITED)
        record, key = self._new_key(account.id, Label("First key"))
        return key if await self._store.add_first(account, record, digest(key)) else None

    async def create(self, name: Label, *, email: str | None = None, plan: Plan = UNLIMITED) -> Account:
        account = self._new_account(name, None if email is None else email_address(email), plan)
        await self._store.add_account(account)
        return account

    async def get(self, account: AccountId) -> Account:
        found = await self._store.account(account)
        if found is None:
            raise _no_account(account)
        return found

    async def set_plan(self, account: AccountId, plan: Plan) -> Account:
        """From now on; what there is already stays, also where it is more than the plan allows."""
        changed = await self._store.set_plan(account, plan)
        if changed is None:
            raise _no_account(account)
        self.callers.changed([account])
        return changed

    async def list(self, *, before: int | None, limit: int) -> Page[Account, int]:
        """All there are, for whoever runs the server."""
        return await self._store.accounts(before=before, limit=limit)

    async def create_key(
        self,
        account: Account,
        name: Label,
        *,
        permissions: frozenset[Permission] = ALL,
        expires_at: datetime | None = None,
        form: KeyFormat = NATIVE,
        by: ApiKey | None = None,
    ) -> tuple[ApiKey, str]:
        """`by` is the key that asks for it: it can hand on what it has, and no more. Raises InvalidValue, and
        PlanLimit."""
        if by is not None and (more := beyond(by.permissions, permissions)):
            detail = f"The key that asks for this does not have {', '.join(sorted(more))} itself."
            raise InvalidValue("not_held", detail, field="permissions")
        if expires_at is not None and expires_at <= self._now():
            raise InvalidValue("in_the_past", "A key that has expired opens nothing.", field="expires_at")
        record, key = self._new_key(account.id, name, permissions, expires_at, form)
        if not await self._store.add_key(record, digest(key), account.plan):
            raise _no_account(account.id)
        return record, key

    def _new_account(self, name: Label, email: str | None, plan: Plan) -> Account:
        return Account(id=AccountId(self._new_id()), name=name, email=email, plan=plan, created_at=self._now())

    def _new_key(
        self,
        account: AccountId,
        name: Label,
        permissions: frozenset[Permission] = ALL,
        expires_at: datetime | None = None,
        form: KeyFormat = NATIVE,
    ) -> tuple[ApiKey, str]:
        key = form.new()
        record = ApiKey(
            id=ApiKeyId(self._new_id()),
            account_id=account,
            name=name,
            format=form.name,
            permissions=permissions,
            last4=key[-4:],
            expires_at=expires_at,
            created_at=self._now(),
        )
        return record, key

    def known(self, key: str) -> Caller | None:
        """Who holds this key, if that is in memory and it has not expired."""
        caller = self.callers.known(digest(key))
        if caller is None:
            return None
        now, expires_at = self._now(), caller.key.expires_at
        if expires_at is not None and expires_at <= now:
            return None
        self._used[caller.key.id] = now
        return caller

    async def authenticate(self, key: str) -> Caller:
        """Who holds this key; raises Unauthenticated."""
        caller = await self.callers.of(digest(key))
        if caller is None:
            raise Unauthenticated
        now, expires_at = self._now(), caller.key.expires_at
        if expires_at is not None and expires_at <= now:
            raise Unauthenticated(f"This API key has expired on {expires_at:%Y-%m-%d at %H:%M} UTC. Make another one.")
        self._used[caller.key.id] = now
        return caller

    async def store_uses(self) -> None:
        """Stores when keys were used, since it was called the last time; where that cannot be, the next time."""
        used, self._used = self._used, {}
        if used:
            try:
                await self._store.keys_used(used)
            except StorageUnavailable:
                self._used = used | self._used

    async def keys(self, account: AccountId, *, before: int | None, limit: int) -> Page[ApiKey, int]:
        return await self._store.keys(account, before=before, limit=limit)

    async def delete_key(self, account: AccountId, key: ApiKeyId) -> None:
        await self._delete_key(account, key)

    async def revoke_key(self, key: ApiKeyId) -> None:
        """Deletes a key of whatever account, for whoever runs the server."""
        await self._delete_key(None, key)

    async def _delete_key(self, account: AccountId | None, key: ApiKeyId) -> None:
        """It opens nothing any more in this process when this returns; others hear of it by then, or soon after."""
        owner = await self._store.delete_key(account, key)
        if owner is None:
            raise _no_key(key)
        self.callers.changed([owner])


def _no_account(account: AccountId) -> NotFound:
    return NotFound(f"There is no account {id_text('acc', account)!r}.")


def _no_key(key: ApiKeyId) -> NotFound:
    return NotFound.of("API key", id_text("key", key))
