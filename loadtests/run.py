"""A server under the load of all its users, and whether it keeps its limits: `make load`, or python -m loadtests.run

It has a PostgreSQL and a Redis of its own, or it is one that runs elsewhere (`--site`). Locust makes the load from one
process; docs/loadtests.md says what that can push, and how to have more. The exit code is 1 where a request failed,
where a class of requests took longer than limits.toml allows, or where the log has not as many scans as were answered.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from loadtests.shapes import SHAPES
from loadtests.site import LINKS, Site, make
from tests.faults import PostgresServer
from tests.support import RedisServer, ServerProcess

HERE = Path(__file__).parent
LIMITS = HERE / "limits.toml"
REPORTS = Path("build/load")

WORKERS = 2
#: The class of requests that are scans.
SCAN = "scan"
#: Requests that are under way as the time ends have so long to end.
STOP_S = 10
#: All scans that were answered are in the figures by then.
WRITTEN_S = 60.0


class Class(NamedTuple):
    """Requests of one kind, as locust counts them."""

    requests: int
    failures: int
    #: By milliseconds; above 100 they are rounded to two digits.
    times: Counter[int]

    def percentile(self, share: float) -> int:
        """Milliseconds within which so many were answered; 0 without any."""
        left = share * self.times.total()
        for ms, count in sorted(self.times.items()):
            left -= count
            if left <= 0:
                return ms
        return 0


Classes = dict[str, Class]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.run", description="Loads a server, and judges it.")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--users", type=int, default=100, help="at most")
    parser.add_argument("--shape", default="soak", choices=SHAPES)
    parser.add_argument("--only", nargs="+", default=[], metavar="USER", help="Visitor, Printer, Operator or Vendor")
    parser.add_argument("--links", type=int, default=LINKS, help="of a server of its own")
    parser.add_argument("--site", type=Path, help="of a server that runs elsewhere: what loadtests.site has written")
    parser.add_argument("--limits", type=Path, default=LIMITS)
    parser.add_argument("--reports", type=Path, default=REPORTS, help="folder of the HTML report")
    chosen = parser.parse_args()
    chosen.reports.mkdir(parents=True, exist_ok=True)
    with given(chosen.site) if chosen.site else own(chosen.links) as site:
        before = site.scans()
        began = time.monotonic()
        classes = loaded(site, chosen)
        seconds = time.monotonic() - began
        answered = answers(classes)
        counted = scans(site, before, answered)
    broken = judged(classes, tomllib.loads(chosen.limits.read_text()), answered=answered, counted=counted)
    print(table(classes, seconds))
    print(f"{answered:,} scans answered, {counted:,} in the log; report: {chosen.reports / 'report.html'}")
    for sentence in broken:
        print(sentence)
    sys.exit(1 if broken else 0)


# --- who is loaded -----------------------------------------------------------------------------------------------


@contextmanager
def given(path: Path) -> Iterator[Site]:
    yield Site.read(str(path))


@contextmanager
def own(links: int) -> Iterator[Site]:
    """PostgreSQL, Redis and a server with its workers."""
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        postgres, redis = PostgresServer(folder / "postgres"), RedisServer()
        postgres.start()
        redis.start()
        server = ServerProcess(folder / "data", database_url=postgres.url, redis_url=redis.url, workers=str(WORKERS))
        try:
            server.start()
            with server.client() as client:
                key = client.headers["authorization"].removeprefix("Bearer ")
            yield make(server.url, key, links=links)
            assert server.stop() == 0, "the server did not stop as it should"
        finally:
            server.kill()
            redis.kill()
            postgres.kill()


def loaded(site: Site, chosen: argparse.Namespace) -> Classes:
    """Runs locust, and returns what it counted."""
    with tempfile.TemporaryDirectory(prefix="qredge-") as folder:
        path, stats = Path(folder) / "site.json", Path(folder) / "stats"
        path.write_bytes(site.dump())
        command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py"), "--headless", "--only-summary"]
        command += ["--users", str(chosen.users), "--run-time", f"{round(chosen.minutes * 60)}s"]
        command += ["--stop-timeout", str(STOP_S), "--exit-code-on-error", "0", "--loglevel", "WARNING"]
        command += ["--html", str(chosen.reports / "report.html"), "--json-file", str(stats)]
        command += ["--site", str(path), "--shape", chosen.shape, *chosen.only]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return counted_by_class(orjson.loads(stats.with_suffix(".json").read_bytes()))


def counted_by_class(stats: list[dict[str, Any]]) -> Classes:
    """Locust counts each method by itself."""
    requests, failures = Counter[str](), Counter[str]()
    times: dict[str, Counter[int]] = defaultdict(Counter)
    for entry in stats:
        requests[entry["name"]] += entry["num_requests"]
        failures[entry["name"]] += entry["num_failures"]
        times[entry["name"]].update({round(float(ms)): count for ms, count in entry["response_times"].items()})
    return {name: Class(requests[name], failures[name], times[name]) for name in sorted(requests)}


# --- what is to be said of it --------------------------------------------------------------------------------------


def answers(classes: Classes) -> int:
    """Scans that were answered by a redirect."""
    scanned = classes.get(SCAN)
    return scanned.requests - scanned.failures if scanned else 0


def scans(site: Site, before: int, answered: int) -> int:
    """Those in the log, once they are as many as were answered, or never will be."""
    deadline = time.monotonic() + WRITTEN_S
    while True:
        counted = site.scans() - before
        if counted >= answered or time.monotonic() > deadline:
            return counted
        time.sleep(0.1)


def judged(classes: Classes, limits: Mapping[str, Any], *, answered: int, counted: int) -> list[str]:
    """What is not as it should be, in a sentence each."""
    broken = [
        f"{each.failures:,} of {each.requests:,} requests failed: {name}"
        for name, each in classes.items()
        if each.failures
    ]
    if not classes:
        broken.append("nothing was asked")
    if counted != answered:
        broken.append(f"{answered:,} scans were answered, and {counted:,} are in the log")
    for name, most in limits["p99_ms"].items():
        if name in classes and (took := classes[name].percentile(0.99)) > most:
            broken.append(f"p99 of {took} ms, where {most} are allowed: {name}")
    broken += [f"limits.toml has no limit: {name}" for name in classes.keys() - limits["p99_ms"].keys()]
    return broken


def table(classes: Classes, seconds: float) -> str:
    lines = [f"{'':18}{'requests':>10}{'a second':>10}{'failed':>8}{'p50 ms':>8}{'p99 ms':>8}"]
    for name, each in classes.items():
        lines.append(
            f"{name:18}{each.requests:10,}{each.requests / seconds:10,.0f}{each.failures:8,}"
            f"{each.percentile(0.5):8,}{each.percentile(0.99):8,}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
