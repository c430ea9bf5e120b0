"""Every route there is, walked: the methods it knows, and who may not come in.

The routes come from the application's own table, so that a new one is walked, too.
"""

import socket

import httpx
import pytest

from server.api.problems import STATUS
from server.domain import errors
from server.domain.ids import id_number
from server.domain.keys import PERMISSIONS, Permission, may
from server.openapi import Described
from tests.api.exchange import everything, id_of, methods, new_key, operations, paths, problem
from tests.support import ServerProcess, sql

OPERATIONS = [each for each in operations() if each.operation.permission]


def _methods(path: str) -> set[str]:
    known = {each.method for each in OPERATIONS if each.path == f"/v1{path}"}
    return known | {"HEAD"} if "GET" in known else known


#: Path -> what it has to answer as Allow.
ALLOW = {path: ", ".join(sorted(_methods(path))) for path in paths()}

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]

NO_KEYS: list[dict[str, str]] = [
    {},
    {"authorization": "Bearer"},
    {"authorization": "Bearer qredge_" + "x" * 40},
    {"authorization": "Basic cXJlZGdlOnFyZWRnZQ=="},
    {"authorization": "qredge_" + "x" * 40},
    {"x-api-key": "qredge_" + "x" * 40},
    {"x-api-key": ""},
]

WITH_ID = [path for path in paths() if "{id}" in path]

#: What a POST to a thing answers.
ACCEPTED = {"/webhooks/{id}/test": 202, "/webhooks/{id}/deliveries/{event_id}/redeliver": 202}


def with_event(path: str, owner: httpx.Client, webhook: str) -> str:
    """The path, with the id of an event in it that was put down for the webhook, where it has one."""
    if "{event_id}" not in path:
        return path
    return path.replace("{event_id}", owner.post(f"/webhooks/{webhook}/test").json()["id"])


@pytest.mark.parametrize("path", paths())
def test_a_wrong_method_is_refused_with_all_that_are_right(api: httpx.Client, path: str) -> None:
    address = path.replace("{id}", "any")
    for method in ALL_METHODS:
        if method not in ALLOW[path].split(", "):
            answer = api.request(method, address)
            assert answer.headers["allow"] == ALLOW[path], method
            if method == "HEAD":
                assert (answer.status_code, answer.content) == (405, b"")
            else:
                problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", paths())
def test_nobody_comes_in_without_a_key(api: httpx.Client, anyone: httpx.Client, path: str) -> None:
    address = path.replace("{id}", id_of(path, api)) if "{id}" in path else path
    before = everything(api)
    for method in methods(api, address):
        for headers in NO_KEYS:
            answer = anyone.request(method, address, headers=headers)
            assert answer.headers["www-authenticate"] == 'Bearer realm="qredge"'
            if method == "HEAD":
                assert (answer.status_code, answer.content) == (401, b"")
            else:
                assert "errors" not in problem(answer, 401, "unauthenticated")
    assert everything(api) == before


def all_but(needed: str) -> list[str]:
    """Every permission that does not do for what needs this one."""
    return [each for each in PERMISSIONS if not may(frozenset([each]), Permission(needed))]


@pytest.mark.parametrize("each", OPERATIONS, ids=lambda each: f"{each.method} {each.path}")
def test_a_key_comes_in_only_where_it_may_and_for_as_long_as_it_is_one(
    api: httpx.Client, anyone: httpx.Client, server: ServerProcess, each: Described
) -> None:
    needed = str(each.operation.permission)
    path = each.path.removeprefix("/v1")
    address = path.replace("{id}", id_of(path, api)) if "{id}" in path else path
    without, revoked, expired = new_key(api, permissions=all_but(needed)), new_key(api), new_key(api)
    refused = [(without["key"], 403, "forbidden")]
    if needed == "render" or needed.endswith("write"):
        refused.append((new_key(api, permissions=["read"])["key"], 403, "forbidden"))
    assert anyone.get("/account", headers={"x-api-key": revoked["key"]}).status_code == 200
    assert api.delete(f"/api-keys/{revoked['id']}").status_code == 204
    number = id_number("key", expired["id"])
    sql(server.database_url, "UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = $1", number)
    refused += [(revoked["key"], 401, "unauthenticated"), (expired["key"], 401, "unauthenticated")]
    before = everything(api)
    for key, status, code in refused:
        body = problem(anyone.request(each.method, address, headers={"x-api-key": key}), status, code)
        assert status != 403 or f"permission {needed}." in body["detail"]
    assert everything(api) == before


@pytest.mark.parametrize("path", WITH_ID)
def test_another_accounts_thing_an_unknown_one_and_nonsense_are_all_the_same(
    api: httpx.Client, stranger: httpx.Client, path: str
) -> None:
    theirs = id_of(path, stranger)
    unknown = theirs[:-3] + ("000" if theirs[-3:] != "000" else "111")
    texts = [theirs, unknown, theirs.upper(), theirs + "0", theirs[:-1], theirs.split("_")[1], "lnk_", "0", "'", "ä"]
    path = with_event(path, stranger, theirs)
    before = everything(stranger)
    for method in methods(api, path.replace("{id}", theirs)):
        bodies = []
        for text in texts:
            answer = api.request(method, path.replace("{id}", text), json={} if method == "PATCH" else None)
            if method == "HEAD":
                assert (answer.status_code, answer.content) == (404, b"")
            else:
                body = problem(answer, 404, "not_found")
                bodies.append({**body, "request_id": "", "detail": body["detail"].replace(repr(text), "ID")})
        assert all(body == bodies[0] for body in bodies)
    assert everything(stranger) == before


@pytest.mark.parametrize("path", WITH_ID)
def test_what_is_ones_own_is_found(api: httpx.Client, path: str) -> None:
    """Else the refusals above would prove nothing."""
    mine = id_of(path, api)
    address = with_event(path, api, mine).replace("{id}", mine)
    for method in methods(api, address):
        if method != "DELETE":
            answer = api.request(method, address, json={} if method == "PATCH" else None)
            assert answer.status_code == ACCEPTED.get(path, 200)
    if "DELETE" in ALLOW[path]:
        deleted = api.delete(path.replace("{id}", mine))
        assert (deleted.status_code, deleted.content) == (204, b"")
        problem(api.delete(path.replace("{id}", mine)), 404, "not_found")


@pytest.mark.parametrize(
    "path", ["", "/", "/nope", "/links/", "//links", "/Links", "/links/lnk_0/nope", "/links/a%2Fb"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_address_that_is_none_is_a_problem_too(anyone: httpx.Client, method: str, path: str) -> None:
    url = str(anyone.base_url).rstrip("/") + path
    problem(anyone.request(method, url), 404, "unknown_path")


@pytest.mark.parametrize("path", ["/v1/%", "/v1/links%zz", "/v1/%ff%fe", "/v1/nope%00", "/v1/%2e%2e/livez", "/v1/é"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "BREW"])
def test_an_address_that_is_wrongly_escaped_is_a_problem_too(server: ServerProcess, method: str, path: str) -> None:
    """Sent as it stands, which httpx would not."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert b"content-type: application/problem+json" in head.lower()
    assert (b'"unknown_path"' in body) == (method != "HEAD")


def test_every_error_of_the_domain_has_a_status() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.DomainError)]
    assert set(STATUS) == {kind for kind in kinds if kind is not errors.DomainError}
    assert all(400 <= status < 600 for status in STATUS.values())
