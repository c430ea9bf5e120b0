"""/render, /render/validate, /render/batch, and the designs of stored codes."""

import asyncio
import base64
import hashlib
import json
import zipfile
import zlib
from io import BytesIO
from typing import Any, get_args

import httpx
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageDraw

from server.domain.design import BorderShape, CenterShape, ModuleShape, Ring
from server.storage.postgres.pool import Database
from server.storage.postgres.qrcodes import PostgresQrCodes
from tests.api.exchange import Json, everything, new_code, problem, wrong
from tests.fastcore.viewers import in_ghostscript, in_pdfium, in_resvg, on_white
from tests.support import ServerProcess, sql

TEXT = "https://example.com/menu"
SAYS = {"type": "text", "text": TEXT}
INK = "#6c48e8"

LINEAR = {
    "type": "linear",
    "angle": 45,
    "stops": [{"offset": 0, "color": "#203080"}, {"offset": 1, "color": "#802030"}],
}
RADIAL = {"type": "radial", "stops": [{"offset": 0, "color": "#203080"}, {"offset": 1, "color": "#802030"}]}

MEDIA = {
    "png": "image/png",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "eps": "application/postscript",
}


def file_of(picture: Image.Image, format: str = "PNG") -> bytes:
    out = BytesIO()
    picture.save(out, format)
    return out.getvalue()


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def a_logo(color: str = "#c01e1e", size: int = 60) -> bytes:
    """A disc on nothing."""
    picture = Image.new("RGBA", (size, size))
    ImageDraw.Draw(picture).ellipse((0, 0, size - 1, size - 1), fill=color)
    return file_of(picture)


LOGO = a_logo()
WITH_LOGO = {"level": "H", "logo": {"image": {"data": in_base64(LOGO)}}}
#: What no reader would see.
PALE = {"modules": {"shape": "dots", "color": "#eeeeee"}}


def render(api: httpx.Client, design: object = None, **fields: object) -> httpx.Response:
    body = {"content": SAYS, **({} if design is None else {"design": design}), **fields}
    return api.post("/render", content=json.dumps(body))


def drawn(api: httpx.Client, design: object = None, **fields: object) -> httpx.Response:
    answer = render(api, design, **fields)
    assert answer.status_code == 200, answer.text
    return answer


def refused(api: httpx.Client, design: object = None, status: int = 422, **fields: object) -> dict[str, str]:
    before = everything(api)
    found = wrong(problem(render(api, design, **fields), status, "invalid_fields"))
    assert everything(api) == before
    return found


def opened(data: bytes) -> Image.Image:
    """On white."""
    picture = Image.open(BytesIO(data)).convert("RGBA")
    backed = Image.new("RGBA", picture.size, "white")
    backed.alpha_composite(picture)
    return backed.convert("RGB")


def read(pixels: Any) -> list[str]:  # noqa: ANN401 -- PIL's or numpy's
    return [found.text for found in zxingcpp.read_barcodes(pixels)]


# --- formats and sizes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("design", [None, {"modules": {"shape": "rounded", "color": LINEAR}}], ids=["plain", "styled"])
def test_every_format_is_what_it_says_and_reads_back(api: httpx.Client, design: Json | None) -> None:
    for kind, media_type in MEDIA.items():
        answer = drawn(api, design, format=kind, size=600)
        assert answer.headers["content-type"] == media_type
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "x-qr-scannable" not in answer.headers
        shown: Any
        if kind in ("png", "webp"):
            shown = opened(answer.content)
            assert shown.size == (600, 600)
            assert Image.open(BytesIO(answer.content)).format == kind.upper()
        elif kind == "svg":
            shown = on_white(in_resvg(answer.content))
            assert shown.shape == (600, 600, 3)
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        elif kind == "pdf":
            assert pypdfium2.PdfDocument(answer.content)[0].get_size() == (600, 600)
            shown = in_pdfium(answer.content, 600)
        else:
            assert b"%%BoundingBox: 0 0 600 600" in answer.content
            shown = in_ghostscript(answer.content, 600, 600)
        assert read(np.ascontiguousarray(shown)) == [TEXT], kind


