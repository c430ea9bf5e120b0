"""A load that keeps its limits ends well; one that does not says what is wrong, and its exit code does."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from loadtests.run import Class, counted_by_class, judged
from loadtests.shapes import SHAPES
from loadtests.site import Site, make
from tests.support import ServerProcess

LIMITS = {"p99_ms": {"scan": 20, "read": 5}}


def tell(scans: int = 100, failures: int = 0, ms: int = 3, name: str = "scan") -> dict[str, Class]:
    return {name: Class(scans, failures, Counter({1: scans - 2, ms: 2}))}


def test_a_run_that_keeps_its_limits_has_nothing_to_tell() -> None:
    assert judged(tell(), LIMITS, answered=100, counted=100) == []


@pytest.mark.parametrize(
    ("classes", "answered", "counted", "told"),
    [
        (tell(failures=1), 99, 99, "1 of 100 requests failed: scan"),
        (tell(), 100, 99, "100 scans were answered, and 99 are in the log"),
        (tell(), 100, 101, "100 scans were answered, and 101 are in the log"),
        (tell(ms=21), 100, 100, "p99 of 21 ms, where 20 are allowed: scan"),
        (tell(name="write"), 0, 0, "limits.toml has no limit: write"),
        ({}, 0, 0, "nothing was asked"),
    ],
)
def test_what_is_wrong_is_told(classes: dict[str, Class], answered: int, counted: int, told: str) -> None:
    assert judged(classes, LIMITS, answered=answered, counted=counted) == [told]


def test_methods_of_one_class_are_counted_together() -> None:
    stats = [
        {"name": "write", "num_requests": 3, "num_failures": 1, "response_times": {"2": 2, "7.0": 1}},
        {"name": "write", "num_requests": 2, "num_failures": 0, "response_times": {"2": 1, "30": 1}},
    ]
    counted = counted_by_class(stats)["write"]
    assert counted == Class(5, 1, Counter({2: 3, 7: 1, 30: 1}))
    assert [counted.percentile(share) for share in (0.5, 0.8, 0.99)] == [2, 7, 30]
    assert Class(0, 0, Counter()).percentile(0.99) == 0


@pytest.mark.parametrize(
    ("shape", "users"),
    [
        ("ramp", [0, 0.25, 0.5, 0.75, 1]),
        ("spike", [0.1, 0.1, 1, 0.1, 0.1]),
        ("soak", [0, 1, 1, 1, 1]),
        ("campaign", [0.1, 0.1, 1, 1, 1]),
    ],
)
def test_users_come_as_the_shape_says(shape: str, users: list[float]) -> None:
    assert [SHAPES[shape](at) for at in (0, 0.25, 0.5, 0.75, 1)] == users


@pytest.fixture(scope="module")
def site(server: ServerProcess, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with server.client() as client:
        key = client.headers["authorization"].removeprefix("Bearer ")
    path = tmp_path_factory.mktemp("load") / "site.json"
    path.write_bytes(make(server.url, key, links=300).dump())
    return path


def load(site: Path, p99_ms: int, *options: str) -> subprocess.CompletedProcess[str]:
    """All users for some seconds, where every class of requests may take so long."""
    limits, names = site.with_name("limits.toml"), ("picture", "render", "read", "write", "list", "stats", "vendor")
    limits.write_text("\n".join(["[p99_ms]", *(f'"{name}" = {p99_ms}' for name in (*names, "scan", "render, styled"))]))
    command = [sys.executable, "-m", "loadtests.run", "--minutes", "0.1", "--users", "60"]
    command += ["--site", str(site), "--limits", str(limits), "--reports", str(site.parent), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=90)


def test_all_users_are_served_and_their_scans_are_counted(site: Path) -> None:
    run = load(site, 60_000)
    assert run.returncode == 0, run.stdout + run.stderr
    told = {line.split()[0] for line in run.stdout.splitlines()}
    assert {"scan", "picture", "read", "write", "list", "stats", "vendor"} <= told
    assert "<html" in (site.parent / "report.html").read_text()


def test_a_crowd_at_one_code_is_too_much_for_a_limit_of_nothing(site: Path) -> None:
    before = Site.read(str(site)).scans()
    run = load(site, 0, "--shape", "campaign", "--only", "Visitor")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "where 0 are allowed: scan" in run.stdout
    assert "failed:" not in run.stdout
    assert Site.read(str(site)).scans() > before
