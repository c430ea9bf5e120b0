"""Frames and their labels: everything in its place, in every script, and the symbol scans."""

from __future__ import annotations

from typing import get_args

import cv2
import numpy as np
import pytest
import zxingcpp

import fastcore
from fastcore.drawing import Drawing, Fill, Paint, Rgba, Tiles
from fastcore.path import Path
from server.domain.colour import WHITE, Colour, contrast
from server.domain.design import MAX_FRAME_LABEL, Frame, FrameStyle
from server.domain.errors import InvalidValue
from server.render.frame import DEFAULT_LABEL, Surroundings, surround
from server.render.label import lettered
from tests.fastcore.viewers import Pixels, in_resvg, on_white

WIDEST = "W" * MAX_FRAME_LABEL
LABELS = [None, "i", "SCAN ME", "Ä́g̣ Ŷ", "امسح الرمز الآن", WIDEST]
STYLES: tuple[FrameStyle, ...] = get_args(FrameStyle)
DECORATED = [style for style in STYLES if style != "none"]
GREEN, YELLOW = Colour(0x2E, 0x6B, 0x46), Colour(0xF4, 0xB4, 0x1A)
SIDE = 600
TEXT = "HTTPS://QR.EXAMPLE/ABC"


def _framed(
    style: FrameStyle, label: str | None = None, *, size_px: int = SIDE, colour: Colour = GREEN
) -> Surroundings:
    return surround(Frame(style=style, color=colour, label=label), size_px)


def _drawn(framed: Surroundings, size_px: int, ground: Paint | None) -> bytes:
    symbol = fastcore.encode(TEXT)
    _, x, y, side = framed
    scale = side // (symbol.size + 8)
    before = (side - scale * symbol.size) // 2
    square = Path("M0 0H1V1H0Z")
    modules = Tiles(symbol.size, symbol.modules, (square,), x + before, y + before, scale, Rgba(0, 0, 0))
    return fastcore.draw_svg(Drawing(size_px, size_px, ground, (*framed.layers, modules)))


def _alpha(layers: tuple[Fill, ...]) -> Pixels:
    """Of what is drawn on nothing, in a picture with a quarter more around it."""
    around = SIDE // 4
    moved = tuple(Fill(layer.path.moved(around, around), layer.paint) for layer in layers)
    file = fastcore.draw_svg(Drawing(SIDE + 2 * around, SIDE + 2 * around, None, moved))
    return np.array(in_resvg(file)[:, :, 3])


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("style", STYLES)
def test_a_frame_stays_in_the_picture_and_off_the_symbol(style: FrameStyle, label: str | None) -> None:
    framed = _framed(style, label)
    _, x, y, side = framed
    assert 0 <= x < x + side <= SIDE
    assert 0 <= y < y + side <= SIDE
    around = SIDE // 4
    alpha = _alpha(framed.layers)
    assert not alpha[y + around : y + around + side, x + around : x + around + side].any()
    alpha[around:-around, around:-around] = 0
    assert not alpha.any()


@pytest.mark.parametrize("style", DECORATED)
def test_the_symbol_keeps_most_of_the_picture(style: FrameStyle) -> None:
    """A frame takes at most three tenths of each side."""
    for label in LABELS:
        assert _framed(style, label).side >= 0.7 * SIDE


