"""How quiet the machine was while something was measured, and whether that was quiet enough to be published.

* `others`: the share of the machine's processors that others had meanwhile. That is what it spent in all, other
  machines on the same hardware included (/proc/stat, proc(5)), less what the run and all that it started spent.
* `clock`: by how much always the same work took another time behind the run than before it.
* `spread`, which stands beside each figure that has rounds: how far their quartiles are from each other, as a part of
  their median.
"""

import ctypes
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NotRequired, TypedDict

import psutil

#: The most of each that is published.
MOST_OTHERS, MOST_CLOCK, MOST_SPREAD = 0.05, 0.05, 0.10

#: About 5 ms, so often; the shortest counts, as nothing that happens beside it makes it shorter.
WORK, TIMES = 200_000, 40

#: What the machine spends for whoever runs on it. What it does for its network is nobody's.
SPENT = ("user", "nice", "system", "steal")

#: How long those may take to end that a run has left behind.
END_S = 20.0

#: linux/prctl.h
PR_SET_CHILD_SUBREAPER = 36


class Noise(TypedDict):
    """Of a run."""

    others: float
    clock: float


class Results(TypedDict):
    """What `measure.save` wrote; and, where somebody has listened, what there was to hear."""

    machine: Mapping[str, str]
    results: object
    noise: NotRequired[Noise]


# --- listening ----------------------------------------------------------------------------------------------------


def watched(command: Sequence[str]) -> tuple[int, Noise]:
    """Runs a command to its end; its exit code, and what there was beside it. This process has no other children."""
    _adopt_orphans()
    work_s, spent_s, own_s, began = _work_s(), _spent_s(), _own_s(), time.monotonic()
    code = subprocess.run(command, check=False).returncode
    _wait_for_orphans()
    own_s, spent_s, took_s = _own_s() - own_s, _spent_s() - spent_s, time.monotonic() - began
    others = max(0.0, spent_s - own_s) / (took_s * (psutil.cpu_count() or 1))
    return code, {"others": others, "clock": abs(_work_s() / work_s - 1)}


def _adopt_orphans() -> None:
    """PostgreSQL leaves whoever has started it. What it has spent is told to its parent at its end: this process."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _wait_for_orphans() -> None:
    deadline = time.monotonic() + END_S
    while time.monotonic() < deadline:
        try:
            ended, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not ended:
            time.sleep(0.01)


def _spent_s() -> float:
    times = psutil.cpu_times()
    return sum(getattr(times, name, 0.0) for name in SPENT)


def _own_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _work_s() -> float:
    return min(_once_s() for _ in range(TIMES))


def _once_s() -> float:
    began = time.process_time()
    sum(range(WORK))
    return time.process_time() - began


def spread(values: Sequence[float]) -> float:
    """How far the quartiles are from each other, as a part of the median."""
    first, median, third = statistics.quantiles(values, n=4, method="inclusive")
    return (third - first) / median


# --- judging ------------------------------------------------------------------------------------------------------


def refusals(name: str, found: Results) -> Iterator[str]:
    """Why what this bench has found is not to be published; nothing where it is."""
    noise = found.get("noise")
    if noise is None:
        yield f"{name}: nobody has listened to what was beside it; run it by `python -m bench {name}`"
        return
    if noise["others"] > MOST_OTHERS:
        yield f"{name}: others had {noise['others']:.1%} of the processors, and may have {MOST_OTHERS:.0%}"
    if noise["clock"] > MOST_CLOCK:
        yield f"{name}: the clock changed its speed by {noise['clock']:.1%}, and may by {MOST_CLOCK:.0%}"
    for case, part in spreads(found["results"]):
        if part > MOST_SPREAD:
            yield f"{name}: {case}: the quartiles of its rounds are {part:.1%} apart, and may be {MOST_SPREAD:.0%}"


def spreads(results: object, *place: str) -> Iterator[tuple[str, float]]:
    """Each case, and how much its rounds differ."""
    if isinstance(results, Mapping):
        for key, value in results.items():
            if key == "spread":
                yield ", ".join(place), float(value)
            else:
                yield from spreads(value, *place, str(key))
