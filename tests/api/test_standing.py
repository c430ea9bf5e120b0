"""How far an account may still go: in the headers of every answer, in GET /account, and in refusals."""

from datetime import UTC, datetime

import httpx

from tests.api.exchange import new_code, new_link, problem
from tests.support import PLANS, ServerProcess

NAMES = ["ratelimit-policy", "ratelimit", "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"]
TEXT = {"content": {"type": "text", "text": "Hello"}}


def standing(answer: httpx.Response) -> dict[str, str]:
    assert [answer.headers.get_list(name) == [answer.headers.get(name)] for name in NAMES] == [True] * len(NAMES)
    return {name: answer.headers[name] for name in NAMES}


def test_every_answer_to_an_account_says_that_it_has_no_limit(api: httpx.Client, anyone: httpx.Client) -> None:
    most = "999999999999999"
    free = {
        "ratelimit-policy": f'"unlimited";q={most}',
        "ratelimit": f'"unlimited";r={most}',
        "x-ratelimit-limit": most,
        "x-ratelimit-remaining": most,
        "x-ratelimit-reset": "0",
    }
    link, code = new_link(api), new_code(api)
    image = api.get(f"/qr-codes/{code['id']}/image")
    answers = [
        api.get("/account"),
        api.head("/links"),
        image,
        api.get(f"/qr-codes/{code['id']}/image", headers={"if-none-match": image.headers["etag"]}),
        api.post("/render/batch", json={"items": [TEXT]}),
        api.post("/links", content=b"{"),
        api.post("/links", json={}),
        api.get("/links/lnk_0000000000000"),
        api.delete(f"/links/{link['id']}"),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200, 304, 200, 400, 422, 404, 204]
    for each in answers:
        assert standing(each) == free
    for unknown in (anyone.get("/links"), anyone.get("/nowhere"), anyone.put("/links")):
        assert not set(NAMES) & set(unknown.headers)


def test_the_minute_counts_down_also_over_refusals(server: ServerProcess) -> None:
    with server.client(PLANS.named("minute")) as api:
        answers = [api.get(path) for path in ("/links", "/links/any", "/account", "/links?limit=0", "/qr-codes")]
        assert [each.status_code for each in answers] == [200, 404, 200, 422, 200]
        assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["4", "3", "2", "1", "0"]
        answer = api.get("/links")
        refused = problem(answer, 429, "rate_limited")
        assert refused["detail"].startswith("The plan 'minute' of this account has at most 5 requests in a minute.")
        told = standing(answer)
        seconds = int(answer.headers["retry-after"])
        assert 1 <= seconds <= 60
        assert told == {
            "ratelimit-policy": '"requests_per_minute";q=5;w=60',
            "ratelimit": f'"requests_per_minute";r=0;t={seconds}',
            "x-ratelimit-limit": "5",
            "x-ratelimit-remaining": "0",
            "x-ratelimit-reset": str(seconds),
        }


def test_a_months_requests_are_refused_until_it_ends(server: ServerProcess) -> None:
    with server.client(PLANS.named("month")) as api:
        assert [api.get("/links").status_code for _ in range(5)] == [200] * 5
        now = datetime.now(UTC)
        answer = api.get("/links")
        problem(answer, 429, "rate_limited")
        following = datetime(now.year + now.month // 12, now.month % 12 + 1, 1, tzinfo=UTC)
        assert abs(int(answer.headers["retry-after"]) - (following - now).total_seconds()) < 10


def test_two_limits_are_both_told_and_the_nearer_one_is_the_old_headers(server: ServerProcess) -> None:
    with server.client(PLANS.named("both")) as api:
        told = standing(api.get("/links"))
        assert told["ratelimit"].startswith('"requests_per_minute";r=99;t=60, "requests_per_month";r=49;t=')
        assert (told["x-ratelimit-limit"], told["x-ratelimit-remaining"]) == ("50", "49")


def test_a_plan_without_access_has_nothing_left(server: ServerProcess) -> None:
    with server.client(PLANS.named("shut")) as api:
        answer = api.get("/links")
        problem(answer, 403, "plan_limit")
        assert standing(answer)["ratelimit"] == '"api_access";r=0;t=0'


def test_pictures_of_a_month_count_when_they_are_served(server: ServerProcess) -> None:
    with server.client(PLANS.named("pictures")) as api:
        code = new_code(api)
        image = api.get(f"/qr-codes/{code['id']}/image")
        assert image.status_code == 200
        etag = {"if-none-match": image.headers["etag"]}
        assert api.get(f"/qr-codes/{code['id']}/image", headers=etag).status_code == 304
        assert api.post("/render", json={}).status_code == 422
        assert api.post("/render/validate", json=TEXT).status_code == 200
        assert api.get("/account").json()["usage"]["renders"] == 1
        problem(api.post("/render/batch", json={"items": [TEXT] * 3}), 429, "rate_limited")
        assert api.post("/render/batch", json={"items": [TEXT] * 2}).status_code == 200
        for refused in (api.post("/render", json=TEXT), api.get(f"/qr-codes/{code['id']}/image")):
            body = problem(refused, 429, "rate_limited")
            assert body["detail"].startswith("The plan 'pictures' of this account has at most 3 pictures in a month.")
            assert int(refused.headers["retry-after"]) > 0
        assert api.get("/account").json()["usage"]["renders"] == 3


def test_the_account_tells_its_plan_and_what_it_has_used(server: ServerProcess) -> None:
    with server.client(PLANS.named("tiny")) as api:
        new_code(api)
        account = api.get("/account").json()
    assert account["plan"] == {"name": "tiny", "limits": PLANS.named("tiny").limits}
    assert account["usage"] == {"requests": 2, "renders": 0, "links": 1, "dynamic_codes": 1, "keys": 1}
