"""POST /barcodes over the API: fields, headers, and what is refused and how."""

from io import BytesIO
from typing import Any

import httpx
import numpy as np
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from tests.api.exchange import everything, problem, wrong
from tests.fastcore.viewers import in_resvg, on_white

EAN: dict[str, Any] = {"symbology": "ean-13", "value": "590123412345"}


def drawn(api: httpx.Client, **fields: object) -> httpx.Response:
    answer = api.post("/barcodes", json={**EAN, **fields})
    assert answer.status_code == 200, answer.text
    return answer


def read(pixels: Any) -> list[tuple[str, str]]:  # noqa: ANN401 -- PIL's or numpy's
    return [(str(found.format), found.text) for found in zxingcpp.read_barcodes(pixels)]


def test_a_barcode_is_drawn_and_nothing_is_stored(api: httpx.Client) -> None:
    before = everything(api)
    answer = drawn(api)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-cache"] in ("HIT", "MISS")
    assert float(answer.headers["x-render-ms"]) >= 0
    picture = Image.open(BytesIO(answer.content))
    assert picture.size == (400, 200)
    assert read(picture.convert("L")) == [("EAN-13", "5901234123457")]
    assert everything(api) == before


def test_each_format_is_what_it_says(api: httpx.Client) -> None:
    svg = drawn(api, format="svg", width=600, height=250)
    assert svg.headers["content-type"] == "image/svg+xml"
    assert "default-src 'none'" in svg.headers["content-security-policy"]
    pixels = on_white(in_resvg(svg.content))
    assert pixels.shape == (250, 600, 3)
    assert read(np.ascontiguousarray(pixels)) == [("EAN-13", "5901234123457")]
    pdf = drawn(api, format="pdf", width=600, height=250, dpi=300)
    assert pdf.headers["content-type"] == "application/pdf"
    assert pypdfium2.PdfDocument(pdf.content)[0].get_size() == pytest.approx((144, 60))
    png = Image.open(BytesIO(drawn(api, dpi=300).content))
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_whoever_has_it_is_not_sent_it_again(api: httpx.Client) -> None:
    first = drawn(api)
    again = drawn(api, value="5901234123457", color="#000", text=True, width=400, height=200, format="png")
    assert again.content == first.content
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["x-cache"] == "HIT"
    held = api.post("/barcodes", json=EAN, headers={"if-none-match": first.headers["etag"]})
    assert (held.status_code, held.content) == (304, b"")


def test_a_barcode_counts_as_a_picture_and_a_refusal_does_not(stranger: httpx.Client) -> None:
    def renders() -> int:
        return int(stranger.get("/account").json()["usage"]["renders"])

    before = renders()
    drawn(stranger)
    drawn(stranger)
    assert renders() == before + 2
    assert stranger.post("/barcodes", json={**EAN, "value": "5901234123450"}).status_code == 422
    assert stranger.post("/barcodes", json={**EAN, "width": 112}).status_code == 422
    assert renders() == before + 2


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"value": "5901234123450"}, {"/value": "invalid_check_digit"}),
        ({"value": "59012341234"}, {"/value": "invalid_length"}),
        ({"value": "59012341234x"}, {"/value": "invalid_character"}),
        ({"value": ""}, {"/value": "empty"}),
        ({"value": 590123412345}, {"/value": "wrong_type"}),
        ({"value": "1" * 7090}, {"/value": "too_long"}),
        ({"symbology": "code-128", "value": "x" * 200}, {"/value": "too_long"}),
        ({"symbology": "ean13"}, {"/symbology": "unknown_value"}),
        ({"symbology": "data-matrix", "value": "日本", "text": True}, {"/text": "invalid_character"}),
        ({"format": "webp"}, {"/format": "unknown_value"}),
        ({"width": 112}, {"/width": "out_of_range"}),
        ({"width": 31, "height": 9001}, {"/width": "out_of_range", "/height": "out_of_range"}),
        ({"width": 400.5}, {"/width": "wrong_type"}),
        ({"color": "#999"}, {"/color": "low_contrast"}),
        ({"color": "#fff", "background": "#000"}, {"/color": "inverted"}),
        ({"color": "red"}, {"/color": "invalid_color"}),
        ({"dpi": 10}, {"/dpi": "out_of_range"}),
        ({"size": 300}, {"/size": "unknown_field"}),
    ],
)
def test_what_cannot_be_drawn_is_refused_at_its_field(
    api: httpx.Client, fields: dict[str, object], found: dict[str, str]
) -> None:
    answer = api.post("/barcodes", json={**EAN, **fields})
    assert wrong(problem(answer, 422, "invalid_fields")) == found


def test_a_refusal_says_the_rule(api: httpx.Client) -> None:
    answer = api.post("/barcodes", json={**EAN, "value": "5901234123450"})
    (error,) = problem(answer, 422, "invalid_fields")["errors"]
    assert error["detail"] == ("The check digit of 590123412345 is 7, not 0: it was mistyped, or is to be left out.")


def test_both_of_the_fields_there_have_to_be_are_asked_for(api: httpx.Client) -> None:
    answer = api.post("/barcodes", json={})
    assert wrong(problem(answer, 422, "invalid_fields")) == {"/symbology": "required", "/value": "required"}
