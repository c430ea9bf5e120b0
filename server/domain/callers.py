"""Who holds a key, in memory, as long as the database tells of every change."""

from collections.abc import Collection
from itertools import islice

from server.domain.model import AccountId, Caller
from server.domain.ports import AccountStore

#: About 1 KB each.
MAX_CALLERS = 10_000


class Callers:
    """Digest of a key -> its caller, of keys that were used; past `most`, those go that have been there the longest.

    Kept right from outside, by `changed` and `lost`. As long as nobody tells of changes, the database is asked each
    time; and each time for a key that it does not know, or one just made might be refused.
    """

    def __init__(self, store: AccountStore, *, most: int = MAX_CALLERS) -> None:
        self._store = store
        self._most = most
        self._told = False
        self._callers: dict[bytes, Caller] = {}
        #: The digests of each account's keys among them.
        self._digests: dict[AccountId, set[bytes]] = {}
        #: Grows with every change: what was asked for before one may be older than it.
        self._changes = 0

    def __len__(self) -> int:
        return len(self._callers)

    def known(self, digest: bytes) -> Caller | None:
        """Who holds this key, if that is in memory."""
        return self._callers.get(digest)

    async def of(self, digest: bytes) -> Caller | None:
        """Who holds this key, whether it has expired or not; raises StorageUnavailable."""
        caller = self._callers.get(digest)
        if caller is not None:
            return caller
        changes = self._changes
        caller = await self._store.caller(digest)
        if caller is not None and self._told and changes == self._changes:
            self._put(digest, caller)
        return caller

    def changed(self, accounts: Collection[AccountId] | None) -> None:
        """These accounts, or keys of theirs, have changed; with None, any may have, and from now on all is told."""
        self._changes += 1
        if accounts is None:
            self._forget(told=True)
            return
        for account in accounts:
            for digest in self._digests.pop(account, ()):
                del self._callers[digest]

    def lost(self) -> None:
        """From now on nothing is told."""
        self._changes += 1
        self._forget(told=False)

    def _forget(self, *, told: bool) -> None:
        self._told = told
        self._callers, self._digests = {}, {}

    def _put(self, digest: bytes, caller: Caller) -> None:
        self._callers[digest] = caller
        self._digests.setdefault(caller.account.id, set()).add(digest)
        if len(self._callers) > self._most:
            # Several at once: one by one, each would be searched for past those dropped before.
            for oldest in list(islice(self._callers, self._most // 16 + 1)):
                self._drop(oldest)

    def _drop(self, digest: bytes) -> None:
        account = self._callers.pop(digest).account.id
        self._digests[account].discard(digest)
        if not self._digests[account]:
            del self._digests[account]
