"""GET /account, and /api-keys: what opens the API and what does not any more."""

import httpx

from tests.api.exchange import everything, new_key, problem


def test_the_account_is_the_keys(api: httpx.Client, stranger: httpx.Client) -> None:
    answer = api.get("/account")
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "name", "created_at"}
    assert answer.json()["id"].startswith("acc_")
    assert stranger.get("/account").json()["id"] != answer.json()["id"]


def test_a_key_is_shown_once(api: httpx.Client) -> None:
    answer = api.post("/api-keys", json={"name": " Till "})
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == {"id", "name", "last4", "created_at", "key"}
    assert (made["name"], made["last4"]) == ("Till", made["key"][-4:])
    listed = api.get("/api-keys").json()["data"]
    assert listed[0] == {field: made[field] for field in ("id", "name", "last4", "created_at")}
    assert made["key"] not in api.get("/api-keys").text


def test_a_key_opens_the_api_in_either_header_and_any_spelling_of_the_scheme(
    api: httpx.Client, anyone: httpx.Client
) -> None:
    key = new_key(api)["key"]
    for headers in (
        {"authorization": f"Bearer {key}"},
        {"authorization": f"bearer {key}"},
        {"authorization": f"BEARER   {key}"},
        {"x-api-key": key},
        {"authorization": "Basic cXJlZGdlOnFyZWRnZQ==", "x-api-key": key},
    ):
        answer = anyone.get("/account", headers=headers)
        assert answer.status_code == 200, headers
        assert answer.json() == api.get("/account").json()


def test_a_deleted_key_opens_nothing_from_that_moment_on(api: httpx.Client, anyone: httpx.Client) -> None:
    made = new_key(api)
    headers = {"x-api-key": made["key"]}
    assert anyone.get("/links", headers=headers).status_code == 200
    deleted = api.delete(f"/api-keys/{made['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    before = everything(api)
    problem(anyone.get("/links", headers=headers), 401, "unauthenticated")
    body = {"destination": "https://example.com/"}
    problem(anyone.post("/links", headers=headers, json=body), 401, "unauthenticated")
    assert everything(api) == before


def test_a_key_may_delete_itself(api: httpx.Client, anyone: httpx.Client) -> None:
    made = new_key(api)
    headers = {"x-api-key": made["key"]}
    assert anyone.delete(f"/api-keys/{made['id']}", headers=headers).status_code == 204
    problem(anyone.delete(f"/api-keys/{made['id']}", headers=headers), 401, "unauthenticated")
