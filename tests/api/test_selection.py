"""Lists that are searched, filtered and sorted, tags, and the cursors of such lists."""

import base64
import secrets

import httpx
import pytest

from tests.api.exchange import Json, new_code, new_link, problem, wrong
from tests.support import ServerProcess, sql


def ids(api: httpx.Client, path: str, **query: object) -> list[str]:
    answer = api.get(path, params=dict(query))  # type: ignore[arg-type]  # lists are several parameters
    assert answer.status_code == 200, answer.text
    return [each["id"] for each in answer.json()["data"]]


def test_tags_are_in_lower_case_and_each_there_once(api: httpx.Client) -> None:
    link = new_link(api, tags=[" Spring ", "spring", "Table 7", "É"])
    assert link["tags"] == ["spring", "table 7", "é"]
    assert api.get(f"/links/{link['id']}").json()["tags"] == link["tags"]
    assert api.patch(f"/links/{link['id']}", json={"title": "Menu"}).json()["tags"] == link["tags"]
    assert api.patch(f"/links/{link['id']}", json={"tags": ["new"]}).json()["tags"] == ["new"]
    assert api.patch(f"/links/{link['id']}", json={"tags": []}).json()["tags"] == []


def test_a_codes_own_link_has_its_tags_and_each_changes_alone(api: httpx.Client) -> None:
    code = new_code(api, destination="https://example.com/", tags=["Spring"])
    assert code["tags"] == ["spring"]
    assert api.get(f"/links/{code['link_id']}").json()["tags"] == ["spring"]
    assert api.patch(f"/qr-codes/{code['id']}", json={"tags": ["autumn"]}).json()["tags"] == ["autumn"]
    assert api.get(f"/links/{code['link_id']}").json()["tags"] == ["spring"]


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        (["x" * 51], {"/tags/0": "too_long"}),
        (["x", "", " "], {"/tags/1": "empty", "/tags/2": "empty"}),
        (["a,b"], {"/tags/0": "invalid_character"}),
        (["a\nb"], {"/tags/0": "invalid_character"}),
        ([1, None], {"/tags/0": "wrong_type", "/tags/1": "wrong_type"}),
        ([str(number) for number in range(21)], {"/tags": "too_long"}),
        ("spring", {"/tags": "wrong_type"}),
        (None, {"/tags": "wrong_type"}),
        ({"a": 1}, {"/tags": "wrong_type"}),
    ],
    ids=lambda given: ascii(given)[:30],
)
def test_what_is_no_tag_is_refused_at_its_place_with_the_limit(
    api: httpx.Client, tags: object, found: dict[str, str]
) -> None:
    link, code = new_link(api), new_code(api)
    for answer in [
        api.post("/links", json={"destination": "https://example.com/", "tags": tags}),
        api.post("/qr-codes", json={"destination": "https://example.com/", "tags": tags}),
        api.patch(f"/links/{link['id']}", json={"tags": tags}),
        api.patch(f"/qr-codes/{code['id']}", json={"tags": tags}),
    ]:
        body = problem(answer, 422, "invalid_fields")
        assert wrong(body) == found
        for each in body["errors"]:
            if each["code"] == "too_long":
                assert "at most 50" in each["detail"] or "at most 20" in each["detail"]


def test_a_tag_is_found_by_links_and_codes_that_have_all_of_several(api: httpx.Client) -> None:
    for path, make in (("/links", new_link), ("/qr-codes", new_code)):
        both = make(api, destination="https://example.com/", tags=["spring", "berlin"])["id"]
        one = make(api, destination="https://example.com/", tags=["spring"])["id"]
        make(api, destination="https://example.com/")
        assert ids(api, path, tag="Spring") == [one, both]
        assert ids(api, path, tag=["spring", "berlin"]) == [both]
        assert ids(api, path, tag=["spring", "paris"]) == []


def test_links_are_searched_by_slug_title_and_destination_in_any_case(api: httpx.Client) -> None:
    slug = f"x{secrets.token_hex(6)}-menu"
    by_slug = new_link(api, slug=slug)["id"]
    by_title = new_link(api, title="Die MENÜkarte")["id"]
    by_destination = new_link(api, destination="https://example.com/Menu?a=100%25_b")["id"]
    assert ids(api, "/links", search="menu") == [by_destination, by_slug]
    assert ids(api, "/links", search=" menÜ ") == [by_title]
    assert ids(api, "/links", search=slug[1:9].upper()) == [by_slug]
    # What stands for anything in a pattern stands for itself.
    assert ids(api, "/links", search="100%25_b") == [by_destination]
    assert ids(api, "/links", search="%") == [by_destination]
    assert ids(api, "/links", search="_") == [by_destination]
    assert ids(api, "/links", search="\\") == []
    # No text is found that begins in one field and ends in the next.
    assert ids(api, "/links", search="kartehttps") == []


