"""Plots show what they are given, and can be read by day and by night."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import plot
from bench.plot import Row, bars, dots, line
from bench.report import PLOTS
from server.domain.colour import Colour, contrast

ROOT = Path(__file__).parents[2]
SVG = "{http://www.w3.org/2000/svg}"

ROWS = [Row("ours & <all>", 100.0, "100", ours=True), Row("theirs", 25.0, "25", ours=False)]
#: WCAG 2.2, 1.4.3 for text, and 1.4.11 for what is drawn.
TEXT, DRAWN = 4.5, 3.0


def kinds(svg: str, tag: str, kind: str) -> list[ET.Element]:
    return [each for each in ET.fromstring(svg).iter(SVG + tag) if kind in each.get("class", "").split()]


def numbers(elements: list[ET.Element], attribute: str) -> list[float]:
    return [float(each.get(attribute, "nan")) for each in elements]


def test_bars_are_as_long_as_their_values() -> None:
    svg = bars("Title", "note", ROWS)
    (ours,), (theirs,) = (numbers(kinds(svg, "rect", kind), "width") for kind in ("ours", "theirs"))
    assert ours == pytest.approx(4 * theirs, rel=0.01)


def test_dots_are_as_far_apart_as_their_powers_of_ten() -> None:
    rows = [Row(f"{value}", value, f"{value}", ours=False) for value in (0.5, 5.0, 50.0, 5000.0)]
    at = numbers(kinds(dots("Title", "note", rows), "circle", "theirs"), "cx")
    assert at[1] - at[0] == pytest.approx(at[2] - at[1], abs=0.2)
    assert at[3] - at[2] == pytest.approx(2 * (at[1] - at[0]), abs=0.2)


def test_a_line_goes_through_its_points_upwards() -> None:
    svg = line("Title", "note", [(1, 10), (2, 20), (4, 40)], (1, 4))
    points = [
        tuple(map(float, each.split(","))) for each in kinds(svg, "polyline", "line")[0].get("points", "").split()
    ]
    (x1, y1), (x2, y2), (x4, y4) = points
    assert (x4 - x2) == pytest.approx(2 * (x2 - x1), abs=0.2)
    assert (y2 - y4) == pytest.approx(2 * (y1 - y2), abs=0.2)
    assert y4 < y1


def test_texts_are_written_as_they_are() -> None:
    assert "ours & <all>" in [each.text for each in ET.fromstring(bars("Title", "note", ROWS)).iter(SVG + "text")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_is_told_from_its_ground(scheme: str) -> None:
    light, dark = plot.STYLE.split("@media (prefers-color-scheme:dark)")
    rules = light if scheme == "light" else dark
    colours = {kind: Colour.of(code) for kind, code in re.findall(r"\.(\w+)\{(?:fill|stroke):(#[0-9a-f]+)", rules)}
    ground = colours["ground"]
    assert contrast(colours["text"], ground) >= TEXT
    assert contrast(colours["quiet"], ground) >= TEXT
    assert contrast(colours["ours"], ground) >= DRAWN
    assert contrast(colours["line"], ground) >= DRAWN
    assert contrast(colours["ours"], colours["theirs"]) >= 1.5


@pytest.mark.parametrize("name", sorted(name for plots in PLOTS.values() for name in plots))
def test_each_plot_is_there_and_shown_and_keeps_within_its_edges(name: str) -> None:
    assert f"](plots/{name}.svg)" in (ROOT / "docs/performance.md").read_text()
    root = ET.parse(ROOT / f"docs/plots/{name}.svg").getroot()
    width = float(root.get("width", "0"))
    for text in root.iter(SVG + "text"):
        at, long = float(text.get("x", "0")), plot.CHARACTER * len(text.text or "")
        begins = {"start": at, "middle": at - long / 2, "end": at - long}[text.get("text-anchor", "start")]
        assert begins >= 0, text.text
        assert begins + long <= width, text.text
