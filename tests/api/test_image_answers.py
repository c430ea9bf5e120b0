"""GET /qr-codes/{id}/image, asked for again and again: answered from memory as it was answered at first, and anew when
anything has changed."""

import httpx
import pytest

from tests.api.exchange import new_key, problem
from tests.support import ServerProcess, sql, until

#: Said of each answer, and not of the picture.
OF_THE_ANSWER = ("x-cache", "x-render-ms", "date")


@pytest.fixture
def code(api: httpx.Client) -> str:
    body = {"content": {"type": "text", "text": "Table 7"}}
    return str(api.post("/qr-codes", json=body).raise_for_status().json()["id"])


def shown(api: httpx.Client, path: str) -> httpx.Response:
    """The third answer, of which the first has drawn it, and the second may have kept it."""
    for _ in range(2):
        api.get(path).raise_for_status()
    return api.get(path)


def of_the_picture(answer: httpx.Response) -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in answer.headers.items() if name not in OF_THE_ANSWER)


@pytest.mark.parametrize(
    "query", ["", "?size=300", "?format=svg", "?download=true&format=pdf&dpi=300", "?format=webp&size=200", "?x=1"]
)
def test_the_same_is_answered_again(api: httpx.Client, code: str, query: str) -> None:
    first = api.get(f"/qr-codes/{code}/image{query}")
    again = shown(api, f"/qr-codes/{code}/image{query}")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert of_the_picture(again) == of_the_picture(first)
    assert (again.headers["x-cache"], again.headers["x-render-ms"]) == ("HIT", "0.00")


def test_whoever_has_it_is_answered_so_from_memory_as_well(api: httpx.Client, code: str) -> None:
    path = f"/qr-codes/{code}/image"
    etag = api.get(path).headers["etag"]
    first = api.get(path, headers={"if-none-match": etag})
    shown(api, path)
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = api.get(path, headers={"if-none-match": held})
        assert (again.status_code, again.content) == (304, b"")
        assert of_the_picture(again) == of_the_picture(first)
    assert api.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    assert api.head(path).headers["etag"] == etag


def test_what_is_refused_is_never_answered_from_memory(api: httpx.Client, code: str) -> None:
    for query, status in (("size=10", 422), ("format=bmp", 422)):
        answers = [api.get(f"/qr-codes/{code}/image?{query}").status_code for _ in range(3)]
        assert answers == [status] * 3


def test_a_change_is_seen_by_the_next_request(api: httpx.Client, code: str) -> None:
    path = f"/qr-codes/{code}/image"
    before = shown(api, path)
    api.patch(f"/qr-codes/{code}", json={"design": {"modules": {"color": "#112233"}}}).raise_for_status()
    after = api.get(path)
    assert after.headers["etag"] != before.headers["etag"]
    assert shown(api, path).content == after.content != before.content
    api.delete(f"/qr-codes/{code}").raise_for_status()
    problem(api.get(path), 404, "not_found")


def test_a_change_by_sql_is_seen_soon(api: httpx.Client, server: ServerProcess, code: str) -> None:
    path = f"/qr-codes/{code}/image"
    before = shown(api, path).content
    change = 'UPDATE qr_codes SET content = \'{"type": "text", "text": "Table 8"}\' WHERE content ->> \'text\' = $1'
    sql(server.database_url, change, "Table 7")
    until(lambda: api.get(path).content != before, what="the other text")


def test_a_slug_that_somebody_renames_is_seen_soon(api: httpx.Client, server: ServerProcess) -> None:
    made = api.post("/qr-codes", json={"destination": "https://example.com/"}).raise_for_status().json()
    path = f"/qr-codes/{made['id']}/image"
    before = shown(api, path).content
    slug = made["short_url"].rpartition("/")[2]
    sql(server.database_url, "UPDATE links SET slug = slug || 'x' WHERE slug = $1", slug)
    until(lambda: api.get(path).content != before, what="the other slug")


def test_only_who_may_see_it_is_answered(
    api: httpx.Client, stranger: httpx.Client, anyone: httpx.Client, code: str
) -> None:
    path = f"/qr-codes/{code}/image"
    shown(api, path)
    problem(stranger.get(path), 404, "not_found")
    problem(anyone.get(path), 401, "unauthenticated")
    other = api.post("/api-keys", json={"name": "Some", "permissions": ["links:read", "account:read"]}).json()["key"]
    for _ in range(2):
        assert anyone.get("/account", headers={"x-api-key": other}).status_code == 200
        problem(anyone.get(path, headers={"x-api-key": other}), 403, "forbidden")
    made = new_key(api)
    headers = {"x-api-key": made["key"]}
    assert [anyone.get(path, headers=headers).headers["x-cache"] for _ in range(2)] == ["HIT"] * 2
    api.delete(f"/api-keys/{made['id']}").raise_for_status()
    problem(anyone.get(path, headers=headers), 401, "unauthenticated")
