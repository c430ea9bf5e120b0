"""Turn bench/results/*.json into tables and a plot: python -m bench.report.

They go into docs/performance.md, and the four lines that matter most into the README.
Everything between a pair of markers in a page is replaced; no figure on it is typed by hand.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from bench.measure import RESULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.measure import Figures

DOCS = Path(__file__).parent.parent / "docs"
README = DOCS.parent / "README.md"
PAGE = DOCS / "performance.md"
PLOT = DOCS / "performance.svg"


#: The tables of bench.redirect, and what their lines are.
REDIRECT = {"against": "one hot link", "links": "qredge against bare ASGI, by its links"}


class Results(TypedDict):
    """What measure.save wrote."""

    machine: dict[str, str]
    results: object


def _load(name: str) -> Results:
    return cast("Results", json.loads((RESULTS / f"{name}.json").read_text()))


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _us(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _encode(against: dict[str, Figures]) -> str:
    labels = list(next(iter(against.values())))
    rows = []
    for version, figures in against.items():
        ours = figures["fastcore"]["median"]
        cells = [_us(ours)]
        cells += [f"{_us(figures[x]['median'])} ({figures[x]['median'] / ours:,.0f} x)" for x in labels[1:]]
        rows.append([version, *cells])
    return _table(["version", *labels], rows)


def _png(results: dict[str, Figures]) -> str:
    labels = list(next(iter(results.values())))
    rows = []
    for case, figures in results.items():
        ours = figures["fastcore"]["median"]
        cells = [_us(ours)]
        cells += [f"{_us(figures[x]['median'])} ({figures[x]['median'] / ours:,.1f} x)" for x in labels[1:]]
        cells += [f"{figures[label]['bytes']:,.0f}" for label in labels]
        rows.append([case, *cells])
    return _table(["", *(f"{x}, us" for x in labels), *(f"{x}, bytes" for x in labels)], rows)


def _styles(styles: Results) -> str:
    """What is compared, then print sizes, and the machine they were drawn on."""
    results = cast("dict[str, dict[str, Figures]]", styles["results"])
    large = [
        [name, f"{values['median'] / 1000:,.0f}", f"{values['bytes'] / 1000:,.0f}", f"{values['megabytes']:,.0f}"]
        for name, values in cast("Figures", results["large"]).items()
    ]
    head = ["rounded, 9,000 px", "ms", "kB of file", "MB of memory above idle"]
    where = f"Measured on {styles['machine']['processor']}, {styles['machine']['date']}."
    return f"{_png(results['against'])}\n\n{_table(head, large)}\n\n{where}"


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
            f"{values['times_fastapi']:,.0f} x" if "times_fastapi" in values else "",
        ]
        for name, values in results.items()
    ]
    return _table(["", "a second", "ratio", "p99, ms", "against FastAPI + segno"], rows)


def _stats(stats: Results) -> str:
    """By what was asked, redirects beside it, and the machine that was asked."""
    results = cast("dict[str, Figures]", stats["results"])
    rows = [
        [name, *(f"{times[each]:.1f}" for each in ("p50", "p95", "worker", "database"))]
        for name, times in results["questions"].items()
    ]
    head = ["", "median, ms", "p95, ms", "processor, worker, ms", "and PostgreSQL, ms"]
    redirects = results["redirects"].items()
    beside = [[name, *(f"{times[each]:.2f}" for each in ("p50", "p95", "p99"))] for name, times in redirects]
    where = f"Measured on {stats['machine']['processor']}, {stats['machine']['date']}."
    beside_head = ["a redirect, with", "median, ms", "p95, ms", "p99, ms"]
    return f"{_table(head, rows)}\n\n{_table(beside_head, beside)}\n\n{where}"


def _writer(writer: Results) -> str:
    """What each part takes, and the machine that took it."""
    results = cast("Figures", writer["results"])
    rows = [[name, f"{values['per_second']:,.0f}", f"{values['us']:.1f}"] for name, values in results.items()]
    where = f"Measured on {writer['machine']['processor']}, {writer['machine']['date']}."
    return f"{_table(['', 'scans a second', 'us each'], rows)}\n\n{where}"


def _redirects(against: Figures) -> str:
    rows = [[name, f"{values['per_second']:,.0f}", f"{values['ratio']:.2f}"] for name, values in against.items()]
    return _table(["", "302 a second", "against bare ASGI"], rows)


def _growth(growth: Figures) -> str:
    """A plot of microseconds by version, both linear."""
    width, height, left, bottom = 640, 320, 50, 30
    top_us = max(values["median"] for values in growth.values()) * 1.05
    x = [left + (width - left - 10) * (int(version) - 1) / 39 for version in growth]
    y = [height - bottom - (height - bottom - 10) * v["median"] / top_us for v in growth.values()]
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    marks = []
    for version in (1, 10, 20, 30, 40):
        at = x[version - 1]
        marks.append(f'<text x="{at:.0f}" y="{height - 10}" text-anchor="middle">{version}</text>')
    step = 10 ** (len(str(int(top_us))) - 1)
    for us in range(0, int(top_us) + 1, step):
        at = height - bottom - (height - bottom - 10) * us / top_us
        marks.append(f'<path d="M{left} {at:.1f}H{width - 10}" stroke="#ddd"/>')
        marks.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{us}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="12"><rect width="{width}" height="{height}" fill="#fff"/>{"".join(marks)}'
        f'<polyline points="{line}" fill="none" stroke="#06c" stroke-width="2"/>'
        f'<text x="{left + 8}" y="22">microseconds to encode a full symbol, by version</text></svg>\n'
    )


def _four_lines(against: dict[str, Figures], drawn: dict[str, Figures]) -> str:
    """The figures for whoever reads no further: three versions encoded, and a URL all the way to a file."""
    lines = [(f"text to symbol, version {version}", against[version]) for version in ("3", "10", "40")]
    case = next(iter(drawn))
    lines.append((case, drawn[case]))
    rows = []
    for name, figures in lines:
        ours = figures["fastcore"]["median"]
        library = next(label for label in figures if label.startswith("libqrencode"))
        ratios = [figures[label]["median"] / ours for label in (library, "segno")]
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
    """What was not measured here stays as it is in the pages."""
    found = {path.stem: _load(path.stem) for path in sorted(RESULTS.glob("*.json"))}
    figures = {name: cast("dict[str, Any]", each["results"]) for name, each in found.items()}
    pages: dict[Path, dict[str, str]] = {PAGE: {}, README: {}}
    if encode := figures.get("encode"):
        growth = encode["growth"]
        rows = [[v, _us(x["median"])] for v, x in growth.items() if int(v) % 5 == 0 or v == "1"]
        machine = "\n".join(f"* {key}: {value}" for key, value in found["encode"]["machine"].items())
        pages[PAGE] |= {
            "machine": machine,
            "encode": _encode(encode["against"]),
            "growth": _table(["version", "us"], rows),
        }
        PLOT.write_text(_growth(growth))
        if png := figures.get("png"):
            pages[README]["figures"] = _four_lines(encode["against"], png)
    if redirect := figures.get("redirect"):
        pages[README]["redirects"] = _redirects(redirect["against"])
    for name, table in TABLES.items():
        if name in figures:
            pages[PAGE][name] = table(figures[name])
    for name, section in SECTIONS.items():
        if name in found:
            pages[PAGE][name] = section(found[name])
    for page, parts in pages.items():
        _replace(page, parts)


def _links(results: dict[str, str]) -> str:
    return _table(["", ""], [[name, text] for name, text in results.items()])


#: By the name of the bench: its table, of its figures; and its section, which says the machine, too.
TABLES: dict[str, Callable[[Any], str]] = {
    "png": _png,
    "redirect": _redirect,
    "http": _http,
    "links": _links,
    "kernels": _kernels,
}
SECTIONS: dict[str, Callable[[Results], str]] = {"styles": _styles, "stats": _stats, "writer": _writer}


if __name__ == "__main__":
    main()
