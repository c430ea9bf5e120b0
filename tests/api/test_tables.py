"""/links/export and /links/import, and the same of codes: as CSV, and back without a loss."""

import csv
import secrets
import socket
from collections.abc import Sequence
from io import StringIO
from uuid import uuid4

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.api import cells
from server.api.tables import MAX_CODE_ROWS, MAX_LINK_ROWS, PAGE_ROWS
from tests.api.exchange import Json, everything, new_code, new_link, problem, wrong
from tests.api.test_bulk import batch, ids, links
from tests.support import PLANS, ServerProcess, phone, until

THERE = "https://example.com/"
FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", '=HYPERLINK("https://evil.example","x")', "'=1", "''+1", "\uff1d1"]
TAGGED = {"b": ["spring", "inside"], "a": ["spring"], "c": ["autumn"], "gone": ["spring"]}
SELECTIONS = [
    [("tag", "spring")],
    [("tag", "spring"), ("tag", "inside")],
    [("sort", "TITLE")],
    [("sort", "TITLE"), ("order", "desc")],
    [("search", "c")],
    [("deleted", "only")],
    [("created_after", "2020-01-01")],
]
HARMLESS = ["Menu", "'quoted'", "1+1", 'a,b "c"', "Käse"]


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text, newline=""), strict=True))


def export(api: httpx.Client, what: str = "links") -> str:
    answer = api.get(f"/{what}/export", timeout=60)
    assert answer.status_code == 200, answer.text[:300]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["content-disposition"] == f'attachment; filename="{what}.csv"'
    return answer.content.decode()


def bring(
    api: httpx.Client, text: str | bytes, what: str = "links", mode: str | None = None, **headers: str
) -> httpx.Response:
    content = text if isinstance(text, bytes) else text.encode()
    params = {"mode": mode} if mode else {}
    headers = {"content-type": "text/csv", **headers}
    return api.post(f"/{what}/import", content=content, params=params, headers=headers, timeout=60)


def rows_of(columns: str, *rows: Sequence[str]) -> str:
    out = StringIO(newline="")
    csv.writer(out).writerows([columns.split(","), *rows])
    return out.getvalue()


# --- cells -----------------------------------------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(codec="utf-8")) | st.text(alphabet="'=+-@\t\r\n\uff1da"))
def test_a_text_comes_back_as_it_was_and_is_no_formula(text: str) -> None:
    [row] = csv.reader(StringIO(cells.written([[text, ""]]).decode(), newline=""), strict=True)
    cell = row[0]
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff0b", "\uff0d", "\uff1d", "\uff20"))
    assert cells.text(cell) == text


@pytest.mark.parametrize("title", HARMLESS)
def test_what_is_no_formula_stays_as_it_is(title: str) -> None:
    assert next(csv.reader([cells.written([[title]]).decode()])) == [title]


# --- out and in ------------------------------------------------------------------------------------------------------


def test_links_come_back_without_a_loss(api: httpx.Client, stranger: httpx.Client) -> None:
    fields: Json = {
        "expires_at": "2090-01-01T10:00:00Z",
        "fallback_url": "https://example.com/over",
        "redirect_status": 308,
        "forward_query": True,
        "max_scans": 1000,
        "active": False,
        "rules": [{"when": {"device": ["mobile"]}, "destination": "https://example.com/m"}],
        "tags": ["=spring", "table 7", '"é"'],
    }
    made = [new_link(api, title=title) for title in FORMULAS + HARMLESS] + [new_link(api, **fields), new_link(api)]
    text = export(api)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in table(text) for cell in row.values())
    assert [row["id"] for row in table(text)] == [link["id"] for link in reversed(made)], "newest first"
    assert set(table(text)[0]) == set(made[0])
    slugs = {link["slug"]: f"test-{secrets.token_hex(8)}" for link in made}
    for old, new in slugs.items():  # a slug is nobody else's as long as its link is there
        text = text.replace(old, new)
    answer = bring(stranger, text)
    assert answer.status_code == 201, answer.text[:500]
    found = answer.json()
    assert (found["created"], found["failed"]) == (len(made), 0)
    assert [row["row"] for row in found["rows"]] == list(range(2, len(made) + 2))
    for row, link in zip(found["rows"], reversed(made), strict=True):
        copy = stranger.get(f"/links/{row['id']}").json()
        varying = {"id", "slug", "short_url", "created_at", "updated_at"}
        assert copy == link | {name: copy[name] for name in varying}
        assert copy["slug"] == slugs[link["slug"]]


