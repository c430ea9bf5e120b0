"""Webhooks over the API. What is sent to them is in tests/hooks."""

import base64
from typing import cast

import httpx
import pytest

from server.domain.delivery import EVENT_TYPES
from tests.api.exchange import Json, new_key, new_webhook, problem, wrong
from tests.support import ServerProcess, sql, until

URL = "https://127.0.0.77/told"


def test_a_webhook_is_made_with_a_secret_that_is_shown_once(api: httpx.Client) -> None:
    answer = api.post("/webhooks", json={"url": URL, "events": ["qr_code.deleted", "link.created"], "name": "Till"})
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{made['id']}"
    prefix, _, text = made.pop("secret").partition("_")
    assert (prefix, len(base64.b64decode(text, validate=True))) == ("whsec", 32)
    assert made == {
        "id": made["id"],
        "name": "Till",
        "url": URL,
        "events": ["link.created", "qr_code.deleted"],
        "active": True,
        "disabled_reason": None,
        "failing_since": None,
        "previous_secret_expires_at": None,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
    }
    assert made["id"].startswith("whk_")
    assert api.get(f"/webhooks/{made['id']}").json() == made
    assert api.get("/webhooks").json() == {"data": [made], "next_cursor": None}


def test_webhooks_are_listed_in_pages(api: httpx.Client) -> None:
    made = [new_webhook(api)["id"] for _ in range(3)][::-1]
    first = api.get("/webhooks", params={"limit": 2}).json()
    second = api.get("/webhooks", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["id"] for each in first["data"] + second["data"]] == made
    assert second["next_cursor"] is None


def test_a_webhook_can_be_changed(api: httpx.Client) -> None:
    made = new_webhook(api, name="Till")
    changes = {"url": f"{URL}/2", "events": ["link.deleted"], "active": False, "name": None}
    changed = api.patch(f"/webhooks/{made['id']}", json=changes).json()
    assert {name: changed[name] for name in changes} == changes
    assert changed["updated_at"] > made["updated_at"]
    assert "secret" not in changed
    assert api.get(f"/webhooks/{made['id']}").json() == changed


def test_another_secret_is_another_secret(api: httpx.Client) -> None:
    made = new_webhook(api)
    answer = api.post(f"/webhooks/{made['id']}/rotate-secret")
    assert answer.status_code == 200
    rotated = answer.json()
    assert rotated.pop("secret") != made["secret"]
    assert rotated["previous_secret_expires_at"] > rotated["updated_at"]
    assert api.get(f"/webhooks/{made['id']}").json() == rotated


def test_a_secret_is_not_kept_for_who_sends_the_same_request_again(api: httpx.Client) -> None:
    key = {"idempotency-key": "once"}
    first, again = (api.post("/webhooks", json={"url": URL, "events": ["link.created"]}, headers=key) for _ in range(2))
    assert first.json()["secret"]
    assert again.json() == {**first.json(), "secret": None}
    assert (again.headers["idempotent-omitted"], again.headers["location"]) == ("secret", first.headers["location"])
    assert len(api.get("/webhooks").json()["data"]) == 1


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({}, {"/url": "required", "/events": "required"}),
        ({"url": "ftp://a.example/", "events": []}, {"/url": "invalid_scheme", "/events": "empty"}),
        ({"url": URL, "events": ["link.created", "link.eaten"]}, {"/events": "unknown_value"}),
        ({"url": URL, "events": "link.created"}, {"/events": "wrong_type"}),
        ({"url": URL, "events": [1]}, {"/events": "wrong_type"}),
        ({"url": None, "events": None}, {"/url": "wrong_type", "/events": "wrong_type"}),
        (
            {"url": URL, "events": ["link.created"], "name": "", "secret": "x"},
            {"/name": "empty", "/secret": "unknown_field"},
        ),
        ({"url": "http://127.0.0.77/", "events": ["link.created"]}, {"/url": "invalid_scheme"}),
        ({"url": "https://127.0.0.1/", "events": ["link.created"]}, {"/url": "private_address"}),
        ({"url": "https://[::1]/", "events": ["link.created"]}, {"/url": "private_address"}),
        ({"url": "https://169.254.169.254/latest", "events": ["link.created"]}, {"/url": "private_address"}),
        ({"url": "https://localhost/", "events": ["link.created"]}, {"/url": "private_address"}),
        ({"url": "https://me:secret@127.0.0.77/", "events": ["link.created"]}, {"/url": "invalid_url"}),
    ],
)
def test_a_webhook_that_is_none_is_refused(api: httpx.Client, fields: Json, where: dict[str, str]) -> None:
    assert wrong(problem(api.post("/webhooks", json=fields), 422, "invalid_fields")) == where
    assert api.get("/webhooks").json()["data"] == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"url": "https://10.0.0.5/"}, "private_address"), ({"url": None}, "wrong_type"), ({"url": ""}, "empty")],
)
def test_a_change_is_checked_as_well(api: httpx.Client, fields: Json, code: str) -> None:
    made = api.get(f"/webhooks/{new_webhook(api)['id']}").json()
    answer = api.patch(f"/webhooks/{made['id']}", json=fields)
    assert wrong(problem(answer, 422, "invalid_fields")) == {"/url": code}
    assert api.get(f"/webhooks/{made['id']}").json() == made


