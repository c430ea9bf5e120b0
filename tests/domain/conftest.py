"""The use cases in this process, on the real stores and the real painter, with a clock that ticks when it is read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from server.domain.accounts import Accounts
from server.domain.design import Picture
from server.domain.ids import id_source
from server.domain.label import Label
from server.domain.links import Links
from server.domain.model import Account, Target
from server.domain.qrcodes import QrCodes
from server.domain.slug import Slug
from server.domain.studio import Studio
from server.edge.image_cache import Images
from server.passwords import Passwords
from server.render.image import Painter
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.links import PostgresLinks, PostgresTargets
from server.storage.postgres.pictures import PostgresPictures
from server.storage.postgres.pool import Database
from server.storage.postgres.qrcodes import PostgresQrCodes
from server.storage.postgres.stats import PostgresStats
from tests.conftest import TEMPLATE
from tests.support import PLANS, Databases


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything a use case needs, for one account and for another one that should notice nothing."""

    accounts: Accounts
    links: Links
    codes: QrCodes
    account: Account
    foreign: Account
    database: Database
    #: For each change that was told of, in order: what the database held of the slug at that moment.
    told: list[Target]


@pytest.fixture(scope="session")
def shared_database_url(databases: Databases) -> str:
    """One database for all of these tests, as each has an account of its own."""
    return databases.create(template=TEMPLATE)


@pytest.fixture
async def database(shared_database_url: str) -> AsyncIterator[Database]:
    database = Database(shared_database_url, max_connections=4)
    await database.open()
    yield database
    await database.close()


@pytest.fixture
async def desk(database: Database) -> Desk:
    started = datetime.now(UTC).replace(microsecond=0)
    ticks = iter(range(1_000_000))
    told: list[Target] = []

    def now() -> datetime:
        return started + timedelta(milliseconds=next(ticks))

    async def changed(slug: Slug) -> None:
        """Asks on another connection, which sees only what has been committed."""
        told.extend(await PostgresTargets(database).some([slug]))

    new_id = id_source(now)
    accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
    links = Links(
        PostgresLinks(database), PostgresStats(database), Passwords(), now=now, new_id=new_id, changed=changed
    )

    async def nothing_there(url: str) -> Picture:
        raise NotImplementedError

    studio = Studio(
        Painter(max_pixels=10_000_000),
        Images(max_bytes=1 << 20, shared=None),
        PostgresPictures(database),
        fetched=nothing_there,
    )
    codes = QrCodes(
        PostgresQrCodes(database),
        links,
        studio,
        now=now,
        new_id=new_id,
        short_url=lambda slug: f"https://qr.example/{slug}",
        changed=changed,
    )
    return Desk(
        accounts=accounts,
        links=links,
        codes=codes,
        account=await accounts.create(Label("Ours")),
        foreign=await accounts.create(Label("Theirs")),
        database=database,
        told=told,
    )