def test_inches_and_dpi_become_pixels_and_a_size_on_paper(api: httpx.Client) -> None:
    png = Image.open(BytesIO(drawn(api, size_inches=2).content))
    assert png.size == (600, 600)
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    png = Image.open(BytesIO(drawn(api, size_inches=0.5, dpi=203).content))
    assert png.size == (102, 102)
    assert png.info["dpi"] == pytest.approx((203, 203), abs=0.01)
    assert "dpi" not in Image.open(BytesIO(drawn(api, size=600).content)).info
    assert Image.open(BytesIO(drawn(api, size=600, dpi=600).content)).info["dpi"] == pytest.approx((600, 600), abs=0.01)
    for kind, dpi, points in (("pdf", 600, 144), ("pdf", 150, 144), ("eps", 300, 144)):
        file = drawn(api, format=kind, size_inches=2, dpi=dpi).content
        if kind == "pdf":
            assert pypdfium2.PdfDocument(file)[0].get_mediabox() == pytest.approx((0, 0, points, points), abs=0.01)
        else:
            assert b"%%BoundingBox: 0 0 144 144" in file


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"size": 63}, {"/size": "out_of_range"}),
        ({"size": 9001}, {"/size": "out_of_range"}),
        ({"size": 512.0}, {"/size": "wrong_type"}),
        ({"size": "512"}, {"/size": "wrong_type"}),
        ({"size": True}, {"/size": "wrong_type"}),
        ({"size": 512, "size_inches": 2}, {"/size_inches": "one_of_required"}),
        ({"size_inches": 0}, {"/size_inches": "out_of_range"}),
        ({"size_inches": -1}, {"/size_inches": "out_of_range"}),
        ({"size_inches": 0.1}, {"/size_inches": "out_of_range"}),
        ({"size_inches": 31}, {"/size_inches": "out_of_range"}),
        ({"size_inches": 1e308}, {"/size_inches": "out_of_range"}),
        ({"size_inches": 1e308, "dpi": 1e308}, {"/size_inches": "out_of_range", "/dpi": "out_of_range"}),
        ({"size_inches": 10**30, "dpi": 10**30}, {"/size_inches": "out_of_range", "/dpi": "out_of_range"}),
        ({"size_inches": True}, {"/size_inches": "wrong_type"}),
        ({"size_inches": "2", "dpi": []}, {"/size_inches": "wrong_type", "/dpi": "wrong_type"}),
        ({"size_inches": 2, "dpi": 35.9}, {"/dpi": "out_of_range"}),
        ({"dpi": 2401}, {"/dpi": "out_of_range"}),
        ({"format": "gif"}, {"/format": "unknown_value"}),
        ({"format": None}, {"/format": "unknown_value"}),
        ({"allow_unscannable": "yes"}, {"/allow_unscannable": "wrong_type"}),
        ({"content": None}, {"/content": "wrong_type"}),
        ({"content": {"type": "text", "text": "x" * 2400}}, {"/content/text": "too_long"}),
        ({"content": {"type": "text", "text": "x" * 2000}, "size": 64}, {"/size": "out_of_range"}),
        ({"format": "webp", "size": 4097}, {"/size": "out_of_range"}),
        ({"destination": "https://example.com/"}, {"/destination": "unknown_field"}),
    ],
    ids=lambda given: repr(given)[:50],
)
def test_what_cannot_be_drawn_is_refused_by_field(api: httpx.Client, fields: Json, found: dict[str, str]) -> None:
    assert refused(api, **fields) == found


def test_what_is_no_number_is_no_json(api: httpx.Client) -> None:
    for number in ("NaN", "Infinity", "1e400"):
        body = b'{"content": {"type": "text", "text": "x"}, "size_inches": %s}' % number.encode()
        problem(api.post("/render", content=body), 400, "malformed_body")


def test_9000_pixels_and_the_largest_webp_are_drawn(api: httpx.Client) -> None:
    design = {"modules": {"shape": "rounded"}}
    for kind, size in (("png", 9000), ("webp", 4096)):
        answer = drawn(api, design, format=kind, size=size)
        picture = Image.open(BytesIO(answer.content))
        assert picture.size == (size, size)
        assert read(picture.convert("L").resize((600, 600))) == [TEXT]


def test_a_payment_is_drawn_at_the_one_level_its_standard_knows(api: httpx.Client) -> None:
    payment = {"type": "payment", "name": "Ada", "iban": "DE89370400440532013000"}
    assert refused(api, {"level": "H"}, content=payment) == {"/design/level": "invalid_level"}
    answer = api.post("/render/validate", json={"content": payment, "design": {"level": "M"}})
    assert answer.json()["symbol"]["level"] == "M"
    assert answer.json()["symbol"]["text"].startswith("BCD\n002\n")


# --- designs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [shape for shape in get_args(ModuleShape) if shape != "halftone"])
def test_every_shape_of_modules_reads_back(api: httpx.Client, shape: str) -> None:
    assert read(opened(drawn(api, {"modules": {"shape": shape}}, size=600).content)) == [TEXT]


def test_every_shape_of_eyes_reads_back(api: httpx.Client) -> None:
    borders, centers, rings = get_args(BorderShape), get_args(CenterShape), get_args(Ring)
    files = set()
    for number in range(len(borders)):
        ring = rings[number % 3]
        eyes = {"border": {"shape": borders[number]}, "center": {"shape": centers[number]}, "ring": ring}
        design = {"eyes": eyes, "margin": 6}
        files.add(file := drawn(api, design, size=600).content)
        assert read(opened(file)) == [TEXT], eyes
    assert len(files) == len(borders)


