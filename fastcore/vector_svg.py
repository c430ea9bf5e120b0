"""A drawing as an SVG file: one path for each paint, however many modules it fills.

(svg.pyx draws a plain symbol, in modules instead of pixels, in a hundredth of the time.)
"""

from __future__ import annotations

import base64
import zlib
from typing import Final

from fastcore.drawing import Drawing, Layer, Linear, Paint, Photo, Rgba
from fastcore.shading import evened, number
from fastcore.vector import filtered, path_data

XLINK: Final = ' xmlns:xlink="http://www.w3.org/1999/xlink"'


def draw_svg(drawing: Drawing) -> bytes:
    gradients: dict[str, str] = {}
    width, height = drawing.width, drawing.height
    ground = _painted(drawing.ground, gradients) if drawing.ground else None
    body = [] if ground is None else [f'<path{ground} d="m0 0h{width}v{height}h-{width}z"/>'.encode()]
    crisp = True
    for layer in drawing.layers:
        drawn, is_crisp = _drawn(layer, gradients)
        crisp = crisp and is_crisp
        body.append(drawn)
    # The link of an image as SVG 1.1 spells it, which all programs know; browsers take the one of SVG 2, too.
    xlink = XLINK if any(isinstance(layer, Photo) for layer in drawing.layers) else ""
    hints = ' shape-rendering="crispEdges"' if crisp else ""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg"{xlink} width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"{hints}>'
    )
    defs = f"<defs>{''.join(gradients.values())}</defs>" if gradients else ""
    return b"".join([head.encode(), defs.encode(), *body, b"</svg>\n"])


def _drawn(layer: Layer, gradients: dict[str, str]) -> tuple[bytes, bool]:
    """The element, none where it would not be seen, and whether all its edges lie between pixels."""
    if isinstance(layer, Photo):
        return _image(layer), False
    painted = _painted(layer.paint, gradients)
    data, crisp = path_data(layer)
    if painted is None or not data:
        return b"", True
    return b'<path%b d="%b"/>' % (painted.encode(), data), crisp


def _painted(paint: Paint, gradients: dict[str, str]) -> str | None:
    """The attributes that fill with it, None where it is transparent; a gradient is put among the others."""
    paint = evened(paint)
    if isinstance(paint, Rgba):
        if paint.alpha == 0:
            return None
        fill = "" if paint[:3] == (0, 0, 0) else f' fill="{_hex(paint)}"'  # black is what a path has by itself
        return fill + _opacity("fill-opacity", paint)
    if isinstance(paint, Linear):
        kind = "linearGradient"
        points = {"x1": paint.x0, "y1": paint.y0, "x2": paint.x1, "y2": paint.y1}
    else:
        kind = "radialGradient"
        points = {"cx": paint.x, "cy": paint.y, "r": paint.radius}
    places = "".join(f' {name}="{_number(value)}"' for name, value in points.items())
    stops = "".join(
        f'<stop offset="{number(offset)}" stop-color="{_hex(colour)}"{_opacity("stop-opacity", colour)}/>'
        for offset, colour in paint.stops
    )
    # Named by what it is: files that are put into one page share a name only where they mean the same.
    name = f"g{zlib.crc32((kind + places + stops).encode()):08x}"
    gradients[name] = f'<{kind} id="{name}" gradientUnits="userSpaceOnUse"{places}>{stops}</{kind}>'
    return f' fill="url(#{name})"'


def _image(photo: Photo) -> bytes:
    opacity = "" if photo.opacity == 1 else f' opacity="{_number(photo.opacity)}"'
    places = "".join(f' {name}="{_number(getattr(photo, name))}"' for name in ("x", "y", "width", "height"))
    return (
        f'<image{places} preserveAspectRatio="none"{opacity} xlink:href="data:image/png;base64,'.encode()
        + base64.b64encode(_png(photo))
        + b'"/>'
    )


def _png(photo: Photo) -> bytes:
    """Its pixels as they are, as a PNG file (ISO/IEC 15948)."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    size = photo.columns.to_bytes(4) + photo.rows.to_bytes(4)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", size + bytes([8, 6, 0, 0, 0])),  # 8 bits each, red, green, blue and alpha
            chunk(b"IDAT", zlib.compress(filtered(photo.pixels, photo.rows, photo.columns, 4))),
            chunk(b"IEND", b""),
        ]
    )


def _number(value: float) -> str:
    return number(round(value, 3))


def _hex(colour: Rgba) -> str:
    digits = bytes(colour[:3]).hex()
    return "#" + (digits[::2] if digits[::2] == digits[1::2] else digits)


def _opacity(name: str, colour: Rgba) -> str:
    return "" if colour.alpha == 255 else f' {name}="{_number(colour.alpha / 255)}"'
