"""What processes count is added up, by whichever of them is asked."""

import os
import subprocess
import sys
from pathlib import Path

from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from server.metrics import ENDED, Metrics
from server.requests import BOUNDS_S, Durations

#: As a process counts, publishes, and is killed.
KILLED = """
import os, signal, sys
from pathlib import Path
from server.metrics import Metrics
metrics = Metrics(Path(sys.argv[1]))
metrics.count("things", "Things.", lambda: 10)
metrics.gauge("standing", "How things stand.", lambda: 7)
metrics.publish()
os.kill(os.getpid(), signal.SIGKILL)
"""


def process(folder: Path, things: int) -> Metrics:
    metrics, took = Metrics(folder), Durations()
    took.add(0.0007)
    took.add(60.0)
    metrics.count("things", "Things.", lambda: things)
    metrics.gauge("standing", "How things stand.", lambda: things / 2)
    metrics.gauge("unknown", "What nobody knows.", lambda: None)
    metrics.tell("took_seconds", "histogram", "How long.", lambda: [(("a",), took.numbers())], labels=("kind",))
    metrics.publish()
    return metrics


def told(metrics: Metrics) -> dict[str, dict[tuple[str, ...], float]]:
    """By name, by the values of labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(generate_latest(metrics).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return found


def test_counts_of_all_are_added_up_by_each(tmp_path: Path) -> None:
    one, other = process(tmp_path, 3), process(tmp_path, 4)
    for asked in (one, other):
        found = told(asked)
        assert found["qredge_things_total"] == {(): 7}
        assert found["qredge_took_seconds_count"] == {("a",): 4}
        assert found["qredge_took_seconds_sum"] == {("a",): 2 * 60.0007}
        assert found["qredge_took_seconds_bucket"]["a", str(BOUNDS_S[3])] == 0
        assert found["qredge_took_seconds_bucket"]["a", "0.001"] == 2
        assert "qredge_unknown" not in found


def test_its_own_are_told_as_they_are_now(tmp_path: Path) -> None:
    things = 1
    metrics = Metrics(tmp_path)
    metrics.count("things", "Things.", lambda: things)
    metrics.publish()
    things = 2
    assert told(metrics)["qredge_things_total"] == {(): 2}


def test_what_ended_still_counts_and_stands_no_more(tmp_path: Path) -> None:
    mine = process(tmp_path, 3)
    for ended in (1, 2):
        subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
        found = told(mine)
        assert found["qredge_things_total"] == {(): 3 + 10 * ended}
        assert found["qredge_standing"] == {(str(os.getpid()),): 1.5}
    process(tmp_path, 1).close()  # who comes next puts those who have ended into one file
    assert told(mine)["qredge_things_total"] == {(): 24}
    assert len(list(tmp_path.glob("*-*.json"))) == 2
    assert (tmp_path / ENDED).exists()


def test_a_file_that_cannot_be_read_counts_nothing(tmp_path: Path) -> None:
    metrics = process(tmp_path, 3)
    for name, text in (("1-a.json", "[[1"), ("2-b.json", '[["x"]]'), ("3-c.json", "{}"), (ENDED, "")):
        (tmp_path / name).write_text(text)
    assert told(metrics)["qredge_things_total"] == {(): 3}
