"""How quiet the machine was while something was measured, and whether that was quiet enough to be published.

* `others`: the share of the machine's processors that others had meanwhile. That is what it spent in all, other
  machines on the same hardware included (/proc/stat, proc(5)), less what the run and all that it started spent.
* `clock`: by how much always the same work took another time behind the run than before it, each the median of some
  seconds.
* `unsure`, which stands beside each figure that is the median of rounds: how far, as a part of it, the median of ever
  more such rounds may be from it. `spread`, beside it: how far their quartiles are from each other, as a part of it.
  Rounds that differ more need to be more of them.
"""

import ctypes
import math
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
MOST_OTHERS, MOST_CLOCK, MOST_UNSURE = 0.05, 0.05, 0.05

#: Half of the interval around a median in which, 19 times out of 20, that of all there could be is; by the distance of
#: the quartiles and the root of the number of values. McGill, Tukey, Larsen: Variations of Box Plots, The American
#: Statistician 32 (1978), p. 16, from the standard error of a median of values that are normally distributed.
INTERVAL = 1.96 * 1.25 / 1.35

#: About 5 ms, again and again for so long. A processor that others have, too, changes its speed from second to second.
WORK, LISTEN_S = 200_000, 5.0

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
    until = time.monotonic() + LISTEN_S
    times = []
    while time.monotonic() < until:
        times.append(_once_s())
    return statistics.median(times)


def _once_s() -> float:
    began = time.process_time()
    sum(range(WORK))
    return time.process_time() - began


def scatter(values: Sequence[float]) -> dict[str, float]:
    """What stands beside the median of these: `spread` and `unsure`, as parts of it."""
    first, median, third = statistics.quantiles(values, n=4)
    spread = (third - first) / median
    return {"spread": spread, "unsure": INTERVAL * spread / math.sqrt(len(values))}


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
    for case, part in unsure(found["results"]):
        if part > MOST_UNSURE:
            yield f"{name}: {case}: its median is known to {part:.1%}, and has to be to {MOST_UNSURE:.0%}"


def unsure(results: object, *place: str) -> Iterator[tuple[str, float]]:
    """Each case, and how well its median is known."""
    if isinstance(results, Mapping):
        for key, value in results.items():
            if key == "unsure":
                yield ", ".join(place), float(value)
            else:
                yield from unsure(value, *place, str(key))
