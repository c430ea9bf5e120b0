"""SVG, PDF and EPS of one drawing, each as another program shows it: the pictures agree, and scan."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zlib

import numpy as np
import pypdfium2
import pytest
import zxingcpp

import fastcore
from fastcore.drawing import Drawing, Fill, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles
from fastcore.path import Path
from tests.fastcore.drawings import (
    BLACK,
    DIAMOND,
    DRAWINGS,
    ROUND,
    SIDE,
    SQUARE,
    TEXT,
    TILTED,
    TOUCHING,
    WHITE,
    WHOLE,
    code,
    photo,
)
from tests.fastcore.viewers import Pixels, in_ghostscript, in_pdfium, in_resvg, likeness, on_white

DPI = 300
WIDTH_PT = SIDE * 72 / DPI


def _reads(pixels: Pixels) -> bool:
    return [found.text for found in zxingcpp.read_barcodes(pixels)] == [TEXT]


@pytest.fixture(scope="module", params=DRAWINGS)
def drawing(request: pytest.FixtureRequest) -> Drawing:
    return DRAWINGS[request.param]


@pytest.fixture(scope="module")
def expected(drawing: Drawing) -> Pixels:
    return on_white(in_resvg(fastcore.draw_svg(drawing)))


def test_a_drawing_scans(expected: Pixels) -> None:
    assert expected.shape == (SIDE, SIDE, 3)
    assert _reads(expected)


def test_our_own_pixels_look_like_the_svg(drawing: Drawing, expected: Pixels) -> None:
    pixels = np.frombuffer(fastcore.paint_rgba(drawing), np.uint8).reshape(SIDE, SIDE, 4)
    assert likeness(on_white(pixels), expected) > 0.98


def test_the_pdf_looks_like_the_svg(drawing: Drawing, expected: Pixels) -> None:
    pixels = in_pdfium(fastcore.draw_pdf(drawing, dpi=DPI), SIDE)
    assert likeness(pixels, expected) > 0.98
    assert _reads(pixels)


def test_the_eps_looks_like_the_svg(drawing: Drawing, expected: Pixels) -> None:
    pixels = in_ghostscript(fastcore.draw_eps(drawing, dpi=DPI), SIDE, WIDTH_PT)
    assert likeness(pixels, expected) > 0.98
    assert _reads(pixels)


def test_the_same_drawing_gives_the_same_bytes(drawing: Drawing) -> None:
    again = Drawing(drawing.width, drawing.height, drawing.ground, tuple(drawing.layers))
    assert fastcore.draw_svg(again) == fastcore.draw_svg(drawing)
    assert fastcore.draw_pdf(again, dpi=DPI) == fastcore.draw_pdf(drawing, dpi=DPI)
    assert fastcore.draw_eps(again, dpi=DPI) == fastcore.draw_eps(drawing, dpi=DPI)


def test_qpdf_finds_no_fault(drawing: Drawing, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert shutil.which("qpdf") is not None, "PDF files are checked by qpdf, which is not on this system's PATH"
    path = tmp_path_factory.mktemp("pdf") / "drawn.pdf"
    path.write_bytes(fastcore.draw_pdf(drawing, dpi=DPI))
    done = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No syntax or stream encoding errors found" in done.stdout


def test_the_svg_has_one_path_a_paint(drawing: Drawing) -> None:
    root = ET.fromstring(fastcore.draw_svg(drawing))
    grounds = drawing.ground is not None
    photos = sum(isinstance(layer, Photo) for layer in drawing.layers)
    tags = [element.tag.removeprefix("{http://www.w3.org/2000/svg}") for element in root]
    assert tags.count("path") == grounds + len(drawing.layers) - photos
    assert tags.count("image") == photos
    assert set(tags) <= {"path", "image", "defs"}


# --- sizes ---


@pytest.mark.parametrize(("side", "dpi"), [(1200, 300), (1, 72), (999, 600), (9000, 1200), (640, 96.5)])
def test_sizes_are_exact_to_a_ten_thousandth_of_a_point(side: int, dpi: float) -> None:
    drawing = Drawing(side, side, WHITE, ())
    page = pypdfium2.PdfDocument(fastcore.draw_pdf(drawing, dpi=dpi))[0]
    assert page.get_size() == pytest.approx((side * 72 / dpi,) * 2, abs=1e-4)
    found = re.search(rb"%%HiResBoundingBox: 0 0 (\S+) (\S+)\n", fastcore.draw_eps(drawing, dpi=dpi))
    assert found is not None
    assert float(found[1]) == float(found[2]) == pytest.approx(side * 72 / dpi, abs=1e-4)


def test_a_drawing_may_be_wider_than_high() -> None:
    drawing = Drawing(200, 100, WHITE, (Fill(Path("M0 0H200V50H0Z"), BLACK),))
    assert pypdfium2.PdfDocument(fastcore.draw_pdf(drawing, dpi=72))[0].get_size() == (200, 100)
    svg = in_resvg(fastcore.draw_svg(drawing))
    assert svg.shape == (100, 200, 4)
    assert svg[:50, :, 0].max() == 0
    assert svg[50:, :, 0].min() == 255


# --- what is written ---


def test_numbers_are_short_and_commands_relative() -> None:
    path = Path("M10.5 0.5L10.25 0.75L10.12345 20H10C10 19.5 9.5 19 9 19Z M0 0H1V1H0V0Z")
    svg = fastcore.draw_svg(Drawing(32, 32, None, (Fill(path, BLACK),)))
    assert svg == (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32">'
        b'<path d="m10.5.5-.25.25-.127 19.25h-.123c0-.5-.5-1-1-1zm-10.5-.5h1v1h-1z"/></svg>\n'
    )


def test_full_squares_in_a_row_are_one_rectangle() -> None:
    tiles = Tiles(4, bytes([1, 1, 1, 0, *[2] * 4, 1, 0, 0, 1, 0, 0, 0, 0]), (SQUARE, DIAMOND), 2, 2, 5, Rgba(255, 0, 0))
    drawing = Drawing(24, 24, None, (tiles,))
    assert b'fill="#f00" d="m2 2h15v5h-15zm2.5 5.1 2.4 2.4-2.4 2.4-2.4-2.4z' in fastcore.draw_svg(drawing)
    assert b"\n2 2 15 5 rt\n2 7 t2\n7 7 t2\n" in fastcore.draw_eps(drawing, dpi=72)


def test_edges_are_crisp_only_where_all_lie_between_pixels() -> None:
    whole, half = Fill(Path("M3 3H9V9H3Z"), BLACK), Fill(Path("M3.5 3H9V9H3.5Z"), BLACK)
    for layers, crisp in [((whole,), True), ((whole, half), False), (code(SQUARE, BLACK), True),
                          (code(DIAMOND, BLACK), False), ((photo(),), False)]:  # fmt: skip
        assert (b"crispEdges" in fastcore.draw_svg(Drawing(64, 64, WHITE, layers))) is crisp


def test_gradients_are_named_by_what_they_are() -> None:
    """Two files in one page must not paint with each other's gradients; the same gradient is there once."""
    one = fastcore.draw_svg(Drawing(1200, 1200, WHITE, code(SQUARE, TILTED, TILTED)))
    other = fastcore.draw_svg(Drawing(1200, 1200, WHITE, code(SQUARE, ROUND)))
    names, others = [set(re.findall(rb'id="(g[0-9a-f]{8})"', file)) for file in (one, other)]
    assert len(names) == len(others) == 1
    assert names != others