def test_codes_come_back_without_a_loss(api: httpx.Client) -> None:
    link = new_link(api)
    made = [
        new_code(api, link_id=link["id"], name="=cmd|'/c calc'!A1", tags=["b", "a"]),
        new_code(api, content={"type": "wifi", "ssid": "Café", "password": "secret123"}),
        new_code(api, link_id=link["id"], design={"modules": {"shape": "rounded", "color": "#203080"}}, size=640),
    ]
    text = export(api, "qr-codes")
    assert set(table(text)[0]) == set(made[0])
    answer = bring(api, text, "qr-codes")
    assert answer.status_code == 201, answer.text[:500]
    for row, code in zip(answer.json()["rows"], reversed(made), strict=True):
        copy = api.get(f"/qr-codes/{row['id']}").json()
        varying = {"id", "image_url", "created_at", "updated_at"}
        assert copy == code | {name: copy[name] for name in varying}


def test_many_pages_are_one_export(api: httpx.Client) -> None:
    number = 2 * PAGE_ROWS + 1
    for start in range(0, number, PAGE_ROWS):
        assert batch(api, links(min(PAGE_ROWS, number - start))).status_code == 201
    assert [row["id"] for row in table(export(api))] == ids(api, "links")[::-1]


def test_an_account_without_anything_exports_a_header(api: httpx.Client, stranger: httpx.Client) -> None:
    new_link(stranger)
    for what in ("links", "qr-codes"):
        text = export(api, what)
        assert text.count("\r\n") == 1
        assert text.startswith("id,")


def test_tags_are_one_cell_with_commas_between(api: httpx.Client) -> None:
    [made] = bring(api, rows_of("destination,tags", (THERE, "Spring, table 7,spring"))).json()["rows"]
    assert api.get(f"/links/{made['id']}").json()["tags"] == ["spring", "table 7"]
    assert [row["tags"] for row in table(export(api))] == ["spring,table 7"]
    text = rows_of("destination,tags", (THERE, "a,,b"), (THERE, "x" * 51))
    assert wrong(problem(bring(api, text), 422, "invalid_fields")) == {
        "/rows/2/tags/1": "empty",
        "/rows/3/tags/0": "too_long",
    }


@pytest.mark.parametrize("what", ["links", "qr-codes"])
def test_an_export_is_of_what_a_list_is(api: httpx.Client, what: str) -> None:
    make = {"links": new_link, "qr-codes": new_code}[what]
    title = {"links": "title", "qr-codes": "name"}[what]
    made = {name: make(api, destination=THERE, tags=tags, **{title: name}) for name, tags in TAGGED.items()}
    api.delete(f"/{what}/{made['gone']['id']}")
    for query in SELECTIONS:
        params = httpx.QueryParams([(name, value.replace("TITLE", title)) for name, value in query])
        listed = [each["id"] for each in api.get(f"/{what}", params=params).json()["data"]]
        answer = api.get(f"/{what}/export", params=params)
        assert [row["id"] for row in table(answer.text)] == listed, params
        assert 0 < len(listed) < len(made), params
    refused = problem(api.get(f"/{what}/export", params={"sort": "size", "deleted": "x"}), 422, "invalid_fields")
    assert wrong(refused) == {"sort": "unknown_value", "deleted": "unknown_value"}


@pytest.mark.parametrize("what", ["links", "qr-codes"])
def test_the_document_says_that_an_export_takes_what_a_list_does(server: ServerProcess, what: str) -> None:
    paths = phone.get(f"{server.url}/openapi.json").json()["paths"]
    listed, exported = (
        {each["name"]: each for each in paths[path]["get"]["parameters"]}
        for path in (f"/v1/{what}", f"/v1/{what}/export")
    )
    assert exported == {name: each for name, each in listed.items() if name not in ("limit", "cursor", "expand")}


# --- what may be wrong -----------------------------------------------------------------------------------------------


def test_spreadsheets_may_write_it(api: httpx.Client) -> None:
    text = (
        "\ufeffDESTINATION,active\r\n".replace("DESTINATION", "destination") + f"{THERE},FALSE\r\n,\r\n{THERE},TRUE\r\n"
    )
    found = bring(api, text).json()
    assert [row["row"] for row in found["rows"]] == [2, 4], "an empty row counts, and is none"
    assert [api.get(f"/links/{row['id']}").json()["active"] for row in found["rows"]] == [False, True]