def test_why_an_address_is_refused_is_said(api: httpx.Client) -> None:
    answer = api.post("/webhooks", json={"url": "https://10.0.0.5/", "events": ["link.created"]})
    (error,) = answer.json()["errors"]
    assert error["detail"] == "refusing to send to 10.0.0.5: resolves to private/internal IP 10.0.0.5"


def test_a_test_is_put_into_the_log_at_once(api: httpx.Client) -> None:
    made = new_webhook(api)
    answer = api.post(f"/webhooks/{made['id']}/test")
    assert answer.status_code == 202
    sent = answer.json()
    assert (sent["type"], sent["attempts"], sent["response_status"]) == ("webhook.test", 0, None)
    assert sent["id"].startswith("evt_")

    def attempted() -> Json:
        (found,) = api.get(f"/webhooks/{made['id']}/deliveries").json()["data"]
        return cast("Json", found) if found["attempts"] else {}

    found = until(attempted, what="an attempt")
    assert (found["id"], found["status"], found["created_at"]) == (sent["id"], "pending", sent["created_at"])
    assert found["error"] == "could not send to 127.0.0.77: nothing answers at port 443"
    assert found["next_attempt_at"] > found["last_attempt_at"]
    assert api.get(f"/webhooks/{made['id']}").json()["failing_since"] == found["last_attempt_at"]


def test_the_log_is_listed_in_pages_the_newest_first(api: httpx.Client) -> None:
    made = new_webhook(api)
    sent = [api.post(f"/webhooks/{made['id']}/test").json()["id"] for _ in range(3)]
    path = f"/webhooks/{made['id']}/deliveries"
    first = api.get(path, params={"limit": 2}).json()
    second = api.get(path, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert sorted(sent, reverse=True) == [each["id"] for each in first["data"] + second["data"]]


def test_nothing_is_sent_to_one_that_is_not_active(api: httpx.Client) -> None:
    made = new_webhook(api)
    sent = api.post(f"/webhooks/{made['id']}/test").json()
    api.patch(f"/webhooks/{made['id']}", json={"active": False})
    for path in ("test", f"deliveries/{sent['id']}/redeliver"):
        problem(api.post(f"/webhooks/{made['id']}/{path}"), 409, "webhook_inactive")


def test_another_ones_event_cannot_be_asked_for(api: httpx.Client, stranger: httpx.Client) -> None:
    mine, theirs = new_webhook(api), new_webhook(stranger)
    event = stranger.post(f"/webhooks/{theirs['id']}/test").json()["id"]
    problem(api.post(f"/webhooks/{mine['id']}/deliveries/{event}/redeliver"), 404, "not_found")
    for text in ("evt_", "0", event.upper()):
        problem(api.post(f"/webhooks/{mine['id']}/deliveries/{text}/redeliver"), 404, "not_found")


def test_webhooks_have_permissions_of_their_own(api: httpx.Client, server: ServerProcess) -> None:
    made = new_webhook(api)
    reads = new_key(api, permissions=["webhooks:read"])["key"]
    links = new_key(api, permissions=["links:write", "links:read"])["key"]
    with server.anyone({"x-api-key": reads}) as reader, server.anyone({"x-api-key": links}) as linker:
        assert reader.get(f"/webhooks/{made['id']}/deliveries").status_code == 200
        for path in ("/webhooks", f"/webhooks/{made['id']}/test", f"/webhooks/{made['id']}/rotate-secret"):
            problem(reader.post(path, json={}), 403, "forbidden")
        problem(linker.get("/webhooks"), 403, "forbidden")


def test_the_database_knows_all_events_there_are(server: ServerProcess) -> None:
    """A change that nobody could want would be put down for nobody."""
    triggers = sql(
        server.database_url,
        "SELECT encode(tgargs, 'escape') AS thing FROM pg_trigger "
        "WHERE tgfoid IN ('tell_of_new'::regproc, 'tell_of_changed'::regproc)",
    )
    things = {row["thing"].removesuffix("\\000") for row in triggers}
    assert things | {"scan", "quota"} == {kind.partition(".")[0] for kind in EVENT_TYPES}
