"""Drawings as pixels: against resvg, against a slow reference, and through other readers of PNG files."""

from __future__ import annotations

import base64
import io
import math
import subprocess
import sys
from array import array
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import resvg_py
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import fastcore
from fastcore import shape
from fastcore.drawing import Drawing, Fill, Layer, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles
from fastcore.path import Path

Pixels = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.float64]

BLACK, WHITE = Rgba(0, 0, 0), Rgba(255, 255, 255)
BLUE, RED, GLASS = Rgba(10, 40, 160), Rgba(190, 20, 30), Rgba(20, 160, 60, 120)
SLANTED = Linear(20, 40, 180, 260, (Stop(0, RED), Stop(0.4, BLUE), Stop(1, Rgba(20, 90, 40))))
ROUND = Radial(140, 120, 130, (Stop(0.1, WHITE), Stop(0.8, Rgba(150, 200, 255)), Stop(1, Rgba(255, 220, 90))))
FADING = Linear(0, 0, 240, 0, (Stop(0, Rgba(200, 0, 90, 255)), Stop(1, Rgba(0, 0, 200, 0))))
STEPS = Linear(
    80, 0, 160, 0, (Stop(0, BLACK), Stop(0, RED), Stop(0.5, BLUE), Stop(0.5, RED), Stop(1, BLUE), Stop(1, WHITE))
)
POINT = Linear(50, 50, 50, 50, (Stop(0, RED), Stop(1, BLUE)))

RING = Path("M120 20A100 100 0 0 1 120 220A100 100 0 0 1 120 20Z M120 60A60 60 0 0 0 120 180A60 60 0 0 0 120 60Z")
BLOB = Path("M30 40C90 -20 150 70 200 30C240 120 160 150 210 215C120 170 90 260 25 200C70 150 0 110 30 40Z")
BEYOND = Path("M-50 100L120 -70L300 100L120 290Z")


def sheet(width: float, height: float) -> Path:
    return Path(f"M0 0H{width}V{height}H0Z")


def module_tiles(style: str, scale: int, paint: Paint, at: int = 0) -> Tiles:
    symbol = fastcore.encode("https://example.com/")
    table, paths = shape.variants(shape.MODULES[style])
    return Tiles(symbol.size, fastcore.places(symbol, table), paths, at, at, scale, paint)


