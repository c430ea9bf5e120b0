"""Idempotency-Key: a request that is sent again is answered again, and done once."""

import asyncio
import os
import secrets
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import pytest

from server.storage.postgres.answers import PostgresAnswers
from server.storage.postgres.pool import Database
from tests.api.exchange import LISTS, Json, everything, new_link, problem
from tests.support import ServerProcess, sql, until

LINK = {"destination": "https://example.com/"}


def send(api: httpx.Client, key: str, path: str = "/links", body: Json = LINK, **headers: str) -> httpx.Response:
    return api.post(path, json=body, headers={"idempotency-key": key, **headers})


def account_of(server: ServerProcess, api: httpx.Client) -> int:
    key = api.headers["authorization"].removeprefix("Bearer ").encode()
    return int(sql(server.database_url, "SELECT account_id FROM api_keys WHERE digest = sha256($1)", key)[0][0])


@contextmanager
def table_locked(url: str, table: str) -> Iterator[None]:
    """While nobody can write to a table."""
    held, release = threading.Event(), threading.Event()

    async def hold() -> None:
        connection = await asyncpg.connect(url)
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            held.set()
            await asyncio.to_thread(release.wait)
        await connection.close()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    held.wait()
    try:
        yield
    finally:
        release.set()
        thread.join()


def waiting(url: str) -> bool:
    """Whether somebody waits for a lock."""
    return bool(sql(url, "SELECT FROM pg_locks WHERE NOT granted"))


def test_what_is_sent_again_is_answered_again_and_done_once(api: httpx.Client, anyone: httpx.Client) -> None:
    key = str(uuid4())
    first = send(api, key)
    assert first.status_code == 201
    assert "idempotent-replayed" not in first.headers
    assert anyone.get(first.json()["short_url"]).status_code == 302, "known as soon as it is answered"
    again = send(api, key)
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (201, first.content)
    assert [again.headers[name] for name in ("location", "content-type")] == [
        first.headers[name] for name in ("location", "content-type")
    ]
    assert len(api.get("/links").json()["data"]) == 1
    assert send(api, str(uuid4())).json()["id"] != first.json()["id"]


def test_every_post_that_makes_something_takes_a_key(api: httpx.Client) -> None:
    before = {path: len(page["data"]) for path, page in zip(LISTS, everything(api), strict=True)}
    for path, body in (("/qr-codes", LINK), ("/api-keys", {"name": "Till"}), ("/links", LINK)):
        key = str(uuid4())
        answers = [send(api, key, path, body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201], path
        assert answers[0].json()["id"] == answers[1].json()["id"]
    after = {path: len(page["data"]) for path, page in zip(LISTS, everything(api), strict=True)}
    assert {path: after[path] - before[path] for path in LISTS} == {
        "/links": 2,  # one is the code's own
        "/qr-codes": 1,
        "/api-keys": 1,
        "/webhooks": 0,
    }


def test_another_body_or_address_needs_another_key(api: httpx.Client) -> None:
    key = str(uuid4())
    assert send(api, key).status_code == 201
    before = everything(api)
    problem(send(api, key, body={"destination": "https://example.com/other"}), 409, "idempotency_key_reused")
    problem(send(api, key, "/qr-codes"), 409, "idempotency_key_reused")
    problem(send(api, key, "/links?a=b"), 409, "idempotency_key_reused")
    assert everything(api) == before
    assert send(api, key).status_code == 201


def test_a_key_is_the_accounts_own(api: httpx.Client, stranger: httpx.Client) -> None:
    key = str(uuid4())
    mine, theirs = send(api, key), send(stranger, key)
    assert mine.json()["id"] != theirs.json()["id"]
    assert "idempotent-replayed" not in theirs.headers


def test_a_refusal_that_is_final_is_kept_and_one_that_may_pass_is_not(
    api: httpx.Client, stranger: httpx.Client
) -> None:
    key, wrong = str(uuid4()), {"destination": "ftp://example.com"}
    first = problem(send(api, key, body=wrong), 422, "invalid_fields")
    again = send(api, key, body=wrong)
    assert problem(again, 422, "invalid_fields")["request_id"] == first["request_id"]
    assert again.headers["idempotent-replayed"] == "true"
    taken = {**LINK, "slug": new_link(stranger)["slug"]}
    key = str(uuid4())
    bodies = [problem(send(api, key, body=taken), 409, "slug_taken") for _ in range(2)]
    assert bodies[0] == bodies[1]
    key = str(uuid4())
    broken = {"idempotency-key": key, "content-type": "application/json"}
    problem(api.post("/links", content=b"{", headers=broken), 400, "malformed_body")
    assert send(api, key).status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "two words", "t\tab"])
def test_what_is_no_key_is_refused(api: httpx.Client, key: str) -> None:
    problem(send(api, key), 400, "invalid_idempotency_key")
    assert api.get("/links").json()["data"] == []


def test_one_key_is_enough(api: httpx.Client) -> None:
    headers = [("idempotency-key", "one"), ("idempotency-key", "two")]
    problem(api.post("/links", json=LINK, headers=headers), 400, "invalid_idempotency_key")
    assert send(api, "x" * 255).status_code == 201
    assert send(api, '"8e03978e-40d5-43dd-bc93-6894a57f9324"').status_code == 201


def test_to_draw_makes_nothing_and_takes_no_notice(api: httpx.Client) -> None:
    key = str(uuid4())
    for text in ("one", "two"):
        answer = send(api, key, "/render", {"content": {"type": "text", "text": text}})
        assert (answer.status_code, "idempotent-replayed" in answer.headers) == (200, False)


