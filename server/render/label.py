"""Labels as outlines, by the bundled font: a label looks the same in every format, on every machine.

The order of the characters is Unicode's (UAX 9), the choice and place of the glyphs HarfBuzz's: kerning, marks,
letters that join.
"""

from __future__ import annotations

import unicodedata
from array import array
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import groupby, pairwise
from operator import itemgetter

import uharfbuzz as hb
from bidi import algorithm as bidi

from fastcore.path import Path
from server.domain.errors import InvalidValue

FONT = "DejaVuSansCondensed-Bold.ttf"

#: Characters that order those around them; the others order themselves.
DIRECTIONS = frozenset(["LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"])

#: Beside each of the capitals where all are: lines of them read better for it. In ems.
TRACKING = 0.05


@dataclass(frozen=True, slots=True)
class Lettering:
    """A label's outline, in ems: the base line is at 0, and y goes down."""

    path: Path
    #: Left, top, right and bottom of it.
    ink: tuple[float, float, float, float]
    #: Its middle for the eye: between that of all it covers and the centre of its weight, which one tall letter or a
    #: mark below hardly moves.
    middle: float

    def fitted(self, x: float, y: float, width: float, height: float, em: float) -> Path:
        """It in the middle of a box, an em that large or as much smaller as it takes to fit."""
        left, top, right, bottom = self.ink
        reach = 2 * max(self.middle - top, bottom - self.middle)
        scale = min(em, width / (right - left), height / reach)
        return self.path.scaled(scale).moved(
            x + width / 2 - scale * (left + right) / 2, y + height / 2 - scale * self.middle
        )


@lru_cache(maxsize=256)
def lettered(label: str) -> Lettering:
    """Raises InvalidValue ("frame/label") for what is blank or not in the font."""
    text = unicodedata.normalize("NFC", label.strip())
    if not text:
        raise InvalidValue("empty", "A label has at least one character to see.", field="frame/label")
    for character in text:
        # Cc: controls; Zl, Zp: line and paragraph separators; Cs: halves of characters; Cn: none yet, so that nobody
        # knows in which direction it is written.
        is_none = unicodedata.category(character) in ("Cc", "Cn", "Cs", "Zl", "Zp")
        if is_none or unicodedata.bidirectional(character) in DIRECTIONS:
            raise _unknown(character)
    paths = []
    x = 0.0
    for run, is_rtl in _runs(text):
        path, x = _shaped(run, is_rtl, x, TRACKING if text.isupper() else 0.0)
        paths.append(path)
    path = Path.joined(paths)
    if not path:
        raise InvalidValue("empty", "A label has at least one character to see.", field="frame/label")
    ink = path.bounds
    return Lettering(path, ink, ((ink[1] + ink[3]) / 2 + _weight(path)) / 2)


def _unknown(character: str) -> InvalidValue:
    other = "no character yet" if unicodedata.category(character) == "Cn" else "a control character"
    name = unicodedata.name(character, other)
    shown = f" ({character})" if character.isprintable() else ""
    return InvalidValue(
        "invalid_character",
        f"A label is written in the bundled font, which has no U+{ord(character):04X}{shown}, {name}.",
        field="frame/label",
    )


def _runs(text: str) -> list[tuple[str, bool]]:
    """What is written in one direction, from left to right, and whether that direction is right to left."""
    storage = bidi.get_empty_storage()
    storage["base_level"] = bidi.get_base_level(text)
    storage["base_dir"] = "LR"[storage["base_level"]]
    bidi.get_embedding_levels(text, storage)
    characters = list(storage["chars"])
    for rule in (
        bidi.explicit_embed_and_overrides,
        bidi.resolve_weak_types,
        bidi.resolve_neutral_types,
        bidi.resolve_implicit_levels,
    ):
        rule(storage, False)
    # The first of these drops characters that are not seen (X9). Some say how their neighbours join, so they stay,
    # with the level of what stands before them.
    kept = {id(character) for character in storage["chars"]}
    levels: list[int] = []
    for character in characters:
        before = levels[-1] if levels else storage["base_level"]
        levels.append(character["level"] if id(character) in kept else before)
    pairs = zip(levels, text, strict=True)
    runs = [(level, "".join(character for _, character in run)) for level, run in groupby(pairs, itemgetter(0))]
    for lowest in range(max(levels), 0, -1):
        runs = _reversed_from(lowest, runs)
    return [(run, level % 2 == 1) for level, run in runs]


