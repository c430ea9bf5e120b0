"""qrstudio: what depends on plans, on files, and on what was asked before; and the vendor's own curl lines."""

import asyncio
import hmac
import json
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import zxingcpp
from PIL import Image
from starlette.requests import Request

from server.dialects import key_formats
from server.dialects.qrstudio.errors import problem, request_id, ulid
from server.dialects.qrstudio.wire import BORDERS, CENTERS, EYES, FRAMES, PATTERNS
from server.domain.errors import Busy, RateLimited, StorageUnavailable
from server.domain.plan import UNLIMITED
from tests.dialects.conftest import NewKey
from tests.dialects.conversations import pixels
from tests.dialects.tls import run_lines
from tests.receiver import Receiver
from tests.support import PHONE, ServerProcess, new_account_key, phone, until

Json = dict[str, Any]

MINIMAL = {"data": "https://example.com", "size_inches": 2}
DYNAMIC = {
    "data_type": "dynamic",
    "payload": {"name": "Menu", "destination_url": "https://example.com/menu"},
    "size_inches": 2,
}


def client(server: ServerProcess, key: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{server.url}/qrstudio/api/v1",
        headers={"x-api-key": key, "user-agent": PHONE},
        timeout=60,
        verify=False,
    )


@pytest.fixture
def api(server: ServerProcess, new_key: NewKey) -> Iterator[httpx.Client]:
    with client(server, new_key("qrstudio")) as api:
        yield api


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (RuntimeError("broken"), 500, "Render engine failed. Retry once; include X-Request-Id "),
        (StorageUnavailable(), 503, "The database cannot be reached."),
        (Busy(), 503, "Too many pictures are being drawn."),
        (
            RateLimited(limit="requests_per_minute", retry_after_s=7),
            429,
            "Request was throttled. Expected available in 7",
        ),
    ],
)
def test_what_seldom_goes_wrong_has_the_vendor_s_shape(raised: Exception, status: int, said: str) -> None:
    """A bug and a wait cannot be asked for by a request."""
    scope = {"type": "http", "method": "POST", "path": "/api/v1/generate/", "headers": [], "query_string": b""}
    answer = problem(Request(scope), raised)
    body = json.loads(bytes(answer.body))
    assert (answer.status_code, list(body)) == (status, ["detail"])
    assert body["detail"].startswith(said)
    assert ("retry-after" in answer.headers) == (status != 500)
    if status == 500:
        assert request_id(scope) in body["detail"], "by which the log has it"


def of_plan(name: str, server: ServerProcess, new_key: NewKey) -> httpx.Client:
    return client(server, new_key("qrstudio", plan=f"qrstudio.{name}"))


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["detail"]


def read(answer: httpx.Response) -> str:
    """What the picture says."""
    assert answer.status_code == 200, answer.text
    kind = "svg" if answer.headers["content-type"] == "image/svg+xml" else "png"
    [found] = zxingcpp.read_barcodes(pixels(answer.content, kind))
    return found.text


def picture(size: int, colour: tuple[int, int, int] = (108, 72, 232), *, format: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (size, size), colour).save(out, format)
    return out.getvalue()


# --- keys and ids -------------------------------------------------------------------------------------------------


def test_a_key_is_smk_and_36_characters() -> None:
    assert re.fullmatch(r"smk_[A-Za-z0-9_-]{36}", key_formats()["qrstudio"].new())


def test_a_request_id_is_a_ulid() -> None:
    """The first ten characters are the time (https://github.com/ulid/spec)."""
    assert re.fullmatch(r"01ARYZ6S41[0-9A-HJKMNP-TV-Z]{16}", ulid(1469918176385))
    assert ulid(1469918176385) < ulid(1469918176386)


def test_each_answer_has_an_id_of_its_own(api: httpx.Client) -> None:
    answers = [api.post("/generate/", json=MINIMAL), api.post("/generate/"), api.get("/nothing/")]
    found = {each.headers["x-request-id"] for each in answers}
    assert len(found) == 3
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", each) for each in found)


