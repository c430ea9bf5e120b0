"""What the API refuses, how it says so, and that nothing comes of it."""

import json
from collections.abc import Iterator

import httpx
import pytest

from server.domain.slug import RESERVED
from tests.api.exchange import Json, everything, new_code, new_link, problem, wrong

URL = "https://example.com/"
MEGABYTE = 1 << 20

#: What takes a body: method, path, and a body that it takes.
TAKERS: list[tuple[str, str, Json]] = [
    ("POST", "/links", {"destination": URL}),
    ("POST", "/qr-codes", {"destination": URL}),
    ("POST", "/api-keys", {"name": "Till"}),
    ("PATCH", "/links/{link}", {"title": "Menu"}),
    ("PATCH", "/qr-codes/{code}", {"name": "Menu"}),
]


@pytest.fixture(params=TAKERS, ids=lambda taker: f"{taker[0]} {taker[1]}")
def taker(request: pytest.FixtureRequest, api: httpx.Client) -> tuple[str, str, Json]:
    """Each request that takes a body, with the ids of things there are."""
    method, path, body = request.param
    if "{link}" in path:
        path = path.replace("{link}", new_link(api)["id"])
    elif "{code}" in path:
        path = path.replace("{code}", new_code(api)["id"])
    return method, path, body


def refused(api: httpx.Client, method: str, path: str, body: object) -> dict[str, str]:
    """Sends the body; returns which fields were refused, and makes sure that nothing has come of it."""
    before = everything(api)
    answer = api.request(method, path, content=json.dumps(body))
    found = problem(answer, 422, "invalid_fields")
    assert everything(api) == before
    assert all("pointer" in each for each in found["errors"])
    return wrong(found)


# --- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"destination": "https://example.com/"',
        b"destination=https%3A%2F%2Fexample.com",
        b"{'destination': 'https://example.com/'}",
        b'{"destination": NaN}',
        b'{"destination": "https://example.com/",}',
        b'{"destination": "\\ud800"}',  # half a character
        b'{"destination": "\xff"}',  # no UTF-8
        b'{"destination": "a\nb"}',  # a control character that JSON wants escaped
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda body: repr(body)[:40],
)
def test_what_is_no_json_is_refused(api: httpx.Client, taker: tuple[str, str, Json], body: bytes) -> None:
    method, path, _ = taker
    before = everything(api)
    assert "errors" not in problem(api.request(method, path, content=body), 400, "malformed_body")
    assert everything(api) == before


@pytest.mark.parametrize("body", [None, [], "x", 1, 1.5, True, [{"destination": URL}]], ids=repr)
def test_what_is_no_object_is_refused(api: httpx.Client, taker: tuple[str, str, Json], body: object) -> None:
    method, path, _ = taker
    assert refused(api, method, path, body) == {"": "wrong_type"}


def test_a_field_nobody_knows_is_refused_by_its_name(api: httpx.Client, taker: tuple[str, str, Json]) -> None:
    method, path, body = taker
    extra = {"Destination": URL, "id": "lnk_0", "a/b~c": 1, "": None}
    found = refused(api, method, path, {**body, **extra})
    # RFC 6901, 3: ~ is written ~0, and / is written ~1.
    assert found == dict.fromkeys(["/Destination", "/id", "/a~1b~0c", "/"], "unknown_field")


def test_a_body_as_large_as_may_be_is_read_and_one_byte_more_is_not(
    api: httpx.Client, taker: tuple[str, str, Json]
) -> None:
    method, path, body = taker
    text = json.dumps(body).encode()
    limit = (16 if path.startswith("/qr-codes") else 1) * MEGABYTE  # there may be pictures in a design
    for too_large in (text + b" " * (limit + 1 - len(text)), text + b" " * (limit + 2 * MEGABYTE)):
        before = everything(api)
        problem(api.request(method, path, content=too_large), 413, "body_too_large")
        problem(api.request(method, path, content=chunks(too_large)), 413, "body_too_large")
        assert everything(api) == before
    largest = text + b" " * (limit - len(text))
    assert api.request(method, path, content=largest).status_code in (200, 201)
    assert api.request(method, path, content=chunks(largest)).status_code in (200, 201)


