"""GET /i/{qr_id}.{format}: a code's picture for anyone, as it is stored."""

import httpx
import pytest

from server.domain.order import MEDIA_TYPES
from tests.api.exchange import new_code, problem


def shown(anyone: httpx.Client, code: str, file: str = "png", **headers: str) -> httpx.Response:
    return anyone.get(str(anyone.base_url.join(f"/i/{code}.{file}")), headers=headers)


@pytest.mark.parametrize("file", MEDIA_TYPES)
def test_anyone_sees_what_its_owner_sees(api: httpx.Client, anyone: httpx.Client, file: str) -> None:
    code = new_code(api)["id"]
    mine = api.get(f"/qr-codes/{code}/image?format={file}")
    theirs = shown(anyone, code, file)
    assert (theirs.status_code, theirs.content) == (200, mine.content)
    own = {"date", "cache-control", "x-cache", "x-render-ms", "etag"}
    headers = {name for name in mine.headers if "ratelimit" not in name} - own
    assert {name: theirs.headers[name] for name in headers} == {name: mine.headers[name] for name in headers}
    assert theirs.headers["cache-control"] == "public, max-age=60, must-revalidate"
    assert not [name for name in theirs.headers if "ratelimit" in name]


def test_nothing_is_to_be_chosen_but_the_format(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)["id"]
    url = str(anyone.base_url.join(f"/i/{code}.png"))
    assert anyone.get(url + "?size=9000&dpi=2400").content == anyone.get(url).content
    assert anyone.head(url).headers["etag"] == anyone.get(url).headers["etag"]
    for file in ("jpg", "PNG", "", "png.svg"):
        problem(shown(anyone, code, file), 404, "not_found" if file else "unknown_path")
    problem(anyone.post(url), 405, "method_not_allowed")


def test_it_is_drawn_once_and_not_sent_to_whoever_has_it(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)["id"]
    etag = shown(anyone, code).headers["etag"]
    assert shown(anyone, code).headers["x-cache"] == "HIT"
    again = shown(anyone, code, **{"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=60, must-revalidate"


def test_a_change_is_seen_and_a_deleted_code_is_not(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api, content={"type": "text", "text": "before"})["id"]
    etag = shown(anyone, code).headers["etag"]
    api.patch(f"/qr-codes/{code}", json={"content": {"type": "text", "text": "after"}}).raise_for_status()
    changed = shown(anyone, code, **{"if-none-match": etag})
    assert changed.status_code == 200
    api.delete(f"/qr-codes/{code}").raise_for_status()
    problem(shown(anyone, code, **{"if-none-match": changed.headers["etag"]}), 404, "not_found")


def test_one_that_was_allowed_although_it_does_not_scan_is_shown(api: httpx.Client, anyone: httpx.Client) -> None:
    design = {"modules": {"color": "#fefefe"}}
    code = new_code(api, content={"type": "text", "text": "pale"}, design=design, allow_unscannable=True)["id"]
    answer = shown(anyone, code)
    assert (answer.status_code, answer.headers["x-qr-scannable"]) == (200, "false")


def test_an_svg_may_run_nothing(api: httpx.Client, anyone: httpx.Client) -> None:
    answer = shown(anyone, new_code(api)["id"], "svg")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_costs_the_account_nothing(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)["id"]
    before = api.get("/account").json()["usage"]
    shown(anyone, code).raise_for_status()
    after = api.get("/account").json()["usage"]
    assert after["renders"] == before["renders"]
    assert after["requests"] == before["requests"] + 1


@pytest.mark.parametrize("text", ["qr_0000000000000", "qr_000000000000", "lnk_0000000000000", "x", "'", "%00", "QR_0"])
def test_an_id_that_no_code_has_is_404(anyone: httpx.Client, text: str) -> None:
    problem(shown(anyone, text), 404, "not_found")
