"""Designs: what may be one, and that each has one form as JSON, which is read again."""

import dataclasses
import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.domain.colour import MAX_STOPS, Colour, Gradient, Stop
from server.domain.design import (
    LEVELS,
    MAX_FRAME_LABEL,
    PLAIN,
    Background,
    Border,
    BorderShape,
    Center,
    CenterShape,
    ClearZone,
    Design,
    Eyes,
    Frame,
    FrameStyle,
    Logo,
    Modules,
    ModuleShape,
    Picture,
    Ring,
    design_of,
    plain,
)
from server.domain.errors import InvalidValue

# --- any design ------------------------------------------------------------------------------------------------------

PARTS = st.integers(0, 255)
COLOURS = st.builds(Colour, PARTS, PARTS, PARTS, PARTS)
SHARES = st.floats(0, 1)
STOPS = st.lists(st.builds(Stop, SHARES, COLOURS), min_size=2, max_size=MAX_STOPS).map(
    lambda stops: tuple(sorted(stops, key=lambda stop: stop.offset))
)
GRADIENTS = st.builds(Gradient, type=st.sampled_from(["linear", "radial"]), angle=st.floats(-360, 360), stops=STOPS)
PAINTS = COLOURS | GRADIENTS
PICTURES = st.builds(
    Picture,
    url=st.none() | st.just("https://example.com/a.png"),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
)


def one_of(literal: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 -- a Literal
    return st.sampled_from(get_args(literal))


DESIGNS = st.builds(
    Design,
    level=st.none() | st.sampled_from(LEVELS),
    margin=st.integers(0, 32),
    modules=st.builds(Modules, shape=one_of(ModuleShape), color=PAINTS),
    eyes=st.builds(
        Eyes,
        border=st.builds(Border, shape=one_of(BorderShape), color=st.none() | PAINTS),
        center=st.builds(Center, shape=one_of(CenterShape), color=st.none() | PAINTS),
        ring=one_of(Ring),
    ),
    background=st.builds(Background, color=PAINTS, image=st.none() | PICTURES, opacity=SHARES),
    logo=st.none()
    | st.builds(
        Logo,
        image=PICTURES,
        ratio=st.floats(0, 0.4),
        clear_zone=one_of(ClearZone),
        padding=st.floats(0, 8),
        neon_alpha=st.booleans(),
    ),
    frame=st.builds(
        Frame,
        style=one_of(FrameStyle),
        color=COLOURS,
        label=st.none() | st.text(st.characters(categories=["L", "N", "P"]), max_size=MAX_FRAME_LABEL),
        label_color=st.none() | COLOURS,
    ),
)


@given(DESIGNS)
def test_a_design_is_read_again_as_it_was_written(design: Design) -> None:
    assert design_of(json.loads(json.dumps(plain(design)))) == design


@given(DESIGNS, DESIGNS)
def test_two_designs_have_two_forms(one: Design, other: Design) -> None:
    assert (plain(one) == plain(other)) == (one == other)


def test_the_form_has_every_field_with_its_default_written_out() -> None:
    def names(value: object) -> object:
        if dataclasses.is_dataclass(value):
            return {each.name: names(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return None

    def leaves(form: object) -> object:
        return {name: leaves(part) for name, part in form.items()} if isinstance(form, dict) else None

    assert leaves(plain(PLAIN)) == names(PLAIN)
    logo = Logo(image=Picture(sha256="0" * 64))
    shown = plain(Design(logo=logo))["logo"]
    assert shown.keys() == {each.name for each in dataclasses.fields(Logo)}
    assert shown["image"] == {"url": None, "sha256": "0" * 64}, "the bytes are nobody's business"


@pytest.mark.parametrize(
    ("form", "design"),
    [
        ({"level": "M", "margin": 4}, Design(level="M")),
        ({"level": "H", "margin": 0}, Design(level="H", margin=0)),
        ({}, PLAIN),
        ({"modules": {"shape": "dots"}}, Design(modules=Modules(shape="dots"))),
        ({"eyes": {"ring": "match"}}, Design(eyes=Eyes(ring="match"))),
    ],
)
def test_what_an_older_version_stored_has_defaults_for_what_it_did_not_know(form: Any, design: Design) -> None:  # noqa: ANN401
    assert design_of(form) == design


# --- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("margin", [0, 4, 32])
def test_levels_and_margins_within_the_limits_make_a_design(level: Any, margin: int) -> None:  # noqa: ANN401 -- a Literal
    design = Design(level=level, margin=margin)
    assert (design.level, design.margin) == (level, margin)


LOGO = Picture(sha256="0" * 64)


@pytest.mark.parametrize(
    ("kind", "fields", "why", "field"),
    [
        (Design, {"level": "X"}, "invalid_level", "level"),
        (Design, {"level": "m"}, "invalid_level", "level"),
        (Design, {"level": ""}, "invalid_level", "level"),
        (Design, {"margin": -1}, "out_of_range", "margin"),
        (Design, {"margin": 33}, "out_of_range", "margin"),
        (Background, {"opacity": -0.01}, "out_of_range", "opacity"),
        (Background, {"opacity": 1.01}, "out_of_range", "opacity"),
        (Background, {"opacity": float("nan")}, "out_of_range", "opacity"),
        (Logo, {"image": LOGO, "ratio": 0.41}, "out_of_range", "ratio"),
        (Logo, {"image": LOGO, "ratio": -0.1}, "out_of_range", "ratio"),
        (Logo, {"image": LOGO, "padding": 8.1}, "out_of_range", "padding"),
        (Frame, {"label": "x" * 25}, "too_long", "label"),
        (Frame, {"label": "a\0b"}, "invalid_character", "label"),
    ],
)
def test_what_cannot_be_drawn_is_no_design(kind: Any, fields: dict[str, Any], why: str, field: str) -> None:  # noqa: ANN401
    with pytest.raises(InvalidValue) as refusal:
        kind(**fields)
    assert (refusal.value.reason, refusal.value.field) == (why, field)


def test_a_design_is_a_value() -> None:
    assert Design() == Design(level=None, margin=4)
    assert hash(Design()) == hash(Design(margin=4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Design().margin = 0  # type: ignore[misc]


def test_pictures_are_known_by_their_path_and_put_back_at_it() -> None:
    one, other = Picture(url="https://example.com/1"), Picture(url="https://example.com/2")
    design = Design(logo=Logo(image=one, ratio=0.3), background=Background(image=one, opacity=0.5))
    assert design.pictures == {"logo/image": one, "background/image": one}
    for path in design.pictures:
        changed = design.with_picture(path, other)
        assert changed.pictures == {**design.pictures, path: other}
        assert changed.with_picture(path, one) == design
    assert PLAIN.pictures == {}


def test_what_a_later_version_stored_beside_what_is_known_is_passed_over() -> None:
    form = plain(Design(margin=2))
    form["glow"] = 3
    form["modules"]["bevel"] = True
    form["eyes"]["border"]["twist"] = {"angle": 4}
    assert design_of(form) == Design(margin=2)
