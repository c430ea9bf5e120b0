"""The database's shape grows forward only, and safely with several servers starting at once."""

import asyncio

import pytest

import migrations
from migrations import MigrationChanged, files, migrate
from tests.support import sql


def applied(url: str) -> list[str]:
    return [row[0] for row in sql(url, "SELECT name FROM schema_migrations ORDER BY name")]


def test_an_empty_database_gets_every_migration_and_the_second_time_none(empty_database: str) -> None:
    assert asyncio.run(migrate(empty_database)) == list(files())
    assert asyncio.run(migrate(empty_database)) == []
    assert applied(empty_database) == list(files())


def test_servers_that_start_at_once_apply_each_migration_once(empty_database: str) -> None:
    async def at_once() -> list[list[str]]:
        return await asyncio.gather(*(migrate(empty_database) for _ in range(4)))

    done = [name for names in asyncio.run(at_once()) for name in names]
    assert sorted(done) == list(files())


def test_an_edited_migration_is_refused(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    edited = files() | {"0001_accounts.sql": "SELECT 1"}
    monkeypatch.setattr(migrations, "files", lambda: edited)
    with pytest.raises(MigrationChanged, match="0001_accounts"):
        asyncio.run(migrate(database_url))


def test_a_migration_that_fails_leaves_nothing_of_itself(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = files() | {"9999_broken.sql": "CREATE TABLE half_made (); SELECT 1/0"}
    monkeypatch.setattr(migrations, "files", lambda: broken)
    with pytest.raises(Exception, match="division by zero"):
        asyncio.run(migrate(database_url))
    assert sql(database_url, "SELECT to_regclass('half_made')")[0][0] is None
    assert "9999_broken.sql" not in applied(database_url)