@pytest.mark.parametrize(
    ("said", "is_"),
    [
        ("black", (0, 0, 0)),
        ("BLACK", (0, 0, 0)),
        ("#048", (0, 0x44, 0x88)),
        ("#0aF", (0, 0xAA, 0xFF)),
        ("#6C48e8", (0x6C, 0x48, 0xE8)),
        ("#6c48e8ff", (0x6C, 0x48, 0xE8)),
        ("#00000080", (127, 127, 127)),
    ],
)
def test_a_colour_is_drawn_as_it_was_said(api: httpx.Client, said: str, is_: tuple[int, int, int]) -> None:
    answer = drawn(api, {"modules": {"color": said}}, size=290, allow_unscannable=True)
    assert opened(answer.content).getpixel((45, 45)) == pytest.approx(is_, abs=1)


def test_paints_are_drawn_where_they_belong(api: httpx.Client) -> None:
    design = {
        "modules": {"color": "#102060"},
        "eyes": {"border": {"color": "#600010"}, "center": {"color": "#006020"}},
        "background": {"color": "#ffeecc"},
    }
    picture = opened(drawn(api, design, size=290).content)  # modules of 8 px from 29 px on
    at = (290 - 25 * 8) // 2 if picture.getpixel((29, 29)) == (0xFF, 0xEE, 0xCC) else 29
    assert picture.getpixel((2, 2)) == (0xFF, 0xEE, 0xCC)
    assert picture.getpixel((at + 4, at + 4)) == (0x60, 0, 0x10)
    assert picture.getpixel((at + 28, at + 28)) == (0, 0x60, 0x20)
    colours = picture.getcolors(1 << 16)
    assert colours is not None
    assert (0x10, 0x20, 0x60) in {colour for _, colour in colours}
    assert read(picture) == [TEXT]
    for paint in (LINEAR, RADIAL):
        gradients: list[Json] = [{"modules": {"color": paint}}, {"eyes": {"border": {"color": paint}}}]
        for gradient in gradients:
            picture = opened(drawn(api, gradient, size=600).content)
            assert read(picture) == [TEXT]
            seen = picture.getcolors(1 << 20)
            assert seen is not None
            assert len(seen) > 50


def test_a_transparent_background_is_transparent(api: httpx.Client) -> None:
    for design in ({}, {"modules": {"shape": "dots"}}):
        answer = drawn(api, {**design, "background": {"color": "transparent"}}, size=300)
        picture = Image.open(BytesIO(answer.content)).convert("RGBA")
        assert picture.getpixel((1, 1))[3] == 0  # type: ignore[index]
        assert read(opened(answer.content)) == [TEXT]


def test_a_photo_lies_beneath_and_a_logo_above(api: httpx.Client) -> None:
    photo = file_of(Image.linear_gradient("L").convert("RGB").resize((200, 100)), "JPEG")
    design = {
        "level": "H",
        "background": {"image": {"data": in_base64(photo)}, "opacity": 0.3},
        "logo": {"image": {"data": in_base64(LOGO)}, "ratio": 0.2, "clear_zone": "square", "padding": 1},
    }
    picture = opened(drawn(api, design, size=600).content)
    assert picture.getpixel((300, 300)) == (0xC0, 0x1E, 0x1E)
    assert picture.getpixel((3, 3)) != (255, 255, 255)
    assert read(picture) == [TEXT]
    dots = {"modules": {"shape": "halftone"}, "background": {"image": {"data": in_base64(photo)}, "opacity": 1}}
    assert read(opened(drawn(api, {"level": "H", **dots}, size=800).content)) == [TEXT]


def test_without_a_level_a_logo_raises_it(api: httpx.Client) -> None:
    def level(design: Json) -> object:
        answer = api.post("/render/validate", json={"content": SAYS, "design": design, "size": 1000})
        return answer.json()["symbol"]["level"]

    logo = {"image": {"data": in_base64(LOGO)}}
    assert [level({}), level({"logo": logo}), level({"logo": logo, "level": "Q"})] == ["M", "H", "Q"]


STOPS = [{"offset": 0, "color": "black"}, {"offset": 1, "color": "black"}]
HUGE = in_base64(b"\x89PNG\r\n\x1a\n" + bytes(5 << 20))

