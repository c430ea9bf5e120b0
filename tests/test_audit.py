"""What `make audit` looks up, and what it makes of what it is told."""

import runpy
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

AUDIT = runpy.run_path(str(Path(__file__).parents[1] / ".ci" / "audit.py"))

REPORT = {
    "dependencies": [
        {"name": "good", "version": "1.0", "vulns": []},
        {"name": "bad", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]},
        {"name": "worse", "version": "2.0", "vulns": [{"id": "CVE-2", "fix_versions": []}]},
        {"name": "unknown", "skip_reason": "not found"},
    ]
}


def test_what_is_found_is_told_and_so_is_what_was_not_looked_up() -> None:
    assert list(AUDIT["told"](REPORT)) == [
        "audit: bad 1.0 has CVE-1; not so 1.1",
        "audit: worse 2.0 has CVE-2; there is no remedy yet",
        "audit: 3 of 4 packages were looked up",
        "audit: NOT DONE for unknown",
    ]


def test_only_what_could_be_mended_fails() -> None:
    assert [(package, fixes) for package, _, fixes in AUDIT["found"](REPORT)] == [
        ("bad 1.0", ["1.1"]),
        ("worse 2.0", []),
    ]


def test_there_is_a_locked_release_of_all_that_the_project_asks_for() -> None:
    lines = [line for line in AUDIT["LOCKED"].read_text().splitlines() if not line.startswith("#")]
    locked = dict(line.split("==") for line in lines)
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    for asked in map(Requirement, project["dependencies"]):
        assert locked[canonicalize_name(asked.name)] in asked.specifier, asked
