"""Looks up what the image is made of among the known vulnerabilities (pip-audit: PyPI's own database).

It fails where one has a vulnerability and a release without it. One without a remedy is told, and so is how many
packages could not be looked up: a database that cannot be reached says nothing of them, and fails nothing.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]

LOCKED = Path(__file__).parents[1] / "deploy" / "constraints.txt"


def main() -> int:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCKED), "--no-deps", "--disable-pip"]
    done = subprocess.run([*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        print(f"audit: NOT DONE, the database cannot be reached: {(done.stderr.strip() or '?').splitlines()[-1]}")
        return 0
    print(*told(report), sep="\n")
    return int(any(fixes for _, _, fixes in found(report)))


def found(report: Report) -> Iterator[tuple[str, str, list[str]]]:
    """Package, vulnerability, and the releases without it."""
    for each in report["dependencies"]:
        for vulnerability in each.get("vulns", ()):
            yield f"{each['name']} {each['version']}", vulnerability["id"], vulnerability["fix_versions"]


def told(report: Report) -> Iterator[str]:
    for package, name, fixes in found(report):
        yield f"audit: {package} has {name}; " + (f"not so {', '.join(fixes)}" if fixes else "there is no remedy yet")
    packages = report["dependencies"]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    yield f"audit: {len(packages) - len(unknown)} of {len(packages)} packages were looked up"
    if unknown:
        yield f"audit: NOT DONE for {', '.join(unknown)}"


if __name__ == "__main__":
    sys.exit(main())
