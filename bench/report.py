"""Turn bench/results/*.json into tables and plots: python -m bench.report, which `python -m bench` ends with.

They go into docs/performance.md and docs/plots, and the lines that matter most into the README. Everything between a
pair of markers in a page is replaced; no figure on it is typed by hand. What was measured on a machine that was not
quiet is refused, with the reasons (bench/noise.py).
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bench.http import HELD, IMAGE, RENDER, RIVALS
from bench.measure import RESULTS
from bench.noise import Results, refusals, unsure
from bench.plot import Row, bars, dots, line

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Figures

DOCS = Path(__file__).parent.parent / "docs"
README = DOCS.parent / "README.md"
PAGE = DOCS / "performance.md"
PLOT_FOLDER = DOCS / "plots"


#: The lines of bench.http that are ours.
OURS = (IMAGE, HELD, RENDER)

#: The tables of bench.redirect, and what their lines are.
REDIRECT = {"against": "one hot link", "links": "qredge against bare ASGI, by its links"}


def _load(name: str) -> Results:
    return cast("Results", json.loads((RESULTS / f"{name}.json").read_text()))


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _us(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _encode(results: dict[str, Any]) -> dict[str, str]:
    """Two tables, by their places in the page."""
    growth = [[v, _us(x["median"])] for v, x in results["growth"].items() if int(v) % 5 == 0 or v == "1"]
    return {"encode": _against(results["against"]), "growth": _table(["version", "us"], growth)}


def _against(against: dict[str, Figures]) -> str:
    labels = list(next(iter(against.values())))
    rows = []
    for version, figures in against.items():
        ours = figures["fastcore"]["median"]
        cells = [_us(ours)]
        cells += [f"{_us(figures[x]['median'])} ({figures[x]['ratio']:,.0f} x)" for x in labels[1:]]
        rows.append([version, *cells])
    return _table(["version", *labels], rows)


def _png(results: dict[str, Figures]) -> str:
    labels = list(next(iter(results.values())))
    rows = []
    for case, figures in results.items():
        ours = figures["fastcore"]["median"]
        cells = [_us(ours)]
        cells += [f"{_us(figures[x]['median'])} ({figures[x]['ratio']:,.1f} x)" for x in labels[1:]]
        cells += [f"{figures[label]['bytes']:,.0f}" for label in labels]
        rows.append([case, *cells])
    return _table(["", *(f"{x}, us" for x in labels), *(f"{x}, bytes" for x in labels)], rows)


def _styles(results: dict[str, dict[str, Figures]]) -> str:
    """What is compared, then print sizes."""
    large = [
        [name, f"{values['median'] / 1000:,.0f}", f"{values['bytes'] / 1000:,.0f}", f"{values['megabytes']:,.0f}"]
        for name, values in cast("Figures", results["large"]).items()
    ]
    head = ["rounded, 9,000 px", "ms", "kB of file", "MB of memory above idle"]
    return f"{_png(results['against'])}\n\n{_table(head, large)}"


def _kernels(results: dict[str, dict[str, Figures]]) -> str:
    sets = list(next(iter(results.values()))["score_masks"])
    rows = [[v, *(_us(x["score_masks"][s]["median"]) for s in sets)] for v, x in results.items()]
    return _table(["version", *sets], rows)


def _redirect(results: dict[str, Figures]) -> str:
    """Servers against each other, and then ours alone."""
    tables = []
    for title, each in results.items():
        rows = [
            [
                name,
                f"{values['per_second']:,.0f}",
                f"{values['ratio']:.2f}",
                f"{values['p99_ms']:.2f}",
                f"{values['p99_ratio']:.2f}",
            ]
            for name, values in each.items()
        ]
        tables.append(_table([REDIRECT[title], "302 a second", "ratio", "p99, ms", "ratio"], rows))
    return "\n\n".join(tables)


def _http(results: Figures) -> str:
    rows = [
        [
            name,
            f"{values['per_second']:,.0f}",
            f"{values['ratio']:.2f}",
            f"{values['p99_ms']:.2f}",
            *(f"{values[rival]:,.0f} x" if rival in values else "" for rival in RIVALS),
        ]
        for name, values in results.items()
    ]
    return _table(["", "a second", "ratio", "p99, ms", *(f"against {rival}" for rival in RIVALS.values())], rows)


def _stats(results: dict[str, Figures]) -> str:
    """By what was asked, and redirects beside it."""
    rows = [
        [name, *(f"{times[each]:.1f}" for each in ("p50", "p95", "worker", "database"))]
        for name, times in results["questions"].items()
    ]
    head = ["", "median, ms", "p95, ms", "processor, worker, ms", "and PostgreSQL, ms"]
    redirects = results["redirects"].items()
    beside = [[name, *(f"{times[each]:.2f}" for each in ("p50", "p95", "p99"))] for name, times in redirects]
    beside_head = ["a redirect, with", "median, ms", "p95, ms", "p99, ms"]
    return f"{_table(head, rows)}\n\n{_table(beside_head, beside)}"


def _writer(results: Figures) -> str:
    """What each part takes."""
    rows = [[name, f"{values['per_second']:,.0f}", f"{values['us']:.1f}"] for name, values in results.items()]
    return _table(["", "scans a second", "us each"], rows)


def _redirects(against: Figures) -> str:
    rows = [[name, f"{values['per_second']:,.0f}", f"{values['ratio']:.2f}"] for name, values in against.items()]
    return _table(["", "302 a second", "against bare ASGI"], rows)


def _four_lines(against: dict[str, Figures], drawn: dict[str, Figures]) -> str:
    """The figures for whoever reads no further: three versions encoded, and a URL all the way to a file."""
    lines = [(f"text to symbol, version {version}", against[version]) for version in ("3", "10", "40")]
    case = next(iter(drawn))
    lines.append((case, drawn[case]))
    rows = []
    for name, figures in lines:
        ours = figures["fastcore"]["median"]
        library = next(label for label in figures if label.startswith("libqrencode"))
        ratios = [figures[label]["ratio"] for label in (library, "segno")]
        rows.append([name, f"{_us(ours)} us", *(f"{ratio:,.0f} x" for ratio in ratios)])
    return _table(["", "fastcore", "libqrencode (and libpng) takes", "segno takes"], rows)


def _replace(path: Path, parts: dict[str, str]) -> None:
    """Puts each part between its pair of markers in a page."""
    page = path.read_text()
    for name, text in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        # A table has no backslashes, so it can be a replacement as it is.
        page, count = re.subn(pattern, rf"\g<1>{text}\n\g<2>", page, flags=re.DOTALL)
        if count != 1:
            sys.exit(f"{path} has no place for {name}")
    path.write_text(page)


def main() -> None:
    """What was not measured here stays as it is in the pages, and so does what is not to be published."""
    found = {path.stem: _load(path.stem) for path in sorted(RESULTS.glob("*.json")) if path.stem in PUBLISHED}
    refused = {name: why for name, each in found.items() if (why := list(refusals(name, each)))}
    publish({name: each for name, each in found.items() if name not in refused})
    if refused:
        sys.exit("not published:\n" + "\n".join(why for each in refused.values() for why in each))


def publish(found: dict[str, Results]) -> None:
    figures = {name: cast("dict[str, Any]", each["results"]) for name, each in found.items()}
    pages: dict[Path, dict[str, str]] = {PAGE: {}, README: {}}
    for name, each in found.items():
        if name == "encode":
            pages[PAGE] |= {part: f"{text}\n\n{_stamp(each)}" for part, text in _encode(figures[name]).items()}
        else:
            pages[PAGE][name] = f"{TABLES[name](figures[name])}\n\n{_stamp(each)}"
        for plot, drawn in PLOTS.get(name, {}).items():
            (PLOT_FOLDER / f"{plot}.svg").write_text(drawn(figures[name]))
    if "encode" in found and "png" in found:
        pages[README]["figures"] = _four_lines(figures["encode"]["against"], figures["png"])
    if "redirect" in found:
        pages[README]["redirects"] = _redirects(figures["redirect"]["against"])
    for page, parts in pages.items():
        _replace(page, parts)


def _stamp(found: Results) -> str:
    """What measured it, and how quiet that was."""
    machine = ", ".join(found["machine"].values())
    noise = found["noise"]
    parts = [part for _, part in unsure(found["results"])]
    rounds = f"; each median of ratios is known to {max(parts):.1%} or better" if parts else ""
    return (
        f"Measured: {machine}. Others had {noise['others']:.1%} of the processors; the clock changed its speed by "
        f"{noise['clock']:.1%}{rounds}."
    )


def _links(results: dict[str, str]) -> str:
    return _table(["", ""], [[name, text] for name, text in results.items()])


# --- plots --------------------------------------------------------------------------------------------------------


def _growth_plot(results: dict[str, Figures]) -> str:
    points = [(float(version), values["median"]) for version, values in results["growth"].items()]
    title = "From text to symbol, versions 1 to 40"
    return line(title, "microseconds for a full symbol of each version, level M", points, (1, 10, 20, 30, 40))


def _encode_plot(results: dict[str, dict[str, Figures]]) -> str:
    return _times_plot("From text to symbol, version 10", results["against"]["10"])


def _png_plot(results: dict[str, Figures]) -> str:
    case = next(iter(results))
    return _times_plot(case, results[case])


def _styles_plot(results: dict[str, dict[str, Figures]]) -> str:
    case = next(iter(results["against"]))
    return _times_plot(f"From text to a styled PNG: {case}", results["against"][case])


def _times_plot(title: str, figures: Figures) -> str:
    rows = [Row(name, x["median"], f"{_us(x['median'])} us", name == "fastcore") for name, x in figures.items()]
    return dots(title, "microseconds, less is better; each line is ten times the one before", rows)


def _redirect_plot(results: dict[str, Figures]) -> str:
    rows = [
        Row(name, values["per_second"], f"{values['per_second']:,.0f}", name.startswith("qredge"))
        for name, values in results["against"].items()
    ]
    return bars("Redirects a second", "on one processor, more is better; only qredge keeps each scan", rows)


def _http_plot(results: Figures) -> str:
    rows = [
        Row(name, values["per_second"], f"{values['per_second']:,.0f}", name in OURS)
        for name, values in results.items()
    ]
    note = "on one processor, more is better; each line is ten times the one before"
    return dots("Answers a second, by HTTP", note, rows)


#: By the name of the bench: its table, of its figures.
TABLES: dict[str, Callable[[Any], str]] = {
    "png": _png,
    "styles": _styles,
    "redirect": _redirect,
    "http": _http,
    "links": _links,
    "kernels": _kernels,
    "stats": _stats,
    "writer": _writer,
}
PUBLISHED = frozenset([*TABLES, "encode"])

#: By the name of the bench: its plots, by their names, of its figures.
PLOTS: dict[str, dict[str, Callable[[Any], str]]] = {
    "encode": {"encode": _encode_plot, "growth": _growth_plot},
    "png": {"png": _png_plot},
    "styles": {"styles": _styles_plot},
    "redirect": {"redirect": _redirect_plot},
    "http": {"http": _http_plot},
}


if __name__ == "__main__":
    main()