def outlines(tiles: Tiles) -> Path:
    """All tiles as one path."""
    return Path.joined(
        tiles.paths[number - 1]
        .scaled(tiles.scale)
        .moved(tiles.x + place % tiles.size * tiles.scale, tiles.y + place // tiles.size * tiles.scale)
        for place, number in enumerate(tiles.places)
        if number
    )


def photo(columns: int, rows: int, alpha: bool, x: float, y: float, width: float, height: float) -> Photo:
    """Smooth colours; with alpha a disc of them that fades."""
    down, across = np.mgrid[:rows, :columns]
    colours = [128 + 100 * np.sin(across / 5 + k) * np.cos(down / 7 - k) for k in range(3)]
    distance = np.hypot(across - columns / 2, down - rows / 2) / min(columns, rows) * 2
    alphas = np.clip(1.5 - 1.5 * distance, 0, 1) * 255 if alpha else np.full(down.shape, 255)
    pixels = np.dstack([*colours, alphas]).astype(np.uint8)
    return Photo(x, y, width, height, pixels.tobytes(), columns, rows, 0.8)


# --- the independent renderer ---


def path_data(path: Path) -> str:
    points = iter(array("d", path.points))
    return "".join(
        "MLCZ"[command] + " ".join(f"{next(points):.6f}" for _ in range((2, 2, 6, 0)[command]))
        for command in path.commands
    )


def attributes(colour: Rgba, name: str) -> str:
    return f'{name}="#{bytes(colour[:3]).hex()}" {name.replace("color", "opacity")}="{colour.alpha / 255}"'


def as_svg(drawing: Drawing) -> str:
    parts: list[str] = []

    def fill(paint: Paint) -> str:
        if isinstance(paint, Rgba):
            return f'fill="#{bytes(paint[:3]).hex()}" fill-opacity="{paint.alpha / 255}"'
        stops = "".join(f'<stop offset="{at}" {attributes(colour, "stop-color")}/>' for at, colour in paint.stops)
        if isinstance(paint, Linear):
            kind, where = "linear", f'x1="{paint.x0}" y1="{paint.y0}" x2="{paint.x1}" y2="{paint.y1}"'
        else:
            kind, where = "radial", f'cx="{paint.x}" cy="{paint.y}" r="{paint.radius}"'
        name = f"g{len(parts)}"
        parts.append(f'<{kind}Gradient id="{name}" gradientUnits="userSpaceOnUse" {where}>{stops}</{kind}Gradient>')
        return f'fill="url(#{name})"'

    if drawing.ground is not None:
        parts.append(f'<rect width="{drawing.width}" height="{drawing.height}" {fill(drawing.ground)}/>')
    for layer in drawing.layers:
        if isinstance(layer, Photo):
            file = io.BytesIO()
            Image.frombytes("RGBA", (layer.columns, layer.rows), layer.pixels).save(file, "PNG")
            parts.append(
                f'<image x="{layer.x}" y="{layer.y}" width="{layer.width}" height="{layer.height}" '
                f'opacity="{layer.opacity}" preserveAspectRatio="none" '
                f'href="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"/>'
            )
        else:
            path = outlines(layer) if isinstance(layer, Tiles) else layer.path
            parts.append(f'<path d="{path_data(path)}" {fill(layer.paint)}/>')
    size = f'width="{drawing.width}" height="{drawing.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def read(file: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGBA"))


def read_by_opencv(file: bytes) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    to_rgba = {1: cv2.COLOR_GRAY2RGBA, 3: cv2.COLOR_BGR2RGBA, 4: cv2.COLOR_BGRA2RGBA}[channels]
    return cast("Pixels", cv2.cvtColor(pixels, to_rgba))


def by_resvg(drawing: Drawing) -> Pixels:
    return read(resvg_py.svg_to_bytes(svg_string=as_svg(drawing), skip_system_fonts=True))


def painted(drawing: Drawing) -> Pixels:
    pixels = np.frombuffer(fastcore.paint_rgba(drawing), np.uint8)
    return pixels.reshape(drawing.height, drawing.width, 4)


def premultiplied(pixels: Pixels) -> Numbers:
    """What can be seen: the colour of what is transparent means nothing."""
    numbers = pixels.astype(np.float64)
    numbers[..., :3] *= numbers[..., 3:] / 255
    return numbers


def similarity(a: Numbers, b: Numbers) -> float:
    """Structural similarity (Wang et al., 2004), the mean over all channels that say something."""
    found = []
    for k in range(a.shape[2]):
        x, y = a[..., k], b[..., k]

        def mean(of: Numbers) -> Numbers:
            return cast("Numbers", cv2.GaussianBlur(of, (11, 11), 1.5))

        mx, my = mean(x), mean(y)
        vx, vy, together = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
        c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
        score = (2 * mx * my + c1) * (2 * together + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
        found.append(float(score.mean()))
    return sum(found) / len(found)


DRAWINGS: dict[str, Drawing] = {
    "solid": Drawing(240, 240, WHITE, (Fill(BLOB, BLUE),)),
    "hole": Drawing(240, 240, WHITE, (Fill(RING, RED), Fill(BLOB, GLASS))),
    "beyond the picture": Drawing(240, 240, WHITE, (Fill(BEYOND, RED), Fill(RING.scaled(3).moved(-300, -200), BLUE))),
    "linear": Drawing(240, 240, WHITE, (Fill(RING, SLANTED),)),
    "steps": Drawing(240, 240, STEPS, (Fill(RING, GLASS),)),
    "radial ground": Drawing(240, 240, ROUND, (Fill(BLOB, SLANTED),)),
    "fading": Drawing(240, 240, None, (Fill(BLOB, FADING), Fill(RING, GLASS))),
    "without extent": Drawing(240, 240, WHITE, (Fill(RING, POINT), Fill(BLOB, Radial(9, 9, 0, POINT.stops)))),
    "transparent": Drawing(240, 240, None, (Fill(RING, RED), Fill(BLOB, GLASS))),
    "glass ground": Drawing(240, 240, GLASS, (Fill(RING, RED),)),
    "tiles": Drawing(240, 240, WHITE, (module_tiles("liquid", 9, BLUE, 7),)),
    "odd": Drawing(131, 77, ROUND, (Fill(BLOB, SLANTED),)),
    "photo": Drawing(240, 240, WHITE, (photo(60, 50, False, 0, 0, 240, 240), Fill(RING, BLUE))),
    "photo with alpha": Drawing(240, 240, None, (photo(80, 80, True, 20.3, 30.6, 180.5, 190.2), Fill(BLOB, GLASS))),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_pixels_are_those_of_another_renderer(name: str) -> None:
    drawing = DRAWINGS[name]
    ours, theirs = premultiplied(painted(drawing)), premultiplied(by_resvg(drawing))
    difference = np.abs(ours - theirs)
    # It takes 4 x 16 samples for each pixel of an edge, and other curves between the pixels of a photo.
    assert difference.max() <= (70 if "photo" in name else 40)
    assert difference.mean() <= 1
    assert similarity(ours, theirs) >= (0.98 if "photo" in name else 0.99)


@pytest.mark.parametrize("style", ["rounded", "dots", "star", "frame"])
def test_styles_are_those_of_another_renderer(style: str) -> None:
    drawing = Drawing(1200, 1200, WHITE, (module_tiles(style, 37, SLANTED, 131),))
    assert similarity(premultiplied(painted(drawing)), premultiplied(by_resvg(drawing))) >= 0.99


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 15, 16, 17, 64, 129])
@pytest.mark.parametrize("height", [1, 7, 70])
def test_odd_sizes(width: int, height: int) -> None:
    for ground, paint in ((WHITE, BLACK), (None, GLASS), (ROUND, SLANTED)):
        path = Path("M.5 .25H200V200H.5Z")
        drawing = Drawing(width, height, ground, (Fill(path, paint),))
        ours = painted(drawing)
        assert np.abs(premultiplied(ours) - premultiplied(by_resvg(drawing))).max() <= 10
        exact = not isinstance(paint, Rgba)
        assert np.abs(premultiplied(read(fastcore.paint_png(drawing))) - premultiplied(ours)).max() <= (
            0 if exact else 9
        )


def test_coverage_is_the_area() -> None:
    """A rectangle at fractions of pixels, by arithmetic."""
    drawing = Drawing(4, 3, WHITE, (Fill(Path("M.25 .5H2.5V2.25H.25Z"), BLACK),))
    across, down = np.array([0.75, 1, 0.5, 0]), np.array([0.5, 1, 0.25])
    np.testing.assert_allclose(painted(drawing)[..., 0], 255 - 255 * np.outer(down, across), atol=1)


def test_contours_that_overlap_count_once_and_those_that_run_back_are_holes() -> None:
    twice = Path("M1 1H7V7H1Z M3 3H9V9H3Z")
    assert set(painted(Drawing(10, 10, WHITE, (Fill(twice, BLACK),)))[..., 0].ravel()) == {0, 255}
    assert painted(Drawing(10, 10, WHITE, (Fill(twice, BLACK),)))[5, 5, 0] == 0
    hole = Path("M1 1H9V9H1Z M3 3V7H7V3Z")
    assert painted(Drawing(10, 10, WHITE, (Fill(hole, BLACK),)))[5, 5, 0] == 255


def test_a_photo_is_bilinear() -> None:
    shot = replace(photo(13, 11, False, 0, 0, 130, 99), opacity=1)
    source = np.frombuffer(shot.pixels, np.uint8).reshape(11, 13, 4)
    expected = cv2.resize(source, (130, 99), interpolation=cv2.INTER_LINEAR)
    difference = painted(Drawing(130, 99, None, (shot,))).astype(int) - expected
    assert np.abs(difference).max() <= 2


# --- tiles ---


@pytest.mark.parametrize("scale", [1, 2, 5, 8, 23, 41])
def test_tiles_are_the_same_as_one_outline(scale: int) -> None:
    for style, paint in (("rounded", BLACK), ("dots", GLASS), ("liquid", SLANTED)):
        tiles = module_tiles(style, scale, paint, 3)
        width = tiles.size * scale + 5
        for ground in (WHITE, None):
            ours = painted(Drawing(width, width, ground, (tiles,)))
            whole = painted(Drawing(width, width, ground, (Fill(outlines(tiles), paint),)))
            assert np.abs(premultiplied(ours) - premultiplied(whole)).max() <= 2


def test_large_tiles_are_drawn_as_outlines() -> None:
    """Where copies would take too much memory."""
    paths = tuple(Path(f"M0 0H1V{0.5 + k / 20}H0Z") for k in range(9))
    tiles = Tiles(1, bytes([9]), paths, 0, 0, 6000, BLACK)
    luminance = np.frombuffer(fastcore.paint_luminance(Drawing(6000, 6000, WHITE, (tiles,)), WHITE), np.uint8)
    assert (luminance.reshape(6000, 6000)[:, 3000] == 0).sum() == 5400


# --- files ---


def chunks(file: bytes) -> dict[bytes, bytes]:
    found = {}
    at = 8
    while at < len(file):
        length = int.from_bytes(file[at : at + 4])
        found[file[at + 4 : at + 8]] = file[at + 8 : at + 8 + length]
        at += 12 + length
    return found


TWO_INKS: tuple[Layer, ...] = (module_tiles("rounded", 8, BLUE, 20), Fill(RING.scaled(0.1), RED))
SQUARES = module_tiles("square", 8, BLACK, 20)
#: What is drawn, bits of a sample, colour type (0 grey, 2 RGB, 3 palette, 6 RGBA).
MODES: list[tuple[str, Drawing, int, int]] = [
    ("squares", Drawing(240, 240, WHITE, (SQUARES,)), 1, 0),
    ("light squares", Drawing(240, 240, BLACK, (replace(SQUARES, paint=WHITE),)), 1, 0),
    ("coloured squares", Drawing(240, 240, WHITE, (replace(SQUARES, paint=RED),)), 1, 3),
    ("squares on nothing", Drawing(241, 239, None, (SQUARES,)), 1, 3),
    ("three colours", Drawing(237, 240, WHITE, (SQUARES, Fill(sheet(8, 8), RED))), 2, 3),
    ("rounded", Drawing(240, 240, WHITE, (module_tiles("rounded", 8, BLACK, 20),)), 4, 0),
    ("light on dark", Drawing(239, 240, BLACK, (module_tiles("rounded", 8, WHITE, 20),)), 4, 0),
    ("squares and a ring", Drawing(240, 240, WHITE, (SQUARES, Fill(RING.scaled(0.1), BLACK))), 4, 0),
    ("coloured", Drawing(240, 240, Rgba(255, 250, 200), (module_tiles("dots", 8, BLUE, 20),)), 4, 3),
    ("on nothing", Drawing(240, 240, None, (module_tiles("dots", 8, BLUE, 20),)), 4, 3),
    ("two inks", Drawing(240, 240, WHITE, TWO_INKS), 8, 3),
    ("glass", Drawing(240, 240, None, (module_tiles("dots", 8, GLASS, 20),)), 8, 3),
    ("gradient", Drawing(240, 240, WHITE, (module_tiles("dots", 8, SLANTED, 20),)), 8, 2),
    ("gradient on nothing", Drawing(240, 240, None, (module_tiles("dots", 8, SLANTED, 20),)), 8, 6),
    ("gradient to nothing", Drawing(240, 240, FADING, ()), 8, 6),
    ("photo", DRAWINGS["photo"], 8, 2),
    ("photo on nothing", DRAWINGS["photo with alpha"], 8, 6),
    (
        "many colours",
        Drawing(
            99, 99, WHITE, tuple(Fill(RING.scaled(k / 25), Rgba(9 * k, 200 - 5 * k, k * k % 250)) for k in range(1, 25))
        ),
        8,
        2,
    ),
    ("nothing", Drawing(5, 5, None, ()), 1, 3),
]


@pytest.mark.parametrize(("drawing", "depth", "colour_type"), [mode[1:] for mode in MODES], ids=[m[0] for m in MODES])
def test_files_have_the_least_depth_and_the_pixels(drawing: Drawing, depth: int, colour_type: int) -> None:
    file = fastcore.paint_png(drawing)
    assert (file[24], file[25]) == (depth, colour_type)
    ours = painted(drawing)
    pillows = read(file)
    opencvs = read_by_opencv(file)
    np.testing.assert_array_equal(opencvs, pillows)
    has_levels = colour_type in (0, 3) and depth >= 4
    # 16 levels: a pixel of one edge is off by half a level at most, where edges meet by a little more.
    bound = 18 if has_levels else 0
    assert np.abs(premultiplied(pillows) - premultiplied(ours)).max() <= bound
    if not has_levels:
        np.testing.assert_array_equal(pillows, ours)


def test_a_file_says_how_large_it_is_to_be_printed() -> None:
    drawing = DRAWINGS["solid"]
    assert b"pHYs" not in chunks(fastcore.paint_png(drawing))
    file = fastcore.paint_png(drawing, dpi=300)
    assert chunks(file)[b"pHYs"] == (11811).to_bytes(4) * 2 + b"\1"
    assert list(chunks(file)).index(b"pHYs") < list(chunks(file)).index(b"IDAT")
    assert Image.open(io.BytesIO(file)).info["dpi"] == pytest.approx((300, 300), abs=0.01)


def test_bands_do_not_show() -> None:
    """A picture of many bands, against the same drawing in one piece."""
    tall = Drawing(700, 1100, ROUND, (Fill(BLOB.scaled(4), SLANTED), photo(40, 40, True, 100, 200, 500, 700)))
    np.testing.assert_array_equal(read(fastcore.paint_png(tall)), painted(tall))
    assert similarity(premultiplied(painted(tall)), premultiplied(by_resvg(tall))) >= 0.98


def test_luminance_is_that_of_the_picture_on_its_backdrop() -> None:
    for name in ("transparent", "glass ground", "photo with alpha", "radial ground"):
        drawing = DRAWINGS[name]
        numbers = premultiplied(painted(drawing))
        for backdrop in (WHITE, Rgba(40, 90, 200)):
            seen = numbers[..., :3] + np.array(backdrop[:3]) * (1 - numbers[..., 3:] / 255)
            luminance = np.frombuffer(fastcore.paint_luminance(drawing, backdrop), np.uint8)
            expected = seen @ np.array([0.299, 0.587, 0.114])
            assert np.abs(luminance.reshape(expected.shape) - expected).max() <= 2


def test_eight_threads_make_the_same_bytes() -> None:
    drawings = [mode[1] for mode in MODES]
    alone = [fastcore.paint_png(drawing) for drawing in drawings]
    with ThreadPoolExecutor(8) as pool:
        for together in pool.map(lambda _: [fastcore.paint_png(drawing) for drawing in drawings], range(16)):
            assert together == alone


MEMORY = """
import re
import fastcore
from fastcore.drawing import *
from fastcore.path import Path
px = 9000
stops = (Stop(0, Rgba(200, 30, 60)), Stop(1, Rgba(20, 90, 160)))
pixels = bytes(range(256)) * 4 * 250
photo = Photo(0, 0, px, px, pixels, 250, 256, 0.5)
tiles = Tiles(25, bytes([1, 0, 2, 1, 0]) * 125, (Path("M.5 0L1 .5L.5 1L0 .5Z"), Path("M0 0H1V.7H0Z")), 0, 0, 360,
    Radial(px / 2, px / 2, px / 2, stops))
drawing = Drawing(px, px, Linear(0, 0, px, px, stops), (photo, tiles))
# Not ru_maxrss: that begins with what the parent had.
peak = lambda: int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
idle = peak()
file = fastcore.paint_png(drawing)
print(peak() - idle, len(file))
"""


def test_large_pictures_are_never_whole_in_memory() -> None:
    told = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True, check=True).stdout
    taken_kb, size = map(int, told.split())
    assert size > 1_000_000
    assert size / 1024 < taken_kb < 150_000


