"""The boundary of fastcore: whatever it is given, it answers, or refuses with one of its errors."""

import struct
from contextlib import suppress
from typing import NamedTuple

import fastcore
from fastcore import Symbol
from fastcore.counts import counted, merged
from fastcore.drawing import Drawing, Fill, Layer, Linear, Paint, Photo, Radial, Rgba, Stop, Tiles
from fastcore.errors import FastcoreError
from fastcore.frame import Form, unframe
from fastcore.path import Path
from fastcore.rows import packed_rows
from fastcore.sums import series, summed
from fuzz.reader import Reader

#: What may be raised for values of the right types.
REFUSALS = (FastcoreError, ValueError)

COLOURS = ("#000000", "#ffffff", "#abc", "#1a2b3c", "#12345", "red", "#12 45 ", "#\u0661\u0661\u0661")
LEVELS = ("L", "M", "Q", "H", "l", "")
#: Pixels: enough for several bands of rows, and few enough for a thousand drawings a second.
MOST_PX = 300

HEAD = struct.Struct("<QQ")
FIELDS = {b"a": 12, b"b": 300, b"c": 0}
FORM = Form({name: b"\n" + name for name in FIELDS})


class Scan(NamedTuple):
    """What `unframe` makes of a record that is as nearly all are."""

    number: int
    ms: int
    line: str
    a: bytes
    b: bytes
    c: bool


def run(data: bytes) -> None:
    reader = Reader(data)
    deed = reader.choice(DEEDS)
    with suppress(*REFUSALS):
        deed(reader)


# --- symbols ----------------------------------------------------------------------------------------------------------


def _text(reader: Reader, most: int) -> str | bytes:
    return reader.text(most) if reader.flag() else reader.some(most)


def _symbol(reader: Reader) -> Symbol:
    level = reader.choice(LEVELS)
    version = reader.choice([None, reader.number(-1, 42), f"M{reader.number(0, 5)}"])
    mask = reader.number(-2, 9)
    boost, micro = reader.flag(), reader.flag()
    text = _text(reader, 8000)
    return fastcore.encode(
        text, level=level, version=version, mask=None if mask < 0 else mask, boost=boost, micro=micro
    )


def _encode(reader: Reader) -> None:
    symbol = _symbol(reader)
    modules = symbol.modules
    assert len(modules) == symbol.size**2
    assert set(modules) <= {0, 1}
    assert symbol.bits_free >= 0


def _sequence(reader: Reader) -> None:
    count, version = reader.number(0, 18), reader.number(0, 41)
    level = reader.choice(LEVELS)
    symbols = fastcore.encode_sequence(
        _text(reader, 4000), count=count or None, version=version or (None if count else 1), level=level
    )
    assert 2 <= len(symbols) <= 16
    assert len({symbol.version for symbol in symbols}) == 1


def _files(reader: Reader) -> None:
    size, scale, margin = reader.number(-1, 2 * MOST_PX), reader.number(-1, 9), reader.number(-1, 80)
    dark, light = reader.choice(COLOURS), reader.choice([*COLOURS, None])
    symbol = _symbol(reader)
    if size > 0:
        fastcore.png(symbol, size_px=size, margin=margin, dark=dark, light=light)
    else:
        fastcore.png(symbol, scale=scale, margin=margin, dark=dark, light=light)
    fastcore.svg(symbol, size_px=size or None, margin=margin, dark=dark, light=light)


def _damage(reader: Reader) -> None:
    hidden, table, skip = reader.some(500), reader.some(600), reader.some(500)
    symbol = _symbol(reader)
    modules = symbol.size**2
    for block in fastcore.damage(symbol, (hidden * modules)[:modules] or hidden):
        assert block[0] >= 0
    fastcore.places(symbol, (table * 512)[:512] or table, (skip * modules)[:modules] or None)
    fastcore.places(symbol, table, skip)


# --- drawings ---------------------------------------------------------------------------------------------------------


def _colour(reader: Reader) -> Rgba:
    return Rgba(reader.number(0, 255), reader.number(0, 255), reader.number(0, 255), reader.choice([255, 0, 128, 256]))


def _paint(reader: Reader) -> Paint:
    kind = reader.number(0, 2)
    if kind == 0:
        return _colour(reader)
    stops = tuple(Stop(reader.fraction(), _colour(reader)) for _ in range(reader.number(0, 4)))
    x, y = float(reader.number(-900, 900)), float(reader.number(-900, 900))
    if kind == 1:
        return Linear(x, y, float(reader.number(-900, 900)), float(reader.number(-900, 900)), stops)
    return Radial(x, y, float(reader.number(-1, 900)), stops)


def _path(reader: Reader) -> Path:
    path = Path(reader.text())
    return path.scaled(reader.fraction()).moved(reader.number(-20, 20), 0) if reader.flag() else path