WRONG_DESIGNS: list[tuple[object, dict[str, str]]] = [
    (5, {"": "wrong_type"}),
    (
        {"modules": None, "eyes": None, "background": None, "frame": None, "level": None, "logo": None},
        {"/modules": "wrong_type", "/eyes": "wrong_type", "/background": "wrong_type", "/frame": "wrong_type"},
    ),
    (
        {
            "level": "X",
            "margin": -1,
            "modules": {"shape": "blob", "color": "red", "size": 1},
            "eyes": {"border": {"shape": "star", "color": "#12"}, "center": {"shape": 1, "color": 5}, "ring": "big"},
            "background": {"color": None, "image": {}, "opacity": 1.1},
            "logo": {"ratio": 0.41, "clear_zone": "oval", "padding": -0.1, "neon_alpha": 1},
            "frame": {"style": "gold", "color": LINEAR, "label": "x" * 25, "label_color": ""},
        },
        {
            "/level": "unknown_value",
            "/margin": "out_of_range",
            "/modules/shape": "unknown_value",
            "/modules/color": "invalid_color",
            "/modules/size": "unknown_field",
            "/eyes/border/shape": "unknown_value",
            "/eyes/border/color": "invalid_color",
            "/eyes/center/shape": "unknown_value",
            "/eyes/center/color": "wrong_type",
            "/eyes/ring": "unknown_value",
            "/background/color": "wrong_type",
            "/background/image": "one_of_required",
            "/background/opacity": "out_of_range",
            "/logo/image": "required",
            "/logo/ratio": "out_of_range",
            "/logo/clear_zone": "unknown_value",
            "/logo/padding": "out_of_range",
            "/logo/neon_alpha": "wrong_type",
            "/frame/style": "unknown_value",
            "/frame/color": "wrong_type",
            "/frame/label": "too_long",
            "/frame/label_color": "invalid_color",
        },
    ),
    (
        {
            "modules": {
                "color": {"type": "conic", "angle": 1e308, "stops": [{"offset": -0.1, "color": "x"}, {}, 5], "a": 1}
            }
        },
        {
            "/modules/color/type": "unknown_value",
            "/modules/color/angle": "out_of_range",
            "/modules/color/stops/0/offset": "out_of_range",
            "/modules/color/stops/0/color": "invalid_color",
            "/modules/color/stops/1/offset": "required",
            "/modules/color/stops/1/color": "required",
            "/modules/color/stops/2": "wrong_type",
            "/modules/color/a": "unknown_field",
        },
    ),
    ({"modules": {"color": {"type": "linear", "stops": STOPS[:1]}}}, {"/modules/color/stops": "too_short"}),
    ({"modules": {"color": {"type": "linear", "stops": STOPS * 9}}}, {"/modules/color/stops": "too_long"}),
    ({"modules": {"color": {"type": "linear", "stops": STOPS[::-1]}}}, {"/modules/color/stops": "out_of_range"}),
    (
        {"eyes": {"center": {"color": {"type": "radial", "stops": STOPS[::-1]}}}},
        {"/eyes/center/color/stops": "out_of_range"},
    ),
    ({"modules": {"color": {}}}, {"/modules/color/type": "required", "/modules/color/stops": "required"}),
    *[
        ({"logo": {"image": image}}, {f"/logo/image{where}": why})
        for image, where, why in (
            (5, "", "wrong_type"),
            ("https://example.com/logo.png", "", "wrong_type"),
            ({"data": "x"}, "/data", "invalid_base64"),
            ({"data": "é"}, "/data", "invalid_base64"),
            ({"data": "QUJD\n"}, "/data", "invalid_base64"),
            ({"data": "QQ==" + "QUJD" * 200_000}, "/data", "invalid_base64"),
            ({"data": ""}, "/data", "empty"),
            ({"data": 5}, "/data", "wrong_type"),
            ({"data": HUGE}, "/data", "too_long"),
            ({"url": "javascript:alert(1)"}, "/url", "invalid_scheme"),
            ({"url": "data:image/png;base64,QUJD"}, "/url", "invalid_scheme"),
            ({"sha256": "0" * 63}, "/sha256", "invalid_format"),
            ({"sha256": "A" * 64}, "/sha256", "invalid_format"),
            ({"data": "QUJD", "url": "https://example.com/"}, "", "one_of_required"),
            ({"data": "QUJD", "sha256": "0" * 64}, "", "one_of_required"),
            ({"path": "/etc/passwd"}, "/path", "unknown_field"),
        )
    ],
]


@pytest.mark.parametrize(("design", "found"), WRONG_DESIGNS, ids=lambda given: repr(given)[:50])
def test_every_wrong_field_of_a_design_is_told_at_its_place(
    api: httpx.Client, design: object, found: dict[str, str]
) -> None:
    assert refused(api, design) == {f"/design{where}": why for where, why in found.items()}
    batch = {"items": [{"content": SAYS}, {"content": SAYS, "design": design}]}
    answer = wrong(problem(api.post("/render/batch", content=json.dumps(batch)), 422, "invalid_fields"))
    assert answer == {f"/items/1/design{where}": why for where, why in found.items()}