# --- plans --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "inches", "said"), [("free", 4, '3"'), ("starter", 8.5, '8"'), ("free", 3.01, '3"')])
def test_a_picture_wider_than_the_plan_s_is_403(
    plan: str, inches: float, said: str, server: ServerProcess, new_key: NewKey
) -> None:
    """In inches, whatever the resolution."""
    with of_plan(plan, server, new_key) as api:
        for path in ("/generate/", "/validate/"):
            answer = api.post(path, json={**MINIMAL, "size_inches": inches, "dpi": 72})
            assert refusal(answer) == (403, f"Plan '{plan}' allows up to {said}. Upgrade for larger sizes.")


def test_a_resolution_higher_than_the_plan_s_is_403(server: ServerProcess, new_key: NewKey) -> None:
    with of_plan("starter", server, new_key) as api:
        answer = api.post("/generate/", json={**MINIMAL, "size_inches": 1, "dpi": 301})
        assert refusal(answer) == (403, "Plan 'starter' allows up to 300 DPI. Upgrade for higher resolutions.")
        assert api.post("/generate/", json={**MINIMAL, "size_inches": 1, "dpi": 300}).status_code == 200


def test_the_largest_picture_of_a_plan_is_drawn(server: ServerProcess, new_key: NewKey) -> None:
    with of_plan("free", server, new_key) as api:
        answer = api.post("/generate/", json={**MINIMAL, "size_inches": 3})
        assert (answer.status_code, answer.headers["x-qr-plan"]) == (200, "free")
        assert Image.open(BytesIO(answer.content)).size == (900, 900)


@pytest.mark.parametrize(
    ("field", "what"),
    [("logo_url", "custom logos"), ("bg_image_url", "background images")],
)
def test_pictures_are_not_for_the_free_plan(field: str, what: str, server: ServerProcess, new_key: NewKey) -> None:
    """Of which none is fetched."""
    with of_plan("free", server, new_key) as api:
        answer = api.post("/generate/", json={**MINIMAL, field: "https://nowhere.invalid/logo.png"})
        assert refusal(answer) == (403, f"Plan 'free' does not allow {what}. Upgrade to Starter or higher.")
        files = {field.replace("url", "file"): ("logo.png", picture(8))}
        assert api.post("/generate/", data={**MINIMAL, "size_inches": "2"}, files=files).status_code == 403


def test_only_pictures_that_were_answered_spend_the_quota(server: ServerProcess, new_key: NewKey) -> None:
    with of_plan("free", server, new_key) as api:
        for left in (4, 3, 2):
            answer = api.post("/generate/", json=MINIMAL)
            assert answer.headers["x-qr-quota-remaining"] == str(left)
            assert api.post("/generate/", json={**MINIMAL, "color": "rouge"}).status_code == 400
            assert api.post("/generate/", json={**MINIMAL, "size_inches": 4}).status_code == 403
            assert api.post("/validate/", json=MINIMAL).status_code == 200
        for left in (1, 0):  # from the cache, as the last ones were
            answer = api.post("/generate/", json=MINIMAL)
            assert (answer.headers["x-qr-cache"], answer.headers["x-qr-quota-remaining"]) == ("HIT", str(left))
        for wanted in (MINIMAL, DYNAMIC):
            answer = api.post("/generate/", json=wanted)
            assert refusal(answer) == (429, "Monthly quota of 5 exceeded for plan 'free'.")
            assert int(answer.headers["retry-after"]) > 0


def test_the_second_dynamic_code_of_the_free_plan_is_403(server: ServerProcess, new_key: NewKey) -> None:
    """And spends nothing."""
    with of_plan("free", server, new_key) as api:
        assert api.post("/generate/", json=DYNAMIC).headers["x-qr-quota-remaining"] == "4"
        answer = api.post("/generate/", json=DYNAMIC)
        assert refusal(answer) == (403, "Plan 'free' allows up to 1 active dynamic QR codes.")
        assert api.post("/generate/", json=MINIMAL).headers["x-qr-quota-remaining"] == "3"


# --- pictures -----------------------------------------------------------------------------------------------------