def _layer(reader: Reader) -> Layer:
    kind = reader.number(0, 2)
    if kind == 0:
        return Fill(_path(reader), _paint(reader))
    if kind == 1:
        size = reader.number(0, 12)
        paths = tuple(_path(reader) for _ in range(reader.number(0, 3)))
        x, y, scale = reader.number(-9, 200), reader.number(-9, 200), reader.number(-1, 40)
        places = (reader.some(200) * 144)[: size * size + reader.choice([0, 0, 0, 1])]
        return Tiles(size, places, paths, x, y, scale, _paint(reader))
    columns, rows = reader.number(-1, 20), reader.number(-1, 20)
    left, top = reader.number(-99, 300) / 3, reader.number(-99, 300) / 3
    width, height = reader.number(-9, 2000) / 3, reader.number(-9, 2000) / 3
    pixels = (reader.some() * 1600)[: columns * rows * 4 + reader.choice([0, 0, 0, 1])]
    return Photo(left, top, width, height, pixels, columns, rows, reader.fraction())


def _drawing(reader: Reader) -> Drawing:
    width, height = reader.number(0, MOST_PX), reader.number(0, MOST_PX)
    ground = _paint(reader) if reader.flag() else None
    return Drawing(width, height, ground, tuple(_layer(reader) for _ in range(reader.number(0, 3))))


def _picture(reader: Reader) -> None:
    drawing = _drawing(reader)
    assert len(fastcore.paint_rgba(drawing)) == drawing.width * drawing.height * 4
    assert len(fastcore.paint_luminance(drawing, Rgba(255, 255, 255))) == drawing.width * drawing.height
    fastcore.paint_png(drawing, dpi=reader.number(0, 700))


def _outlines(reader: Reader) -> None:
    drawing = _drawing(reader)
    fastcore.paint_rgba(drawing)  # what the formats below draw has passed its checks (server/render/image.py)
    for file in (
        fastcore.draw_svg(drawing),
        fastcore.draw_pdf(drawing, dpi=300),
        fastcore.draw_eps(drawing, dpi=300),
    ):
        assert file


# --- bytes of the scan log --------------------------------------------------------------------------------------------


def _unframe(reader: Reader) -> None:
    """Records of which some are damaged, and bytes that are none."""

    def read(body: bytes) -> Scan:
        time, number = HEAD.unpack_from(body)
        return Scan(number, time // 1000, body[HEAD.size :].decode("latin-1"), b"", b"", False)

    data = b""
    for _ in range(reader.number(0, 4)):
        head = HEAD.pack(reader.number(0, 1 << 63), reader.number(0, 1 << 63)) + reader.some(40)
        pairs = [(reader.choice([b"a", b"b", b"c", b"x"]), reader.some(40)) for _ in range(reader.number(0, 4))]
        data += FORM.frame(head, pairs)
    data += reader.rest()
    plain, end, why = unframe(data, 400, read)
    fast, same_end, same_why = unframe(data, 400, read, Scan, 30, FIELDS)
    assert (end, why, len(plain)) == (same_end, same_why, len(fast))
    assert end <= len(data)
    assert [(scan.number, scan.ms) for scan in plain] == [(scan.number, scan.ms) for scan in fast]


def _rows(reader: Reader) -> None:
    made = [
        (reader.number(0, 1 << 62), reader.flag(), reader.text(), None, (reader.some(18), reader.number(0, 255)))
        for _ in range(reader.number(0, 3))
    ]
    rows = packed_rows(made)
    assert (len(rows) == 0) == (not made)
    packed_rows(made, [(reader.rest(),)] * len(made))


def _lines(reader: Reader) -> None:
    """Objects of counts, one a line: those that are made here are read, and others are refused."""
    places = reader.number(1, 4)
    scans = [tuple(reader.text(12) for _ in range(places)) for _ in range(reader.number(1, 5))]
    lines = counted(scans, scans[1:])
    merged([lines, lines], reader.number(0, 9))
    summed([lines], [[0], range(places)], reader.number(1, 9))
    most = reader.number(0, 99)
    given = reader.rest()
    with suppress(ValueError):
        merged([given, lines, given], most)
    summed([given, lines], [[0, 1], [reader.number(0, 40)]], max(1, most))


def _series(reader: Reader) -> None:
    edges = sorted(reader.number(-200, 2000) for _ in range(reader.number(0, 6)))
    days = []
    for day in range(reader.number(0, 4)):
        counts = [reader.number(0, 1 << 40) for _ in range(4)]
        days.append((*counts, day + reader.number(0, 2) * 4, reader.some() if reader.flag() else None))
    series(edges, days, [[0], [1, 2], [reader.number(0, 4)]], reader.flag())


DEEDS = (_encode, _sequence, _files, _damage, _picture, _outlines, _unframe, _rows, _lines, _series)
