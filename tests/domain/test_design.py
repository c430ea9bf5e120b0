"""Designs."""

import dataclasses
from typing import Any

import pytest

from server.domain.design import LEVELS, Design
from server.domain.errors import InvalidValue


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("margin", [0, 4, 32])
def test_levels_and_margins_within_the_limits_make_a_design(level: Any, margin: int) -> None:  # noqa: ANN401 -- a Literal
    design = Design(level=level, margin=margin)
    assert (design.level, design.margin) == (level, margin)


@pytest.mark.parametrize(
    ("fields", "why", "field"),
    [
        ({"level": "X"}, "invalid_level", "level"),
        ({"level": "m"}, "invalid_level", "level"),
        ({"level": ""}, "invalid_level", "level"),
        ({"margin": -1}, "out_of_range", "margin"),
        ({"margin": 33}, "out_of_range", "margin"),
    ],
)
def test_what_cannot_be_drawn_is_no_design(fields: dict[str, Any], why: str, field: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        Design(**fields)
    assert (refusal.value.reason, refusal.value.field) == (why, field)


def test_a_design_is_a_value() -> None:
    assert Design() == Design(level=None, margin=4)
    assert hash(Design()) == hash(Design(margin=4))
    with pytest.raises(dataclasses.FrozenInstanceError):
        Design().margin = 0  # type: ignore[misc]
