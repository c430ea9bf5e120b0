"""The guards of a link: set, changed, removed, refused, and in force at the next scan."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.api.exchange import Json, everything, new_code, new_link, problem, wrong
from tests.scans.test_profile import IPHONE, MAC, WINDOWS
from tests.support import ServerProcess, phone, sql, until

NONE: Json = {
    "active": True,
    "expires_at": None,
    "fallback_url": None,
    "redirect_status": 302,
    "forward_query": False,
    "password_protected": False,
    "max_scans": None,
    "rules": [],
}
ALL: Json = {
    "active": False,
    "expires_at": "2030-01-01T00:00:00Z",
    "fallback_url": "https://example.com/elsewhere",
    "redirect_status": 307,
    "forward_query": True,
    "password_protected": True,
    "max_scans": 500,
    "rules": [{"when": {"device": ["mobile"], "country": ["FR"]}, "destination": "https://example.com/fr"}],
}


def guards(link: Json) -> Json:
    return {name: link[name] for name in NONE}


def said(fields: Json) -> Json:
    """What a request says for an answer to have these."""
    return {
        ("password" if name == "password_protected" else name): (
            value if name != "password_protected" else "secret" if value else None
        )
        for name, value in fields.items()
    }


def test_a_link_has_no_guards_unless_it_is_given_some(api: httpx.Client) -> None:
    assert guards(new_link(api)) == NONE
    link = new_link(api, **said(ALL))
    assert guards(link) == ALL
    assert guards(api.get(f"/links/{link['id']}").json()) == ALL
    assert [guards(each) for each in api.get("/links").json()["data"]] == [ALL, NONE]


@pytest.mark.parametrize("name", NONE)
def test_each_is_set_and_removed_alone(api: httpx.Client, name: str) -> None:
    link = new_link(api)
    address = f"/links/{link['id']}"
    assert guards(api.patch(address, json=said({name: ALL[name]})).json()) == {**NONE, name: ALL[name]}
    assert guards(api.patch(address, json={"title": "x"}).json()) == {**NONE, name: ALL[name]}
    assert guards(api.patch(address, json=said({name: NONE[name]})).json()) == NONE


def test_the_codes_of_a_link_answer_as_before(api: httpx.Client) -> None:
    link = new_link(api, **said(ALL))
    code = new_code(api, link_id=link["id"])
    assert code.keys() & NONE.keys() == set()
    assert api.get(f"/qr-codes/{code['id']}").json() == code
    assert code["short_url"] == link["short_url"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("2030-05-01", "2030-05-02T00:00:00Z"), ("2030-05-01T12:00:00+02:00", "2030-05-01T10:00:00Z")],
)
def test_a_day_is_over_when_it_ends(api: httpx.Client, given: str, kept: str) -> None:
    assert new_link(api, expires_at=given)["expires_at"] == kept


#: Field -> why -> what is refused for it.
NO_GUARDS: dict[str, dict[str, list[object]]] = {
    "active": {"wrong_type": [None, "true", 1, []]},
    "forward_query": {"wrong_type": [None, "true", 0]},
    "redirect_status": {"unknown_value": [None, "302", 303, 200, 0]},
    "expires_at": {
        "invalid_time": ["", "tomorrow", "2030-02-30", "9999-12-31"],
        "out_of_range": ["1969-12-31T00:00:00Z", "9000-01-01T00:00:01Z"],
        "wrong_type": [1893456000],
    },
    "password": {"empty": [""], "too_long": ["x" * 129], "wrong_type": [5, ["secret"]]},
    "password_protected": {"unknown_field": [True]},
    "max_scans": {"out_of_range": [0, -1, 10**12 + 1], "wrong_type": ["5", 5.5, True, 10**30]},
    "fallback_url": {
        "empty": [""],
        "invalid_scheme": ["javascript:alert(1)"],
        "invalid_character": ["https://e.com/\r\nX: y"],
        "wrong_type": [5],
    },
}


@pytest.mark.parametrize(
    ("field", "given", "why"),
    [
        (field, given, why)
        for field, reasons in NO_GUARDS.items()
        for why, values in reasons.items()
        for given in values
    ],
    ids=str,
)
def test_what_is_no_guard_is_refused(api: httpx.Client, field: str, given: object, why: str) -> None:
    link = new_link(api)
    before = everything(api)
    answers = [
        api.post("/links", json={"destination": "https://example.com/", field: given}),
        api.patch(f"/links/{link['id']}", json={field: given}),
    ]
    assert [wrong(problem(each, 422, "invalid_fields")) for each in answers] == [{f"/{field}": why}] * 2
    assert everything(api) == before


def test_a_link_is_paused_and_goes_on_at_the_next_scan(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api)
    for active, status in ((False, 410), (True, 302), (False, 410)):
        api.patch(f"/links/{link['id']}", json={"active": active})
        assert anyone.get(link["short_url"]).status_code == status
    api.patch(f"/links/{link['id']}", json={"fallback_url": "https://example.com/elsewhere"})
    answer = anyone.get(link["short_url"])
    assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/elsewhere")
    api.delete(f"/links/{link['id']}")
    assert anyone.get(link["short_url"]).headers["location"] == "https://example.com/elsewhere"


def test_a_link_ends_at_its_moment(api: httpx.Client, anyone: httpx.Client) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=1)
    link = new_link(api, expires_at=ends.isoformat())
    seen = []

    def ended() -> bool:
        asked, status = datetime.now(UTC), anyone.get(link["short_url"]).status_code
        seen.append((asked, status))
        return status == 410

    until(ended, what="its end")
    assert seen[0][1] == 302
    assert max(asked for asked, status in seen if status == 302) < ends
    assert datetime.now(UTC) >= ends


def test_every_spelling_is_answered_by_the_whole_server_and_only_scans_are_counted(
    api: httpx.Client, anyone: httpx.Client, server: ServerProcess
) -> None:
    link = new_link(api, forward_query=True, redirect_status=301)
    slug = link["slug"]
    for path in (f"/{slug}", f"/{slug.upper()}", f"/q/{slug}", f"/q/{slug}/", f"/r.php?c={slug}"):
        url = f"{server.url}{path}{'&' if '?' in path else '?'}table=7"
        answer = anyone.get(url)
        assert (answer.status_code, answer.headers["location"]) == (301, "https://example.com/?table=7")
        assert answer.headers["cache-control"] == "private, no-store"
        assert anyone.head(url).status_code == 301
    until(lambda: api.get(f"/links/{link['id']}").json()["scans"] == 5, what="five scans")
    assert (
        sql(server.database_url, "SELECT count(*) FROM scans JOIN links ON links.id = link_id WHERE slug = $1", slug)[
            0
        ][0]
        == 5
    )


def test_guards_set_by_hand_are_in_force_at_once(
    api: httpx.Client, anyone: httpx.Client, server: ServerProcess
) -> None:
    link = new_link(api)
    sql(server.database_url, "UPDATE links SET active = false WHERE slug = $1", link["slug"])
    until(lambda: anyone.get(link["short_url"]).status_code == 410, what="the pause")


def test_a_password_is_kept_as_a_hash_and_answered_nowhere(
    api: httpx.Client, anyone: httpx.Client, server: ServerProcess
) -> None:
    link = new_link(api, password="Zephyr-1859")
    code = new_code(api, link_id=link["id"])
    answers = [api.get(f"/links/{link['id']}"), api.get("/links"), api.get(f"/qr-codes/{code['id']}")]
    answers.append(api.patch(f"/links/{link['id']}", json={"title": "x"}))
    assert [each for each in answers if "Zephyr" in each.text or "argon2" in each.text] == []
    kept = sql(server.database_url, "SELECT password_hash FROM links WHERE slug = $1", link["slug"])[0][0]
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert "Zephyr" not in server.log.read_text()

    def tried(password: str) -> int:
        return anyone.post(link["short_url"], data={"password": password}).status_code

    assert (tried("Zephyr-1859"), tried("zephyr-1859")) == (303, 401)
    api.patch(f"/links/{link['id']}", json={"password": "Mistral-1897"})
    assert (tried("Zephyr-1859"), tried("Mistral-1897")) == (401, 303)
    api.patch(f"/links/{link['id']}", json={"password": None})
    assert anyone.get(link["short_url"]).status_code == 302


def test_rules_lead_each_visitor_to_their_destination(api: httpx.Client, anyone: httpx.Client) -> None:
    split = [{"weight": 1, "destination": f"https://example.com/{each}"} for each in "ab"]
    rules: list[Json] = [
        {"when": {"language": ["fr"], "device": ["mobile"]}, "destination": "https://example.com/fr"},
        {"when": {"os": ["windows"]}, "destination": "https://example.com/win"},
        {"when": {"os": ["macos"]}, "split": split},
    ]
    link = new_link(api, rules=rules, forward_query=True)
    assert link["rules"] == rules

    def led_to(agent: str, language: str = "en") -> str:
        answer = anyone.get(f"{link['short_url']}?x=1", headers={"user-agent": agent, "accept-language": language})
        assert (answer.status_code, answer.headers["cache-control"]) == (302, "private, no-store")
        return answer.headers["location"].removeprefix("https://example.com/")

    assert led_to(IPHONE, "en;q=0.5,fr-CH") == "fr?x=1"
    assert led_to(IPHONE, "fr;q=0.5,en") == "?x=1"
    assert led_to(WINDOWS, "fr") == "win?x=1"
    seen = [{led_to(f"{MAC} {browser}") for _ in range(3)} for browser in range(20)]
    assert all(len(each) == 1 for each in seen)
    assert set().union(*seen) == {"a?x=1", "b?x=1"}
    answer = api.patch(f"/links/{link['id']}", json={"rules": [{"destination": "https://example.com/all"}]}).json()
    assert answer["rules"] == [{"destination": "https://example.com/all"}]
    assert led_to(WINDOWS) == "all?x=1"
    assert api.patch(f"/links/{link['id']}", json={"rules": []}).json()["rules"] == []
    assert led_to(WINDOWS) == "?x=1"


def test_every_wrong_rule_is_told_by_its_pointer(api: httpx.Client) -> None:
    link = new_link(api)
    before = everything(api)
    rules = [
        {"when": {"device": ["mobile", "phone"], "a/b~": 1}, "destination": "https://example.com/"},
        {"split": [{"weight": 0, "destination": "https://example.com/"}]},
        {},
    ]
    found = {
        "/rules/0/when/device/1": "unknown_value",
        "/rules/0/when/a~1b~0": "unknown_field",
        "/rules/1/split/0/weight": "out_of_range",
        "/rules/2": "one_of_required",
    }
    body = {"rules": rules, "active": 5}
    for answer in (
        api.post("/links", json={"destination": "https://example.com/", **body}),
        api.patch(f"/links/{link['id']}", json=body),
    ):
        assert wrong(problem(answer, 422, "invalid_fields")) == {**found, "/active": "wrong_type"}
    no_lists: list[object] = [None, {}, "x"]
    for nothing in no_lists:
        answer = api.patch(f"/links/{link['id']}", json={"rules": nothing})
        assert wrong(problem(answer, 422, "invalid_fields")) == {"/rules": "wrong_type"}
    assert everything(api) == before


@pytest.mark.parametrize("rules", ["5", "{}", "[null]", '[{"destination": "javascript:alert(1)"}]', '[{"when": {}}]'])
def test_rules_put_in_by_sql_that_are_none_can_be_looked_past_and_mended(
    server: ServerProcess, api: httpx.Client, rules: str
) -> None:
    link = new_link(api)
    sql(server.database_url, "UPDATE links SET rules = $2 WHERE slug = $1", link["slug"], rules)
    until(lambda: phone.get(link["short_url"]).status_code == 404, what="the change")  # nobody knows where it leads
    assert api.get(f"/links/{link['id']}").json()["rules"] == []
    assert [each["id"] for each in api.get("/links").json()["data"]] == [link["id"]]
    changed = api.patch(f"/links/{link['id']}", json={"title": "Still there"})
    assert (changed.status_code, changed.json()["title"]) == (200, "Still there")
    assert phone.get(link["short_url"]).status_code == 404
    assert api.patch(f"/links/{link['id']}", json={"rules": []}).status_code == 200
    assert phone.get(link["short_url"]).status_code == 302


@pytest.mark.parametrize("moment", ["infinity", "-infinity"])
def test_a_moment_put_in_by_sql_that_is_none_can_be_mended(
    server: ServerProcess, api: httpx.Client, moment: str
) -> None:
    link = new_link(api)
    sql(server.database_url, f"UPDATE links SET expires_at = '{moment}' WHERE slug = $1", link["slug"])
    assert api.get(f"/links/{link['id']}").status_code == 200
    assert api.patch(f"/links/{link['id']}", json={"expires_at": None}).status_code == 200
    assert phone.get(link["short_url"]).status_code == 302