def _reversed_from(lowest: int, runs: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Neighbours of at least a level, the other way round (L2)."""
    out: list[tuple[int, str]] = []
    for is_reversed, some in groupby(runs, lambda run: run[0] >= lowest):
        out += list(some)[:: -1 if is_reversed else 1]
    return out


def _shaped(run: str, is_rtl: bool, x: float, tracking: float) -> tuple[Path, float]:
    """The glyphs of a run from x on, and where it ends."""
    buffer = hb.Buffer()
    buffer.add_str(run)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if is_rtl else "ltr"
    font = _font()
    hb.shape(font, buffer)
    data: list[str] = []
    em = font.face.upem
    for glyph, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if glyph.codepoint == 0:
            raise _unknown(run[glyph.cluster])
        x += tracking / 2 if position.x_advance else 0
        drawn = _Glyph(data, x + position.x_offset / em, -position.y_offset / em, 1 / em)
        font.draw_glyph(glyph.codepoint, _PEN, drawn)
        x += position.x_advance / em + (tracking / 2 if position.x_advance else 0)
    return Path(" ".join(data)), x


@dataclass(frozen=True, slots=True)
class _Glyph:
    """Where a glyph's outline goes: path data, and the place and scale of what is drawn next."""

    data: list[str]
    x: float
    y: float
    scale: float

    def add(self, command: str, *coordinates: float) -> None:
        """x and y in turns, in units of the font; y goes up there."""
        pairs = zip(coordinates[::2], coordinates[1::2], strict=True)
        points = [f"{self.x + self.scale * x!r} {self.y - self.scale * y!r}" for x, y in pairs]
        self.data.append(command + " ".join(points))


def _pen() -> hb.DrawFuncs:
    """Without one for quadratic curves: HarfBuzz then draws them as cubic ones."""
    pen = hb.DrawFuncs()
    pen.set_move_to_func(lambda x, y, glyph: glyph.add("M", x, y))
    pen.set_line_to_func(lambda x, y, glyph: glyph.add("L", x, y))
    pen.set_cubic_to_func(lambda x1, y1, x2, y2, x, y, glyph: glyph.add("C", x1, y1, x2, y2, x, y))
    pen.set_close_path_func(lambda glyph: glyph.add("Z"))
    return pen


_PEN = _pen()


@cache
def _font() -> hb.Font:
    return hb.Font(hb.Face(files(__package__).joinpath("fonts", FONT).read_bytes()))


def _weight(path: Path) -> float:
    """The height of the centre of gravity, its curves taken as two lines each."""
    points = array("d", path.points)
    at = 0
    polygon: list[tuple[float, float]] = []
    area = moment = 0.0
    for command in path.commands:
        if command == 3:
            for (x0, y0), (x1, y1) in pairwise([*polygon, polygon[0]]):
                cross = x0 * y1 - x1 * y0
                area += cross
                moment += cross * (y0 + y1)
            polygon = []
            continue
        if command == 2:
            x0, y0 = polygon[-1]
            x1, y1, x2, y2, x3, y3 = points[at : at + 6]
            polygon.append(((x0 + 3 * x1 + 3 * x2 + x3) / 8, (y0 + 3 * y1 + 3 * y2 + y3) / 8))
            at += 4
        polygon.append((points[at], points[at + 1]))
        at += 2
    return moment / (3 * area)