BAD_PICTURES: list[tuple[Json, str, str]] = [
    ({"data": in_base64(b"hello")}, "data", "unknown_image"),
    ({"data": in_base64(LOGO[:-20])}, "data", "broken_image"),
    ({"data": in_base64(file_of(Image.new("1", (5000, 5000))))}, "data", "too_many_pixels"),
    ({"sha256": "0" * 64}, "sha256", "unknown_picture"),
    ({"url": "http://example.com/logo.png"}, "url", "invalid_scheme"),
    ({"url": "https://127.0.0.1/logo.png"}, "url", "private_address"),
    ({"url": "https://[::ffff:169.254.169.254]/"}, "url", "private_address"),
    ({"url": "https://localhost:8000/"}, "url", "private_address"),
    ({"url": "https://user:pw@example.com/"}, "url", "invalid_url"),
    ({"url": "https://127.0.0.1/", "sha256": "0" * 64}, "url", "private_address"),
]


@pytest.mark.parametrize(("picture", "where", "why"), BAD_PICTURES, ids=lambda given: repr(given)[:40])
def test_a_picture_that_cannot_be_had_is_a_400_at_its_field(
    api: httpx.Client, picture: Json, where: str, why: str
) -> None:
    code = new_code(api)
    before = everything(api)
    for name, design in {
        "logo": {"logo": {"image": picture}},
        "background": {"background": {"image": picture}},
    }.items():
        body = {"content": SAYS, "design": design}
        for method, path, sent, pointer in (
            ("POST", "/render", body, ""),
            ("POST", "/render/validate", body, ""),
            ("POST", "/render/batch", {"items": [{"content": SAYS}] * 3 + [body]}, "/items/3"),
            ("POST", "/qr-codes", body, ""),
            ("PATCH", f"/qr-codes/{code['id']}", {"design": design}, ""),
        ):
            found = wrong(problem(api.request(method, path, json=sent), 400, "invalid_fields"))
            assert found == {f"{pointer}/design/{name}/image/{where}": why}, path
    assert everything(api) == before


def test_a_picture_of_5_mb_in_base64_is_taken(api: httpx.Client) -> None:
    logo = LOGO[:-12]  # without its last chunk
    junk = b"".join([len(rest := bytes((5 << 20) - len(LOGO) - 12)).to_bytes(4), b"juNk", rest])
    largest = logo + junk + _crc(b"juNk" + rest) + LOGO[-12:]
    assert len(largest) == 5 << 20
    design = {"level": "H", "logo": {"image": {"data": in_base64(largest)}}}
    assert read(opened(drawn(api, design).content)) == [TEXT]


def _crc(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4)


def test_a_body_of_millions_of_values_is_not_read(api: httpx.Client) -> None:
    for filler in (b"[]", b"{}", b"0"):
        body = b'{"content": [' + b",".join([filler] * 3_000_000) + b"]}"
        problem(api.post("/render", content=body), 413, "body_too_large")


# --- caching ---------------------------------------------------------------------------------------------------------


def test_what_one_has_is_not_drawn_again(api: httpx.Client) -> None:
    design = {"modules": {"shape": "dots", "color": "#123456"}}
    first = drawn(api, design, size=777)
    assert first.headers["x-cache"] == "MISS"
    assert float(first.headers["x-render-ms"]) > 0
    again = drawn(api, design, size=777)
    assert (again.headers["x-cache"], again.content) == ("HIT", first.content)
    body = {"content": SAYS, "design": design, "size": 777}
    etag = first.headers["etag"]
    unchanged = api.post("/render", json=body, headers={"if-none-match": etag})
    assert (unchanged.status_code, unchanged.content, unchanged.headers["etag"]) == (304, b"", etag)
    assert not unchanged.headers.keys() & {"x-cache", "x-render-ms"}
    # What would be refused if it were drawn shows that nobody has tried.
    pale = api.post("/render", json={"content": SAYS, "design": PALE}, headers={"if-none-match": "*"})
    assert pale.status_code == 304


def test_designs_that_say_the_same_have_the_same_etag(api: httpx.Client) -> None:
    def etag(design: Json, **fields: object) -> str:
        return str(drawn(api, design, **fields).headers["etag"])

    paint = {
        "type": "linear",
        "angle": 0,
        "stops": [{"offset": 0, "color": "#ABC"}, {"offset": 1, "color": "#000000FF"}],
    }
    turned = {"stops": [{"color": "#aabbcc", "offset": 0.0}, {"color": "BLACK", "offset": 1.0}], "type": "linear"}
    one = {"modules": {"color": paint, "shape": "dots"}, "margin": 4}
    other = {
        "margin": 4,
        "modules": {"shape": "dots", "color": turned},
        "eyes": {"border": {"shape": "square", "color": None}, "center": {}, "ring": "none"},
        "background": {"color": "WHITE", "image": None, "opacity": 0.35},
        "logo": None,
        "level": None,
    }
    assert etag(one, allow_unscannable=True) == etag(other, format="png", size=512, allow_unscannable=True)
    assert etag(one, allow_unscannable=True) != etag({**one, "margin": 5}, allow_unscannable=True)
    # The same bytes by another name.
    code = new_code(api, content=SAYS, design=WITH_LOGO)
    stored = {"level": "H", "logo": {"image": {"sha256": code["design"]["logo"]["image"]["sha256"]}}}
    assert etag(WITH_LOGO) == etag(stored)
    assert etag(WITH_LOGO) != etag({"level": "H", "logo": {"image": {"data": in_base64(a_logo("#1e1ec0"))}}})