# --- the slow reference ---


FINE = 16


def inside(corners: list[tuple[float, float]], width: int, height: int) -> Numbers:
    """Winding numbers of a polygon at FINE * FINE points of each pixel."""
    y, x = (np.mgrid[: height * FINE, : width * FINE] + 0.5) / FINE
    turns = np.zeros(x.shape)
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y0 != y1:
            crossed = (np.minimum(y0, y1) <= y) & (y < np.maximum(y0, y1))
            left = x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x
            turns += np.where(crossed & left, math.copysign(1, y1 - y0), 0)
    return turns


Polygon = list[tuple[float, float]]


def slowly(width: int, height: int, ground: Rgba | None, fills: list[tuple[Polygon, Rgba]]) -> Numbers:
    """Premultiplied pixels."""
    pixels = np.zeros((height, width, 4))
    sheets = [(np.ones((height, width)), ground)] if ground else []
    for corners, colour in fills:
        hits = inside(corners, width, height) != 0
        sheets.append((hits.reshape(height, FINE, width, FINE).mean(axis=(1, 3)), colour))
    for coverage, colour in sheets:
        alpha = (coverage * colour.alpha / 255)[..., None]
        ink = np.array([*colour[:3], 255])
        pixels = ink * alpha + pixels * (1 - alpha)
    return pixels


