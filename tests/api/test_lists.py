"""Lists in pages: every list there is, in the same way."""

import base64

import httpx
import pytest

from tests.api.exchange import LISTS, MAKERS, Json, problem, wrong


def make(api: httpx.Client, path: str, count: int) -> list[str]:
    """Ids of new things, oldest first."""
    return [MAKERS[path.removeprefix("/")](api)["id"] for _ in range(count)]


def page(api: httpx.Client, path: str, **query: object) -> Json:
    answer = api.get(path, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    body: Json = answer.json()
    assert body.keys() == {"data", "next_cursor"}
    return body


def ids(page: Json) -> list[str]:
    return [each["id"] for each in page["data"]]


@pytest.mark.parametrize("path", LISTS)
def test_an_item_is_what_its_own_address_says(api: httpx.Client, path: str) -> None:
    make(api, path, 1)
    item = page(api, path)["data"][0]
    if path != "/api-keys":  # a key has no address to be read at
        assert api.get(f"{path}/{item['id']}").json() == item


@pytest.mark.parametrize("path", LISTS)
def test_pages_are_newest_first_and_have_an_end(api: httpx.Client, path: str) -> None:
    before = ids(page(api, path))  # the key that opened the API is one
    expected = make(api, path, 5)[::-1] + before
    seen, sizes, cursor = [], [], None
    while True:
        body = page(api, path, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += ids(body)
        sizes.append(len(body["data"]))
        cursor = body["next_cursor"]
        if cursor is None:
            break
    assert seen == expected
    assert set(sizes[:-1]) == {2}
    assert 0 < sizes[-1] <= 2


@pytest.mark.parametrize("path", LISTS)
def test_pages_stay_right_while_things_come_and_go(api: httpx.Client, path: str) -> None:
    before = ids(page(api, path))
    first, second, third, fourth, fifth = make(api, path, 5)
    start = page(api, path, limit=2)
    assert ids(start) == [fifth, fourth]
    make(api, path, 1)
    for gone in (fourth, second):  # the one where the next page begins, and one that is on it
        assert api.delete(f"{path}/{gone}").status_code == 204
    rest = page(api, path, limit=100, cursor=start["next_cursor"])
    assert ids(rest) == [third, first, *before]
    assert rest["next_cursor"] is None


@pytest.mark.parametrize("path", LISTS)
def test_nobody_sees_anothers_things_even_with_their_cursor(
    api: httpx.Client, stranger: httpx.Client, path: str
) -> None:
    theirs = make(stranger, path, 3)
    cursor = page(stranger, path, limit=1)["next_cursor"]
    assert not set(ids(page(api, path))) & set(theirs)
    assert not set(ids(page(api, path, cursor=cursor))) & set(theirs)


def test_a_page_has_twenty_items_unless_asked_and_at_most_a_hundred(api: httpx.Client) -> None:
    made = make(api, "/api-keys", 100)  # and the one there was
    assert ids(page(api, "/api-keys")) == made[:-21:-1]
    full = page(api, "/api-keys", limit=100)
    assert ids(full) == made[::-1]
    assert len(page(api, "/api-keys", limit=100, cursor=full["next_cursor"])["data"]) == 1


def test_a_parameter_nobody_knows_is_passed_over(api: httpx.Client) -> None:
    assert page(api, "/links", utm_source="mail") == page(api, "/links")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "found"),
    [
        *[({"limit": limit}, {"limit": "out_of_range"}) for limit in ["0", "-1", "101", "9" * 100, "9" * 5000]],
        *[({"limit": limit}, {"limit": "wrong_type"}) for limit in ["", "x", "1.5", "1e1", "0x10", "true", "null"]],
        *[
            ({"cursor": cursor}, {"cursor": "invalid_cursor"})
            for cursor in ["", "x", "ä", "\x00", "AAAAAAAAAAA=", "AAAAAAAAAAB", "//////////8", "_" * 11, "A" * 5000]
        ],
        ({"cursor": base64.urlsafe_b64encode(b"\xff" * 8).decode().rstrip("=")}, {"cursor": "invalid_cursor"}),
        ({"limit": "0", "cursor": "x"}, {"limit": "out_of_range", "cursor": "invalid_cursor"}),
    ],
    ids=lambda given: ascii(given)[:40],
)
def test_what_is_no_page_is_refused_by_parameter(
    api: httpx.Client, path: str, query: dict[str, str], found: dict[str, str]
) -> None:
    body = problem(api.get(path, params=query), 422, "invalid_fields")
    assert wrong(body) == found
    assert all("parameter" in each for each in body["errors"])
