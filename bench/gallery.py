"""A picture of all styles, and one of what dialects call styles: python -m bench.gallery writes docs/gallery.png and
docs/gallery-dialects.png.

Everything in it is drawn here, the photo and the logo too. Each code says the address below, and is read back before
it is shown.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from io import BytesIO
from math import exp, hypot, sin
from pathlib import Path
from typing import get_args

from PIL import Image, ImageDraw, ImageFont

import fastcore
from server.dialects import dialects
from server.domain.colour import TRANSPARENT, WHITE, Colour, Gradient, Stop
from server.domain.design import (
    Background,
    Border,
    BorderShape,
    Center,
    CenterShape,
    Design,
    Eyes,
    Frame,
    FrameStyle,
    Logo,
    Modules,
    ModuleShape,
)
from server.domain.design import Picture as Given
from server.render import label
from server.render.compose import compose
from server.render.pictures import Picture
from server.render.proof import prove

DOCS = Path(__file__).parent.parent / "docs"
TEXT = "https://example.com/menu"

COLUMNS, CELL, CODE, GAP = 9, 178, 156, 11
INK, PALE = (30, 34, 48), (108, 114, 132)
GIVEN = Given()


def _photo(side: int = 480) -> Picture:
    """An evening by a lake: a sun over hills, and all of it once more in the water."""
    pixels = bytearray()
    for y in range(side):
        for x in range(side):
            u, v = x / side, y / side
            mirrored = v if v < 0.62 else 1.24 - v + 0.004 * sin(v * 400)
            ridges = [0.50 + 0.05 * sin(u * 9 + 1) + 0.02 * sin(u * 23), 0.57 + 0.04 * sin(u * 6 + 3)]
            glow = exp(-8 * hypot(u - 0.62, mirrored - 0.34))
            colour = [
                250 - 70 * mirrored * (1 - glow),
                150 + 105 * glow - 40 * (0.5 - mirrored),
                120 + 150 * (0.6 - mirrored),
            ]
            if mirrored > ridges[0]:
                colour = [120, 70, 110]
            if mirrored > ridges[1]:
                colour = [62, 40, 84]
            if v > 0.62:
                colour = [0.82 * part + 12 for part in colour]
            pixels += bytes([*(max(0, min(255, round(part))) for part in colour), 255])
    return Picture("photo", side, side, bytes(pixels))


def _logo(side: int = 240) -> Picture:
    """A cup in a disc."""
    fine = Image.new("RGBA", (4 * side, 4 * side))
    draw = ImageDraw.Draw(fine)
    unit = 4 * side / 100
    draw.ellipse([0, 0, 4 * side - 1, 4 * side - 1], fill=(124, 58, 237))
    draw.rounded_rectangle([28 * unit, 40 * unit, 62 * unit, 72 * unit], 10 * unit, fill="white")
    draw.rectangle([28 * unit, 40 * unit, 62 * unit, 56 * unit], fill="white")
    draw.arc([54 * unit, 43 * unit, 76 * unit, 63 * unit], -90, 90, fill="white", width=round(5 * unit))
    for x in (37, 49):
        draw.line([x * unit, 24 * unit, x * unit, 34 * unit], fill="white", width=round(4 * unit))
    image = fine.resize((side, side), Image.Resampling.LANCZOS)
    return Picture("logo", side, side, image.tobytes())


def _neon(side: int = 240) -> Picture:
    """A glowing ring on black."""
    pixels = bytearray()
    for y in range(side):
        for x in range(side):
            glow = exp(-((abs(hypot(x / side - 0.5, y / side - 0.5) - 0.34) / 0.07) ** 2))
            pixels += bytes([round(255 * glow), round(60 * glow), round(200 * glow), 255])
    return Picture("neon", side, side, bytes(pixels))


def _gradient(kind: str, *colours: str, angle: float = 0) -> Gradient:
    stops = tuple(Stop(i / (len(colours) - 1), Colour.of(each)) for i, each in enumerate(colours))
    return Gradient(type="radial" if kind == "radial" else "linear", angle=angle, stops=stops)


def _sections() -> dict[str, dict[str, Design]]:
    violet, night = Colour.of("#4c1d95"), Colour.of("#14213d")
    eyes = Eyes(border=Border(shape="rounded"), center=Center(shape="rounded"))
    dots = Modules(shape="dots", color=night)
    rounded = Modules(shape="rounded", color=night)
    mark = Logo(image=GIVEN, ratio=0.26)
    return {
        "Modules": {
            name: Design(modules=Modules(shape=name, color=night), eyes=eyes) for name in get_args(ModuleShape)
        },
        "Borders of eyes": {
            name: Design(modules=rounded, eyes=Eyes(border=Border(shape=name, color=violet)))
            for name in get_args(BorderShape)
        },
        "Centres of eyes": {
            name: Design(
                modules=rounded, eyes=Eyes(border=Border(shape="rounded"), center=Center(shape=name, color=violet))
            )
            for name in get_args(CenterShape)
        },
        "Colours": {
            "linear": Design(
                modules=Modules(shape="rounded", color=_gradient("linear", "#1e3a8a", "#9d174d", angle=45)), eyes=eyes
            ),
            "three stops": Design(
                modules=Modules(shape="dots", color=_gradient("linear", "#065f46", "#1e40af", "#6b21a8")), eyes=eyes
            ),
            "radial": Design(
                modules=Modules(shape="liquid", color=_gradient("radial", "#be123c", "#1e1b4b")), eyes=eyes
            ),
            "background": Design(
                modules=rounded,
                eyes=eyes,
                background=Background(color=_gradient("linear", "#fef3c7", "#fbcfe8", angle=90)),
            ),
            "light on dark": Design(
                modules=Modules(shape="dots", color=Colour.of("#fde68a")), eyes=eyes, background=Background(color=night)
            ),
            "eyes of their own": Design(
                modules=dots,
                eyes=Eyes(
                    border=Border(shape="circle", color=Colour.of("#b91c1c")),
                    center=Center(shape="circle", color=Colour.of("#1d4ed8")),
                ),
            ),
            "ring, subtle": Design(modules=rounded, eyes=replace(eyes, ring="subtle")),
            "ring, match": Design(modules=rounded, eyes=replace(eyes, ring="match")),
        },
        "Pictures": {
            "logo": Design(level="H", modules=rounded, eyes=eyes, logo=mark),
            "square zone": Design(
                level="H", modules=dots, eyes=eyes, logo=Logo(image=GIVEN, ratio=0.22, clear_zone="square")
            ),
            "no zone": Design(
                level="H", modules=rounded, eyes=eyes, logo=Logo(image=GIVEN, ratio=0.2, clear_zone="none")
            ),
            "neon alpha": Design(
                level="H",
                modules=Modules(shape="rounded", color=WHITE),
                eyes=eyes,
                background=Background(color=night),
                logo=Logo(image=GIVEN, ratio=0.28, neon_alpha=True),
            ),
            "photo": Design(
                modules=Modules(shape="rounded"), eyes=eyes, background=Background(image=GIVEN, opacity=0.35)
            ),
            "halftone": Design(
                modules=Modules(shape="halftone"), eyes=eyes, background=Background(image=GIVEN, opacity=1)
            ),
            "halftone, faint": Design(
                modules=Modules(shape="halftone", color=violet),
                eyes=eyes,
                background=Background(image=GIVEN, opacity=0.6),
            ),
            "transparent": Design(
                modules=Modules(shape="liquid", color=violet), eyes=eyes, background=Background(color=TRANSPARENT)
            ),
        },
        "Frames": {
            name: Design(modules=rounded, eyes=eyes, frame=Frame(style=name)) for name in get_args(FrameStyle)[1:]
        },
    }


def _drawn(name: str, design: Design, pictures: dict[str, Picture]) -> Image.Image:
    design = replace(design, margin=2)  # there is light around each of them
    logo = None
    if design.logo:
        logo = pictures["neon" if design.logo.neon_alpha else "logo"]
    photo = pictures["photo"] if design.background.image else None
    symbol = fastcore.encode(TEXT, level=design.level or "M")
    found = prove(TEXT, symbol, design, 2 * CODE, logo=logo, photo=photo)
    if not found.scannable:
        sys.exit(f"{name}: {found.reason}")
    pixels = fastcore.paint_rgba(compose(symbol, design, 2 * CODE, logo=logo, photo=photo))
    large = Image.frombuffer("RGBA", (2 * CODE, 2 * CODE), pixels, "raw", "RGBA", 0, 1)
    return large.resize((CODE, CODE), Image.Resampling.BOX)


def _of_dialects() -> dict[str, dict[str, Design]]:
    """Under the vendors' names, by the fields of their requests."""
    return {
        f"{name}: {field}": dict(designs)
        for name, dialect in dialects().items()
        for field, designs in dialect.styles().items()
    }


