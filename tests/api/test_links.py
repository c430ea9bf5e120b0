"""/links: their life, and what is answered on the way."""

import secrets

import httpx
import pytest

from tests.api.exchange import everything, new_code, new_link, problem, wrong
from tests.support import until

GUARDS = {"active", "expires_at", "fallback_url", "redirect_status", "forward_query"}
GUARDS |= {"password_protected", "max_scans", "rules"}
FIELDS = {"id", "short_url", "slug", "destination", "title", "tags", "scans"} | GUARDS
FIELDS |= {"created_at", "updated_at", "deleted_at"}


def a_slug() -> str:
    """One that no test before has taken."""
    return f"test-{secrets.token_hex(8)}"


def test_a_new_link_is_answered_whole_and_where_it_is(api: httpx.Client) -> None:
    slug = a_slug()
    answer = api.post("/links", json={"destination": "https://example.com/ä", "slug": slug.upper(), "title": " Menu "})
    assert answer.status_code == 201
    link = answer.json()
    assert link.keys() == FIELDS
    assert answer.headers["location"] == f"/v1/links/{link['id']}"
    assert link["id"].startswith("lnk_")
    assert (link["slug"], link["title"], link["scans"]) == (slug, "Menu", 0)
    assert link["destination"] == "https://example.com/%C3%A4"
    assert link["short_url"] == str(api.base_url.join(f"/{slug}"))
    assert link["created_at"] == link["updated_at"]
    assert link["created_at"].endswith("Z")
    found = api.get(f"/links/{link['id']}")
    assert (found.status_code, found.json()) == (200, link)


def test_slug_and_title_may_be_left_out_or_null(api: httpx.Client) -> None:
    one, other = new_link(api), new_link(api, slug=None, title=None)
    assert one["title"] is other["title"] is None
    assert one["slug"] != other["slug"]


def test_a_change_changes_what_it_names_and_the_next_scan_goes_there(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api, title="Menu")
    assert anyone.get(link["short_url"]).headers["location"] == "https://example.com/"
    answer = api.patch(f"/links/{link['id']}", json={"destination": "https://example.com/autumn"})
    assert answer.status_code == 200
    assert anyone.get(link["short_url"]).headers["location"] == "https://example.com/autumn"
    changed = answer.json()
    assert changed.keys() == FIELDS
    differing = {field for field in FIELDS - {"scans"} if changed[field] != link[field]}
    assert differing == {"destination", "updated_at"}
    assert changed["updated_at"] > link["updated_at"]
    bare = api.patch(f"/links/{link['id']}", json={"title": None}).json()
    assert (bare["title"], bare["destination"]) == (None, "https://example.com/autumn")


def test_a_deleted_link_is_gone_here_and_ended_for_who_scans_it(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api)
    assert anyone.get(link["short_url"]).status_code == 302
    answer = api.delete(f"/links/{link['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert anyone.get(link["short_url"]).status_code == 410
    problem(api.get(f"/links/{link['id']}"), 404, "not_found")
    problem(api.patch(f"/links/{link['id']}", json={"title": "x"}), 404, "not_found")
    problem(api.get(f"/links/{link['id']}/stats"), 404, "not_found")
    assert api.get("/links").json()["data"] == []


def test_a_taken_slug_is_refused_to_everybody_for_ever(
    api: httpx.Client, anyone: httpx.Client, stranger: httpx.Client
) -> None:
    link = new_link(api, slug=a_slug())
    body = {"destination": "https://example.com/other", "slug": link["slug"]}
    shouted = {**body, "slug": link["slug"].upper()}
    for client in (api, stranger):
        before = everything(client)
        for each in (body, shouted):
            assert link["slug"] in problem(client.post("/links", json=each), 409, "slug_taken")["detail"]
        assert everything(client) == before
    assert anyone.get(link["short_url"]).headers["location"] == link["destination"]
    api.delete(f"/links/{link['id']}")
    problem(api.post("/links", json=body), 409, "slug_taken")
    assert anyone.get(link["short_url"]).status_code == 410


def test_stats_have_a_bucket_for_every_interval(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api)
    assert anyone.get(link["short_url"], headers={"user-agent": "A phone"}).status_code == 302
    until(lambda: api.get(f"/links/{link['id']}").json()["scans"] == 1, what="a scan")
    answer = api.get(f"/links/{link['id']}/stats", params={"interval": "hour"})
    assert answer.status_code == 200
    stats = answer.json()
    assert stats.keys() == {
        *("total_scans", "unique_scans", "last_scan_at"),
        *("from", "to", "interval", "time_zone", "series", "groups"),
    }
    assert (stats["total_scans"], stats["interval"], len(stats["series"])) == (1, "hour", 30 * 24 + 1)
    assert all(bucket.keys() == {"start", "scans", "unique_scans"} for bucket in stats["series"])
    assert [bucket["scans"] for bucket in stats["series"] if bucket["scans"]] == [1]
    assert stats["from"] < stats["last_scan_at"] < stats["to"]


def test_stats_are_of_the_period_asked_for(api: httpx.Client) -> None:
    link = new_link(api)
    days = {"from": "2026-02-27", "to": "2026-03-02"}  # to the end of that day
    stats = api.get(f"/links/{link['id']}/stats", params=days).json()
    assert (stats["from"], stats["to"]) == ("2026-02-27T00:00:00Z", "2026-03-03T00:00:00Z")
    starts = [bucket["start"] for bucket in stats["series"]]
    assert starts == [f"2026-{day}T00:00:00Z" for day in ("02-27", "02-28", "03-01", "03-02")]
    moments = {"from": "2026-02-27T23:30:00-01:00", "to": "2026-02-28T02:00:00Z", "interval": "hour"}
    stats = api.get(f"/links/{link['id']}/stats", params=moments).json()
    starts = [bucket["start"] for bucket in stats["series"]]
    assert starts == ["2026-02-28T00:00:00Z", "2026-02-28T01:00:00Z"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"interval": "year"}, {"interval": "unknown_value"}),
        ({"group_by": "link", "bots": "some"}, dict.fromkeys(["group_by", "bots"], "unknown_value")),
        ({"interval": "hour", "from": "2020-01-01"}, {"interval": "too_long"}),
        ({"from": "2026-11-21", "to": "2026-11-20"}, {"from": "out_of_range"}),
        (
            {"from": "yesterday", "to": "13/1/2026", "interval": ""},
            dict.fromkeys(["from", "to"], "invalid_time") | {"interval": "unknown_value"},
        ),
        ({"from": "2026-02-30"}, {"from": "invalid_time"}),
        ({"from": "", "to": ""}, dict.fromkeys(["from", "to"], "invalid_time")),
        ({"from": "0001-01-01", "to": "0001-01-03", "interval": "week"}, {"from": "out_of_range"}),
        ({"from": "9999-12-30", "to": "9999-12-31T23:59:59.999999Z"}, {"from": "out_of_range"}),
        ({"to": "9999-12-31"}, {"to": "invalid_time"}),
        ({"to": "0001-01-01"}, {"to": "out_of_range"}),
        ({"to": "0001-01-01T00:00:00+14:00"}, {"to": "invalid_time"}),
    ],
    ids=str,
)
def test_what_is_no_period_is_refused_by_parameter(
    api: httpx.Client, query: dict[str, str], found: dict[str, str]
) -> None:
    link, code = new_link(api), new_code(api)
    for address in (f"/links/{link['id']}/stats", f"/qr-codes/{code['id']}/stats", "/stats"):
        body = problem(api.get(address, params=query), 422, "invalid_fields")
        assert wrong(body) == found
        assert all("parameter" in each for each in body["errors"])
