"""Use cases: the log of scans, row by row."""

from functools import partial

from server.domain.errors import NotCounted
from server.domain.limits import allow_log
from server.domain.links import Links
from server.domain.log import Pages, Wanted
from server.domain.model import Account, AccountId, Link, LinkId, QrCodeId, ScanId
from server.domain.ports import Following, RecordedScans, ScanFeed
from server.domain.qrcodes import QrCodes


class Scans:
    """The scans of an account's links and codes."""

    def __init__(self, recorded: RecordedScans, feed: ScanFeed, links: Links, codes: QrCodes) -> None:
        self._recorded = recorded
        self._feed = feed
        self._links = links
        self._codes = codes

    async def of_account(self, account: Account, wanted: Wanted) -> Pages:
        """All of its scans, those that came into the log last first. Raises PlanLimit, as all of these."""
        allow_log(account.plan, wanted)
        return partial(self._recorded.of_account, account.id, wanted)

    async def of_link(self, account: Account, link_id: LinkId, wanted: Wanted) -> Pages:
        allow_log(account.plan, wanted)
        await self._links.get(account.id, link_id)
        return partial(self._recorded.of_link, link_id, wanted)

    async def of_code(self, account: Account, code_id: QrCodeId, wanted: Wanted) -> Pages:
        """Those of its link, which go on when that is deleted."""
        allow_log(account.plan, wanted)
        code = await self._codes.get(account.id, code_id)
        if not isinstance(code.content, Link):
            raise NotCounted
        return partial(self._recorded.of_link, code.content.id, wanted)

    async def follow(self, account: AccountId, behind: ScanId | None, link_id: LinkId | None) -> Following:
        """All that come behind a scan, or from now on; a link, where one is meant, has to be the account's. Raises
        TooManyStreams."""
        if link_id is not None:
            await self._links.get(account, link_id)
        return await self._feed.follow(account, behind)