def test_codes_are_searched_by_name_and_filtered_by_kind_and_link(api: httpx.Client) -> None:
    link = new_link(api)
    dynamic = new_code(api, link_id=link["id"], name="Table 7")["id"]
    static = new_code(api, content={"type": "text", "text": "Hello"}, name="table 8")["id"]
    other = new_code(api)["id"]
    assert ids(api, "/qr-codes", search="TABLE") == [static, dynamic]
    assert ids(api, "/qr-codes", kind="static") == [static]
    assert ids(api, "/qr-codes", kind="dynamic") == [other, dynamic]
    assert ids(api, "/qr-codes", link_id=link["id"]) == [dynamic]
    assert ids(api, "/qr-codes", link_id="lnk_0000000000001") == []


def test_codes_are_filtered_by_what_they_say(api: httpx.Client) -> None:
    dynamic = new_code(api)["id"]
    url = new_code(api, content={"type": "url", "url": "https://example.com/"})["id"]
    wifi = new_code(api, content={"type": "wifi", "ssid": "Café", "password": "secret123"})["id"]
    assert ids(api, "/qr-codes", type="wifi") == [wifi]
    assert ids(api, "/qr-codes", type="url") == [url, dynamic]
    assert ids(api, "/qr-codes", type="url", kind="static") == [url]
    several = api.get("/qr-codes?type=wifi&type=url&kind=static").json()["data"]
    assert [code["id"] for code in several] == [wifi, url]
    assert ids(api, "/qr-codes", type="geo") == []


def test_paused_links_are_told_from_active_ones(api: httpx.Client) -> None:
    paused, active = new_link(api, active=False)["id"], new_link(api)["id"]
    assert ids(api, "/links", active="false") == [paused]
    assert ids(api, "/links", active="true") == [active]


def test_a_day_begins_both_bounds_and_the_second_one_is_left_out(server: ServerProcess, api: httpx.Client) -> None:
    old, late, next_day = (new_link(api)["id"] for _ in range(3))
    for slug_of, at in (
        (old, "2026-02-28T00:00:00Z"),
        (late, "2026-02-28T23:59:59.999999Z"),
        (next_day, "2026-03-01T00:00Z"),
    ):
        link = api.get(f"/links/{slug_of}").json()
        sql(server.database_url, f"UPDATE links SET created_at = '{at}' WHERE slug = $1", link["slug"])
    assert ids(api, "/links", created_after="2026-02-28", created_before="2026-03-01") == [late, old]
    assert ids(api, "/links", created_after="2026-02-28T23:59:59.999999Z") == [next_day, late]
    assert ids(api, "/links", created_before="2026-02-28") == []


def test_titles_are_sorted_from_a_in_any_case_and_scans_from_the_most(server: ServerProcess, api: httpx.Client) -> None:
    links = {title: new_link(api, title=title) for title in ("beta", "Alpha", "gamma", None)}
    by_title = [links[title]["id"] for title in (None, "Alpha", "beta", "gamma")]
    assert ids(api, "/links", sort="title") == by_title
    assert ids(api, "/links", sort="title", order="desc") == by_title[::-1]
    for title, scans in (("beta", 3), ("gamma", 7)):
        sql(
            server.database_url,
            "INSERT INTO scan_totals (link_id, scans) SELECT id, $1 FROM links WHERE slug = $2",
            scans,
            links[title]["slug"],
        )
    by_scans = [links[title]["id"] for title in ("gamma", "beta", None, "Alpha")]
    assert ids(api, "/links", sort="scans") == by_scans
    assert ids(api, "/links", sort="scans", order="asc") == by_scans[::-1]
    assert [each["scans"] for each in api.get("/links", params={"sort": "scans"}).json()["data"]] == [7, 3, 0, 0]
    api.patch(f"/links/{links['Alpha']['id']}", json={})
    assert ids(api, "/links", sort="updated_at")[0] == links["Alpha"]["id"]


