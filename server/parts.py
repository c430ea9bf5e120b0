"""What several processes and commands are made of, so that each need not have what only the others use."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from migrations import checksums
from server import dialects
from server.dialects.naming import chosen, hosts_of
from server.domain.accounts import Accounts
from server.domain.errors import InvalidValue
from server.domain.ids import id_source
from server.domain.plan import Plans
from server.domain.slug import Slug
from server.plans import known_plans
from server.settings import PREFIX, IllegalSetting, Settings
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import MAX_CONNECTIONS, Database

#: Before what has failed is tried again, in the background.
RETRY_S = 0.5

#: No function of ours, as each request asks it three times.
now = partial(datetime.now, UTC)


def plans_of(config: Settings) -> Plans:
    """The plans that accounts may have; raises IllegalSetting."""
    return known_plans(dialects.plans(), config.plans)


def dialects_of(config: Settings) -> tuple[list[str], dict[str, str]]:
    """The dialects that are spoken, and by the name of a host the one that is spoken there; raises IllegalSetting."""
    try:
        spoken = chosen(config.dialects)
        return spoken, hosts_of(config.dialect_hosts, spoken)
    except InvalidValue as exc:
        raise IllegalSetting(f"{PREFIX}{exc.field}: {exc.detail}") from exc


def short_urls(config: Settings) -> Callable[[Slug], str]:
    def short_url(slug: Slug) -> str:
        return f"{config.base_url}/{slug}"

    return short_url


# --- the database ---------------------------------------------------------------------------------------------------


def database_at(url: str, *, max_connections: int = MAX_CONNECTIONS) -> Database:
    return Database(url, max_connections=max_connections, migrations=checksums())


@asynccontextmanager
async def opened(database_url: str) -> AsyncIterator[Database]:
    """A database for as long as something is done in it from outside, whichever servers run on it."""
    database = database_at(database_url, max_connections=1)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def accounts_in(database_url: str, plans: Plans) -> AsyncIterator[Accounts]:
    """The accounts of a database, whichever servers run on it."""
    async with opened(database_url) as database:
        yield Accounts(PostgresAccounts(database, plans), now=now, new_id=id_source(now))