def test_what_is_thinner_than_a_pixel_is_there_as_far_as_it_goes() -> None:
    slivers: list[Polygon] = [
        [(3.3, 7.1), (57, 9.4), (56, 9.9)],
        [(1, 20.25), (58, 20.25), (58, 20.5), (1, 20.5)],
        [(20.1, 3), (20.6, 58), (20.3, 58)],
        [(10, 50), (50, 50.01), (10, 50.5)],
    ]
    layers = tuple(Fill(Path("M" + "L".join(f"{x} {y}" for x, y in corners) + "Z"), BLACK) for corners in slivers)
    expected = slowly(60, 60, WHITE, [(corners, BLACK) for corners in slivers])
    assert np.abs(painted(Drawing(60, 60, WHITE, layers)) - expected).max() <= 20


COLOURS = st.builds(Rgba, *[st.integers(0, 255)] * 4)


@st.composite
def polygons(draw: st.DrawFn) -> Polygon:
    """Convex ones, partly outside the picture."""
    x, y = draw(st.floats(-5, 25)), draw(st.floats(-5, 25))
    radius = draw(st.floats(0.5, 30))
    angles = sorted(draw(st.lists(st.floats(0, 6.28), min_size=3, max_size=7)), reverse=draw(st.booleans()))
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 20),
    st.integers(1, 20),
    st.none() | COLOURS,
    st.lists(st.tuples(polygons(), COLOURS), max_size=3),
)
def test_small_drawings_are_those_of_the_reference(
    width: int, height: int, ground: Rgba | None, fills: list[tuple[Polygon, Rgba]]
) -> None:
    layers = tuple(
        Fill(Path("M" + "L".join(f"{x:.9f} {y:.9f}" for x, y in corners) + "Z"), colour) for corners, colour in fills
    )
    drawing = Drawing(width, height, ground, layers)
    expected = slowly(width, height, ground, fills)
    # An edge passes at most about one of FINE points of a line on the wrong side.
    bound = 2 + 255 / FINE * 1.5 * max(1, len(fills))
    assert np.abs(premultiplied(painted(drawing)) - expected).max() <= bound
    # Not by Pillow, which takes alphas of 0 and 10 for 0 and 255: to its regular expression 10 is the end of a line.
    file = read_by_opencv(fastcore.paint_png(drawing))
    assert np.abs(premultiplied(file) - expected).max() <= bound + 9 * max(1, len(fills))