def test_a_cursor_goes_on_in_its_list_and_in_no_other(api: httpx.Client, stranger: httpx.Client) -> None:
    made = [new_link(api, title=f"Menu {number}", tags=["a", "b"])["id"] for number in range(5)]
    asked: Json = {"sort": "title", "search": "menu", "tag": ["a", "b"], "deleted": "include"}
    first = api.get("/links", params={**asked, "limit": 2}).json()
    cursor = first["next_cursor"]
    assert [each["id"] for each in first["data"]] == made[:2]
    # However it is said, and with another limit; and what is no filter does not matter.
    same = {**asked, "tag": ["B", "a", "a"], "search": " menu ", "order": "asc", "utm_source": "mail"}
    assert ids(api, "/links", **same, cursor=cursor) == made[2:]
    assert ids(stranger, "/links", **asked, cursor=cursor) == []
    others: list[Json] = [
        {},
        {**asked, "sort": "created_at"},
        {**asked, "order": "desc"},
        {**asked, "search": "men"},
        {**asked, "tag": ["a"]},
        {**asked, "deleted": "exclude"},
        {**asked, "active": True},
        {**asked, "created_after": "2026-01-01"},
    ]
    for other in others:
        body = problem(api.get("/links", params={**other, "cursor": cursor}), 422, "invalid_fields")
        assert wrong(body) == {"cursor": "other_list"}
    assert wrong(problem(api.get("/qr-codes", params={"cursor": cursor}), 422, "invalid_fields")) == {
        "cursor": "other_list"
    }


@pytest.mark.parametrize(
    ("path", "query", "found"),
    [
        (
            "/links",
            {"sort": "slug", "order": "up", "deleted": "yes"},
            dict.fromkeys(["sort", "order", "deleted"], "unknown_value"),
        ),
        ("/links", {"sort": "name"}, {"sort": "unknown_value"}),
        (
            "/qr-codes",
            {"sort": "title", "kind": "both", "type": "hologram", "expand": "links"},
            dict.fromkeys(["sort", "kind", "type", "expand"], "unknown_value"),
        ),
        ("/qr-codes", {"link_id": "qr_1"}, {"link_id": "invalid_id"}),
        ("/links", {"active": "maybe"}, {"active": "wrong_type"}),
        ("/links", {"search": "", "tag": "a,b"}, {"search": "empty", "tag": "invalid_character"}),
        ("/links", {"search": "x" * 201}, {"search": "too_long"}),
        ("/links", {"search": "a\0b"}, {"search": "invalid_character"}),
        ("/links", {"tag": [str(number) for number in range(21)]}, {"tag": "too_long"}),
        (
            "/qr-codes",
            {"created_after": "now", "created_before": "2026-02-30"},
            dict.fromkeys(["created_after", "created_before"], "invalid_time"),
        ),
    ],
    ids=lambda given: ascii(given)[:30],
)
def test_an_unknown_value_is_refused_by_parameter(
    api: httpx.Client, path: str, query: dict[str, str], found: dict[str, str]
) -> None:
    body = problem(api.get(path, params=query), 422, "invalid_fields")
    assert wrong(body) == found
    assert all("parameter" in each for each in body["errors"])


def test_a_code_brings_its_link_along_where_it_is_asked_for(api: httpx.Client) -> None:
    dynamic = new_code(api, destination="https://example.com/", name="Table 7")
    static = new_code(api, content={"type": "text", "text": "Hello"})
    link = api.get(f"/links/{dynamic['link_id']}").json()
    assert api.get(f"/qr-codes/{dynamic['id']}", params={"expand": "link"}).json() == {**dynamic, "link": link}
    assert api.get(f"/qr-codes/{static['id']}", params={"expand": "link"}).json() == {**static, "link": None}
    assert api.get("/qr-codes", params={"expand": "link"}).json()["data"] == [
        {**static, "link": None},
        {**dynamic, "link": link},
    ]
    api.delete(f"/links/{link['id']}")
    gone = api.get(f"/qr-codes/{dynamic['id']}", params={"expand": "link"}).json()["link"]
    assert gone["deleted_at"] == gone["updated_at"] > link["updated_at"]


@pytest.mark.parametrize(
    ("sort", "said"),
    [
        ("created_at", b'["x",1]'),
        ("created_at", b"[9223372036854775807,1]"),
        ("title", b"[1,1]"),
        ("title", rb'["\u0000",1]'),
        ("title", b'["x",-1]'),
        ("title", b'["x",9223372036854775808]'),
        ("scans", b"[true,1]"),
        ("scans", b"[null,1]"),
        ("scans", b'{"a":1,"b":2}'),
        ("scans", b"[1]"),
    ],
)
def test_a_cursor_that_somebody_has_made_is_refused(api: httpx.Client, sort: str, said: bytes) -> None:
    for _ in range(2):
        new_link(api)
    cursor = api.get("/links", params={"sort": sort, "limit": 1}).json()["next_cursor"]
    of_this_list = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))[:6]
    made = base64.urlsafe_b64encode(of_this_list + said).decode().rstrip("=")
    body = problem(api.get("/links", params={"sort": sort, "cursor": made}), 422, "invalid_fields")
    assert wrong(body) == {"cursor": "invalid_cursor"}