# --- proven to scan --------------------------------------------------------------------------------------------------


def test_what_would_not_scan_is_refused_with_what_would_mend_it(api: httpx.Client) -> None:
    for _ in range(2):  # a verdict is kept, too
        body = problem(render(api, PALE), 422, "unscannable")
        assert wrong(body)["/design/modules/color"] == "low_contrast"
        assert "Darken" in body["detail"]
    big = {"level": "L", "logo": {"image": {"data": in_base64(LOGO)}, "ratio": 0.4, "clear_zone": "square"}}
    body = problem(render(api, big), 422, "unscannable")
    assert "/design/logo/ratio" in wrong(body)
    assert "raise the level" in body["detail"]
    before = everything(api)
    problem(api.post("/qr-codes", json={"content": SAYS, "design": PALE}), 422, "unscannable")
    assert everything(api) == before


def test_what_would_not_scan_is_served_where_that_is_allowed_and_says_so(api: httpx.Client) -> None:
    answer = drawn(api, PALE, allow_unscannable=True)
    assert answer.headers["x-qr-scannable"] == "false"
    assert "contrast" in answer.headers["x-qr-scannable-reason"]
    code = new_code(api, content=SAYS, design=PALE, allow_unscannable=True)
    address = f"/qr-codes/{code['id']}/image"
    problem(api.get(address), 422, "unscannable")
    served = api.get(address, params={"allow_unscannable": "true"})
    assert (served.headers["x-qr-scannable"], served.headers["etag"]) == ("false", answer.headers["etag"])
    problem(api.patch(f"/qr-codes/{code['id']}", json={"content": {"type": "text", "text": "x"}}), 422, "unscannable")


def test_validate_tells_all_that_is_known_and_draws_nothing(api: httpx.Client) -> None:
    good = api.post("/render/validate", json={"content": SAYS, "design": WITH_LOGO, "size": 1000}).json()
    assert good.keys() == {
        *["scannable", "decoded", "score", "findings", "symbol", "contrast", "inverted", "repair"],
    }
    assert (good["scannable"], good["decoded"], good["inverted"]) == (True, True, False)
    assert 0 < good["score"] <= 100
    assert good["contrast"] == 21
    symbol = good["symbol"]
    assert (symbol["level"], symbol["text"], symbol["modules"]) == ("H", TEXT, 17 + 4 * symbol["version"])
    assert all(0 <= block["hidden"] <= block["correctable"] for block in good["repair"])
    pale = api.post("/render/validate", json={"content": SAYS, "design": PALE})
    assert pale.status_code == 200
    found = pale.json()
    assert (found["scannable"], found["score"]) == (False, 0)
    assert {"code", "pointer", "detail", "fatal"} == found["findings"][0].keys()
    assert "/design/modules/color" in [each["pointer"] for each in found["findings"] if each["fatal"]]
    assert wrong(problem(api.post("/render/validate", json={"content": SAYS, "size": 1}), 422, "invalid_fields")) == {
        "/size": "out_of_range"
    }


# --- batches ---------------------------------------------------------------------------------------------------------


def batch(api: httpx.Client, items: list[Json]) -> httpx.Response:
    return api.post("/render/batch", json={"items": items})


def test_a_batch_is_a_zip_with_a_manifest_and_always_the_same(api: httpx.Client) -> None:
    items: list[Json] = [
        {"content": SAYS},
        {"content": {"type": "wifi", "ssid": "Café", "password": "secret123"}, "format": "svg", "size": 300},
        {"content": SAYS, "design": PALE, "format": "webp", "allow_unscannable": True},
    ]
    answer = batch(api, items)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="qr-codes-3.zip"'
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["qr-0001.png", "qr-0002.svg", "qr-0003.webp", "manifest.json"]
        manifest = json.loads(archive.read("manifest.json"))
        files = [archive.read(name) for name in archive.namelist()[:3]]
    assert (manifest["count"], manifest["failed"]) == (3, 0)
    for index, (entry, file) in enumerate(zip(manifest["items"], files, strict=True)):
        assert entry.keys() == {"index", "file", "text", "size", "bytes", "scannable", "reason", "error"}
        assert (entry["index"], entry["bytes"]) == (index, len(file))
    assert [entry["scannable"] for entry in manifest["items"]] == [True, True, False]
    assert "contrast" in manifest["items"][2]["reason"]
    assert read(opened(files[0])) == [TEXT]
    assert read(np.ascontiguousarray(on_white(in_resvg(files[1], 600)))) == [manifest["items"][1]["text"]]
    assert batch(api, items).content == answer.content, "now they come from memory"