@pytest.mark.parametrize("sent", ["POST /links", "PATCH /account", "POST /nowhere"])
def test_a_refusal_reaches_whoever_is_still_sending(stranger: httpx.Client, sent: str) -> None:
    method, path = sent.split()
    for _ in range(10):
        answer = stranger.request(method, path, content=chunks(b" " * (5 * MEGABYTE)))
        assert answer.status_code in (401, 404, 405, 413), answer.text


def chunks(body: bytes) -> Iterator[bytes]:
    """The body in pieces, whose length is not announced."""
    yield from (body[start : start + 65_536] for start in range(0, len(body), 65_536))


def test_a_body_needs_no_media_type(api: httpx.Client) -> None:
    answer = api.post("/links", content=json.dumps({"destination": URL}), headers={"content-type": "text/plain"})
    assert answer.status_code == 201


# --- fields ----------------------------------------------------------------------------------------------------------

NOT_STRINGS: list[object] = [5, 1.5, True, [], {}, [URL]]

DESTINATIONS: list[tuple[object, str]] = [
    *[(given, "wrong_type") for given in NOT_STRINGS],
    ("", "empty"),
    (URL + "x" * 8192, "too_long"),
    (URL + "ä" * 4000, "too_long"),
    ("javascript:alert(1)", "invalid_scheme"),
    ("JavaScript://example.com/%0aalert(1)", "invalid_scheme"),
    ("data:text/html,<script>", "invalid_character"),
    ("data:text/html;base64,PHA+", "invalid_scheme"),
    ("ftp://example.com/", "invalid_scheme"),
    ("example.com", "invalid_scheme"),
    ("//example.com", "invalid_scheme"),
    ("https://", "no_host"),
    ("https:///path", "no_host"),
    ("https:example.com", "no_host"),
    ("https://:443/", "no_host"),
    ("https://example.com:99999/", "invalid_url"),
    ("https://example.com/\r\nSet-Cookie: a=b", "invalid_character"),
    ("https://example.com/\n", "invalid_character"),
    ("java\tscript:alert(1)", "invalid_character"),
    (" https://example.com/", "invalid_character"),
    ("https://example.com/\x00", "invalid_character"),
    ("https://example.com\\@evil.example/", "invalid_character"),
]


@pytest.mark.parametrize(("destination", "why"), DESTINATIONS, ids=lambda given: ascii(given)[:40])
def test_a_destination_nobody_should_be_sent_to_is_refused(api: httpx.Client, destination: object, why: str) -> None:
    link = new_link(api)
    for method, path in (("POST", "/links"), ("POST", "/qr-codes"), ("PATCH", f"/links/{link['id']}")):
        assert refused(api, method, path, {"destination": destination}) == {"/destination": why}


def test_a_destination_of_exactly_8192_bytes_is_taken_and_led_to(api: httpx.Client, anyone: httpx.Client) -> None:
    longest = URL + "x" * (8192 - len(URL))
    link = new_link(api, destination=longest)
    assert link["destination"] == longest
    assert anyone.get(link["short_url"]).headers["location"] == longest


@pytest.mark.parametrize("body", [{"destination": None}, {}, {"title": "Menu"}])
def test_a_link_needs_a_destination(api: httpx.Client, body: Json) -> None:
    why = "wrong_type" if "destination" in body else "required"
    assert refused(api, "POST", "/links", body) == {"/destination": why}


def test_a_destination_cannot_be_taken_away(api: httpx.Client) -> None:
    assert refused(api, "PATCH", f"/links/{new_link(api)['id']}", {"destination": None}) == {
        "/destination": "wrong_type"
    }