def test_a_secret_is_kept_nowhere(server: ServerProcess, api: httpx.Client) -> None:
    key = str(uuid4())
    first, again = (send(api, key, "/api-keys", {"name": "Till"}) for _ in range(2))
    assert again.json() == {**first.json(), "key": None}
    assert (again.headers["idempotent-omitted"], "idempotent-omitted" in first.headers) == ("key", False)
    rows = sql(server.database_url, "SELECT kept_answers::text, body FROM kept_answers WHERE key = $1", key)
    assert len(rows) == 1
    assert first.json()["key"] not in rows[0][0]
    assert first.json()["key"].encode() not in rows[0]["body"]


def test_who_may_not_do_it_is_told_nothing(api: httpx.Client, anyone: httpx.Client) -> None:
    key = str(uuid4())
    assert send(api, key).status_code == 201
    reader = api.post("/api-keys", json={"name": "Reader", "permissions": ["read"]}).json()["key"]
    answer = anyone.post("/links", json=LINK, headers={"idempotency-key": key, "x-api-key": reader})
    problem(answer, 403, "forbidden")
    problem(anyone.post("/links", json=LINK, headers={"idempotency-key": key}), 401, "unauthenticated")


def test_after_a_day_a_key_is_a_new_one(server: ServerProcess, api: httpx.Client) -> None:
    key = str(uuid4())
    first = send(api, key)
    sql(server.database_url, "UPDATE kept_answers SET at = at - interval '23.9 hours' WHERE key = $1", key)
    assert send(api, key).content == first.content
    sql(server.database_url, "UPDATE kept_answers SET at = at - interval '0.1 hours' WHERE key = $1", key)
    second = send(api, key, body={"destination": "https://example.com/other"})
    assert (second.status_code, "idempotent-replayed" in second.headers) == (201, False)


def test_what_is_kept_for_a_day_is_dropped_then(database_url: str) -> None:
    sql(database_url, "INSERT INTO accounts (id, name, created_at) VALUES (1, 'Test', now())")
    sql(
        database_url,
        "INSERT INTO kept_answers (account_id, key, claim, at)"
        " SELECT 1, n::text, 1, now() - interval '24 hours' + n * interval '1 minute' FROM generate_series(-2500, 3) n"
        " WHERE n <> 0",
    )

    async def forget() -> int:
        database = Database(database_url)
        await database.open()
        try:
            return await PostgresAnswers(database).forget()
        finally:
            await database.close()

    assert asyncio.run(forget()) == 2500
    assert [row["key"] for row in sql(database_url, "SELECT key FROM kept_answers ORDER BY 1")] == ["1", "2", "3"]


def test_while_it_is_done_the_same_request_is_told_to_wait(server: ServerProcess, api: httpx.Client) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor() as threads:
        with table_locked(server.database_url, "links"):
            first = threads.submit(send, api, key)
            until(lambda: waiting(server.database_url), what="a link that is being added")
            busy = send(api, key)
            problem(busy, 409, "request_in_progress")
            assert busy.headers["retry-after"] == "1"
        assert first.result().status_code == 201
    assert send(api, key).content == first.result().content


def test_what_fails_on_our_side_leaves_the_key_free(server: ServerProcess, api: httpx.Client) -> None:
    key = str(uuid4())
    name = f"refuse_{secrets.token_hex(4)}"
    account = account_of(server, api)
    sql(
        server.database_url,
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF NEW.account_id = {account} THEN RAISE 'no'; END IF; RETURN NEW; END $$",
    )
    sql(
        server.database_url,
        f"CREATE TRIGGER {name} BEFORE INSERT ON qr_codes FOR EACH ROW EXECUTE FUNCTION {name}()",
    )
    try:
        problem(send(api, key, "/qr-codes"), 500, "internal_error")
    finally:
        sql(server.database_url, f"DROP FUNCTION {name} CASCADE")
    assert everything(api)[:2] == [{"data": [], "next_cursor": None}] * 2, "its link is not there either"
    assert send(api, key, "/qr-codes").status_code == 201


# --- several workers -------------------------------------------------------------------------------------------------


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers="2")
    server.start()
    yield server
    server.kill()


def test_many_at_once_on_several_workers_make_one(workers: ServerProcess) -> None:
    with workers.client() as api:
        headers = {"authorization": api.headers["authorization"], "connection": "close"}
        for _ in range(5):
            key = str(uuid4())

            def try_until_done(key: str = key) -> bytes:
                with workers.anyone(headers) as client:
                    while (answer := send(client, key)).status_code == 409:
                        problem(answer, 409, "request_in_progress")
                    assert answer.status_code == 201, answer.text
                    return answer.content

            with ThreadPoolExecutor(16) as threads:
                answers = [threads.submit(try_until_done) for _ in range(16)]
            assert len({answer.result() for answer in answers}) == 1
        assert len(api.get("/links", params={"limit": 100}).json()["data"]) == 5


def test_a_killed_worker_has_done_nothing_and_its_key_falls_to_the_next(
    workers: ServerProcess, database_url: str
) -> None:
    key = str(uuid4())
    with workers.client() as api, ThreadPoolExecutor() as threads:
        with table_locked(database_url, "links"):
            lost = threads.submit(send, api, key)
            until(lambda: waiting(database_url), what="a link that is being added")
            for pid in workers.workers():
                os.kill(pid, signal.SIGKILL)
            with pytest.raises(httpx.TransportError):
                lost.result()
        until(lambda: not waiting(database_url), what="the database to notice")
        until(workers.ready, what="new workers")
        assert sql(database_url, "SELECT FROM links") == []
        problem(send(api, key), 409, "request_in_progress")
        sql(database_url, "UPDATE kept_answers SET at = at - interval '20 seconds'")  # as time does
        assert send(api, key).status_code == 201
        assert len(sql(database_url, "SELECT FROM links")) == 1
