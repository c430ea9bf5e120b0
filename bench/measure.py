"""How a measurement is made, for all benches.

Each case has a process of its own, pinned to one processor. Its contestants take turns, round after round, so that
whatever disturbs the machine disturbs all of them; each round times as many calls as take about 10 ms. The median of
the rounds is the result, for the time and for its ratio to that of the first contestant in the same round; the
smallest and the largest time, and how the ratios scatter (bench/noise.py), are kept beside it. Ratios mean something on
any machine; microseconds only on the machine that is named in the results, at the speed that it had.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bench.noise import scatter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RESULTS = Path(__file__).parent / "results"
ROUND_S = 0.01
ROUNDS = 15

Figures = dict[str, dict[str, float]]


def compare(contestants: Mapping[str, Callable[[], object]], rounds: int = ROUNDS) -> Figures:
    """Microseconds per call of each contestant: median, min and max over the rounds; and its ratio to the first one,
    and how that scatters. Of one alone its times do. Measured in a fork of this process, so that no case finds what
    another one has left in memory."""
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)
    case = fork.Process(target=lambda: sender.send(_compare(contestants, rounds)))
    case.start()
    sender.close()
    found = receiver.recv()
    case.join()
    return cast("Figures", found)


def _compare(contestants: Mapping[str, Callable[[], object]], rounds: int) -> Figures:
    repeats = {}
    for name, call in contestants.items():
        call()
        start = time.perf_counter()
        call()
        repeats[name] = max(1, int(ROUND_S / (time.perf_counter() - start)))
    seen: dict[str, list[float]] = {name: [] for name in contestants}
    gc.collect()
    gc.disable()
    try:
        for _ in range(rounds):
            for name, call in contestants.items():
                start = time.perf_counter()
                for _ in range(repeats[name]):
                    call()
                seen[name].append((time.perf_counter() - start) / repeats[name] * 1e6)
    finally:
        gc.enable()
    first = next(iter(seen.values()))
    found = {}
    for name, us in seen.items():
        ratios = [mine / theirs for mine, theirs in zip(us, first, strict=True)]
        scattered = scatter(ratios if len(seen) > 1 else us)
        found[name] = {"median": statistics.median(us), "min": min(us), "max": max(us), **scattered}
        found[name]["ratio"] = statistics.median(ratios)
    return found


def pin() -> None:
    """Stay on the last processor this process may use."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def machine() -> dict[str, str]:
    """What ran the bench."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        processor = lines[0].split(":", 1)[1].strip() if lines else processor
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": f"{os.cpu_count()} x {processor}",
        "system": f"{platform.system()} {platform.release()}",
        "governor": governor.read_text().strip() if governor.exists() else "not told",
        "python": platform.python_version(),
        "commit": commit or "unknown",
    }


def save(name: str, results: object) -> None:
    """Write results to bench/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"machine": machine(), "results": results}, indent=1) + "\n")
    sys.stdout.write(f"{path}\n")
