"""What was measured beside other work is not published, and it is said why."""

import json
import random
import statistics
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from bench.noise import MOST_CLOCK, MOST_OTHERS, MOST_UNSURE, Noise, Results, refusals, scatter

QUIET: Noise = {"others": MOST_OTHERS, "clock": MOST_CLOCK}
ROUNDS = {"spread": 0.2, "unsure": MOST_UNSURE, "median": 5.0}

#: A process that its parent leaves behind at once, and that works for half a second.
ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    while time.process_time() < 0.5:
        pass
"""
BUSY = "import time\nwhile time.process_time() < 0.5: pass"


def found(noise: Noise, results: object) -> Results:
    return {"machine": {}, "results": results, "noise": noise}


def fresh(code: str) -> str:
    """What a new interpreter says to it: who watches has no other children."""
    command = [sys.executable, "-c", f"import sys\nfrom bench import noise\nnoise.LISTEN_S = 0.2\n{code}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def watched(command: str, before: str = "") -> tuple[int, Noise]:
    """What there was beside this piece of Python."""
    code = f"{before}\nimport json\nprint(json.dumps(noise.watched([sys.executable, '-c', {command!r}])))"
    exit_code, noise = json.loads(fresh(code))
    return exit_code, noise


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Each processor has somebody who wants all of it."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(psutil.cpu_count() or 1)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def test_what_was_measured_on_a_quiet_machine_is_published() -> None:
    assert list(refusals("http", found(QUIET, {"GET": ROUNDS, "POST": {"p99_ms": 3.0}}))) == []


def test_each_reason_is_told_with_its_case_and_how_noisy_it_was() -> None:
    results = {"against": {"3": {"fastcore": ROUNDS, "segno": {"unsure": 0.234}}}}
    assert list(refusals("encode", found({"others": 0.123, "clock": 0.071}, results))) == [
        "encode: others had 12.3% of the processors, and may have 5%",
        "encode: the clock changed its speed by 7.1%, and may by 5%",
        "encode: against, 3, segno: its median is known to 23.4%, and has to be to 5%",
    ]


def test_what_nobody_has_listened_to_is_refused() -> None:
    (why,) = refusals("png", {"machine": {}, "results": {}})
    assert "nobody has listened" in why
    assert "python -m bench png" in why


def test_the_spread_is_the_distance_of_the_quartiles_by_the_median() -> None:
    assert scatter([5.0, 1.0, 2.0, 4.0, 3.0])["spread"] == pytest.approx(1)
    assert scatter([7.0] * 5) == {"spread": 0, "unsure": 0}


@pytest.mark.parametrize("rounds", [9, 31, 60])
def test_a_median_is_as_sure_as_it_says(rounds: int) -> None:
    """Of many runs, so many rounds each, the true median is farther away in one of twenty."""
    lots = random.Random(1)
    runs = 2000
    missed = 0
    for _ in range(runs):
        values = [lots.gauss(10, 1) for _ in range(rounds)]
        middle = statistics.median(values)
        missed += abs(middle - 10) > scatter(values)["unsure"] * middle
    assert missed / runs == pytest.approx(0.05, abs=0.02)


def test_a_machine_that_others_use_is_noisy(busy_machine: None) -> None:
    code, noise = watched(BUSY)
    assert code == 0
    assert noise["others"] > MOST_OTHERS
    assert any("others had" in why for why in refusals("png", found(noise, {})))


def test_what_the_run_leaves_behind_is_waited_for_and_is_its_own() -> None:
    code = f"own = noise._own_s()\nnoise.watched([sys.executable, '-c', {ORPHAN!r}])\nprint(noise._own_s() - own)"
    assert float(fresh(code)) >= 0.5


def test_a_clock_that_has_changed_its_speed_is_told() -> None:
    before = "times = iter([0.010, 0.012])\nnoise._work_s = lambda: next(times)"
    _, noise = watched("pass", before)
    assert noise["clock"] == pytest.approx(0.2)


def test_the_exit_code_is_handed_on() -> None:
    code, _ = watched("raise SystemExit(3)")
    assert code == 3