def test_a_dynamic_code_is_scanned_where_it_leads(api: httpx.Client) -> None:
    made = api.post("/generate/", json=DYNAMIC)
    for url in (made.headers["x-qr-dynamic-public-url"], read(made)):
        answer = phone.get(url)
        assert (answer.status_code, answer.headers["location"]) == (302, "https://example.com/menu")
        assert "no-store" in answer.headers["cache-control"]


def test_the_level_is_always_h(api: httpx.Client) -> None:
    answer = api.post("/generate/", json={**MINIMAL, "pattern": "squares", "error_correction": "L"})
    [found] = zxingcpp.read_barcodes(pixels(answer.content, "png"))
    assert found.ec_level == "H"


STYLES: list[Json] = [
    *({"pattern": name} for name in PATTERNS if name != "halftone"),
    *({"eye_shape": name} for name in EYES),
    *({"eye_border_shape": name, "eye_border_color": "#6c48e8"} for name in BORDERS),
    *({"eye_center_shape": name, "eye_center_color": "#6c48e8"} for name in CENTERS),
    *({"frame_style": name, "frame_label": "Menu", "frame_color": "#1a0d3a"} for name in FRAMES),
    {"eye_outer_frame": True, "eye_outer_frame_match": True},
    {"eye_outer_frame": True, "eye_color": "#8800aa"},
]


def test_every_style_has_a_look_of_its_own_and_is_read(api: httpx.Client) -> None:
    looks: dict[bytes, list[Json]] = {}
    for style in STYLES:
        answer = api.post("/generate/", json={**MINIMAL, "background": "white", **style})
        assert read(answer) == MINIMAL["data"], style
        assert "x-qr-scannable" not in answer.headers, style
        looks.setdefault(answer.content, []).append(style)
    same = [styles for styles in looks.values() if len(styles) > 1]
    assert same == [[{"pattern": "rounded"}, {"eye_shape": "square"}, STYLES[-len(FRAMES) - 2]]]


def test_a_picture_is_served_that_nobody_can_read(api: httpx.Client) -> None:
    answer = api.post("/generate/", json={**MINIMAL, "background": "white", "color": "#fafafa"})
    assert (answer.status_code, answer.headers["x-qr-scannable"]) == (200, "false")
    assert answer.headers["x-qr-scannable-reason"]


def test_white_on_nothing_is_for_dark_things(api: httpx.Client) -> None:
    answer = api.post("/generate/", json={**MINIMAL, "color": "white"})
    assert answer.status_code == 200
    image = Image.open(BytesIO(answer.content)).convert("RGBA")
    ground = Image.new("RGBA", image.size, "#000000")
    ground.alpha_composite(image)
    found = zxingcpp.read_barcodes(ground.convert("L"), try_invert=True)
    assert [each.text for each in found] == [MINIMAL["data"]]


def test_a_file_s_resolution_is_the_one_that_was_asked_for(api: httpx.Client) -> None:
    answer = api.post("/generate/", json={**MINIMAL, "size_inches": 0.5, "dpi": 600})
    dpi = Image.open(BytesIO(answer.content)).info["dpi"]
    assert [round(each) for each in dpi] == [600, 600]


def test_a_logo_and_a_photo_are_uploaded(api: httpx.Client) -> None:
    """The logo is larger than what is kept of one."""
    form = {"data": "https://yourbrand.com", "size_inches": "4", "background": "white", "logo_neon_alpha": "false"}
    plain = api.post("/generate/", data=form, files={"none": ("", b"")})
    logo = api.post("/generate/", data=form, files={"logo_file": ("logo.png", picture(1400))})
    assert read(logo) == read(plain) == "https://yourbrand.com"
    middle = Image.open(BytesIO(logo.content)).convert("RGB").getpixel((600, 600))
    assert middle == (108, 72, 232)
    photo = ("photo.jpg", picture(400, (250, 240, 230), format="JPEG"), "image/jpeg")
    halftone = {**form, "color": "#0d0820", "pattern": "halftone", "bg_image_opacity": "0.45"}
    assert read(api.post("/generate/", data=halftone, files={"bg_image_file": photo})) == "https://yourbrand.com"