def test_a_slug_is_for_ever(api: httpx.Client) -> None:
    body = {"slug": "other", "title": "x"}
    assert refused(api, "PATCH", f"/links/{new_link(api)['id']}", body) == {"/slug": "unknown_field"}


@pytest.mark.parametrize(
    ("slug", "why"),
    [
        *[(given, "wrong_type") for given in NOT_STRINGS],
        ("", "empty"),
        ("x" * 65, "too_long"),
        *[(slug, "invalid_slug") for slug in ["-a", "a-", "a b", "a/b", "../v1", "ä", "a.b", "a\n", "%61", "\u212a"]],
    ],
    ids=ascii,
)
def test_an_illegal_slug_is_refused(api: httpx.Client, slug: object, why: str) -> None:
    assert refused(api, "POST", "/links", {"destination": URL, "slug": slug}) == {"/slug": why}


def test_reserved_words_are_no_slugs_in_any_spelling(api: httpx.Client) -> None:
    before = everything(api)
    for word in sorted(RESERVED | {word.upper() for word in RESERVED}):
        answer = api.post("/links", json={"destination": URL, "slug": word})
        assert wrong(problem(answer, 422, "invalid_fields")) == {"/slug": "reserved_slug"}
    assert everything(api) == before


LABELS: list[tuple[object, str]] = [
    *[(given, "wrong_type") for given in NOT_STRINGS],
    ("", "empty"),
    (" \t", "empty"),
    ("x" * 201, "too_long"),
    ("a\nb", "invalid_character"),
    ("a\x00b", "invalid_character"),
    ("a\u2028b", "invalid_character"),
]


@pytest.mark.parametrize(("label", "why"), LABELS, ids=lambda given: ascii(given)[:40])
def test_a_name_or_title_that_is_none_is_refused(api: httpx.Client, label: object, why: str) -> None:
    code = new_code(api)
    assert refused(api, "POST", "/links", {"destination": URL, "title": label}) == {"/title": why}
    assert refused(api, "POST", "/qr-codes", {"destination": URL, "name": label}) == {"/name": why}
    assert refused(api, "POST", "/api-keys", {"name": label}) == {"/name": why}
    assert refused(api, "PATCH", f"/links/{code['link_id']}", {"title": label}) == {"/title": why}
    assert refused(api, "PATCH", f"/qr-codes/{code['id']}", {"name": label}) == {"/name": why}


def test_a_key_needs_a_name(api: httpx.Client) -> None:
    assert refused(api, "POST", "/api-keys", {}) == {"/name": "required"}
    assert refused(api, "POST", "/api-keys", {"name": None}) == {"/name": "wrong_type"}


NO_LEVELS: list[object] = ["X", "m", "", "LM", 1, []]
NO_NUMBERS: list[object] = ["4", 4.0, 10**30, True, None, []]
DESIGNS: list[tuple[object, dict[str, str]]] = [
    (None, {"/design": "wrong_type"}),
    ([], {"/design": "wrong_type"}),
    ("M", {"/design": "wrong_type"}),
    *[({"level": level}, {"/design/level": "unknown_value"}) for level in NO_LEVELS],
    *[({"margin": margin}, {"/design/margin": "out_of_range"}) for margin in (-1, 33, 2**63 - 1)],
    *[({"margin": margin}, {"/design/margin": "wrong_type"}) for margin in NO_NUMBERS],
    ({"colour": "red"}, {"/design/colour": "unknown_field"}),
    (
        {"level": "X", "margin": 99, "colour": "red"},
        {"/design/level": "unknown_value", "/design/margin": "out_of_range", "/design/colour": "unknown_field"},
    ),
]