def test_a_batch_of_100_is_drawn_and_one_of_101_is_not(api: httpx.Client) -> None:
    items: list[Json] = [{"content": {"type": "text", "text": f"Table {n}"}, "size": 128} for n in range(101)]
    answer = batch(api, items[:100])
    with zipfile.ZipFile(BytesIO(answer.content)) as archive:
        for number, name in enumerate(archive.namelist()[:100]):
            assert read(opened(archive.read(name))) == [f"Table {number}"]
    assert wrong(problem(batch(api, items), 422, "invalid_fields")) == {"/items": "too_long"}
    assert wrong(problem(batch(api, []), 422, "invalid_fields")) == {"/items": "too_short"}
    assert wrong(problem(api.post("/render/batch", json={}), 422, "invalid_fields")) == {"/items": "required"}


def test_a_batch_is_drawn_whole_or_not_at_all(api: httpx.Client) -> None:
    good: Json = {"content": SAYS}
    long = {"content": {"type": "text", "text": "x" * 2400}}
    assert wrong(problem(batch(api, [good, long]), 422, "invalid_fields")) == {"/items/1/content/text": "too_long"}
    body = problem(batch(api, [good, good, {"content": SAYS, "design": PALE}]), 422, "unscannable")
    assert wrong(body)["/items/2/design/modules/color"] == "low_contrast"
    many = [{"content": SAYS, "size": 9000}] * 3
    assert wrong(problem(batch(api, many), 422, "invalid_fields")) == {"/items": "out_of_range"}
    sizes = {"content": SAYS, "size": 5, "size_inches": 1e308}
    assert wrong(problem(batch(api, [good, sizes]), 422, "invalid_fields")) == {
        "/items/1/size": "out_of_range",
        "/items/1/size_inches": "out_of_range",
    } | {"/items/1/size_inches": "one_of_required"}


# --- stored codes ----------------------------------------------------------------------------------------------------


def pictures(server: ServerProcess, api: httpx.Client) -> list[str]:
    account = api.get("/account").json()["name"]
    assert account
    codes = [code["id"] for code in api.get("/qr-codes", params={"limit": 100}).json()["data"]]
    assert codes is not None
    rows = sql(
        server.database_url,
        "SELECT encode(sha256, 'hex') AS sha256 FROM pictures WHERE account_id = ("
        "SELECT account_id FROM api_keys WHERE digest = sha256($1)) ORDER BY 1",
        api.headers["authorization"].removeprefix("Bearer ").encode(),
    )
    return [row["sha256"] for row in rows]


def test_a_stored_logo_is_kept_once_answered_by_its_hash_and_goes_with_its_last_code(
    server: ServerProcess, api: httpx.Client
) -> None:
    sha256 = hashlib.sha256(LOGO).hexdigest()
    codes = [new_code(api, content=SAYS, design=WITH_LOGO) for _ in range(2)]
    assert codes[0]["design"]["logo"]["image"] == {"url": None, "sha256": sha256}
    assert pictures(server, api) == [sha256]
    image = api.get(f"/qr-codes/{codes[0]['id']}/image", params={"size": 600})
    assert opened(image.content).getpixel((300, 300)) == (0xC0, 0x1E, 0x1E)
    assert read(opened(image.content)) == [TEXT]
    same = api.patch(f"/qr-codes/{codes[0]['id']}", json={"design": codes[0]["design"]})
    assert (same.status_code, same.json()["design"]) == (200, codes[0]["design"])
    assert pictures(server, api) == [sha256]
    # The same picture, in another place of another design.
    photo = {"background": {"image": {"sha256": sha256}, "opacity": 0.1}}
    assert api.patch(f"/qr-codes/{codes[1]['id']}", json={"design": photo}).status_code == 200
    assert api.patch(f"/qr-codes/{codes[0]['id']}", json={"design": {}}).status_code == 200
    assert pictures(server, api) == [sha256]
    assert api.patch(f"/qr-codes/{codes[1]['id']}", json={"design": {}}).status_code == 200
    assert pictures(server, api) == []
    assert refused(api, photo, 400) == {"/design/background/image/sha256": "unknown_picture"}
    third = new_code(api, content=SAYS, design=WITH_LOGO)
    other = {"level": "H", "logo": {"image": {"data": in_base64(a_logo("#1e1ec0"))}}}
    assert api.patch(f"/qr-codes/{third['id']}", json={"design": other}).status_code == 200
    left = pictures(server, api)
    assert len(left) == 1
    # A deleted code may be restored, and is drawn as before.
    before = api.get(f"/qr-codes/{third['id']}/image").content
    assert api.delete(f"/qr-codes/{third['id']}").status_code == 204
    assert pictures(server, api) == left
    assert api.post(f"/qr-codes/{third['id']}/restore").status_code == 200
    assert api.get(f"/qr-codes/{third['id']}/image").content == before


