"""Rules about what scans: contrast, polarity, the quiet zone, and points."""

from __future__ import annotations

import pytest

from server.domain.colour import BLACK, WHITE, Colour, Gradient, Stop, contrast
from server.domain.design import Background, Border, Center, Design, Eyes, Modules
from server.domain.scannability import Polarity, Repair, polarity_of, quiet_zone, score_of


def _design(ink: str | Gradient, ground: str | Gradient = "white", **eyes: str) -> Design:
    def paint(given: str | Gradient) -> Colour | Gradient:
        return Colour.of(given) if isinstance(given, str) else given

    return Design(
        modules=Modules(color=paint(ink)),
        background=Background(color=paint(ground)),
        eyes=Eyes(
            border=Border(color=Colour.of(eyes["border"]) if "border" in eyes else None),
            center=Center(color=Colour.of(eyes["center"]) if "center" in eyes else None),
        ),
    )


def _gradient(*colours: str) -> Gradient:
    last = len(colours) - 1
    return Gradient(type="linear", stops=tuple(Stop(i / last, Colour.of(each)) for i, each in enumerate(colours)))


def _found(polarity: Polarity) -> dict[str, str]:
    return {finding.code: finding.field for finding in polarity.findings}


@pytest.mark.parametrize(
    ("design", "least", "found"),
    [
        (_design("black"), 21.0, {}),
        (_design("#767676"), 4.54, {}),
        # WCAG's threshold for 3:1 on white lies between these two.
        (_design("#949494"), 3.03, {}),
        (_design("#959595"), 2.99, {"low_contrast": "modules/color"}),
        (_design("black", border="#ffff00"), 1.07, {"low_contrast": "eyes/border/color"}),
        (_design("black", center="#ffff00"), 1.07, {"low_contrast": "eyes/center/color"}),
        # The center follows the border, and is not found a second time.
        (_design("#ffff00"), 1.07, {"low_contrast": "modules/color"}),
        (_design("white", "black"), 21.0, {"inverted": "modules/color"}),
        # A gradient is as good as its worst point, also one between its stops.
        (_design(_gradient("#000000", "#ffffff")), 1.0, {"low_contrast": "modules/color"}),
        (_design(_gradient("#ff0000", "#00ff00")), 1.37, {"low_contrast": "modules/color"}),
        (_design("#757575", _gradient("#ffffff", "#000000")), 1.01, {"low_contrast": "modules/color"}),
        (_design("black", "#808080", border="white"), 3.95, {"mixed_contrast": "eyes/border/color"}),
        # Ink that is seen through is judged as it is seen.
        (_design("#00000080"), 4.0, {}),
        (_design("#00000060"), 2.65, {"low_contrast": "modules/color"}),
        (_design("transparent"), 1.0, {"low_contrast": "modules/color"}),
    ],
)  # fmt: skip
def test_the_worst_pair_of_colours_decides(design: Design, least: float, found: dict[str, str]) -> None:
    polarity = polarity_of(design)
    assert polarity.contrast == pytest.approx(least, abs=0.01)
    assert _found(polarity) == found
    assert polarity.backdrop is None


def test_colours_of_two_gradients_are_compared_as_one_by_one() -> None:
    """The worst pair is found by order; here it is by trying all."""
    ink, ground = _gradient("#300000", "#003060", "#202020"), _gradient("#c0ffc0", "#ffd0a0")
    every = [contrast(ink.at(i / 64), ground.at(j / 64)) for i in range(65) for j in range(65)]
    assert polarity_of(_design(ink, ground)).contrast == pytest.approx(min(every))


@pytest.mark.parametrize(
    ("ink", "ground", "backdrop", "found"),
    [
        ("black", "transparent", WHITE, {"transparent_background"}),
        ("#767676", "transparent", WHITE, {"transparent_background"}),
        ("white", "transparent", BLACK, {"inverted", "transparent_background"}),
        ("#ffff00", "transparent", BLACK, {"inverted", "transparent_background"}),
        # On white it would do, but light on dark is what some readers fail on.
        ("#808080", "transparent", WHITE, {"transparent_background"}),
        # A haze of white over black is still dark.
        ("white", "#ffffff20", BLACK, {"inverted", "transparent_background"}),
        # Half white, half nothing: where it is white, nothing light is seen.
        ("white", _gradient("#ffffff", "#ffffff00"), WHITE, {"low_contrast", "transparent_background"}),
    ],
)
def test_a_transparent_background_is_judged_on_what_suits_the_modules_best(
    ink: str, ground: str | Gradient, backdrop: Colour, found: set[str]
) -> None:
    polarity = polarity_of(_design(ink, ground))
    assert set(_found(polarity)) == found
    if "low_contrast" not in found:
        assert polarity.backdrop == backdrop
        assert ("white" if backdrop == WHITE else "black") in polarity.findings[-1].detail
        assert not polarity.fatal


def test_the_backdrop_is_one_on_which_the_modules_can_be_read() -> None:
    """On white the modules are darker than one ground and lighter than another, which no reader reads."""
    design = _design("#707070", "transparent")
    grounds = [Colour(0, 0, 0, 0), Colour(0, 0, 0, 255)]
    assert polarity_of(design, grounds).backdrop == BLACK
    assert not polarity_of(design, grounds).fatal


@pytest.mark.parametrize(("margin", "found"), [(4, 0), (5, 0), (3, 1), (0, 1)])
def test_a_small_quiet_zone_is_a_risk_and_no_more(margin: int, found: int) -> None:
    findings = quiet_zone(Design(margin=margin))
    assert [finding.code for finding in findings] == ["small_quiet_zone"] * found
    assert not any(finding.fatal for finding in findings)


GOOD = Polarity(21.0, False, None, ())


@pytest.mark.parametrize(
    ("points", "given"),
    [
        (100, {}),
        (94, {"level": "M"}),
        (90, {"level": "L"}),
        (70, {"polarity": Polarity(3.0, False, None, ())}),
        (85, {"polarity": Polarity(5.0, False, None, ())}),
        (85, {"polarity": Polarity(21.0, True, None, ())}),
        (80, {"polarity": Polarity(21.0, True, BLACK, ())}),
        (85, {"repair": [Repair(hidden=4, correctable=8), Repair(hidden=0, correctable=8)]}),
        (70, {"repair": [Repair(hidden=8, correctable=8)]}),
        (80, {"design": Design(margin=0)}),
        (85, {"module_px": 1}),
        (100, {"module_px": 40}),
        (1, {"level": "L", "polarity": Polarity(3.0, True, BLACK, ()), "repair": [Repair(hidden=8, correctable=8)],
             "design": Design(margin=0), "module_px": 1}),
    ],
)  # fmt: skip
def test_each_risk_takes_its_points(points: int, given: dict[str, object]) -> None:
    usual: dict[str, object] = {"design": Design(), "level": "H", "polarity": GOOD, "repair": [], "module_px": 8}
    assert score_of(**{**usual, **given}) == points  # type: ignore[arg-type]
