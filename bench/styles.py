"""Text to styled PNG file, against python-qrcode's styled images, and against resvg on an SVG of the same drawing.

All draw as many pixels. Ours includes the encoding and the looking up of shapes, as python-qrcode's does; resvg's SVG
is made beforehand and not measured. Then print sizes, ours alone: the time, and the memory that one picture takes.
"""

from __future__ import annotations

import gc
import io
import pathlib
import re
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import qrcode  # type: ignore[import-untyped]
import resvg_py
from qrcode.image.styledpil import StyledPilImage  # type: ignore[import-untyped]
from qrcode.image.styles.colormasks import RadialGradiantColorMask, SolidFillColorMask  # type: ignore[import-untyped]
from qrcode.image.styles.moduledrawers.pil import (  # type: ignore[import-untyped]
    CircleModuleDrawer,
    RoundedModuleDrawer,
)

import fastcore
from bench.measure import Figures, compare, pin, save
from fastcore import shape
from fastcore.drawing import Drawing, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://example.com/abc/defgh?i=12345"
VERSION = 3
MARGIN = 4
SCALE = 32  # with version 3 and its margin 1184 px
LARGE = 9000

BLACK, WHITE, BLUE = Rgba(0, 0, 0), Rgba(255, 255, 255), Rgba(20, 60, 160)
STOPS = (Stop(0, BLACK), Stop(1, BLUE))


def drawing_of(style: str, scale: int, paint: Paint, ground: Paint = WHITE, photo: Photo | None = None) -> Drawing:
    symbol = fastcore.encode(URL, version=VERSION)
    table, paths = shape.variants(shape.MODULES[style])
    width = scale * (symbol.size + 2 * MARGIN)
    places = fastcore.places(symbol, table)
    tiles = Tiles(symbol.size, places, paths, MARGIN * scale, MARGIN * scale, scale, paint)
    return Drawing(width, width, ground, (photo, tiles) if photo else (tiles,))


def _ours(style: str, paint: Paint) -> bytes:
    return fastcore.paint_png(drawing_of(style, SCALE, paint))


def _python_qrcode(drawer: Callable[[], object], mask: object) -> bytes:
    code = qrcode.QRCode(
        version=VERSION, error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=SCALE, border=MARGIN
    )
    code.add_data(URL)
    code.make(fit=False)
    out = io.BytesIO()
    code.make_image(image_factory=StyledPilImage, module_drawer=drawer(), color_mask=mask).save(out)
    return out.getvalue()


def _against() -> dict[str, Figures]:
    centre = SCALE * (17 + 4 * VERSION + 2 * MARGIN) / 2
    radial = Radial(centre, centre, centre, STOPS)
    gradient = RadialGradiantColorMask(center_color=tuple(BLACK[:3]), edge_color=tuple(BLUE[:3]))
    cases: list[tuple[str, str, Paint, Callable[[], object], object]] = [
        ("rounded, one colour", "rounded", BLACK, RoundedModuleDrawer, SolidFillColorMask()),
        ("dots, one colour", "dots", BLACK, CircleModuleDrawer, SolidFillColorMask()),
        ("rounded, radial gradient", "rounded", radial, RoundedModuleDrawer, gradient),
    ]
    results = {}
    for name, style, paint, drawer, mask in cases:
        contestants: dict[str, Callable[[], bytes]] = {
            "fastcore": partial(_ours, style, paint),
            "python-qrcode": partial(_python_qrcode, drawer, mask),
            "resvg": partial(
                resvg_py.svg_to_bytes, svg_string=fastcore.draw_svg(drawing_of(style, SCALE, paint)).decode()
            ),
        }
        figures = compare(contestants, rounds=15)
        for label, call in contestants.items():
            figures[label]["bytes"] = len(call())
        results[f"{name}, {int(2 * centre)} px"] = figures
    return results


def large_drawings() -> dict[str, Drawing]:
    scale = LARGE // (17 + 4 * VERSION + 2 * MARGIN)
    slanted = Linear(0, 0, LARGE, LARGE, STOPS)
    light = Radial(LARGE / 2, LARGE / 2, LARGE, (Stop(0, WHITE), Stop(1, Rgba(200, 225, 255))))
    side = 1200
    pixels = bytes(
        value
        for row in range(side)
        for column in range(side)
        for value in (row * 255 // side, column * 255 // side, row * column >> 6 & 255, 255)
    )
    photo = Photo(0, 0, LARGE, LARGE, pixels, side, side, 0.6)
    return {
        "one colour": drawing_of("rounded", scale, BLACK),
        "two gradients": drawing_of("rounded", scale, slanted, light),
        "a gradient on a photo": drawing_of("rounded", scale, slanted, light, photo),
    }


def _memory(name: str) -> float:
    """Megabytes that one picture takes at most, in a process of its own."""
    told = subprocess.run([sys.executable, "-m", "bench.styles", name], capture_output=True, text=True, check=True)
    return float(told.stdout)


def _peak_kb() -> int:
    """Not ru_maxrss: that begins with what the parent had."""
    found = re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())
    return int(found[1]) if found else 0


def measure_memory(name: str) -> None:
    drawing = large_drawings()[name]
    gc.collect()
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is used now (proc(5))
    idle = _peak_kb()
    fastcore.paint_png(drawing)
    sys.stdout.write(f"{(_peak_kb() - idle) / 1024}\n")


def main() -> None:
    pin()
    large = {}
    for name, drawing in large_drawings().items():
        figures = compare({"fastcore": partial(fastcore.paint_png, drawing)}, rounds=9)["fastcore"]
        large[name] = {**figures, "bytes": len(fastcore.paint_png(drawing)), "megabytes": _memory(name)}
    save("styles", {"against": _against(), "large": large})


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure_memory(sys.argv[1])
    else:
        main()
