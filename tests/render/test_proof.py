"""The proof that a picture scans: what is refused, why, and what mends it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

import fastcore
from server.domain.colour import BLACK, TRANSPARENT, WHITE, Colour, Paint
from server.domain.design import (
    Background,
    Border,
    Center,
    Design,
    Eyes,
    Frame,
    FrameStyle,
    Logo,
    Modules,
    ModuleShape,
)
from server.domain.errors import InvalidValue
from server.domain.order import Order
from server.render.compose import clear_zone, lay_out
from server.render.image import Painter
from server.render.pictures import Picture, decode
from server.render.proof import needs_proof, prove
from tests.render.designs import LOGOS, badge, gradient, landscape, neon, picture_of

if TYPE_CHECKING:
    from server.domain.design import Picture as Given
    from server.domain.scannability import Scannability

TEXT = "https://example.com/menu"


def _proof(design: Design, *, text: str = TEXT, size_px: int = 512, level: str | None = None) -> Scannability:
    symbol = fastcore.encode(text, level=level or design.level or "M")
    logo = _decoded(design.logo.image) if design.logo else None
    photo = _decoded(design.background.image) if design.background.image else None
    return prove(text, symbol, design, size_px, logo=logo, photo=photo)


def _decoded(picture: Given) -> Picture:
    assert picture.data is not None
    return decode(picture.data)


def _codes(found: Scannability) -> set[str]:
    return {finding.code for finding in found.findings}


def _photo(level: int) -> Given:
    """Evenly grey."""
    return picture_of(np.full((64, 64, 3), level, np.uint8))


# --- plain squares, and all that is not ---


@pytest.mark.parametrize(
    ("design", "needed"),
    [
        (Design(), False),
        (Design(level="H", margin=0), False),
        (Design(modules=Modules(color=Colour.of("#123456"))), False),
        (Design(modules=Modules(shape="rounded")), True),
        (Design(modules=Modules(color=gradient("linear", "#000000", "#300000"))), True),
        (Design(eyes=Eyes(border=Border(shape="circle"))), True),
        (Design(eyes=Eyes(center=Center(color=BLACK))), True),
        (Design(eyes=Eyes(ring="match")), True),
        (Design(background=Background(color=gradient("linear", "#ffffff", "#f0ffff"))), True),
        (Design(background=Background(image=landscape(), opacity=0)), True),
        (Design(logo=LOGOS["badge"]), True),
        (Design(frame=Frame(style="wave")), True),
    ],
)
def test_all_but_plain_squares_is_decoded(design: Design, needed: bool) -> None:
    assert needs_proof(design) is needed


@pytest.mark.parametrize(
    "text",
    [
        "[)>\x1e06\x1d12345\x1e\x04",
        "\x1d01",
        "\x00nothing",
        "tab\there",
        "~\\",
        "点茗~",
        "é\r\n€",
        "😀",
        "\ufeffmark",
        "]C1",
    ],
)
def test_the_text_is_compared_as_it_is(text: str) -> None:
    """A decoder may spell control characters out for people, or guess at character sets."""
    assert _proof(Design(modules=Modules(shape="rounded")), text=text).decoded


# --- logos ---


def test_a_logo_that_hides_more_than_can_be_repaired_is_refused_with_what_would_mend_it() -> None:
    found = _proof(Design(level="L", logo=Logo(image=badge(), ratio=0.3)), text=TEXT * 4)
    assert not found.scannable
    assert found.score == 0
    (finding,) = [each for each in found.findings if each.code == "logo_too_large"]
    assert (finding.field, finding.fatal) == ("logo/ratio", True)
    assert "Shrink it or raise the level." in finding.detail
    worst = max(found.repair, key=lambda block: block.hidden - block.correctable)
    assert f"hides {worst.hidden} codewords of a block of which {worst.correctable} can" in finding.detail
    assert found.reason is not None
    assert finding.detail in found.reason


def test_at_the_highest_level_nobody_is_told_to_raise_it() -> None:
    found = _proof(Design(level="H", logo=Logo(image=badge(), ratio=0.4, padding=4)), text=TEXT * 4)
    assert found.reason is not None
    assert "Shrink it." in found.reason
    assert "raise the level" not in found.reason.split("Shrink it.")[0]


@pytest.mark.parametrize("text", [TEXT, TEXT * 4, TEXT * 20])
def test_a_logo_of_three_tenths_passes_at_level_h(text: str) -> None:
    found = _proof(Design(level="H", logo=Logo(image=badge(), ratio=0.3)), text=text, size_px=1024)
    assert found.scannable, found.reason
    assert 0 < max(block.hidden / block.correctable for block in found.repair) <= 1


def test_a_logo_is_counted_by_the_codewords_below_it() -> None:
    """Its damage is what turning every module below it over would do to the blocks."""
    design = Design(level="Q", logo=Logo(image=badge(), ratio=0.2, clear_zone="none"))
    symbol = fastcore.encode(TEXT * 6, level="Q")
    found = _proof(design, text=TEXT * 6)
    zone = clear_zone(lay_out(symbol, design, 512), design, _decoded(badge()))
    assert zone is not None
    hidden = bytearray(symbol.size**2)
    low, high = 0.4 * symbol.size, 0.6 * symbol.size
    for row in range(symbol.size):
        for column in range(symbol.size):
            hidden[row * symbol.size + column] = low <= row + 0.5 <= high and low <= column + 0.5 <= high
    assert [(block.hidden, block.correctable) for block in found.repair] == list(fastcore.damage(symbol, bytes(hidden)))


def test_a_clear_zone_costs_no_light_modules() -> None:
    """Where a module is left out that is light anyway, nothing is lost: so a wide padding hides less than a logo."""
    padded = _proof(Design(level="H", logo=Logo(image=badge(), ratio=0.1, padding=3)), text=TEXT * 4)
    symbol = fastcore.encode(TEXT * 4, level="H")
    large = (0.1 * symbol.size + 6) / symbol.size
    whole = _proof(Design(level="H", logo=Logo(image=badge(), ratio=large, padding=0)), text=TEXT * 4)
    assert sum(block.hidden for block in padded.repair) < sum(block.hidden for block in whole.repair)


def test_no_logo_hides_nothing() -> None:
    for design in (Design(), Design(logo=Logo(image=badge(), ratio=0))):
        assert {block.hidden for block in _proof(design).repair} == {0}


# --- photos ---


def test_a_dark_photo_is_refused_and_passes_when_it_is_fainter() -> None:
    dark = Design(modules=Modules(shape="rounded"), background=Background(image=_photo(30), opacity=0.9))
    found = _proof(dark)
    assert not found.scannable
    assert "low_contrast" in _codes(found)
    assert found.reason is not None
    assert _proof(replace(dark, background=replace(dark.background, opacity=0.3))).scannable


@pytest.mark.parametrize(
    ("ink", "ground", "scans"),
    [
        (WHITE, gradient("linear", "#000000", "#101040"), True),
        (BLACK, gradient("linear", "#000000", "#101040"), False),
        (WHITE, TRANSPARENT, True),  # on black, of which the photo covers a half
        (BLACK, TRANSPARENT, True),
    ],
)
def test_a_faint_photo_is_judged_with_what_is_below_it(ink: Paint, ground: Paint, scans: bool) -> None:
    background = Background(color=ground, image=_photo(200 if ground == TRANSPARENT else 20), opacity=0.5)
    found = _proof(Design(modules=Modules(color=ink, shape="rounded"), background=background))
    assert found.scannable is scans, found.findings
    assert ("transparent_background" in _codes(found)) is (ground == TRANSPARENT)


def test_halftone_is_read_over_any_photo() -> None:
    design = Design(modules=Modules(shape="halftone"), background=Background(image=landscape(), opacity=0.6))
    assert _proof(design).scannable
    white = replace(design, modules=Modules(shape="halftone", color=WHITE))
    on_nothing = replace(white, background=replace(design.background, color=TRANSPARENT))
    for light in (white, on_nothing):  # its light dots are white as well
        assert "low_contrast" in _codes(_proof(light))


# --- colours ---


def test_the_brand_kit_is_served() -> None:
    """White rounded modules on nothing with a neon logo, as designers ask for them."""
    kit = Design(
        modules=Modules(shape="rounded", color=WHITE),
        background=Background(color=TRANSPARENT),
        logo=Logo(image=neon(), neon_alpha=True),
    )
    found = _proof(kit, text="https://yourbrand.com", size_px=2400, level="H")
    assert found.scannable, found.reason
    assert found.decoded
    assert found.inverted
    assert _codes(found) == {"inverted", "transparent_background"}
    assert "black" in next(each.detail for each in found.findings if each.code == "transparent_background")


@pytest.mark.parametrize(("alpha", "scans"), [(255, True), (128, True), (60, False)])
def test_ink_that_is_seen_through_passes_as_long_as_it_is_dark_enough(alpha: int, scans: bool) -> None:
    design = Design(modules=Modules(shape="dots", color=Colour(0, 0, 0, alpha)))
    assert _proof(design).scannable is scans


# --- sizes and frames ---


@pytest.mark.parametrize("style", get_args(FrameStyle))
def test_frames_leave_a_symbol_that_scans(style: FrameStyle) -> None:
    label = None if style == "none" else "Scan me"
    found = _proof(Design(modules=Modules(shape="liquid"), frame=Frame(style=style, label=label)))
    assert found.scannable, found.reason


def test_modules_of_few_pixels_are_a_risk() -> None:
    assert "small_modules" in _codes(_proof(Design(), size_px=66))
    assert "small_modules" not in _codes(_proof(Design(), size_px=99))


def test_no_proof_of_what_cannot_be_drawn() -> None:
    with pytest.raises(InvalidValue) as refusal:
        _proof(Design(), text="x" * 1000, size_px=64)
    assert refusal.value.field == "size"


def test_with_a_logo_the_level_rises_by_itself_as_far_as_the_size_allows() -> None:
    painter = Painter(max_pixels=10_000_000)
    try:
        levels = []
        for size_px in (64, 200, 600):
            order = Order(text=TEXT, design=Design(logo=LOGOS["badge"]), size_px=size_px)
            levels.append(painter._prove(order).level)
        assert levels == sorted(levels, key="LMQH".index)
        assert (levels[0], levels[-1]) == ("M", "H")
        fixed = Order(text=TEXT, design=Design(level="L", logo=LOGOS["badge"]), size_px=600)
        assert painter._prove(fixed).level == "L"
    finally:
        painter.close()


# --- speed ---


@pytest.mark.parametrize("shape", ["rounded", "dot", "liquid", "star"])
def test_a_proof_takes_no_longer_than_a_few_milliseconds(shape: ModuleShape) -> None:
    """0.4 ms; with gradients on both sides 1.5."""
    design = Design(
        modules=Modules(shape=shape, color=gradient("linear", "#000040", "#400000")),
        background=Background(color=gradient("radial", "#ffffff", "#e0f0ff")),
    )
    _proof(design)
    best = float("inf")
    for _ in range(10):
        start = time.perf_counter()
        _proof(design)
        best = min(best, time.perf_counter() - start)
    assert best < 0.01