def test_a_logo_of_more_than_2_mb_is_400(api: httpx.Client) -> None:
    files = {"logo_file": ("logo.png", b"\x89PNG\r\n\x1a\n" + bytes(2 << 20))}
    answer = api.post("/generate/", data={"data": "x", "size_inches": "2"}, files=files)
    assert answer.status_code == 400
    assert answer.json() == {"logo_file": f"File too large: {(2 << 20) + 8} bytes. The limit is 2 MB."}


def test_a_body_of_more_than_5_mb_is_413(api: httpx.Client) -> None:
    answer = api.post("/generate/", data={"size_inches": "2"}, files={"bg_image_file": ("photo", bytes(5 << 20))})
    assert answer.status_code == 413
    assert "5242880 bytes" in answer.json()["detail"]


BRAND_KIT = """{
  "data": "https://yourbrand.com",
  "size_inches": 8,
  "color": "white",
  "background": "transparent",
  "pattern": "rounded",
  "logo_url": "https://cdn.yourbrand.com/logo.png",
  "logo_neon_alpha": true,
  "logo_clear_zone": true,
  "format": "png"
}"""
HALFTONE = """{
  "data": "https://yourbrand.com",
  "size_inches": 6,
  "background": "white",
  "color": "#0d0820",
  "pattern": "halftone",
  "bg_image_url": "https://cdn.yourbrand.com/coffee.jpg",
  "bg_image_opacity": 0.45
}"""


def test_the_examples_with_pictures_from_elsewhere(cdn: str, database_url: str, tmp_path: Path) -> None:
    server = ServerProcess(
        tmp_path / "data", database_url=database_url, fetch_http="true", fetch_networks="127.0.0.79/32"
    )
    server.start()
    try:
        with client(server, asyncio.run(new_account_key(database_url, UNLIMITED))) as api:
            api.headers["content-type"] = "application/json"
            brand = api.post("/generate/", content=BRAND_KIT.replace("https://cdn.yourbrand.com", cdn))
            image = Image.open(BytesIO(brand.content)).convert("RGBA")
            assert image.size == (2400, 2400)
            wall = Image.new("RGBA", image.size, "#000000")
            wall.alpha_composite(image)
            assert [each.text for each in zxingcpp.read_barcodes(wall.convert("L"))] == ["https://yourbrand.com"]
            assert wall.convert("RGB").getpixel((1200, 1200)) == (80, 255, 200)
            halftone = api.post("/generate/", content=HALFTONE.replace("https://cdn.yourbrand.com", cdn))
            assert read(halftone) == "https://yourbrand.com"
            assert Image.open(BytesIO(halftone.content)).size == (1800, 1800)
    finally:
        assert server.stop() == 0, server.log.read_text()


def test_what_is_sent_is_no_template(api: httpx.Client) -> None:
    answer = api.post("/generate/", content=b"x", headers={"content-type": "text/{plain}"})
    assert refusal(answer) == (415, 'Unsupported media type "text/{plain}" in request.')


# --- once ---------------------------------------------------------------------------------------------------------


def test_a_dynamic_code_that_is_asked_for_again_is_made_once(api: httpx.Client) -> None:
    again = {"idempotency-key": str(uuid4())}
    first, second = (api.post("/generate/", json=DYNAMIC, headers=again) for _ in range(2))
    assert first.status_code == 200
    assert second.headers["idempotent-replayed"] == "true"
    assert second.content == first.content
    kept = [name for name in first.headers if name.startswith("x-qr-")]
    assert [second.headers[name] for name in kept] == [first.headers[name] for name in kept]
    other = api.post("/generate", json={**DYNAMIC, "size_inches": 3}, headers=again)
    assert other.status_code == 409


# --- bulk ---------------------------------------------------------------------------------------------------------