def test_what_is_wrong_is_told_by_row_and_column(api: httpx.Client, stranger: httpx.Client) -> None:
    taken = new_link(stranger)["slug"]
    before = everything(api)
    text = rows_of(
        "destination,slug,active,max_scans,rules",
        (THERE, "", "", "", ""),
        ("ftp://example.com", "", "maybe", "-5", "{"),
        (THERE, taken, "", "", ""),
        ("", "", "true", "", ""),
        (THERE, ""),
    )
    expected = {
        "/rows/3/destination": "invalid_scheme",
        "/rows/3/active": "wrong_type",
        "/rows/3/max_scans": "wrong_type",
        "/rows/3/rules": "wrong_type",
        "/rows/4/slug": "slug_taken",
        "/rows/5/destination": "required",
        "/rows/6": "wrong_length",
    }
    assert wrong(problem(bring(api, text), 422, "invalid_fields")) == expected
    assert everything(api) == before
    answer = bring(api, text, mode="item_by_item")
    assert answer.status_code == 200
    assert [(row["row"], row["status"]) for row in answer.json()["rows"]] == [
        (2, 201),
        (3, 422),
        (4, 409),
        (5, 422),
        (6, 422),
    ]
    assert len(ids(api, "links")) == 1


def test_a_header_with_other_columns_is_refused_by_name(api: httpx.Client) -> None:
    text = rows_of("destination,colour,a/b,destination", (THERE, "", "", ""))
    assert wrong(problem(bring(api, text), 422, "invalid_fields")) == {
        "/rows/1/colour": "unknown_field",
        "/rows/1/a~1b": "unknown_field",
        "/rows/1/destination": "duplicate",
    }
    assert ids(api, "links") == []


def test_there_are_so_many_rows(api: httpx.Client) -> None:
    for what, most in (("links", MAX_LINK_ROWS), ("qr-codes", MAX_CODE_ROWS)):
        text = "destination\r\n" + f"{THERE}\r\n" * (most + 1)
        assert wrong(problem(bring(api, text, what), 422, "invalid_fields")) == {"/rows": "too_long"}
    for nothing in ("", "destination", "destination\r\n\r\n"):
        assert wrong(problem(bring(api, nothing), 422, "invalid_fields")) == {"/rows": "too_short"}
    assert ids(api, "links") == []


@pytest.mark.parametrize("body", [b"destination\r\n\xff", b'destination\r\n"open', b'destination\r\n"a"b'])
def test_what_is_no_csv_is_refused(api: httpx.Client, body: bytes) -> None:
    problem(bring(api, body), 400, "malformed_body")
    wanted = api.post("/links/import", params={"mode": "some"}, content=b"destination")
    assert wrong(problem(wanted, 422, "invalid_fields")) == {"mode": "unknown_value"}


def test_an_import_takes_as_much_as_a_batch_does(api: httpx.Client) -> None:
    problem(bring(api, b"destination\r\n" + b"x" * (16 << 20)), 413, "body_too_large")


def test_five_thousand_links_come_at_once(api: httpx.Client) -> None:
    text = "destination\r\n" + "".join(f"{THERE}{number}\r\n" for number in range(MAX_LINK_ROWS))
    headers = {"idempotency-key": str(uuid4())}
    first, again = (bring(api, text, **headers) for _ in range(2))
    assert (first.status_code, first.json()["created"]) == (201, MAX_LINK_ROWS)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.content == first.content


def test_the_plan_counts_rows(server: ServerProcess) -> None:
    with server.client(PLANS.named("tiny")) as tiny:
        problem(bring(tiny, "destination\r\n" + f"{THERE}\r\n" * 3), 403, "plan_limit")
        new_link(tiny)
        text = "destination\r\n" + f"{THERE}\r\n" * 2
        assert wrong(problem(bring(tiny, text), 403, "plan_limit")) == {"/rows/3": "links"}
        found = bring(tiny, text, mode="item_by_item").json()
        assert [row["status"] for row in found["rows"]] == [201, 403]


def test_whoever_goes_away_in_the_middle_leaves_nothing(server: ServerProcess, api: httpx.Client) -> None:
    head = (
        "POST /v1/links/import HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
        f"Authorization: {api.headers['authorization']}\r\n\r\n"
    )
    before = everything(api)
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"{head}destination\r\n{THERE}\r\n{THERE}\r\n".encode())
    until(server.ready, what="a server that goes on")
    assert everything(api) == before
