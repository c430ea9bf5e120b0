"""What webhooks are told: the events that changes put down, whoever makes them."""

from collections.abc import Callable
from typing import Any

import asyncpg
import orjson
import pytest

from tests.support import sql

Event = tuple[str, dict[str, Any]]

HOOK = """
    INSERT INTO webhooks (id, account_id, url, events, active, secret, created_at, updated_at)
    VALUES ($1, $2, 'https://example.com/', $3, $4, '', now(), now())
"""
LINK = """
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    VALUES (1, 1, 'menu', 'https://example.com/', now(), now())
"""
CODE = """
    INSERT INTO qr_codes (id, account_id, link_id, design, created_at, updated_at) VALUES (2, 1, 1, '{}', now(), now())
"""
ALL = [f"{thing}.{verb}" for thing in ("link", "qr_code") for verb in ("created", "updated", "deleted", "restored")]


@pytest.fixture
def run(database_url: str) -> Callable[..., list[Event]]:
    """Runs a statement and returns what it put down, for an account whose only webhook wants everything."""
    for account in (1, 2):
        sql(database_url, "INSERT INTO accounts (id, name, created_at) VALUES ($1, 'Test', now())", account)
    sql(database_url, HOOK, 10, 1, ALL, True)
    told = 0

    def run(query: str, *arguments: object) -> list[Event]:
        nonlocal told
        sql(database_url, query, *arguments)
        events = sql(database_url, "SELECT type, data FROM webhook_events ORDER BY at OFFSET $1", told)
        told += len(events)
        return [(kind, orjson.loads(data)) for kind, data in events]

    return run


def kinds(events: list[Event]) -> list[str]:
    return [kind for kind, _ in events]


def test_each_change_of_a_link_is_told_once_with_the_link_as_it_then_was(run: Callable[..., list[Event]]) -> None:
    ((kind, data),) = run(LINK)
    assert (kind, data["link"]["slug"], data["link"]["title"]) == ("link.created", "menu", None)
    ((kind, data),) = run("UPDATE links SET title = 'Menu'")
    assert (kind, data["link"]["title"]) == ("link.updated", "Menu")
    assert run("UPDATE links SET title = 'Menu'") == [], "nothing has changed"
    ((kind, data),) = run("UPDATE links SET deleted_at = now(), title = 'Old menu'")
    assert (kind, data["link"]["title"]) == ("link.deleted", "Old menu")
    assert run("UPDATE links SET title = 'Older menu'") == [], "what becomes of a deleted link is nobody's news"
    assert kinds(run("UPDATE links SET deleted_at = NULL")) == ["link.restored"]
    assert kinds(run("DELETE FROM links")) == ["link.deleted"]


def test_a_link_that_was_deleted_before_is_not_deleted_again(run: Callable[..., list[Event]]) -> None:
    run(LINK)
    run("UPDATE links SET deleted_at = now()")
    assert run("DELETE FROM links") == []


def test_each_change_of_a_code_is_told_with_its_link(run: Callable[..., list[Event]]) -> None:
    run(LINK)
    ((kind, data),) = run(CODE)
    assert (kind, data["qr_code"]["id"], data["link"]["slug"]) == ("qr_code.created", 2, "menu")
    ((kind, data),) = run("UPDATE qr_codes SET name = 'Table 7'")
    assert (kind, data["qr_code"]["name"]) == ("qr_code.updated", "Table 7")
    assert kinds(run("DELETE FROM qr_codes")) == ["qr_code.deleted"]


def test_the_hash_of_a_password_is_told_to_nobody(run: Callable[..., list[Event]]) -> None:
    run(LINK)
    ((_, data),) = run("UPDATE links SET password_hash = 'secret'")
    assert data["link"]["password_hash"] == ""
    ((_, data),) = run(CODE)
    assert data["link"]["password_hash"] == ""


@pytest.mark.parametrize(
    ("account", "events", "active"), [(2, ALL, True), (1, ["link.updated"], True), (1, ALL, False), (1, [], True)]
)
def test_nothing_is_put_down_that_nobody_wants(
    run: Callable[..., list[Event]], account: int, events: list[str], active: bool
) -> None:
    run("DELETE FROM webhooks")
    run(HOOK, 11, account, events, active)
    assert run(LINK) == []


def test_each_webhook_of_the_account_that_wants_it_gets_it(run: Callable[..., list[Event]], database_url: str) -> None:
    run(HOOK, 11, 1, ["link.created"], True)
    run(HOOK, 12, 1, ["link.deleted"], True)
    run(HOOK, 13, 2, ["link.created"], True)
    assert len(run(LINK)) == 1
    assert [row[0] for row in sql(database_url, "SELECT webhook_id FROM webhook_deliveries ORDER BY 1")] == [10, 11]


def test_what_is_undone_is_not_told(run: Callable[..., list[Event]]) -> None:
    """The second of them has the slug of the first."""
    with pytest.raises(asyncpg.UniqueViolationError):
        run(f"WITH first AS ({LINK} RETURNING id) {LINK.replace('(1,', '(2,')}")
    assert run("SELECT") == []


def test_many_changes_at_once_are_each_told(run: Callable[..., list[Event]]) -> None:
    events = run("""
        INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
        SELECT number, 1, 's' || number, 'https://example.com/', now(), now() FROM generate_series(1, 500) AS number
    """)
    assert sorted(data["link"]["id"] for _, data in events) == list(range(1, 501))


def test_an_event_whose_id_another_one_has_gets_another(run: Callable[..., list[Event]], database_url: str) -> None:
    """On a database whose clock stands, and whose dice fall thrice the same way before they fall another one."""
    name = database_url.partition("?")[0].rpartition("/")[2]
    for statement in (
        "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT timestamptz '2026-11-20' $$",
        "CREATE SEQUENCE falls",
        "CREATE FUNCTION random() RETURNS float8 LANGUAGE sql AS $$ SELECT (nextval('falls') / 3)::float8 / 1000 $$",
        f"ALTER DATABASE {name} SET search_path = public, pg_catalog",
    ):
        sql(database_url, statement)
    run(LINK)
    run("UPDATE links SET title = 'Menu'")
    run("UPDATE links SET title = 'Old menu'")
    (row,) = sql(database_url, "SELECT count(*), count(DISTINCT at) FROM webhook_events")
    assert tuple(row) == (3, 1)
    assert sql(database_url, "SELECT last_value FROM falls")[0][0] > 3, "they fell the same way"


def test_a_webhook_that_is_deleted_takes_all_of_its_log_along(
    run: Callable[..., list[Event]], database_url: str
) -> None:
    run(LINK)
    run("DELETE FROM webhooks")
    assert sql(database_url, "SELECT FROM webhook_deliveries") == []