@pytest.mark.parametrize(
    "paint", [Rgba(200, 0, 0, 0), Linear(0, 0, 9, 9, (Stop(0, Rgba(1, 2, 3, 0)), Stop(1, Rgba(1, 2, 3, 0))))]
)
def test_what_cannot_be_seen_is_not_written(paint: Paint) -> None:
    hidden = Drawing(64, 64, paint, (Fill(Path("M0 0H9V9Z"), paint), Fill(Path(), BLACK)))
    empty = Drawing(64, 64, None, ())
    assert fastcore.draw_svg(hidden) == fastcore.draw_svg(empty)
    assert fastcore.draw_pdf(hidden, dpi=72) == fastcore.draw_pdf(empty, dpi=72)
    assert fastcore.draw_eps(hidden, dpi=72) == fastcore.draw_eps(empty, dpi=72)


@pytest.mark.parametrize(
    "flat",
    [
        Linear(20, 20, 20, 20, (Stop(0, BLACK), Stop(1, Rgba(0, 200, 0)))),
        Radial(20, 20, 0, (Stop(0, BLACK), Stop(1, Rgba(0, 200, 0)))),
    ],
)
def test_a_gradient_without_extent_is_its_last_colour(flat: Paint) -> None:
    svg, plain = [fastcore.draw_svg(Drawing(64, 64, None, (Fill(WHOLE, paint),))) for paint in (flat, Rgba(0, 200, 0))]
    assert svg == plain


def test_a_transparent_ground_stays_so() -> None:
    pixels = in_resvg(fastcore.draw_svg(DRAWINGS["transparent ground"]))
    assert pixels[0, 0, 3] == 0
    assert pixels[168, 168, 3] == 255


def test_a_pdf_of_colours_has_no_pixels_and_no_transparency() -> None:
    file = fastcore.draw_pdf(DRAWINGS["squares"], dpi=DPI)
    assert file.startswith(b"%PDF-1.4\n")
    assert b"/XObject" not in file
    assert b"/Group" not in file
    (stream,) = [zlib.decompress(each) for each in re.findall(rb"stream\n(.*?)\nendstream", file, re.DOTALL)]
    assert b"\nq\n0 g\n438 150 36 36 re\n654 150 108 36 re\n" in stream


def test_lines_of_an_eps_are_short_and_plain() -> None:
    for drawing in DRAWINGS.values():
        file = fastcore.draw_eps(drawing, dpi=DPI)
        assert max(map(len, file.split(b"\n"))) <= 255
        assert set(file) <= {10, *range(32, 127)}


# --- edges that meet ---


@pytest.mark.parametrize("width", [61, 97, 131, 333, 701])
def test_squares_that_touch_show_no_seam(width: int) -> None:
    """At any zoom, between full squares and beside other shapes that reach the edge."""
    for drawing in TOUCHING:
        svg = fastcore.draw_svg(drawing)
        assert on_white(in_resvg(svg, width))[2:-2, 2:-2].max() <= 2
        pdf = fastcore.draw_pdf(drawing, dpi=72)
        assert in_pdfium(pdf, width)[2:-2, 2:-2].max() <= 2


def test_tiles_must_fit_together() -> None:
    for places, paths in [(bytes(3), (SQUARE,)), (bytes([0, 0, 2, 0]), (SQUARE,))]:
        drawing = Drawing(64, 64, None, (Tiles(2, places, paths, 0, 0, 8, BLACK),))
        for draw in (fastcore.draw_svg, lambda each: fastcore.draw_pdf(each, dpi=72)):
            with pytest.raises(ValueError, match="place"):
                draw(drawing)


def test_a_photo_must_have_its_pixels() -> None:
    drawing = Drawing(64, 64, None, (Photo(0, 0, 9, 9, bytes(7), 2, 2),))
    with pytest.raises(ValueError, match="2 rows of 2 pixels are not 7 bytes"):
        fastcore.draw_svg(drawing)
