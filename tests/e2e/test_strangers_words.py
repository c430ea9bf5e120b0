"""What strangers say is neither believed nor repeated: not as HTML, not in a header, not as the way to elsewhere."""

import re
from urllib.parse import quote

import httpx
import pytest

from server.edge.pages import Page
from tests.api.exchange import new_link, operations
from tests.e2e.test_hostile_clients import answered, head
from tests.support import ServerProcess

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ELSEWHERE = "evil.example"


def repeats_nothing(answer: httpx.Response) -> None:
    """Nothing that was asked is in a page, and what is no page is nothing that a browser runs."""
    kind = answer.headers.get("content-type", "").partition(";")[0]
    assert kind in ("", "text/html", "text/plain", "application/json", "application/problem+json", "image/png")
    if kind == "text/html":
        assert "alert(1)" not in answer.text
        assert any(answer.content == page.body for page in Page) or "/docs" in answer.url.path


@pytest.mark.parametrize(
    "path",
    [
        *["/", "/nowhere", "/q/nowhere", "/q/nowhere/", "/r.php", "/docs", "/livez", "/i/nowhere.svg", "/v1/nowhere"],
        *["/mask/api/v1/links", "/qrlogo/qr", "/qrstudio/v1/generate", "/qrcode-app/v1/qrcodes"],
        *["/qrcodestack/api/v1/me", "/qrcode-app/v1/barcodes/x/image"],
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS", "PROPFIND"])
def test_no_page_and_no_refusal_repeats_what_it_was_asked(anyone: httpx.Client, method: str, path: str) -> None:
    root = str(anyone.base_url).removesuffix("/v1/")
    said = {"user-agent": SCRIPT, "referer": SCRIPT, "x-forwarded-host": SCRIPT, "x-api-key": "<script>"}
    for url in (f"{path}?c={quote(SCRIPT)}&{SCRIPT}", f"{path}{quote(SCRIPT, safe='')}", f"{path}/{quote(SCRIPT)}"):
        repeats_nothing(anyone.request(method, f"{root}{url}", headers=said, content=SCRIPT))


def test_no_route_of_the_api_makes_a_page_of_what_it_is_told(api: httpx.Client) -> None:
    for each in operations():
        path = re.sub(r"\{\w+\}", quote(SCRIPT, safe=""), each.path)
        root = str(api.base_url).removesuffix("/v1/")
        with api.stream(each.method, f"{root}{path}?{quote(SCRIPT)}={quote(SCRIPT)}", json={SCRIPT: SCRIPT}) as answer:
            kind = answer.headers.get("content-type", "")
            assert not kind.startswith(("text/html", "image/svg", "application/xml", "text/xml")) or path == "/docs", (
                path
            )


def test_a_password_that_is_wrong_is_not_repeated(api: httpx.Client, anyone: httpx.Client) -> None:
    link = new_link(api, password="open sesame")
    answer = anyone.post(link["short_url"], data={"password": SCRIPT})
    assert answer.status_code == 401
    repeats_nothing(answer)


@pytest.mark.parametrize(
    "path",
    [
        *[f"//{ELSEWHERE}", f"//{ELSEWHERE}/", f"/\\{ELSEWHERE}", f"/%2F%2F{ELSEWHERE}", f"/%5C{ELSEWHERE}", "/q//"],
        *[f"/q/{ELSEWHERE}", f"/v1//{ELSEWHERE}/", "/docs/", "/v1/links/", f"/?url=https://{ELSEWHERE}"],
        *[f"/r.php?c=https://{ELSEWHERE}", f"/nowhere?next=//{ELSEWHERE}", f"http://{ELSEWHERE}/docs/"],
    ],
)
def test_only_links_lead_elsewhere(server: ServerProcess, path: str) -> None:
    told = answered(server, head(f"GET {path}")).lower()
    assert not told.startswith(b"http/1.1 3")
    assert b"\r\nlocation:" not in told


@pytest.mark.parametrize("port", ["@evil.example", "80@evil.example", "/x", "9" * 20, "-1", "8\u00b2"])
def test_a_host_with_something_else_than_a_port_is_none_of_a_dialect(server: ServerProcess, port: str) -> None:
    """Where a dialect has a host of its own, its URLs begin with it, as it was said."""
    told = answered(server, head("GET /v1/nowhere", f"Host: qrcode-app.test:{port}").replace(b"Host: a\r\n", b""))
    assert ELSEWHERE.encode() not in told
    assert told.startswith(b"HTTP/1.1 40")
    assert b'"code":"unknown_path"' in told  # and not one of the dialect's own


def test_a_host_that_a_client_says_is_not_believed(server: ServerProcess, api: httpx.Client) -> None:
    said = {"host": ELSEWHERE, "x-forwarded-host": ELSEWHERE, "forwarded": f"host={ELSEWHERE}", "x-original-url": "/x"}
    made = api.post("/links", json={"destination": "https://example.com/"}, headers=said)
    assert ELSEWHERE not in made.text
    led = api.get(made.json()["short_url"], headers=said)
    assert (led.status_code, led.headers["location"]) == (302, "https://example.com/")
    assert ELSEWHERE not in api.get(f"{server.url}/openapi.json", headers=said).text


@pytest.mark.parametrize("destination", ["https://example.com", "https://example.com/a?b=1#c", "https://example.com/?"])
@pytest.mark.parametrize(
    "query",
    [
        *["a=%0d%0aSet-Cookie:%20x=y", "%0d%0a%0d%0a<script>", f"@{ELSEWHERE}/", f"=@{ELSEWHERE}", f"//{ELSEWHERE}"],
        *["\\..\\x", "%5c", "a=%e2%80%a8", "a=%c4%8d%c4%8a", "#fragment", "a=\u00e9", "&&&", "%", "%zz"],
    ],
)
def test_a_query_that_is_passed_on_stays_a_query(
    server: ServerProcess, api: httpx.Client, destination: str, query: str
) -> None:
    link = new_link(api, destination=destination, forward_query=True)
    told = answered(server, head(f"GET {httpx.URL(link['short_url']).path}?{query}"))
    start, _, body = told.partition(b"\r\n\r\n")
    if start.startswith(b"HTTP/1.1 400"):  # a byte that no URL may have
        assert not query.isascii() or "<" in query
        return
    headers = [line.partition(b":") for line in start.split(b"\r\n")[1:]]
    location = next(value for name, _, value in headers if name == b"location").decode("ascii").strip()
    assert httpx.URL(location).host == "example.com"
    assert [name for name, *_ in headers].count(b"location") == 1
    assert b"set-cookie" not in [name for name, *_ in headers]
    assert body == b""


@pytest.mark.parametrize(
    "text",
    ["a\r\nSet-Cookie: x=y", "a\nb", "a\rb", "a\0b", "\u010d\u010a", "caf\u00e9 \u20ac", '"; filename="evil.exe'],
)
def test_no_text_of_a_request_becomes_a_header(server: ServerProcess, api: httpx.Client, text: str) -> None:
    """Names, slugs and destinations are refused, or are in no header but as they may be."""
    made = [
        api.post("/links", json={"destination": f"https://example.com/{text}"}),
        api.post("/links", json={"destination": "https://example.com/", "slug": text}),
        api.post("/links", json={"destination": "https://example.com/", "title": text}),
        api.post("/qr-codes", json={"content": {"type": "text", "text": text}, "name": text}),
        api.post("/qr-codes", json={"content": {"type": "text", "text": text}}),
    ]
    answers = [each for each in made if each.status_code == 201]
    assert {each.status_code for each in made} <= {201, 422}
    for each in answers:
        body = each.json()
        if "image_url" in body:
            picture = api.get(f"{body['image_url']}?download=true")
            assert re.fullmatch(r'attachment; filename="qr_\w+\.png"', picture.headers["content-disposition"])
        else:
            led = api.get(body["short_url"])
            assert led.status_code == 302
            assert led.headers["location"].isascii()
            assert led.headers["location"].isprintable()
    for each in (*made, api.get("/qr-codes/export"), api.get("/links/export")):
        assert all("set-cookie" not in name and "\n" not in value for name, value in each.headers.items())
    assert all("evil" not in answer.headers.get("content-disposition", "") for answer in made)


@pytest.mark.parametrize("format", ["svg", "png", "pdf"])
def test_every_picture_says_what_it_is(api: httpx.Client, anyone: httpx.Client, format: str) -> None:
    code = api.post("/qr-codes", json={"content": {"type": "text", "text": SCRIPT}, "name": SCRIPT}).json()
    root = str(api.base_url).removesuffix("/v1/")
    barcode = {"symbology": "code-128", "value": "<script>", "format": format}
    answers = [
        api.get(code["image_url"], params={"format": format}),
        api.get(code["image_url"], params={"format": format}),  # and from memory
        api.post("/render", json={"content": {"type": "text", "text": SCRIPT}, "format": format}),
        api.post("/barcodes", json=barcode),
        anyone.get(f"{root}/i/{code['id']}.{format}"),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert ("sandbox" in answer.headers.get("content-security-policy", "")) == (format == "svg")
        assert b"<script" not in answer.content