@pytest.mark.parametrize("label", LABELS[1:])
@pytest.mark.parametrize("style", DECORATED)
def test_a_label_lies_on_its_banner(style: FrameStyle, label: str) -> None:
    """Wherever there is a letter there is the frame's own colour below it, and some of it around."""
    framed = _framed(style, label)
    letters, banner = _alpha(framed.layers[-1:]) > 0, _alpha(framed.layers[:-1]) == 255
    assert letters.any()
    around = cv2.dilate(letters.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    assert not (around & ~banner).any()


@pytest.mark.parametrize("size_px", [256, 512])
@pytest.mark.parametrize("style", STYLES)
def test_a_framed_symbol_scans(style: FrameStyle, size_px: int) -> None:
    for colour, ground in [(Colour(0, 0, 0), Rgba(255, 255, 255)), (YELLOW, None), (GREEN, Rgba(255, 240, 220))]:
        framed = _framed(style, "Scan", size_px=size_px, colour=colour)
        pixels = on_white(in_resvg(_drawn(framed, size_px, ground)))
        assert [found.text for found in zxingcpp.read_barcodes(pixels)] == [TEXT]


def test_only_those_that_say_so_have_a_label_by_themselves() -> None:
    for style in STYLES:
        bare, labelled = [_framed(style, label) for label in (None, DEFAULT_LABEL)]
        assert (bare == labelled) == (style in ("none", "scan-me-top", "scan-me-bottom")), style


def test_colours_are_the_frames_own() -> None:
    frame = Frame(style="wave", color=GREEN._replace(alpha=100), label="Scan", label_color=YELLOW._replace(alpha=200))
    *around, label = [layer.paint for layer in surround(frame, SIDE).layers]
    assert around == [Rgba(*GREEN[:3], alpha) for alpha in (30, 55, 100)]
    assert label == Rgba(*YELLOW[:3], 200)


def test_a_label_without_a_colour_is_told_from_its_frame() -> None:
    """By 4.5 at least (WCAG 2.2, 1.4.3), as one of black and white always is."""
    for text in ("#6c48e8", "#f4b41a", "#ffffff", "#000000", "#2e6b46", "#767676", "#7a7a7a", "#00000040"):
        colour = Colour.of(text)
        *_, plate, label = [layer.paint for layer in _framed("wave", "Scan", colour=colour).layers]
        assert plate == Rgba(*colour)
        assert isinstance(label, Rgba)
        assert contrast(Colour(*label), colour.over(WHITE)) >= 4.5
        given = Frame(style="wave", color=colour, label="Scan", label_color=GREEN)
        assert surround(given, SIDE).layers[-1].paint == Rgba(*GREEN)


def test_no_frame_leaves_the_whole_picture() -> None:
    assert _framed("none", "left out", size_px=640) == Surroundings((), 0, 0, 640)


# --- labels ---


@pytest.mark.parametrize(
    ("label", "reason", "says"),
    [
        (" \t ", "empty", "at least one"),
        ("\u200b", "empty", "at least one"),
        ("Scan 日", "invalid_character", r"no U\+65E5 \(日\), CJK UNIFIED IDEOGRAPH-65E5"),
        ("🎉", "invalid_character", r"no U\+1F389 \(🎉\), PARTY POPPER"),
        ("a\nb", "invalid_character", r"no U\+000A, a control character"),
        ("a\u202eb", "invalid_character", r"no U\+202E, RIGHT-TO-LEFT OVERRIDE"),
        ("a\u2067b", "invalid_character", r"no U\+2067, RIGHT-TO-LEFT ISOLATE"),
        ("\ud83c", "invalid_character", r"no U\+D83C"),
        ("Q\U000dd848", "invalid_character", r"no U\+DD848, no character yet"),
    ],
)
def test_a_label_that_cannot_be_written_is_refused(label: str, reason: str, says: str) -> None:
    with pytest.raises(InvalidValue, match=says) as refused:
        _framed("wave", label)
    assert (refused.value.reason, refused.value.field) == (reason, "frame/label")


@pytest.mark.parametrize(
    "label", ["Grüße", "Zażółć", "СКАНИРУЙ", "Σάρωσέ με", "ՀԱՅԵՐԵՆ", "ქართული", "סרוק", "10 % für 5 €", "☎ ♥"]
)
def test_many_scripts_are_written(label: str) -> None:
    left, top, right, bottom = lettered(label).ink
    assert right - left > 0.4 * len(label)
    assert -1.2 < top < -0.5 < bottom < 0.5


def test_arabic_letters_join() -> None:
    """In their forms within a word they are narrower; one that is not seen keeps them from it."""
    apart, joined = lettered("\u0628\u200c\u0628").ink, lettered("\u0628\u0628").ink
    assert joined[2] - joined[0] < 0.9 * (apart[2] - apart[0])


def _shapes(label: str) -> list[bytes]:
    """The contours of a label from left to right, each as it is without its place."""
    path = lettered(label).path
    points = np.frombuffer(path.points).reshape(-1, 2)
    found = []
    start = end = 0
    for command in path.commands:
        if command == 3:
            contour = points[start:end]
            found.append((float(contour[:, 0].min()), (np.round(contour - contour.min(0), 5) + 0.0).tobytes()))
            start = end
        else:
            end += 3 if command == 2 else 1
    return [shape for _, shape in sorted(found)]


def test_the_order_is_that_of_the_line() -> None:
    alef, one, bracket, long = (_shapes(label)[0] for label in ("\u0627", "1", ")", "L"))
    # A line from right to left begins at the right, and numbers in it run from left to right all the same.
    seen = _shapes("\u0627 10 L")
    assert (seen[0], seen[-1]) == (long, alef)
    assert seen[1:-1] == [one, *_shapes("0")]
    # Its opening bracket is bent as a closing one is from left to right.
    assert _shapes("(\u05e9")[-1] == bracket
    # A line from left to right begins at the left.
    assert _shapes("L \u05d5\u0627") == [long, alef, *_shapes("\u05d5")]


def test_marks_stand_on_their_letters() -> None:
    """V has no composed form with a tilde: the mark is placed by the font, above and not beside it."""
    bare, marked = lettered("V").ink, lettered("V\u0303").ink
    assert marked[0] == pytest.approx(bare[0], abs=0.01)
    assert marked[2] == pytest.approx(bare[2], abs=0.01)
    assert marked[1] < bare[1] - 0.1


def test_letters_are_kerned_and_capitals_spaced() -> None:
    assert lettered("Tofu").ink[2] < lettered("T").ink[2] + lettered("ofu").ink[2] - 0.05
    assert lettered("HHH").ink[2] > lettered("HHh").ink[2]


def test_a_fitted_label_is_in_the_middle_of_its_box() -> None:
    for label in LABELS[1:]:
        assert label is not None
        left, top, right, bottom = lettered(label).fitted(100, 50, 400, 80, 60).bounds
        assert (left + right) / 2 == pytest.approx(300)
        assert left >= 99.999
        assert top >= 49.999
        assert bottom <= 130.001
