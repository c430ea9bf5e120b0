"""GET /account, and /api-keys: what opens the API and what does not any more."""

import httpx
import pytest

from tests.api.exchange import everything, new_key, problem, wrong


def test_the_account_is_the_keys(api: httpx.Client, stranger: httpx.Client) -> None:
    answer = api.get("/account")
    assert answer.status_code == 200
    assert answer.json().keys() == {"id", "name", "email", "plan", "usage", "created_at"}
    assert answer.json()["id"].startswith("acc_")
    assert stranger.get("/account").json()["id"] != answer.json()["id"]


def test_a_key_is_shown_once(api: httpx.Client) -> None:
    answer = api.post("/api-keys", json={"name": " Till "})
    assert answer.status_code == 201
    made = answer.json()
    shown = {"id", "name", "format", "permissions", "last4", "expires_at", "last_used_at", "created_at"}
    assert made.keys() == shown | {"key"}
    assert (made["format"], made["permissions"], made["expires_at"]) == ("native", ["read", "render", "write"], None)
    assert (made["name"], made["last4"]) == ("Till", made["key"][-4:])
    listed = api.get("/api-keys").json()["data"]
    assert listed[0] == {field: made[field] for field in shown}
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
        assert answer.json()["id"] == api.get("/account").json()["id"]


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


#: What a request needs, and one that needs it; of those with an id, nobody has to own it for a refusal.
NEEDS = {
    "account:read": ("GET", "/account"),
    "api-keys:read": ("GET", "/api-keys"),
    "api-keys:write": ("DELETE", "/api-keys/key_0000000000000"),
    "links:read": ("GET", "/links"),
    "links:write": ("DELETE", "/links/lnk_0000000000000"),
    "qr-codes:read": ("GET", "/qr-codes"),
    "qr-codes:write": ("DELETE", "/qr-codes/qr_0000000000000"),
    "render": ("POST", "/render"),
}


@pytest.mark.parametrize("held", [*NEEDS, "read", "write"])
def test_a_key_does_what_it_may_and_nothing_else(api: httpx.Client, anyone: httpx.Client, held: str) -> None:
    key = api.post("/api-keys", json={"name": "Some", "permissions": [held]}).json()["key"]
    for needed, (method, path) in NEEDS.items():
        answer = anyone.request(method, path, headers={"x-api-key": key})
        if needed == held or needed.endswith(f":{held}"):
            assert answer.status_code in (200, 404, 400, 422), needed
        else:
            assert f"permission {needed}." in problem(answer, 403, "forbidden")["detail"]


@pytest.mark.parametrize(
    ("fields", "wrong_fields"),
    [
        ({"permissions": []}, {"/permissions": "empty"}),
        ({"permissions": ["links:draw"]}, {"/permissions": "unknown_value"}),
        ({"permissions": "read"}, {"/permissions": "wrong_type"}),
        ({"permissions": [1]}, {"/permissions": "wrong_type"}),
        ({"expires_at": "2020-01-01"}, {"/expires_at": "in_the_past"}),
        ({"expires_at": "tomorrow"}, {"/expires_at": "invalid_time"}),
    ],
)
def test_a_key_that_would_open_nothing_is_refused(
    api: httpx.Client, fields: dict[str, object], wrong_fields: dict[str, str]
) -> None:
    before = api.get("/api-keys").json()
    answer = api.post("/api-keys", json={"name": "Till", **fields})
    assert wrong(problem(answer, 422, "invalid_fields")) == wrong_fields
    assert api.get("/api-keys").json() == before


def test_a_key_says_until_when_it_opens(api: httpx.Client) -> None:
    made = api.post(
        "/api-keys", json={"name": "Fair", "permissions": ["links:read"], "expires_at": "2999-12-31"}
    ).json()
    assert (made["permissions"], made["expires_at"]) == (["links:read"], "3000-01-01T00:00:00Z")


def test_a_key_hands_on_what_it_has(api: httpx.Client, anyone: httpx.Client) -> None:
    body = {"name": "Some", "permissions": ["api-keys:write", "links:read"]}
    headers = {"x-api-key": api.post("/api-keys", json=body).json()["key"]}
    refused = anyone.post("/api-keys", headers=headers, json={"name": "More"})
    assert wrong(problem(refused, 422, "invalid_fields")) == {"/permissions": "not_held"}
    assert anyone.post("/api-keys", headers=headers, json=body | {"name": "Same"}).status_code == 201
