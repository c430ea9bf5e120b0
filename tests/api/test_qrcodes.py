"""/qr-codes: codes, their pictures and their counts."""

import cv2
import httpx
import numpy as np
import pytest
import zxingcpp

from tests.api.exchange import new_code, new_link, problem, wrong
from tests.support import until

FIELDS = {
    *["id", "name", "tags", "kind", "content", "link_id", "short_url", "destination", "image_url", "design", "size"],
    *["format", "scans", "scans_since_created", "created_at", "updated_at", "deleted_at"],
}
#: What a static code has none of.
OF_LINK = ("link_id", "short_url", "destination", "scans", "scans_since_created")

#: A design of which nothing was said, as answers write it out.
PLAIN = {
    "level": None,
    "margin": 4,
    "modules": {"shape": "square", "color": "#000000"},
    "eyes": {
        "border": {"shape": "square", "color": None},
        "center": {"shape": "square", "color": None},
        "ring": "none",
    },
    "background": {"color": "#ffffff", "image": None, "opacity": 0.35},
    "logo": None,
    "frame": {"style": "none", "color": "#6c48e8", "label": None, "label_color": None},
}


def test_a_destination_makes_a_dynamic_code_and_its_link(api: httpx.Client) -> None:
    answer = api.post("/qr-codes", json={"destination": "https://example.com/menu", "name": "Table 7"})
    assert answer.status_code == 201
    code = answer.json()
    assert code.keys() == FIELDS
    assert answer.headers["location"] == f"/v1/qr-codes/{code['id']}"
    assert code["image_url"] == f"{api.base_url}qr-codes/{code['id']}/image"
    assert (code["kind"], code["content"], code["scans"]) == ("dynamic", None, 0)
    assert code["design"] == PLAIN
    assert api.get(f"/qr-codes/{code['id']}").json() == code
    link = api.get(f"/links/{code['link_id']}").json()
    assert (link["destination"], link["title"]) == (code["destination"], "Table 7")
    assert link["short_url"] == code["short_url"]


def test_a_link_there_is_makes_another_code_for_it(api: httpx.Client) -> None:
    link = new_link(api)
    code = new_code(api, link_id=link["id"])
    assert (code["link_id"], code["short_url"], code["name"]) == (link["id"], link["short_url"], None)
    assert len(api.get("/links").json()["data"]) == 1


def test_a_text_makes_a_static_code_that_is_not_counted(api: httpx.Client) -> None:
    code = new_code(api, content={"type": "text", "text": "Hello"}, design={"level": "H", "margin": 0})
    assert code.keys() == FIELDS
    assert (code["kind"], code["content"]) == ("static", {"type": "text", "text": "Hello"})
    assert [code[field] for field in OF_LINK] == [None] * len(OF_LINK)
    assert code["design"] == {**PLAIN, "level": "H", "margin": 0}
    problem(api.get(f"/qr-codes/{code['id']}/stats"), 409, "not_counted")
    assert api.get("/links").json()["data"] == []


def test_a_change_changes_what_it_names(api: httpx.Client) -> None:
    code = new_code(api, destination="https://example.com/", name="Table 7")
    drawn = api.patch(f"/qr-codes/{code['id']}", json={"design": {"level": "Q"}})
    assert drawn.status_code == 200
    assert {field for field in FIELDS if drawn.json()[field] != code[field]} == {"design", "updated_at"}
    named = api.patch(f"/qr-codes/{code['id']}", json={"name": None}).json()
    assert (named["name"], named["design"]) == (None, {**PLAIN, "level": "Q"})
    assert api.get(f"/qr-codes/{code['id']}").json() == named


def test_a_deleted_code_leaves_its_link_working(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)
    assert api.delete(f"/qr-codes/{code['id']}").status_code == 204
    problem(api.get(f"/qr-codes/{code['id']}"), 404, "not_found")
    problem(api.get(f"/qr-codes/{code['id']}/image"), 404, "not_found")
    assert anyone.get(code["short_url"]).status_code == 302


def test_a_code_whose_link_was_deleted_still_knows_its_scans(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)
    assert anyone.get(code["short_url"]).status_code == 302
    assert api.delete(f"/links/{code['link_id']}").status_code == 204
    stats = f"/qr-codes/{code['id']}/stats"
    until(lambda: api.get(stats).json()["total_scans"] == 1, what="the scan")


@pytest.mark.parametrize("size", [64, 512, 2048, 2049])
def test_the_png_has_exactly_the_size_asked_for_and_says_the_short_url(api: httpx.Client, size: int) -> None:
    code = new_code(api)
    answer = api.get(f"/qr-codes/{code['id']}/image", params={"format": "png", "size": size})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    assert picture.shape == (size, size)
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [code["short_url"].upper()]


