"""Use cases: the log of scans, row by row."""

from server.domain.errors import NotCounted
from server.domain.links import Links
from server.domain.log import LogPage, Place, Wanted
from server.domain.model import AccountId, Link, LinkId, QrCodeId, ScanId
from server.domain.ports import Following, RecordedScans, ScanFeed
from server.domain.qrcodes import QrCodes


class Scans:
    """The scans of an account's links and codes."""

    def __init__(self, recorded: RecordedScans, feed: ScanFeed, links: Links, codes: QrCodes) -> None:
        self._recorded = recorded
        self._feed = feed
        self._links = links
        self._codes = codes

    async def of_link(
        self, account: AccountId, link_id: LinkId, wanted: Wanted, *, before: Place | None, limit: int
    ) -> LogPage:
        await self._links.get(account, link_id)
        return await self._recorded.of_link(link_id, wanted, before=before, limit=limit)

    async def of_code(
        self, account: AccountId, code_id: QrCodeId, wanted: Wanted, *, before: Place | None, limit: int
    ) -> LogPage:
        """Those of its link, which go on when that is deleted."""
        code = await self._codes.get(account, code_id)
        if not isinstance(code.content, Link):
            raise NotCounted
        return await self._recorded.of_link(code.content.id, wanted, before=before, limit=limit)

    async def follow(self, account: AccountId, behind: ScanId | None, link_id: LinkId | None) -> Following:
        """All that come behind a scan, or from now on; a link, where one is meant, has to be the account's. Raises
        TooManyStreams."""
        if link_id is not None:
            await self._links.get(account, link_id)
        return await self._feed.follow(account, behind)