def main() -> None:
    pictures = {"photo": _photo(), "logo": _logo(), "neon": _neon()}
    _draw(DOCS / "gallery.png", _sections(), pictures)
    _draw(DOCS / "gallery-dialects.png", _of_dialects(), pictures)


def _draw(path: Path, sections: dict[str, dict[str, Design]], pictures: dict[str, Picture]) -> None:
    rows = sum(1 + -(-len(designs) // COLUMNS) for designs in sections.values())
    heads = len(sections)
    height = (rows - heads) * (CELL + 14) + heads * 56 + 2 * GAP
    sheet = Image.new("RGB", (COLUMNS * CELL, height), (246, 247, 250))
    draw = ImageDraw.Draw(sheet)
    font = str(Path(label.__file__).parent / "fonts" / label.FONT)
    head, small = ImageFont.truetype(font, 24), ImageFont.truetype(font, 15)
    top = GAP
    for title, designs in sections.items():
        draw.text((GAP, top + 16), title, INK, head)
        top += 56
        for index, (name, design) in enumerate(designs.items()):
            if index and index % COLUMNS == 0:
                top += CELL + 14
            left = index % COLUMNS * CELL + (CELL - CODE) // 2
            code = _drawn(name, design, pictures)
            sheet.paste(code, (left, top), code)
            draw.text((left + CODE // 2, top + CODE + 20), name, PALE, small, anchor="ms")
        top += CELL + 14
    out = BytesIO()
    sheet.quantize(224, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    path.write_bytes(out.getvalue())
    sys.stdout.write(f"{path}: {len(out.getvalue()):,} bytes, {sheet.width} x {sheet.height}\n")


if __name__ == "__main__":
    main()