def test_by_default_it_is_a_png_of_512_pixels(api: httpx.Client) -> None:
    address = f"/qr-codes/{new_code(api)['id']}/image"
    assert api.get(address).content == api.get(address, params={"format": "png", "size": 512}).content


def test_the_svg_has_the_size_asked_for(api: httpx.Client) -> None:
    address = f"/qr-codes/{new_code(api)['id']}/image"
    answer = api.get(address, params={"format": "svg", "size": 300})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert b'width="300"' in answer.content


def test_an_image_that_one_has_is_not_sent_again(api: httpx.Client) -> None:
    code = new_code(api)
    address = f"/qr-codes/{code['id']}/image"
    first = api.get(address)
    etag = first.headers["etag"]
    assert first.headers["cache-control"] == "private, no-cache"
    for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = api.get(address, headers={"if-none-match": held})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
    for held in ('"other"', etag.strip('"'), ""):
        assert api.get(address, headers={"if-none-match": held}).content == first.content
    assert api.get(address, params={"size": 513}, headers={"if-none-match": etag}).status_code == 200

    api.patch(f"/qr-codes/{code['id']}", json={"design": {"level": "H"}})
    redrawn = api.get(address, headers={"if-none-match": etag})
    assert redrawn.status_code == 200
    assert redrawn.content != first.content


# 2,048 px are drawn at once, and larger ones by another way.
@pytest.mark.parametrize("size", [2048, 2049])
def test_an_image_is_drawn_once_and_says_so(api: httpx.Client, size: int) -> None:
    address = f"/qr-codes/{new_code(api)['id']}/image"
    first = api.get(address, params={"size": size})
    assert first.headers["x-cache"] == "MISS"
    assert 0 < float(first.headers["x-render-ms"]) < 1000
    again = api.get(address, params={"size": size})
    assert again.headers["x-cache"] == "HIT"
    assert float(again.headers["x-render-ms"]) >= 0
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    unchanged = api.get(address, params={"size": size}, headers={"if-none-match": first.headers["etag"]})
    assert unchanged.status_code == 304
    assert not unchanged.headers.keys() & {"x-cache", "x-render-ms"}  # nobody has looked for it

    api.patch(address.removesuffix("/image"), json={"design": {"level": "H"}})
    assert api.get(address, params={"size": size}).headers["x-cache"] == "MISS"


def test_an_image_that_one_says_to_have_is_not_drawn(api: httpx.Client) -> None:
    """What cannot be drawn shows it: where the ETag is known, nobody has tried."""
    address = f"/qr-codes/{new_code(api, content={'type': 'text', 'text': 'x' * 2000})['id']}/image"
    assert api.get(address, params={"size": 64}, headers={"if-none-match": "*"}).status_code == 304
    for _ in range(2):  # and a refusal is not kept in place of an image
        body = problem(api.get(address, params={"size": 64}), 422, "invalid_fields")
        assert wrong(body) == {"size": "out_of_range"}


def test_an_image_stays_the_same_when_its_link_leads_elsewhere(api: httpx.Client) -> None:
    code = new_code(api)
    address = f"/qr-codes/{code['id']}/image"
    etag = api.get(address).headers["etag"]
    api.patch(f"/links/{code['link_id']}", json={"destination": "https://example.com/elsewhere"})
    assert api.get(address, headers={"if-none-match": etag}).status_code == 304


def test_head_is_get_without_its_body(api: httpx.Client) -> None:
    code = new_code(api)
    for address in (f"/qr-codes/{code['id']}/image", f"/qr-codes/{code['id']}", "/qr-codes", "/account"):
        get, head = api.get(address), api.head(address)
        assert (head.status_code, head.content) == (200, b"")
        for header in ("content-type", "content-length", "etag"):
            assert head.headers.get(header) == get.headers.get(header)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"format": "gif"}, {"format": "unknown_value"}),
        ({"format": ""}, {"format": "unknown_value"}),
        ({"format": "PNG"}, {"format": "unknown_value"}),
        ({"size": "63"}, {"size": "out_of_range"}),
        ({"size": "9001"}, {"size": "out_of_range"}),
        ({"size": "-512"}, {"size": "out_of_range"}),
        ({"size": "9" * 100}, {"size": "out_of_range"}),
        ({"size": "9" * 5000}, {"size": "out_of_range"}),
        ({"size": "big"}, {"size": "wrong_type"}),
        ({"size": "1e3"}, {"size": "wrong_type"}),
        ({"size": ""}, {"size": "wrong_type"}),
        ({"format": "gif", "size": "1"}, {"format": "unknown_value", "size": "out_of_range"}),
    ],
    ids=lambda given: str(given)[:40],
)
def test_an_image_nobody_can_draw_is_refused_by_parameter(
    api: httpx.Client, query: dict[str, str], found: dict[str, str]
) -> None:
    body = problem(api.get(f"/qr-codes/{new_code(api)['id']}/image", params=query), 422, "invalid_fields")
    assert wrong(body) == found


