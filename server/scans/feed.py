"""Scans as they come into the log, for clients that follow those of their account.

The database tells each process, once for all clients, whose scans have been written; then those who wait are woken and
read from the log behind the last scan that they have. They take as many as they are able to, so nothing is kept
for anybody, and a slow client is a late one; those who are at the same place are served by one query. Should a
notification be lost, every client looks for itself now and then.
"""

import asyncio
from contextlib import suppress

from server.domain.errors import Busy, StorageUnavailable, TooManyStreams
from server.domain.model import AccountId, RecordedScan, ScanId
from server.domain.ports import RecordedScans

#: Scans that are read at once; as JSON they are a millisecond's work.
PAGE = 100

#: Without a word of the database.
LOOK_EVERY_S = 5.0
RETRY_S = 1.0

#: For an account, in each process; and for all.
MAX_OF_ACCOUNT = 10
MAX_OF_ALL = 1_000


class ScanFeed:
    """`server.domain.ports.ScanFeed`."""

    def __init__(self, recorded: RecordedScans) -> None:
        self._recorded = recorded
        self._followers: dict[AccountId, set[Following]] = {}
        #: What is being read, since the account's last news: by whom, and behind which scan.
        self._reading: dict[AccountId, dict[ScanId, asyncio.Task[list[RecordedScan]]]] = {}
        self.ended = False

    async def follow(self, account: AccountId, behind: ScanId | None) -> "Following":
        if len(self._followers.get(account, ())) >= MAX_OF_ACCOUNT:
            raise TooManyStreams(f"An account has at most {MAX_OF_ACCOUNT} streams at a time. Close one of them.")
        if sum(map(len, self._followers.values())) >= MAX_OF_ALL:
            raise Busy("There are too many streams. Try this again shortly.")
        following = Following(self, account)
        self._followers.setdefault(account, set()).add(following)
        try:
            following.behind = await self._recorded.last() if behind is None else behind
            await self.read(account, following.behind)  # what cannot be had is refused before anything is answered
        except BaseException:
            following.close()
            raise
        return following

    def tell(self, accounts: set[int] | None) -> None:
        """Scans of these accounts have been written, or of any."""
        for account in [each for each in self._followers if accounts is None or each in accounts]:
            self._reading.pop(account, None)  # it may not see them yet
            for each in self._followers[account]:
                each.news.set()

    def end(self) -> None:
        """Every stream comes to its end now, and none begins any more."""
        self.ended = True
        self.tell(None)

    async def read(self, account: AccountId, behind: ScanId) -> list[RecordedScan]:
        """Once, however many ask."""
        reading = self._reading.setdefault(account, {})

        def done(task: asyncio.Task[list[RecordedScan]]) -> None:
            del reading[behind]
            if not task.cancelled():
                task.exception()  # known, also where whoever asked has gone away

        if behind not in reading:
            reading[behind] = asyncio.create_task(self._recorded.after(account, behind, limit=PAGE))
            reading[behind].add_done_callback(done)
        return await asyncio.shield(reading[behind])

    def leave(self, account: AccountId, following: "Following") -> None:
        followers = self._followers[account]
        followers.discard(following)
        if not followers:
            del self._followers[account]
            self._reading.pop(account, None)


class Following:
    """`server.domain.ports.Following`: one client's place in the log."""

    def __init__(self, feed: ScanFeed, account: AccountId) -> None:
        self._feed = feed
        self._account = account
        self.behind = ScanId(0)
        self.news = asyncio.Event()

    @property
    def ended(self) -> bool:
        return self._feed.ended

    async def next(self, within_s: float) -> list[RecordedScan]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not self._feed.ended:
            self.news.clear()  # before it reads: what is told of meanwhile may be missing
            try:
                found = await self._feed.read(self._account, self.behind)
                patience_s = LOOK_EVERY_S
            except (StorageUnavailable, Busy):
                found, patience_s = [], RETRY_S
            if found:
                assert found[-1].id is not None, "it was found by its id"
                self.behind = found[-1].id
                return found
            left_s = deadline - loop.time()
            if left_s <= 0:
                break
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, patience_s)):
                    await self.news.wait()
        return []

    def close(self) -> None:
        self._feed.leave(self._account, self)