@pytest.mark.parametrize(("design", "found"), DESIGNS, ids=repr)
def test_a_design_nobody_can_draw_is_refused(api: httpx.Client, design: object, found: dict[str, str]) -> None:
    code = new_code(api)
    assert refused(api, "POST", "/qr-codes", {"destination": URL, "design": design}) == found
    assert refused(api, "PATCH", f"/qr-codes/{code['id']}", {"design": design}) == found


CONTENTS: list[tuple[object, dict[str, str]]] = [
    ([], {"/content": "wrong_type"}),
    ("Hello", {"/content": "wrong_type"}),
    ({"type": "text"}, {"/content/text": "required"}),
    ({"text": "Hello"}, {"/content/type": "required"}),
    ({}, {"/content/type": "required"}),
    ({"type": "fax", "text": "Hello"}, {"/content/type": "unknown_value"}),
    ({"type": "Text", "text": "Hello"}, {"/content/type": "unknown_value"}),
    ({"type": 5, "text": 5}, {"/content/type": "unknown_value"}),
    ({"type": "text", "text": ""}, {"/content/text": "empty"}),
    ({"type": "text", "text": "a\x00b"}, {"/content/text": "invalid_character"}),
    ({"type": "text", "text": "7" * 7090}, {"/content/text": "too_long"}),
    ({"type": "text", "text": "Hello", "lang": "en"}, {"/content/lang": "unknown_field"}),
    (
        {"type": "wifi", "a/b~c": 1, "": 2},
        {"/content/ssid": "required", "/content/a~1b~0c": "unknown_field", "/content/": "unknown_field"},
    ),
    ({"type": "wifi", "ssid": "x", "password": "1234567"}, {"/content/password": "invalid_password"}),
    (
        {"type": "wifi", "ssid": "x" * 33, "password": "\t", "auth": "WPA2", "hidden": 1},
        {
            "/content/ssid": "too_long",
            "/content/password": "invalid_character",
            "/content/auth": "unknown_value",
            "/content/hidden": "wrong_type",
        },
    ),
    (
        {"type": "vcard", "phones": ["+33612345678", "x", 5], "emails": {}, "url": "javascript:alert(1)"},
        {"/content/phones/1": "invalid_phone", "/content/emails": "wrong_type", "/content/url": "invalid_scheme"},
    ),
    ({"type": "email", "to": "a@b.de", "subject": "é" * 200, "body": "🍣" * 2000}, {"/content": "too_long"}),
    (
        {"type": "payment", "name": "x", "iban": "DE88370400440532013000", "amount": "1,50", "currency": "USD"},
        {
            "/content/iban": "invalid_iban",
            "/content/amount": "invalid_amount",
            "/content/currency": "unknown_value",
        },
    ),
]


@pytest.mark.parametrize(("content", "found"), CONTENTS, ids=lambda given: repr(given)[:40])
def test_a_content_nobody_can_say_is_refused(api: httpx.Client, content: object, found: dict[str, str]) -> None:
    assert refused(api, "POST", "/qr-codes", {"content": content}) == found
    static = new_code(api, content={"type": "text", "text": "Hello"})
    assert refused(api, "PATCH", f"/qr-codes/{static['id']}", {"content": content}) == found


@pytest.mark.parametrize(
    "says",
    [
        {},
        {"destination": None, "link_id": None, "content": None},
        {"destination": URL, "content": {"type": "text", "text": "Hello"}},
        {"destination": URL, "link_id": "lnk_0000000000005"},
        {"destination": URL, "link_id": "lnk_0000000000005", "content": {"type": "text", "text": "Hello"}},
    ],
    ids=lambda says: ",".join(says) or "nothing",
)
def test_a_code_says_exactly_one_thing(api: httpx.Client, says: Json) -> None:
    assert refused(api, "POST", "/qr-codes", says) == {"": "one_of_required"}


