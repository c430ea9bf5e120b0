"""A drawing as an EPS file (Adobe Technical Note 5002; PostScript Language Reference 3): outlines, no transparency.

PostScript paints or does not paint. What can be seen through is mixed with the ground beforehand, and so looks right
where nothing but the ground is below it:

* a colour, each stop of a gradient and each pixel is mixed by its own alpha; between two stops of different alpha
  the mixture is no straight line, and gets more stops
* a ground that is a gradient counts as the mean of its stops; a transparent one as white, as paper is
* pixels of a photo with less than half of their alpha are not painted, so that what is below them shows
"""

from __future__ import annotations

import base64
import math
import zlib
from dataclasses import replace
from itertools import pairwise

from fastcore.drawing import Drawing, Fill, Layer, Paint, Photo, Rgba, Stop
from fastcore.shading import alphas, components, evened, number, numbers, shading
from fastcore.vector import filtered, mixed, operators, tile_operators

#: The operators of PDF that `vector` writes, and what places a tile, or a run of
#: full squares: its corner, from the matrix that all began with.
PROLOG = """\
%%BeginProlog
/qredge 16 dict def
qredge begin
/m {moveto} bind def
/l {lineto} bind def
/c {curveto} bind def
/h {closepath} bind def
/re {4 2 roll moveto 1 index 0 rlineto 0 exch rlineto neg 0 rlineto closepath} bind def
/t {base setmatrix translate} bind def
/rt {base setmatrix re} bind def
end
%%EndProlog
"""
WHITE = Rgba(255, 255, 255)
#: Of a gradient between two stops of different alpha.
PIECES = 16


def draw_eps(drawing: Drawing, *, dpi: float) -> bytes:
    scale = 72 / dpi
    width, height = drawing.width * scale, drawing.height * scale
    head = f"""\
%!PS-Adobe-3.0 EPSF-3.0
%%Creator: qredge
%%BoundingBox: 0 0 {math.ceil(width)} {math.ceil(height)}
%%HiResBoundingBox: 0 0 {numbers([width, height])}
%%LanguageLevel: 3
%%DocumentData: Clean7Bit
%%Pages: 1
%%EndComments
{PROLOG}%%Page: 1 1
qredge begin
gsave
[{numbers([scale, 0, 0, -scale, 0, height])}] concat
/base matrix currentmatrix def
"""
    below = _mean(drawing.ground)
    body = []
    if drawing.ground and alphas(drawing.ground) != {0}:
        ground = _mixed(drawing.ground, WHITE)
        body.append(_filled(ground, b"0 0 %d %d re\n" % (drawing.width, drawing.height)))
    body += [_drawn(layer, below) for layer in drawing.layers]
    return b"".join([head.encode(), *body, b"grestore\nend\n%%EOF\n"])


def _drawn(layer: Layer, ground: Rgba) -> bytes:
    if isinstance(layer, Photo):
        return _placed(layer, ground)
    if alphas(layer.paint) == {0}:
        return b""
    paint = _mixed(layer.paint, ground)
    if isinstance(layer, Fill):
        return _filled(paint, operators(layer))
    # Each of the tiles is defined once, in pixels from the corner of its square.
    tiles = [path.scaled(layer.scale) for path in layer.paths]
    defined = [
        b"/t%d {t\n%bbase setmatrix} bind def\n" % (i, operators(Fill(path, paint)))
        for i, path in enumerate(tiles, start=1)
    ]
    return b"".join([*defined, _filled(paint, tile_operators(layer))])


def _filled(paint: Paint, outline: bytes) -> bytes:
    if not outline:
        return b""
    if isinstance(paint, Rgba):
        # Grey as such is printed with black ink alone.
        grey = paint.red == paint.green == paint.blue
        colour = f"{number(paint.red / 255)} setgray\n" if grey else f"{components(paint)} setrgbcolor\n"
        return colour.encode() + outline + b"fill\n"
    return b"gsave\n" + outline + b"clip newpath\n" + shading(paint).encode() + b" shfill\ngrestore\n"


def _placed(photo: Photo, ground: Rgba) -> bytes:
    samples = mixed(photo.pixels, photo.opacity, ground)
    masked = 255 in samples[::4]
    if not masked:
        colours = bytearray(3 * photo.rows * photo.columns)
        for component in range(3):
            colours[component::3] = samples[component + 1 :: 4]
        samples = bytes(colours)
    channels = 4 if masked else 3
    size = f"/Width {photo.columns} /Height {photo.rows} /BitsPerComponent 8"
    size += f" /ImageMatrix [{photo.columns} 0 0 {photo.rows} 0 0]"
    image = f"<</ImageType 1 {size}\n/Decode [0 1 0 1 0 1] /Interpolate true /DataSource data>>"
    if masked:
        image = (
            f"<</ImageType 3 /InterleaveType 1 /DataDict\n{image}\n/MaskDict <</ImageType 1 {size} /Decode [0 1]>>>>"
        )
    head = f"""\
gsave
[{numbers([photo.width, 0, 0, photo.height, photo.x, photo.y])}] concat
/DeviceRGB setcolorspace
/photo {{
/text currentfile /ASCII85Decode filter def
/data text <</Predictor 15 /Colors {channels} /Columns {photo.columns}>> /FlateDecode filter def
{image} image
text flushfile
}} bind def
photo
"""
    data = base64.a85encode(zlib.compress(filtered(samples, photo.rows, photo.columns, channels)), wrapcol=120)
    # No line may begin like a comment, which % could do; white space means nothing.
    return head.encode() + b" " + data.replace(b"\n", b"\n ") + b"~>\ngrestore\n"


def _mixed(paint: Paint, ground: Rgba) -> Paint:
    """The paint as it looks upon an opaque ground."""
    paint = evened(paint)
    if isinstance(paint, Rgba):
        return _over(paint, ground)
    stops = paint.stops
    if len(alphas(paint)) > 1:
        stops = tuple(stop for first, last in pairwise(stops) for stop in _between(first, last))
    return replace(paint, stops=tuple(stop._replace(colour=_over(stop.colour, ground)) for stop in stops))


def _between(first: Stop, last: Stop) -> list[Stop]:
    """The two stops, and more of the same gradient between them."""
    return [
        Stop(
            first.offset + share * (last.offset - first.offset),
            Rgba(*[round(a + share * (b - a)) for a, b in zip(first.colour, last.colour, strict=True)]),
        )
        for share in [i / PIECES for i in range(PIECES + 1)]
    ]


def _mean(ground: Paint | None) -> Rgba:
    """The one opaque colour that a ground counts as."""
    if ground is None:
        return WHITE
    colours = [ground] if isinstance(ground, Rgba) else [stop.colour for stop in ground.stops]
    seen = [_over(colour, WHITE) for colour in colours]
    return Rgba(*[round(sum(component) / len(seen)) for component in zip(*seen, strict=True)])


def _over(colour: Rgba, ground: Rgba) -> Rgba:
    share = colour.alpha / 255
    return Rgba(*[round(share * colour[i] + (1 - share) * ground[i]) for i in range(3)])
