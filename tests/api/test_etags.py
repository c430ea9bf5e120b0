"""ETags of links and codes, and changes that are made only to what was seen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.exchange import Json, new_code, new_link, problem
from tests.support import ServerProcess, sql

MAKERS = [("/links", new_link, "title"), ("/qr-codes", new_code, "name")]

links_and_codes = pytest.mark.parametrize(("path", "make", "field"), MAKERS, ids=["links", "qr-codes"])

Make = Callable[[httpx.Client], Json]


def etag(answer: httpx.Response) -> str:
    tag = answer.headers["etag"]
    assert tag[0] == tag[-1] == '"'
    return str(tag)


@links_and_codes
def test_who_has_what_there_is_gets_304_until_it_is_changed(
    api: httpx.Client, path: str, make: Make, field: str
) -> None:
    made = api.post(path, json={"destination": "https://example.com/"})
    at = f"{path}/{made.json()['id']}"
    held = etag(made)
    for known in (held, f'"x", W/{held}', "*"):
        answer = api.get(at, headers={"if-none-match": known})
        assert (answer.status_code, answer.content, etag(answer)) == (304, b"", held)
    changed = api.patch(at, json={field: "Menu"})
    assert etag(changed) != held
    answer = api.get(at, headers={"if-none-match": held})
    assert (answer.status_code, etag(answer)) == (200, etag(changed))


@links_and_codes
def test_each_change_has_an_etag_of_its_own_whatever_the_clock_says(
    server: ServerProcess, api: httpx.Client, path: str, make: Make, field: str
) -> None:
    thing = make(api)
    at = f"{path}/{thing['id']}"
    table = path.removeprefix("/").replace("-", "_")
    sql(
        server.database_url,
        f"UPDATE {table} SET updated_at = '2100-01-01' WHERE created_at = $1::text::timestamptz",
        thing["created_at"],
    )
    tags = [etag(api.get(at)), *(etag(api.patch(at, json={field: "Menu"})) for _ in range(3))]
    assert api.delete(at).status_code == 204
    tags.append(etag(api.post(f"{at}/restore")))
    assert len(set(tags)) == 5


@links_and_codes
def test_only_what_was_seen_is_changed_or_deleted(api: httpx.Client, path: str, make: Make, field: str) -> None:
    at = f"{path}/{make(api)['id']}"
    old = etag(api.get(at))
    new = etag(api.patch(at, json={field: "Mine"}, headers={"if-match": old}))
    for stale in (old, f"W/{new}", '"x"', f'"x", {old}', new.strip('"'), "", '"lnk_0000000000001.0"'):
        problem(api.patch(at, json={field: "Theirs"}, headers={"if-match": stale}), 412, "changed_meanwhile")
        problem(api.delete(at, headers={"if-match": stale}), 412, "changed_meanwhile")
    now = api.get(at)
    assert (now.json()[field], etag(now)) == ("Mine", new)
    anything = api.patch(at, json={field: "Yours"}, headers={"if-match": "*"})
    assert anything.status_code == 200
    several = {"if-match": f"{old}, {etag(anything)}"}
    assert api.delete(at, headers=several).status_code == 204
    problem(api.delete(at, headers=several), 404, "not_found")
    problem(api.patch(at, json={field: "x"}, headers={"if-match": "*"}), 404, "not_found")


@links_and_codes
def test_of_many_that_have_seen_the_same_one_makes_its_change(
    api: httpx.Client, path: str, make: Make, field: str
) -> None:
    at = f"{path}/{make(api)['id']}"

    def change(number: int) -> httpx.Response:
        return api.patch(at, json={field: f"Menu {number}"}, headers={"if-match": seen})

    with ThreadPoolExecutor(8) as threads:
        for _ in range(3):
            seen = etag(api.get(at))
            done = [*threads.map(change, range(8))]
            won = [answer for answer in done if answer.status_code == 200]
            assert [answer.status_code for answer in done].count(412) == 7
            assert len(won) == 1
            assert api.get(at).json() == won[0].json()


def test_a_codes_etag_changes_with_its_link_and_its_design_is_kept_then(api: httpx.Client) -> None:
    code = new_code(api, destination="https://example.com/")
    at = f"/qr-codes/{code['id']}"
    seen = etag(api.get(at))
    assert api.patch(f"/links/{code['link_id']}", json={"title": "Menu"}).status_code == 200
    assert api.get(at, headers={"if-none-match": seen}).status_code == 200
    for change in ({"name": "x"}, {"design": {"margin": 2}}):
        problem(api.patch(at, json=change, headers={"if-match": seen}), 412, "changed_meanwhile")
    assert api.patch(at, json={"design": {"margin": 2}}, headers={"if-match": etag(api.get(at))}).status_code == 200