def test_a_code_of_a_link_that_is_not_the_accounts_is_refused(api: httpx.Client, stranger: httpx.Client) -> None:
    theirs, deleted = new_link(stranger)["id"], new_link(api)["id"]
    api.delete(f"/links/{deleted}")
    unknown = "lnk_0000000000005"
    before = everything(api)
    details = [
        problem(api.post("/qr-codes", json={"link_id": link}), 404, "not_found")["detail"].replace(link, "ID")
        for link in (theirs, deleted, unknown)
    ]
    assert len(set(details)) == 1
    for link, why in (
        ("nonsense", "invalid_id"),
        (theirs.upper(), "invalid_id"),
        ("", "invalid_id"),
        (5, "wrong_type"),
    ):
        assert refused(api, "POST", "/qr-codes", {"link_id": link}) == {"/link_id": why}
    assert everything(api) == before


def test_no_code_changes_its_kind(api: httpx.Client) -> None:
    """A dynamic code stays dynamic, and a static one static."""
    body = {"destination": URL, "link_id": None, "content": None}
    for code in (new_code(api), new_code(api, content={"type": "text", "text": "Hello"})):
        found = refused(api, "PATCH", f"/qr-codes/{code['id']}", body)
        assert found == {"/destination": "unknown_field", "/link_id": "unknown_field", "/content": "wrong_type"}


def test_all_wrong_fields_are_told_at_once(api: httpx.Client) -> None:
    body = {"destination": "javascript:alert(1)", "slug": "-", "title": 5, "rule": []}
    assert refused(api, "POST", "/links", body) == {
        "/destination": "invalid_scheme",
        "/slug": "invalid_slug",
        "/title": "wrong_type",
        "/rule": "unknown_field",
    }
    code = {"name": "", "destination": "x", "content": {"type": "text"}, "design": {"level": "X", "margin": -1}, "a": 1}
    assert refused(api, "POST", "/qr-codes", code) == {
        "/name": "empty",
        "/destination": "invalid_scheme",
        "/content/text": "required",
        "/design/level": "unknown_value",
        "/design/margin": "out_of_range",
        "/a": "unknown_field",
        "": "one_of_required",
    }


@pytest.mark.parametrize(("level", "longest"), [("L", 2953), ("M", 2331), ("Q", 1663), ("H", 1273)])
def test_a_text_too_long_for_any_symbol_hears_how_long_it_is_and_may_be(
    api: httpx.Client, level: str, longest: int
) -> None:
    """The bytes that version 40 holds: ISO/IEC 18004:2015, table 7."""

    def body(length: int) -> Json:
        return {"content": {"type": "text", "text": "x" * length}, "design": {"level": level}}

    assert api.post("/qr-codes", json=body(longest)).status_code == 201
    before = everything(api)
    found = problem(api.post("/qr-codes", json=body(longest + 1)), 422, "invalid_fields")
    assert wrong(found) == {"/content/text": "too_long"}
    for number in (longest, longest + 1):
        assert str(number) in found["errors"][0]["detail"]
    assert everything(api) == before


def test_a_level_too_high_for_a_text_there_is_leaves_the_code_as_it_was(api: httpx.Client) -> None:
    code = new_code(api, content={"type": "text", "text": "x" * 2000})
    body = {"name": "New", "design": {"level": "H"}}
    assert refused(api, "PATCH", f"/qr-codes/{code['id']}", body) == {"/content/text": "too_long"}


# --- what people scan ------------------------------------------------------------------------------------------------


def test_a_slug_no_link_has_leads_nowhere(anyone: httpx.Client) -> None:
    answer = anyone.get(str(anyone.base_url.join("/no-link-has-this")))
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_reserved_words_are_never_looked_up_as_slugs(anyone: httpx.Client) -> None:
    """They answer as what they are, or as an address there is not; and the same in any spelling."""
    for word in sorted(RESERVED):
        for spelled in (word, word.upper()):
            answer = anyone.get(str(anyone.base_url.join(f"/{spelled}")))
            assert answer.status_code in (200, 404), spelled
            assert "location" not in answer.headers
