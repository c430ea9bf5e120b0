"""What is published, and what is not."""

import importlib
import json
import re
from pathlib import Path

import pytest

from bench import report
from bench.__main__ import BENCHES

ROOT = Path(__file__).parents[2]
MACHINE = {"date": "2026-11-22", "processor": "2 x Abacus"}
QUIET = {"others": 0.004, "clock": 0.01}


class Pages:
    """Copies of the pages, and results to publish in them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.page, self.readme, self.plots, self._results = (
            folder / name for name in ("performance.md", "README.md", "plots", "results")
        )
        self.page.write_text((ROOT / "docs/performance.md").read_text())
        self.readme.write_text((ROOT / "README.md").read_text())
        self.plots.mkdir()
        self._results.mkdir()
        monkeypatch.setattr(report, "PAGE", self.page)
        monkeypatch.setattr(report, "README", self.readme)
        monkeypatch.setattr(report, "PLOT_FOLDER", self.plots)
        monkeypatch.setattr(report, "RESULTS", self._results)

    def found(self, name: str, results: object, noise: dict[str, float] | None) -> None:
        heard = {} if noise is None else {"noise": noise}
        (self._results / f"{name}.json").write_text(json.dumps({"machine": MACHINE, "results": results, **heard}))

    def part(self, name: str) -> str:
        found = re.search(rf"<!-- {name} -->\n(.*?)<!-- /{name} -->", self.page.read_text(), re.DOTALL)
        assert found is not None
        return found[1]


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    return Pages(tmp_path, monkeypatch)


def http(unsure: float) -> dict[str, dict[str, float]]:
    """Like what bench.http finds."""
    base = {"per_second": 30_000.0, "ratio": 1.0, "unsure": 0.0, "p50_ms": 1.0, "p99_ms": 2.0}
    ours = {"per_second": 12_345.0, "ratio": 0.41, "unsure": unsure, "p50_ms": 2.0, "p99_ms": 4.0}
    return {"an empty route of Starlette": base, "POST render, never seen": {**ours, "times_fastapi": 81.0}}


def test_what_is_quiet_is_published_as_a_table_and_a_plot_with_its_machine(pages: Pages) -> None:
    pages.found("http", http(0.034), QUIET)
    report.main()
    assert "| POST render, never seen | 12,345 | 0.41 | 4.00 | 81 x |  |" in pages.part("http")
    assert "2026-11-22, 2 x Abacus" in pages.part("http")
    assert "Others had 0.4% of the processors" in pages.part("http")
    assert "known to 3.4% or better" in pages.part("http")
    assert "12,345" in (pages.plots / "http.svg").read_text()


@pytest.mark.parametrize(
    ("unsure", "noise", "why"),
    [
        (0.2, QUIET, "http: POST render, never seen: its median is known to 20.0%"),
        (0.0, {**QUIET, "others": 0.31}, "http: others had 31.0% of the processors"),
        (0.0, {**QUIET, "clock": 0.09}, "http: the clock changed its speed by 9.0%"),
        (0.0, None, "http: nobody has listened"),
    ],
)
def test_what_is_noisy_is_refused_with_its_case_while_the_rest_is_published(
    pages: Pages, unsure: float, noise: dict[str, float] | None, why: str
) -> None:
    before = pages.part("http")
    pages.found("http", http(unsure), noise)
    pages.found("links", {"all of them": "3 s"}, QUIET)
    with pytest.raises(SystemExit) as refused:
        report.main()
    assert why in str(refused.value)
    assert "links" not in str(refused.value)
    assert pages.part("http") == before
    assert not (pages.plots / "http.svg").exists()
    assert "| all of them | 3 s |" in pages.part("links")


def test_every_bench_that_is_run_is_there_and_has_a_place_in_the_page() -> None:
    assert set(BENCHES) == report.PUBLISHED
    page = (ROOT / "docs/performance.md").read_text()
    for name in BENCHES:
        assert callable(importlib.import_module(f"bench.{name}").main)
        assert f"<!-- {name} -->" in page
