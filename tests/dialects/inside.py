"""A dialect in this process, for what nobody does at the vendors' addresses: to have pictures there."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import httpx

from server.asgi import Receive, Scope, Send
from server.dialects.dialect import Dialect, Kit
from server.dialects.mounts import mounted
from server.domain.accounts import Accounts
from server.domain.design import Picture
from server.domain.label import Label
from server.domain.limits import Limits
from server.domain.links import Links
from server.domain.many import Many
from server.domain.qrcodes import QrCodes
from server.domain.studio import Studio
from server.edge.image_cache import Images
from server.parts import now
from server.passwords import Passwords
from server.render.image import Painter
from server.requests import Requests
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.answers import PostgresAnswers
from server.storage.postgres.links import PostgresLinks
from server.storage.postgres.pictures import PostgresPictures
from server.storage.postgres.pool import Database
from server.storage.postgres.qrcodes import PostgresQrCodes
from server.storage.postgres.stats import PostgresStats
from server.storage.postgres.usage import PostgresUsage
from tests.support import PLANS, new_id


@asynccontextmanager
async def inside(
    database_url: str, dialect: Dialect, there: Callable[[str], Awaitable[bytes]], *, plan: str = "unlimited"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the key of a new account; `there` is what is found at an address of a picture."""
    database = Database(database_url, max_connections=2)
    await database.open()
    try:
        painter = Painter(max_pixels=100_000_000)

        async def fetched(url: str) -> Picture:
            admitted = await painter.admit(await there(url))
            return Picture(url=url, sha256=admitted.sha256, data=admitted.data)

        async def changed(_: object) -> None:
            pass

        accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
        stored, codes_stored, passwords = PostgresLinks(database), PostgresQrCodes(database), Passwords()
        links = Links(stored, PostgresStats(database), passwords, now=now, new_id=new_id, changed=changed)
        studio = Studio(painter, Images(max_bytes=1 << 20, shared=None), PostgresPictures(database), fetched=fetched)
        codes = QrCodes(codes_stored, links, studio, now=now, new_id=new_id, short_url=str, changed=changed)
        anything = cast("Any", None)  # which is not asked
        kit = Kit(
            accounts=accounts,
            limits=Limits(PostgresUsage(database), None, now=now),
            links=links,
            codes=codes,
            studio=studio,
            barcodes=anything,
            many=Many(links, codes, stored, codes_stored, passwords, changed=changed),
            scans=anything,
            webhooks=anything,
            kept=PostgresAnswers(database),
            now=now,
            base_url="http://here",
        )
        account = await accounts.create(Label("Vendor's client"), plan=PLANS.named(plan))
        _, key = await accounts.create_key(account, Label("Test"))
        app = mounted(_nobody, [dialect], kit, Requests(), hosts={})
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=cast("Any", app)),
            base_url=f"http://here/{dialect.name}{dialect.root}",
            headers={"authorization": f"Bearer {key}"},
        ) as client:
            yield client
    finally:
        await database.close()


async def _nobody(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope["path"])