def test_a_deleted_code_is_removed_with_its_picture_when_it_was_kept_long_enough(
    server: ServerProcess, api: httpx.Client
) -> None:
    codes = [new_code(api, content=SAYS, design=WITH_LOGO) for _ in range(2)]
    kept = pictures(server, api)

    async def purge() -> None:
        database = Database(server.database_url)
        await database.open()
        await PostgresQrCodes(database).purge(30)
        await database.close()

    def forget(code: Json, days: int) -> None:
        assert api.delete(f"/qr-codes/{code['id']}").status_code == 204
        sql(
            server.database_url,
            "UPDATE qr_codes SET deleted_at = now() - make_interval(days => $1)"
            " WHERE created_at = $2::text::timestamptz",
            days,
            code["created_at"],
        )
        asyncio.run(purge())

    forget(codes[0], 29)
    assert api.post(f"/qr-codes/{codes[0]['id']}/restore").status_code == 200
    forget(codes[0], 31)
    problem(api.post(f"/qr-codes/{codes[0]['id']}/restore"), 404, "not_found")
    assert pictures(server, api) == kept
    forget(codes[1], 31)
    assert pictures(server, api) == []


def test_nobody_learns_by_a_hash_what_others_have(api: httpx.Client, stranger: httpx.Client) -> None:
    theirs = a_logo("#00602f")
    code = new_code(stranger, content=SAYS, design={"level": "H", "logo": {"image": {"data": in_base64(theirs)}}})
    sha256 = code["design"]["logo"]["image"]["sha256"]
    by_hash = {"level": "H", "logo": {"image": {"sha256": sha256}}}
    assert drawn(stranger, by_hash).status_code == 200  # and it is in the memory of drawn images now
    assert refused(api, by_hash, 400) == {"/design/logo/image/sha256": "unknown_picture"}
    drawn(api, {"level": "H", "logo": {"image": {"data": in_base64(theirs)}}})
    assert refused(api, by_hash, 400) == {"/design/logo/image/sha256": "unknown_picture"}


def test_a_design_stored_by_an_older_version_is_answered_and_drawn(server: ServerProcess, api: httpx.Client) -> None:
    code = new_code(api, content=SAYS)
    etag = api.get(f"/qr-codes/{code['id']}/image").headers["etag"]
    sql(
        server.database_url,
        """UPDATE qr_codes SET design = '{"level": "M", "margin": 4}' WHERE account_id = (
        SELECT account_id FROM api_keys WHERE digest = sha256($1))""",
        api.headers["authorization"].removeprefix("Bearer ").encode(),
    )
    old = api.get(f"/qr-codes/{code['id']}").json()
    assert old["design"] == {**code["design"], "level": "M"}
    image = api.get(f"/qr-codes/{code['id']}/image")
    assert read(opened(image.content)) == [TEXT]
    assert image.headers["etag"] != etag  # a level that was said is another design than one that was not
    assert api.patch(f"/qr-codes/{code['id']}", json={"design": old["design"]}).status_code == 200


def test_a_codes_picture_has_a_size_on_paper_and_a_name_to_be_saved_by(api: httpx.Client) -> None:
    code = new_code(api, content=SAYS, design={"modules": {"shape": "rounded"}})
    address = f"/qr-codes/{code['id']}/image"
    answer = api.get(address, params={"dpi": "600", "download": "true", "size": "600"})
    assert Image.open(BytesIO(answer.content)).info["dpi"] == pytest.approx((600, 600), abs=0.01)
    assert answer.headers["content-disposition"] == f'attachment; filename="{code["id"]}.png"'
    head = api.head(address, params={"dpi": "600", "size": "600"})
    assert (head.content, head.headers["content-length"]) == (b"", str(len(answer.content)))
    pdf = api.get(address, params={"format": "pdf", "dpi": "300", "size": "600"})
    assert pypdfium2.PdfDocument(pdf.content)[0].get_size() == pytest.approx((144, 144), abs=0.01)
    for query, found in (
        ({"dpi": "nan"}, {"dpi": "out_of_range"}),
        ({"dpi": "inf"}, {"dpi": "out_of_range"}),
        ({"dpi": "x", "download": "maybe"}, {"dpi": "wrong_type", "download": "wrong_type"}),
        ({"format": "webp", "size": "4097"}, {"size": "out_of_range"}),
    ):
        assert wrong(problem(api.get(address, params=query), 422, "invalid_fields")) == found
