"""The database's shape grows forward only, and safely with several servers starting at once."""

import asyncio
import re
from pathlib import Path

import asyncpg
import pytest

import migrations
from migrations import MigrationChanged, files, migrate
from tests.support import DEADLINE_S, sql


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


def test_an_index_whose_making_was_broken_off_is_made_again(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = "CREATE INDEX CONCURRENTLY {name} ON accounts ((10 / length(name)));"
    indexes = files() | {"9999_indexes.sql": f"-- Two.\n{made.format(name='one')}\n" + made.format(name="two")}
    monkeypatch.setattr(migrations, "files", lambda: indexes)
    sql(database_url, "INSERT INTO accounts (id, name, created_at) VALUES (1, '', now())")
    with pytest.raises(Exception, match="division by zero"):
        asyncio.run(migrate(database_url))
    assert "9999_indexes.sql" not in applied(database_url)
    sql(database_url, "UPDATE accounts SET name = 'Ours'")
    assert asyncio.run(migrate(database_url)) == ["9999_indexes.sql"]
    valid = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisvalid AND indrelid = 'accounts'::regclass"
    assert {"one", "two"} <= {row[0] for row in sql(database_url, valid)}


DISTRIBUTED = re.compile(r"create_distributed_table\('(\w+)', '(\w+)'")
#: What Citus refuses: unique keys without the column, one that may be null, and foreign keys to tables elsewhere.
REFUSED = """
    SELECT conname AS name FROM pg_constraint WHERE contype = 'f' AND $1::regclass IN (conrelid, confrelid)
    UNION ALL SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2 AND NOT attnotnull
    UNION ALL SELECT indexrelid::regclass::text FROM pg_index
        JOIN pg_attribute ON attrelid = indrelid AND attname = $2
        WHERE indrelid = $1::regclass AND indisunique AND attnum <> ALL (indkey)
"""


def test_tables_can_be_distributed_as_the_guide_says(database_url: str) -> None:
    guide = (Path(__file__).parents[2] / "docs/scaling.md").read_text()
    tables = DISTRIBUTED.findall(guide)
    assert [table for table, _ in tables] == [
        "scans",
        *(f"scan_{kind}" for kind in ("fresh", "quarters", "days", "months")),
    ]
    of_figures = [(table, "account_id") for table, _ in tables[1:]]
    for table, column in tables + of_figures:
        assert sql(
            database_url, "SELECT 1 FROM pg_attribute WHERE attrelid = $1::regclass AND attname = $2", table, column
        )
        assert sql(database_url, REFUSED, table, column) == []
    assert sql(database_url, REFUSED, "links", "account_id"), "it does find some"


@pytest.mark.anyio
async def test_everybody_writes_while_an_index_waits_for_an_older_transaction(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = files() | {"9999_index.sql": "CREATE INDEX CONCURRENTLY by_title ON links (title)"}
    monkeypatch.setattr(migrations, "files", lambda: index)
    older, writer = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        await older.execute("BEGIN; INSERT INTO accounts (id, name, created_at) VALUES (1, 'Ours', now())")
        await older.execute("UPDATE links SET title = title")
        migrating = asyncio.create_task(migrate(database_url))
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'virtualxid' AND NOT granted"
        async with asyncio.timeout(DEADLINE_S):
            while not await writer.fetchval(waits):
                assert not migrating.done()
        await writer.execute("SET lock_timeout = '1s'")
        await writer.execute("UPDATE links SET title = title")
        await older.execute("COMMIT")
        assert await migrating == ["9999_index.sql"]
    finally:
        await older.close()
        await writer.close()