def unpacked(answer: httpx.Response) -> tuple[dict[str, bytes], Json]:
    """The pictures by their names, and the manifest."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert {each.compress_type for each in archive.infolist()} == {zipfile.ZIP_STORED}
        files = {name: archive.read(name) for name in archive.namelist()}
    return files, json.loads(files.pop("manifest.json"))


def test_a_bulk_is_a_zip_with_a_manifest(server: ServerProcess, new_key: NewKey) -> None:
    items = [{**MINIMAL, "data": f"https://example.com/{number}"} for number in range(3)]
    items += [{**MINIMAL, "format": "svg", "dpi": 72, "background": "white"}, DYNAMIC]
    with of_plan("starter", server, new_key) as api:
        answer = api.post("/generate/bulk/", json={"items": items})
        files, manifest = unpacked(answer)
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"] == 'attachment; filename="qrstudio-bulk-5.zip"'
        assert (answer.headers["x-qr-plan"], answer.headers["x-qr-quota-remaining"]) == ("starter", "495")
        names = ["qr-0001.png", "qr-0002.png", "qr-0003.png", "qr-0004.svg", "qr-0005.png"]
        assert list(files) == names == [each["filename"] for each in manifest["items"]]
        assert (manifest["count"], manifest["plan"]) == (5, "starter")
        first = manifest["items"][0]
        assert first == {
            "index": 0,
            "filename": "qr-0001.png",
            "data_type": "url",
            "format": "png",
            "size_inches": 2.0,
            "dpi": 300,
            "bytes": len(files["qr-0001.png"]),
            "cache": "MISS",
            "duration_ms": first["duration_ms"],
            "has_logo": False,
        }
        for name, item in zip(names[:4], items, strict=False):
            [found] = zxingcpp.read_barcodes(pixels(files[name], name[-3:]))
            assert found.text == item["data"]
        made = manifest["items"][4]
        assert phone.get(made["dynamic_public_url"]).headers["location"] == "https://example.com/menu"
        assert api.get(f"/dynamic/{made['dynamic_short_id']}/").json()["name"] == "Menu"
        assert api.get("/usage/").json()["used_this_month"] == 5


def test_a_bulk_that_fails_makes_nothing_and_spends_nothing(server: ServerProcess, new_key: NewKey) -> None:
    with of_plan("starter", server, new_key) as api:
        answer = api.post("/generate/bulk/", json={"items": [DYNAMIC, {**MINIMAL, "size_inches": 9}, 7]})
        assert (answer.status_code, answer.json()["rendered_before_failure"]) == (422, 0)
        assert answer.json()["errors"]["1"] == "Plan 'starter' allows up to 8\". Upgrade for larger sizes."
        assert api.get("/dynamic/").json()["count"] == 0
        assert api.get("/usage/").json()["remaining"] == 500
        answer = api.post("/generate/bulk/", json={"items": [DYNAMIC] * 11})
        assert refusal(answer) == (403, "Plan 'starter' allows up to 10 active dynamic QR codes.")
        assert api.get("/dynamic/").json()["count"] == 0
        assert api.get("/usage/").json()["remaining"] == 500


def test_a_bulk_has_no_more_items_than_the_plan_allows(server: ServerProcess, new_key: NewKey) -> None:
    with of_plan("starter", server, new_key) as api:
        answer = api.post("/generate/bulk/", json={"items": [MINIMAL] * 51})
        assert answer.status_code == 400
        assert answer.json() == {"items": "Plan 'starter' allows up to 50 items in one request."}
    with of_plan("free", server, new_key) as api:
        answer = api.post("/generate/bulk/", json={"items": [MINIMAL]})
        assert refusal(answer) == (403, "Plan 'free' does not allow bulk generation. Upgrade to Starter or higher.")


# --- dynamic codes ------------------------------------------------------------------------------------------------

NEW = {"name": "Menu", "destination_url": "https://example.com/menu"}


def test_a_scan_is_counted_and_analysed(api: httpx.Client) -> None:
    made = api.post("/dynamic/", json=NEW).json()
    path = f"/dynamic/{made['short_id']}/"
    assert phone.get(made["public_url"]).headers["location"] == NEW["destination_url"]
    until(lambda: api.get(path).json()["scan_count"] == 1, what="the scan")
    assert api.get(path).json()["last_scanned_at"] is not None
    found = api.get(f"{path}analytics/").json()
    assert (found["total_scans"], found["unique_scans"], len(found["by_day"])) == (1, 1, 30)
    assert (found["by_day"][-1]["scans"], found["by_device"], found["by_os"]) == (1, {"mobile": 1}, {"iOS": 1})
    assert found["last_scanned_at"] == api.get(path).json()["last_scanned_at"]


def test_a_paused_code_leads_nowhere_until_it_goes_on_and_a_deleted_one_never_again(api: httpx.Client) -> None:
    made = api.post("/dynamic/", json=NEW).json()
    path = f"/dynamic/{made['short_id']}/"
    for active, status in ((False, 410), (True, 302)):
        api.patch(path, json={"is_active": active})
        assert phone.get(made["public_url"]).status_code == status
    assert api.delete(path).status_code == 204
    assert phone.get(made["public_url"]).status_code == 410


def test_the_second_change_of_a_destination_is_402_on_the_free_plan(server: ServerProcess, new_key: NewKey) -> None:
    """What else changes is not asked about, nor is the same destination again."""
    with of_plan("free", server, new_key) as api:
        path = f"/dynamic/{api.post('/dynamic/', json=NEW).json()['short_id']}/"
        changed = {"destination_url": "https://example.com/summer"}
        assert api.patch(path, json=changed).json()["destination_changes_count"] == 1
        assert api.patch(path, json={**changed, "name": "Summer"}).status_code == 200
        answer = api.patch(path, json={"destination_url": "https://example.com/autumn"})
        assert refusal(answer) == (
            402,
            "Plan 'free' allows up to 1 change of a destination. Upgrade to edit without limit.",
        )
        assert api.get(path).json()["destination_url"] == changed["destination_url"]
        answer = api.post("/dynamic/", json=NEW)
        assert refusal(answer) == (403, "Plan 'free' allows up to 1 active dynamic QR codes.")


def test_another_account_s_code_is_not_found(api: httpx.Client, server: ServerProcess, new_key: NewKey) -> None:
    path = f"/dynamic/{api.post('/dynamic/', json=NEW).json()['short_id']}/"
    with client(server, new_key("qrstudio")) as stranger:
        answers = [
            stranger.get(path),
            stranger.patch(path, json=NEW),
            stranger.delete(path),
            stranger.get(f"{path}analytics/"),
        ]
    assert [refusal(each) for each in answers] == [(404, "Not found.")] * 4


def test_what_is_made_once_is_answered_again(api: httpx.Client) -> None:
    again = {"idempotency-key": str(uuid4())}
    first, second = (api.post("/dynamic/", json=NEW, headers=again) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert api.get("/dynamic/").json()["count"] == 1
    assert api.post("/dynamic/", json={**NEW, "name": "Other"}, headers=again).status_code == 409
    once = {"idempotency-key": str(uuid4())}
    made = [api.post("/keys/", json={"name": "Till"}, headers=once).json() for _ in range(2)]
    assert made[0]["id"] == made[1]["id"]
    assert (made[0]["raw_key"][:4], made[1]["raw_key"]) == ("smk_", None)


# --- keys and usage -----------------------------------------------------------------------------------------------


def test_usage_tells_the_plan_s_limits(server: ServerProcess, new_key: NewKey) -> None:
    key = new_key("qrstudio", plan="qrstudio.free")
    with client(server, key) as api:
        api.post("/generate/", json=DYNAMIC)
        assert api.get("/usage/").json() == {
            "key_prefix": key[:12],
            "plan": "free",
            "monthly_quota": 5,
            "used_this_month": 1,
            "remaining": 4,
            "max_size_inches": 3,
            "max_dpi": 300,
            "allow_custom_logo": False,
            "max_active_dynamic_qrs": 1,
            "max_bulk_items": 0,
            "active_dynamic_qrs": 1,
            "credits_remaining": 0,
        }


def test_a_key_may_do_what_it_may(server: ServerProcess, api: httpx.Client) -> None:
    """One that draws only makes no codes; one that was made by it may do no more."""
    with server.anyone({"x-api-key": str(api.headers["x-api-key"])}) as native:
        key = native.post("/api-keys", json={"name": "Printer", "permissions": ["render"]}).json()["key"]
    with client(server, key) as printer:
        assert printer.post("/generate/", json=MINIMAL).status_code == 200
        bulk = printer.post("/generate/bulk/", json={"items": [DYNAMIC]})
        for answer in (printer.post("/generate/", json=DYNAMIC), printer.get("/dynamic/"), printer.get("/keys/"), bulk):
            assert answer.status_code == 403
            assert "permission" in answer.json()["detail"]


# --- webhooks -----------------------------------------------------------------------------------------------------


def test_webhooks_are_told_in_the_vendor_s_words(database_url: str, tmp_path: Path) -> None:
    server = ServerProcess(
        tmp_path / "data", database_url=database_url, fetch_http="true", fetch_networks="127.0.0.78/32"
    )
    server.start()
    key = asyncio.run(new_account_key(database_url, UNLIMITED))
    try:
        with Receiver(host="127.0.0.78") as receiver, client(server, key) as api:
            events = ["dynamic_qr.created", "dynamic_qr.updated", "scan.created"]
            secret = api.post("/webhooks/", json={"url": receiver.url, "events": events}).json()["secret"]
            made = api.post("/dynamic/", json=NEW).json()
            changed = api.patch(f"/dynamic/{made['short_id']}/", json={"name": "Summer"}).json()
            phone.get(made["public_url"])
            until(lambda: len(receiver.received) >= 3, what="three events")
            told = {}
            for each in receiver.received:
                found = re.fullmatch(r"t=([0-9]{10}),v1=([0-9a-f]{64})", each.headers["x-qrstudio-signature"])
                assert found, each.headers
                signed = f"{found[1]}.".encode() + each.body
                assert hmac.new(secret.encode(), signed, "sha256").hexdigest() == found[2]
                said = json.loads(each.body)
                told[said["event"]] = said["data"]
            assert set(told) == set(events)
            assert told["dynamic_qr.created"]["public_url"] == made["public_url"]
            assert told["dynamic_qr.updated"]["name"] == changed["name"] == "Summer"
            [scan] = told["scan.created"]["scans"]
            assert (scan["short_id"], scan["device"], scan["os"]) == (made["short_id"], "mobile", "iOS")
            assert "country" not in scan
    finally:
        assert server.stop() == 0, server.log.read_text()


@pytest.mark.parametrize(("plan", "status"), [("starter", 403), ("pro", 201)])
def test_webhooks_begin_with_the_plan_pro(plan: str, status: int, server: ServerProcess, new_key: NewKey) -> None:
    with of_plan(plan, server, new_key) as api:
        answer = api.post("/webhooks/", json={"url": "https://127.0.0.77/told", "events": ["scan.created"]})
        assert answer.status_code == status
        if status == 403:
            assert refusal(answer)[1] == "Plan 'starter' does not allow webhooks. Upgrade to Pro or higher."


# --- the seed's own lines -----------------------------------------------------------------------------------------

VENDOR = "api.qrstudio.agency"

CURL = r"""
curl -X POST https://api.qrstudio.agency/api/v1/generate/ \
-H "X-Api-Key: smk_..." \
-H "Content-Type: application/json" \
-d '{"data": "https://example.com", "size_inches": 4}' \
--output qr.png
"""


def test_the_vendor_s_curl_line_works_as_it_is(server: ServerProcess, new_key: NewKey, tmp_path: Path) -> None:
    """But for the key, which everybody has to put in."""
    run_lines(CURL.replace("smk_...", new_key("qrstudio")), VENDOR, server.port, tmp_path)
    image = tmp_path.joinpath("qr.png").read_bytes()
    assert Image.open(BytesIO(image)).size == (1200, 1200)
    assert [each.text for each in zxingcpp.read_barcodes(pixels(image, "png"))] == ["https://example.com"]
