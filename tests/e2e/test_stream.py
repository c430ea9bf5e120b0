"""Who follows the scans of an account misses none and sees none twice, whatever happens in between."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from server.domain.ids import id_text
from server.scans.feed import MAX_OF_ACCOUNT
from tests.api.exchange import Json, new_key, new_link, problem, wrong
from tests.e2e.followers import Follower
from tests.load import Load, tally
from tests.support import ServerProcess, phone, sql, until

STREAM = "/scans/stream"


@pytest.fixture
def own_server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url)
    server.start()
    yield server
    server.kill()


def scanned(*links: Json) -> None:
    for link in links:
        assert phone.get(link["short_url"]).status_code == 302


def logged(api: httpx.Client, link: Json, **query: str) -> list[Json]:
    answer = api.get(f"/links/{link['id']}/scans", params={"limit": "100", "bots": "include", **query})
    assert answer.status_code == 200, answer.text
    return list(answer.json()["data"])


def test_scans_are_told_as_they_come_into_the_log(api: httpx.Client, stranger: httpx.Client) -> None:
    link, other, theirs = new_link(api), new_link(api), new_link(stranger)
    scanned(link)
    until(lambda: logged(api, link), what="a scan in the log, before anybody follows")
    with Follower(api) as follower, Follower(api, f"{STREAM}?link_id={other['id']}") as of_one:
        scanned(link, theirs, other, link)
        until(lambda: len(follower.events) == 3, what="three events")
        until(lambda: of_one.events, what="an event")
    assert [event["link_id"] for event in follower.events] == [link["id"], other["id"], link["id"]]
    assert [event for event in follower.events if event["link_id"] == link["id"]] == logged(api, link)[:2][::-1]
    assert of_one.events == [follower.events[1]]
    assert follower.blocks[0].keys() == {"retry", "id"}


def test_who_comes_back_goes_on_behind_the_last_event(api: httpx.Client) -> None:
    link = new_link(api)
    with Follower(api) as follower:
        scanned(link)
        until(lambda: follower.events, what="an event")
    scanned(*[link] * 150)
    with Follower(api, last=follower.last) as again:
        until(lambda: len(again.events) >= 150, what="the events of meanwhile")
        scanned(link)
        until(lambda: len(again.events) >= 151, what="an event")
    assert len(set(again.ids())) == len(again.events) == 151
    assert again.ids() == sorted(again.ids())
    assert follower.ids()[0] < again.ids()[0]


def test_who_comes_back_before_the_first_event_misses_none(api: httpx.Client) -> None:
    link = new_link(api)
    with Follower(api) as follower:
        pass
    scanned(link)
    with Follower(api, last=follower.last) as again:
        until(lambda: again.events, what="the event of meanwhile")
    assert len(again.events) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_over_a_restart_nothing_is_missed_and_nothing_is_seen_twice(
    own_server: ServerProcess, how: signal.Signals
) -> None:
    def written() -> list[str]:
        rows = sql(own_server.database_url, "SELECT id FROM scans ORDER BY id")
        return [id_text("scn", row[0]) for row in rows]

    with own_server.client() as api:
        link = new_link(api)
        with Follower(api, again=True) as follower:
            with Load(link["short_url"], kept=2, fresh=1) as load:
                until(lambda: len(follower.events) > 20, what="events")
                own_server.stop(how, everybody=how is signal.SIGKILL)
                own_server.start()
                seen = len(follower.events)
                until(lambda: len(follower.events) > seen + 20, what="events after the restart")
            until(lambda: tally(load, own_server.database_url).exact, what="every scan in the log")
            until(lambda: len(follower.events) >= len(written()), what="every event")
        assert len(follower.ends) > 1
        assert follower.ids() == written()


def test_streams_do_not_keep_the_server_from_stopping(own_server: ServerProcess) -> None:
    with own_server.client() as api, Follower(api) as follower:
        began = time.monotonic()
        assert own_server.stop(signal.SIGTERM, everybody=False) == 0
        took_s = time.monotonic() - began
        until(lambda: follower.ends, what="the end of the stream")
        assert follower.ends == [True]
    assert took_s < 10, own_server.log.read_text()


def test_an_account_has_so_many_streams_and_no_more(api: httpx.Client, stranger: httpx.Client) -> None:
    followers = [Follower(api) for _ in range(MAX_OF_ACCOUNT)]
    for follower in followers:
        follower.__enter__()
    problem(api.get(STREAM), 429, "too_many_streams")
    with Follower(stranger):
        pass
    followers.pop().__exit__()
    until(lambda: opens(api), what="room for another")
    for follower in followers:
        follower.__exit__()


def opens(api: httpx.Client) -> bool:
    with api.stream("GET", STREAM) as answer:
        return answer.status_code == 200


def test_a_key_that_was_revoked_sees_nothing_more(api: httpx.Client) -> None:
    link, key = new_link(api), new_key(api, permissions=["scans:read"])
    with httpx.Client(base_url=api.base_url, headers={"authorization": f"Bearer {key['key']}"}, verify=False) as other:
        with Follower(other) as follower:
            scanned(link)
            until(lambda: follower.events, what="an event")
            assert api.delete(f"/api-keys/{key['id']}").status_code == 204
            until(lambda: ended_by(follower, link), what="the end of the stream")
        assert follower.ends == [True]
        problem(other.get(STREAM), 401, "unauthenticated")


def ended_by(follower: Follower, link: Json) -> bool:
    scanned(link)
    return bool(follower.ends)


def test_a_client_that_goes_leaves_nothing_behind(api: httpx.Client) -> None:
    """Else the next ones would be refused."""
    parts = urlsplit(str(api.base_url))
    head = f"GET {parts.path}scans/stream HTTP/1.1\r\nHost: x\r\nAuthorization: {api.headers['authorization']}\r\n\r\n"
    for _ in range(3 * MAX_OF_ACCOUNT):
        with socket.create_connection((parts.hostname, parts.port)) as connection:
            connection.sendall(head.encode())
            until(lambda: connection.recv(12), what="an answer")
        until(lambda: opens(api), what="room for another")


def test_a_head_of_a_stream_has_an_end(api: httpx.Client) -> None:
    for _ in range(MAX_OF_ACCOUNT + 1):
        answer = api.head(STREAM)
        assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "text/event-stream", b"")


def test_what_is_no_event_and_no_link_is_refused(api: httpx.Client, stranger: httpx.Client) -> None:
    body = problem(api.get(STREAM, headers={"last-event-id": "17"}), 422, "invalid_fields")
    assert wrong(body) == {"Last-Event-ID": "invalid_id"}
    problem(api.get(STREAM, params={"link_id": new_link(stranger)["id"]}), 404, "not_found")
    assert wrong(problem(api.get(STREAM, params={"link_id": "x"}), 422, "invalid_fields")) == {"link_id": "invalid_id"}
