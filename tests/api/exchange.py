"""What the tests of the API share: the shape of every refusal, everything an account owns, and the routes there are."""

import re
from inspect import signature
from typing import Any

import httpx

from server import ops
from server.api import api
from server.api.public import public_routes
from server.openapi import Described, described

# An answer is JSON: its fields are what the tests are about.
Json = dict[str, Any]

LISTS = ("/links", "/qr-codes", "/api-keys", "/webhooks")


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    """The body of a refusal, which is a problem of RFC 9457 with our members and no others."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text[
        :300
    ]
    assert answer.headers["cache-control"] == "no-store"
    body: Json = answer.json()
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert (body["type"], body["status"], body["code"]) == ("about:blank", status, code)
    assert re.fullmatch(r"req_[0-9a-f]{24}", body["request_id"])
    assert body["title"]
    assert body["detail"]
    for wrong in body.get("errors", []):
        assert wrong.keys() in ({"pointer", "code", "detail"}, {"parameter", "code", "detail"})
        assert wrong["detail"]
    return body


def wrong(body: Json) -> dict[str, str]:
    """Where -> code, of a problem's wrong fields. A pointer begins with a slash; "" is the whole body."""
    return {each.get("pointer", each.get("parameter")): each["code"] for each in body["errors"]}


def everything(api: httpx.Client) -> list[Json]:
    """All that the account owns, without what changes by itself: when a key was used, which is when one looks, and
    since when a webhook fails, as nobody is where those of tests lead to."""
    pages = [api.get(each, params={"limit": 100}).json() for each in LISTS]
    assert all(page["next_cursor"] is None for page in pages)
    for each in pages[LISTS.index("/api-keys")]["data"]:
        del each["last_used_at"]
    for each in pages[LISTS.index("/webhooks")]["data"]:
        del each["failing_since"]
    return pages


def new_link(api: httpx.Client, **fields: object) -> Json:
    answer = api.post("/links", json={"destination": "https://example.com/", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def new_code(api: httpx.Client, **fields: object) -> Json:
    answer = api.post("/qr-codes", json=fields or {"destination": "https://example.com/"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def new_key(api: httpx.Client, **fields: object) -> Json:
    answer = api.post("/api-keys", json={"name": "Till", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def new_webhook(api: httpx.Client, **fields: object) -> Json:
    answer = api.post("/webhooks", json={"url": "https://127.0.0.77/told", "events": ["link.created"], **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


#: First segment of a path -> what makes the thing whose id comes next.
MAKERS = {"links": new_link, "qr-codes": new_code, "api-keys": new_key, "webhooks": new_webhook}


def id_of(path: str, owner: httpx.Client) -> str:
    """The id of a new thing of the owner's, of the kind that the path is about."""
    return str(MAKERS[path.split("/")[1]](owner)["id"])


def operations() -> list[Described]:
    """Every operation there is, from the application's own route tables. They are only looked at, so nothing of what
    would answer is needed."""
    nothing: Any = None
    native = api(**dict.fromkeys(signature(api).parameters, nothing))
    return [*described(native, "/v1"), *described(public_routes(nothing)), *described(ops.routes(nothing, nothing))]


def paths() -> list[str]:
    """The path of every route of the API."""
    under = [each.path.removeprefix("/v1") for each in operations() if each.path.startswith("/v1")]
    return list(dict.fromkeys(under))


def methods(api: httpx.Client, path: str) -> list[str]:
    """The methods that a path says it knows."""
    refusal = api.request("BREW", path)
    assert refusal.status_code == 405
    return str(refusal.headers["allow"]).split(", ")