# --- what is refused ---


TILES = Tiles(2, bytes(4), (), 0, 0, 4, BLACK)
PHOTO = Photo(0, 0, 4, 4, bytes(16), 2, 2)


def with_layer(layer: object) -> Drawing:
    return Drawing(8, 8, WHITE, (cast("Layer", layer),))


REFUSED: dict[str, tuple[Drawing, str]] = {
    "no width": (Drawing(0, 8, None, ()), "width"),
    "wide": (Drawing(20_001, 8, None, ()), "width"),
    "high": (Drawing(8, 20_001, None, ()), "height"),
    "part of a pixel": (Drawing(8, cast("int", 8.0), None, ()), "height"),
    "colour": (Drawing(8, 8, Rgba(0, 256, 0), ()), "green"),
    "alpha": (Drawing(8, 8, Rgba(0, 0, 0, -1), ()), "alpha"),
    "one stop": (Drawing(8, 8, Linear(0, 0, 8, 8, (Stop(0, RED),)), ()), "stops"),
    "stops that fall": (Drawing(8, 8, Linear(0, 0, 8, 8, (Stop(0.5, RED), Stop(0.4, RED))), ()), "offset"),
    "a stop beyond": (Drawing(8, 8, Linear(0, 0, 8, 8, (Stop(0.5, RED), Stop(1.1, RED))), ()), "offset"),
    "no number": (Drawing(8, 8, Linear(0, math.nan, 8, 8, (Stop(0, RED), Stop(1, RED))), ()), "y0"),
    "radius": (Drawing(8, 8, Radial(0, 0, -1, (Stop(0, RED), Stop(1, RED))), ()), "radius"),
    "endless": (with_layer(Fill(Path("M0 0H1e999V1Z"), RED)), "a coordinate"),
    "far": (with_layer(Fill(Path("M0 0H1e7V1Z"), RED)), "a coordinate"),
    "too many tiles": (with_layer(replace(TILES, scale=5)), "scale"),
    "tiles that stand out": (with_layer(replace(TILES, x=1)), "x"),
    "tiles above": (with_layer(replace(TILES, y=-1)), "y"),
    "places": (with_layer(replace(TILES, places=bytes(3))), "places"),
    "a path that is not there": (with_layer(replace(TILES, places=bytes([0, 1, 0, 0]))), "a place"),
    "pixels": (with_layer(replace(PHOTO, pixels=bytes(15))), "pixels"),
    "no columns": (with_layer(replace(PHOTO, columns=0)), "columns"),
    "flat": (with_layer(replace(PHOTO, width=0.0)), "width"),
    "opacity": (with_layer(replace(PHOTO, opacity=1.5)), "opacity"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drawn_is_refused(name: str) -> None:
    drawing, part = REFUSED[name]
    for paint in (fastcore.paint_png, fastcore.paint_rgba, lambda d: fastcore.paint_luminance(d, WHITE)):
        with pytest.raises(fastcore.IllegalDrawing, match=f"^{part} must be") as caught:
            paint(drawing)
        assert caught.value.part == part


def test_other_arguments_are_refused() -> None:
    for dpi in (0, -1, 1e9, math.nan, "300"):
        with pytest.raises(fastcore.IllegalDrawing, match="dpi"):
            fastcore.paint_png(DRAWINGS["solid"], dpi=cast("float", dpi))
    for backdrop in (GLASS, (255, 255, 255, 255)):
        with pytest.raises(fastcore.IllegalDrawing, match="backdrop"):
            fastcore.paint_luminance(DRAWINGS["solid"], cast("Rgba", backdrop))
    for paint in (fastcore.paint_png, fastcore.paint_rgba, lambda d: fastcore.paint_luminance(d, WHITE)):
        for other in (None, "drawing", with_layer("layer"), with_layer(Fill(cast("Path", "M0 0Z"), RED))):
            with pytest.raises(TypeError):
                paint(cast("Drawing", other))
    with pytest.raises(TypeError, match="a paint is"):
        fastcore.paint_png(Drawing(8, 8, cast("Rgba", "red"), ()))


@pytest.mark.parametrize("arc", ["A1 1 0 0 1 9e999 9e999Z", "A1e300 1e300 0 1 1 1e300 5Z"])
def test_an_arc_that_cannot_be_computed_is_none(arc: str) -> None:
    with pytest.raises(ValueError, match="path data has an arc"):
        Path(f"M1 1{arc}")
