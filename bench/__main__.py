"""Measures, and publishes what it found where the machine was quiet enough: python -m bench [NAME ...|all]

Each bench has a process of its own, and none beside it. What one has found is in bench/results/NAME.json; bench.report
makes of these the tables and plots of docs/performance.md and the README, and says what it refuses, and why.
"""

import argparse
import json
import sys
import time

from bench import report
from bench.measure import RESULTS
from bench.noise import refusals, watched

#: In this order.
BENCHES = ("encode", "kernels", "png", "styles", "redirect", "http", "writer", "links", "stats")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*BENCHES, "all"], default="all")
    asked = parser.parse_args().names
    failed = [name for name in BENCHES if (name in asked or "all" in asked) and not run(name)]
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    report.main()
    sys.exit(1 if failed else 0)


def run(name: str) -> bool:
    """Whether it went well. What was found is kept also where it is not what it should be."""
    print(f"--- bench.{name}", flush=True)
    path, began = RESULTS / f"{name}.json", time.time()
    code, noise = watched([sys.executable, "-m", f"bench.{name}"])
    if path.exists() and path.stat().st_mtime >= began:
        found = json.loads(path.read_text()) | {"noise": noise}
        path.write_text(json.dumps(found, indent=1) + "\n")
        for why in refusals(name, found):
            print(why, file=sys.stderr, flush=True)
    return code == 0


if __name__ == "__main__":
    main()
