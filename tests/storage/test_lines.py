"""The link table comes out of PostgreSQL as it went in, whatever somebody has put there by SQL."""

import asyncio

import pytest

from server.domain.model import LinkId, Target, Targets
from server.storage.lines import last_id, targets
from server.storage.postgres.links import PAGE_LINKS, PostgresTargets
from server.storage.postgres.pool import Database
from tests.support import sql

pytestmark = pytest.mark.anyio

ACCOUNT = "INSERT INTO accounts VALUES (1, 'Test', now())"
LINK = (
    "INSERT INTO links (id, account_id, slug, destination, created_at, updated_at) VALUES ($1, 1, $2, $3, now(), now())"
)
MANY = """
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, 1, 'slug' || number, 'https://example.com/' || number, now(), now()
    FROM generate_series(1, $1::int) AS number
"""

STRANGE = [
    "https://example.com/a\\b",
    "https://example.com/\t\n\r\b\f\v",
    "https://example.com/ü€😀",
    "https://example.com/\x01\x7f",
    "\\N",
    "\\.",
    "",
]


async def table(url: str, limit: int = 1_000_000) -> list[Targets]:
    database = Database(url)
    await database.open()
    try:
        return [each async for each in PostgresTargets(database).all(limit)]
    finally:
        await database.close()


async def test_plain_links_are_ready_for_use_and_others_are_told_apart(database_url: str) -> None:
    await run(database_url, ACCOUNT)
    for number, destination in enumerate(["https://example.com/", *STRANGE], start=1):
        await run(database_url, LINK, number, f"s{number}", destination)
    (page,) = await table(database_url)
    plain = {slug: (int.from_bytes(entry[:8], "little"), entry[8:]) for slug, entry in zip(*page[:2], strict=True)}
    assert plain == {"s1": (1, b"https://example.com/"), "s8": (8, b"")}
    assert page.others == [
        Target(LinkId(number), f"s{number}", destination, deleted=False)
        for number, destination in enumerate(STRANGE[:-1], start=2)
    ]


async def test_guards_and_deleted_links_come_as_they_do_one_by_one(database_url: str) -> None:
    await run(database_url, ACCOUNT)
    await run(database_url, MANY, 8)
    for change in (
        "deleted_at = now() WHERE id = 1",
        "active = false WHERE id = 2",
        """rules = '[{"destination": "https://example.com/\\"\\\\tü"}]' WHERE id = 3""",
        "fallback_url = 'https://example.com/gone', deleted_at = now() WHERE id = 4",
        "expires_at = 'infinity' WHERE id = 5",
        "redirect_status = 308, forward_query = true, max_scans = 5, password_hash = 'a\tb' WHERE id = 6",
    ):
        await run(database_url, f"UPDATE links SET {change}")
    (page,) = await table(database_url)
    assert page.slugs == ["slug7", "slug8"]
    database = Database(database_url)
    await database.open()
    one_by_one = await PostgresTargets(database).some([f"slug{number}" for number in range(1, 7)])
    await database.close()
    assert page.others == sorted(one_by_one)


async def test_pages_follow_each_other_without_a_gap_and_the_limit_takes_the_newest(database_url: str) -> None:
    await run(database_url, ACCOUNT)
    assert await table(database_url) == []
    await run(database_url, MANY, 2 * PAGE_LINKS + 1)
    for limit in (1, PAGE_LINKS, PAGE_LINKS + 1, 2 * PAGE_LINKS + 1, 1_000_000):
        slugs = [slug for page in await table(database_url, limit) for slug in page.slugs]
        first = max(1, 2 * PAGE_LINKS + 2 - limit)
        assert slugs == [f"slug{number}" for number in range(first, 2 * PAGE_LINKS + 2)]


def test_of_no_lines_nothing_is_made() -> None:
    assert targets(b"") == Targets([], [], [])


def test_the_last_line_says_where_to_go_on() -> None:
    assert last_id(b"7\ta\thttps://a.example/\t\n") == 7
    assert last_id(b"7\ta\thttps://a.example/\t\n-8\tb\thttps://b.example/\t{}\n") == -8


async def run(url: str, query: str, *arguments: object) -> None:
    await asyncio.to_thread(sql, url, query, *arguments)
