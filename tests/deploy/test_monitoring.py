"""The dashboard and the alerts ask for metrics that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support import ServerProcess

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "alerts.yml"
DASHBOARD = json.loads((DEPLOY / "grafana.json").read_text())

SUFFIXES = ("_bucket", "_count", "_sum", "_total")
#: Braces with the labels that are asked for, or what stands behind "by".
LABELS = re.compile(r"\{([^}]*)\}|by \(([^)]*)\)")

panels = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
rules = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]
expressions = {
    **{f"alert {rule['alert']}": rule["expr"] for rule in rules},
    **{f"panel {panel['title']} {each['refId']}": each["expr"] for panel in panels for each in panel["targets"]},
}


@pytest.fixture(scope="module")
def metrics(server: ServerProcess) -> dict[str, set[str]]:
    """Names, each with its labels; of a server without Redis, on which nothing was refused."""
    with server.client() as api:
        api.post("/render", json={"content": {"type": "text", "text": "drawn"}}).raise_for_status()
    text = httpx.get(f"{server.url}/metrics", verify=False).text
    found = {
        family.name: {label for each in family.samples for label in each.labels}
        for family in text_string_to_metric_families(text)
    }
    return found | {"qredge_redis_up": {"pid"}, "qredge_refused": {"limit"}, "qredge_snapshot_age_seconds": {"pid"}}


@pytest.mark.parametrize("expression", expressions.values(), ids=expressions)
def test_what_is_asked_for_is_told(expression: str, metrics: dict[str, set[str]]) -> None:
    names = set(re.findall(r"qredge_[a-z_]+", expression))
    assert names
    known = {"le", *(label for name in names for label in metrics[_family(name, metrics)])}
    for braces, grouped in LABELS.findall(expression):
        asked = re.findall(r"(\w+)=", braces) + re.findall(r"\w+", grouped)
        assert asked
        assert set(asked) <= known


def _family(name: str, metrics: dict[str, set[str]]) -> str:
    if name in metrics:
        return name
    return next(name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix))


def test_every_metric_is_on_the_dashboard(metrics: dict[str, set[str]]) -> None:
    shown = " ".join(expressions.values())
    assert [name for name in metrics if name not in shown] == []


def test_alerts_are_whole() -> None:
    names = [rule["alert"] for rule in rules]
    assert len(names) == len(set(names)) > 5
    for rule in rules:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is part of Prometheus, which is not here")
def test_promtool_takes_the_alerts() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_panels_do_not_overlap() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        place: dict[str, Any] = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]
