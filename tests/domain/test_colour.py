"""Colours, contrasts and gradients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.colour import (
    BLACK,
    MAX_STOPS,
    TRANSPARENT,
    WHITE,
    Colour,
    Gradient,
    Stop,
    colours_of,
    contrast,
)
from server.domain.errors import InvalidValue

PARTS = st.integers(0, 255)
COLOURS = st.builds(Colour, PARTS, PARTS, PARTS, PARTS)


@pytest.mark.parametrize(
    ("text", "colour", "written"),
    [
        ("black", BLACK, "#000000"),
        ("White", WHITE, "#ffffff"),
        ("TRANSPARENT", TRANSPARENT, "#00000000"),
        ("#fA0", Colour(0xFF, 0xAA, 0), "#ffaa00"),
        ("#102030", Colour(0x10, 0x20, 0x30), "#102030"),
        ("#A0b0C0Ff", Colour(0xA0, 0xB0, 0xC0), "#a0b0c0"),
        ("#A0b0C080", Colour(0xA0, 0xB0, 0xC0, 0x80), "#a0b0c080"),
    ],
)
def test_a_colour_has_many_spellings_and_is_written_in_one(text: str, colour: Colour, written: str) -> None:
    assert Colour.of(text) == colour
    assert str(colour) == written


@given(COLOURS)
def test_what_is_written_is_read_again(colour: Colour) -> None:
    assert Colour.of(str(colour)) == Colour.of(str(colour).upper()) == colour


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "red",
        "#12",
        "#1234",
        "#12345",
        "#1234567",
        "#123456789",
        "102030",
        "#gggggg",
        "# 12345",
        "#123\n",
        "#\uff11\uff12\uff13",
    ],
)
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Colour.of(text)
    assert refusal.value.reason == "invalid_color"


def test_a_long_text_that_is_no_colour_is_not_repeated_whole() -> None:
    with pytest.raises(InvalidValue) as refusal:
        Colour.of("x" * 10_000)
    assert len(refusal.value.detail) < 200


def test_contrasts_are_those_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == contrast(WHITE, BLACK) == pytest.approx(21)
    assert contrast(BLACK, BLACK) == 1
    assert contrast(Colour.of("#777777"), WHITE) == pytest.approx(4.48, abs=0.005)
    assert contrast(Colour.of("#ff0000"), WHITE) == pytest.approx(4.0, abs=0.005)


@given(COLOURS, COLOURS)
def test_a_colour_over_another_lies_between_the_two(above: Colour, below: Colour) -> None:
    ground = below._replace(alpha=255)
    seen = above.over(ground)
    assert seen.alpha == 255
    for one, other, mixed in zip(above[:3], ground[:3], seen[:3], strict=True):
        assert min(one, other) <= mixed <= max(one, other)
    assert above._replace(alpha=255).over(ground) == above._replace(alpha=255)
    assert above._replace(alpha=0).over(ground) == ground


def gradient(*offsets: float) -> Gradient:
    return Gradient(type="linear", stops=tuple(Stop(offset, Colour(10 * n, 0, 0)) for n, offset in enumerate(offsets)))


def test_a_gradient_goes_from_stop_to_stop() -> None:
    across = Gradient(type="linear", stops=(Stop(0.25, BLACK), Stop(0.75, WHITE)))
    assert [across.at(offset) for offset in (0, 0.25, 0.5, 0.75, 1)] == [
        *[BLACK, BLACK, Colour(128, 128, 128), WHITE, WHITE],
    ]
    step = Gradient(type="radial", stops=(Stop(0, BLACK), Stop(0.5, BLACK), Stop(0.5, WHITE), Stop(1, WHITE)))
    assert (step.at(0.4), step.at(0.6)) == (BLACK, WHITE)
    assert colours_of(BLACK) == [BLACK]
    assert {BLACK, WHITE} <= set(colours_of(across))


@pytest.mark.parametrize(
    "offsets",
    [
        (),
        (0,),
        (0.5,),
        [n / MAX_STOPS for n in range(MAX_STOPS + 1)],
        (0.5, 0.4),
        (-0.1, 1),
        (0, 1.1),
        (0, float("nan")),
    ],
)
def test_stops_are_2_to_16_and_never_go_back(offsets: tuple[float, ...]) -> None:
    with pytest.raises(InvalidValue) as refusal:
        gradient(*offsets)
    assert (refusal.value.reason, refusal.value.field) == ("out_of_range", "stops")
    assert gradient(0, 0, 1, 1).at(1)