def test_a_png_with_less_than_a_pixel_for_each_module_is_refused(api: httpx.Client) -> None:
    code = new_code(api, content={"type": "text", "text": "x" * 2000})
    address = f"/qr-codes/{code['id']}/image"
    body = problem(api.get(address, params={"format": "png", "size": 64}), 422, "invalid_fields")
    assert wrong(body) == {"size": "out_of_range"}
    assert api.get(address, params={"format": "svg", "size": 64}).status_code == 200  # nothing is lost in a drawing


def test_stats_count_the_scans_of_every_code_of_the_link(api: httpx.Client, anyone: httpx.Client) -> None:
    code = new_code(api)
    other = new_code(api, link_id=code["link_id"])
    assert anyone.get(code["short_url"]).status_code == 302
    until(lambda: api.get(f"/qr-codes/{code['id']}").json()["scans"] == 1, what="a scan")
    assert api.get(f"/qr-codes/{other['id']}").json()["scans"] == 1
    later = new_code(api, link_id=code["link_id"])
    found = [api.get(f"/qr-codes/{each['id']}").json() for each in (code, later)]
    assert [(each["scans"], each["scans_since_created"]) for each in found] == [(1, 1), (1, 0)]
    period = {"from": "2026-01-01", "to": "2026-12-31", "interval": "month"}
    stats = api.get(f"/qr-codes/{code['id']}/stats", params=period).json()
    assert stats == api.get(f"/links/{code['link_id']}/stats", params=period).json()
    assert stats["total_scans"] == 1
    assert len(stats["series"]) == 12


# --- the size and format of its own ---


def size_of(png: bytes) -> tuple[int, int]:
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return image.shape[1], image.shape[0]


def test_a_code_has_a_size_and_a_format_of_its_own_for_whoever_asks_for_none(
    api: httpx.Client, anyone: httpx.Client
) -> None:
    code = new_code(api, destination="https://example.com/", size=700, format="svg")
    assert (code["size"], code["format"]) == (700, "svg")
    assert api.get(f"/qr-codes/{code['id']}").json() == code
    own = api.get(f"/qr-codes/{code['id']}/image")
    assert own.headers["content-type"] == "image/svg+xml"
    assert b'width="700"' in own.content
    assert size_of(api.get(f"/qr-codes/{code['id']}/image?format=png").content) == (700, 700)
    assert size_of(api.get(f"/qr-codes/{code['id']}/image?format=png&size=300").content) == (300, 300)
    assert size_of(anyone.get(str(anyone.base_url.join(f"/i/{code['id']}.png"))).content) == (700, 700)
    saved = api.get(f"/qr-codes/{code['id']}/image?download=true")
    assert saved.headers["content-disposition"] == f'attachment; filename="{code["id"]}.svg"'


def test_they_change_alone_and_the_next_picture_has_them(api: httpx.Client) -> None:
    code = new_code(api)
    image = f"/qr-codes/{code['id']}/image"
    assert (code["size"], code["format"]) == (512, "png")
    assert size_of(api.get(image).content) == (512, 512)
    changed = api.patch(f"/qr-codes/{code['id']}", json={"size": 640}).json()
    assert {field for field in FIELDS if changed[field] != code[field]} == {"size", "updated_at"}
    assert size_of(api.get(image).content) == (640, 640)
    api.patch(f"/qr-codes/{code['id']}", json={"format": "pdf"}).raise_for_status()
    assert api.get(image).headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"size": 63}, "/size"),
        ({"size": 9001}, "/size"),
        ({"size": "512"}, "/size"),
        ({"format": "gif"}, "/format"),
        ({"size": 4097, "format": "webp"}, "/size"),
        ({"size": 64, "design": {"margin": 32}}, "/size"),
        ({"size": 64, "design": {"margin": 32, "modules": {"shape": "dots"}}, "allow_unscannable": True}, "/size"),
        (
            {"design": {"frame": {"style": "wave", "label": "\U0001f4a9"}}, "allow_unscannable": True},
            "/design/frame/label",
        ),
    ],
)
def test_what_could_not_be_drawn_is_not_stored(api: httpx.Client, said: dict[str, object], field: str) -> None:
    refused = api.post("/qr-codes", json={"destination": "https://example.com/", **said})
    assert list(wrong(problem(refused, 422, "invalid_fields"))) == [field]
    assert api.get("/qr-codes").json()["data"] == []
    code = new_code(api)
    refused = api.patch(f"/qr-codes/{code['id']}", json=said)
    assert list(wrong(problem(refused, 422, "invalid_fields"))) == [field]
    assert api.get(f"/qr-codes/{code['id']}").json() == code
