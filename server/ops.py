"""Whether this process lives, and whether it can redirect: for load balancers, for monitors and for people."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

import orjson
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from pydantic import with_config
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from server.openapi import File, operation, shown
from server.requests import BOUNDS_S, Requests

BOUNDS = [*map(str, BOUNDS_S), "+Inf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What there is to tell of this process."""

    #: Links in memory; None before any are.
    links: int | None
    #: Whether they are those of a snapshot, as the database has not been reached since this process began.
    from_snapshot: bool
    #: How old the snapshot is that a process would start from now; None where there is none.
    snapshot_age_s: float | None
    #: Scans that were answered and could not be kept.
    scans_dropped: int


@with_config(shown({"status": "alive"}))
class LivezAnswer(TypedDict):
    status: Literal["alive"]


@with_config(
    shown({"status": "ready", "links": 1200, "links_from": "database", "snapshot_age_s": 61.5, "scans_dropped": 0})
)
class ReadyzAnswer(TypedDict):
    status: Literal["ready", "starting"]
    links: int
    links_from: Literal["database", "snapshot"] | None
    snapshot_age_s: float | None
    scans_dropped: int


def routes(health: Callable[[], Health], requests: Requests) -> list[Route]:
    registry = CollectorRegistry()
    registry.register(_Worker(health, requests))

    @operation(answers={200: LivezAnswer})
    async def livez(request: Request) -> Response:
        """Find out whether the process lives."""
        return _json({"status": "alive"})

    @operation(answers={200: ReadyzAnswer, 503: ReadyzAnswer})
    async def readyz(request: Request) -> Response:
        """Find out whether the process takes scans.

        It does so as well where it redirects from a snapshot, as the database is down.
        """
        now = health()
        ready = now.links is not None
        source = ("snapshot" if now.from_snapshot else "database") if ready else None
        return _json(
            {
                "status": "ready" if ready else "starting",
                "links": now.links or 0,
                "links_from": source,
                "snapshot_age_s": now.snapshot_age_s,
                "scans_dropped": now.scans_dropped,
            },
            200 if ready else 503,
        )

    @operation(answers={200: File("text/plain")})
    async def metrics(request: Request) -> Response:
        """Get the metrics of the worker that answers, for Prometheus."""
        headers = {"cache-control": "no-store", "content-type": CONTENT_TYPE_PLAIN_0_0_4}
        return Response(generate_latest(registry), 200, headers)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


class _Worker(Collector):
    """The metrics of this worker: others have other numbers, and any of them may answer the next request."""

    def __init__(self, health: Callable[[], Health], requests: Requests) -> None:
        self._health = health
        self._requests = requests

    def collect(self) -> Iterator[Metric]:
        now, pid = self._health(), str(os.getpid())
        for name, kind, text, value in (
            ("qredge_links", GaugeMetricFamily, "Links in memory.", now.links or 0),
            (
                "qredge_links_from_snapshot",
                GaugeMetricFamily,
                "1 while they are those of a snapshot.",
                now.from_snapshot,
            ),
            ("qredge_snapshot_age_seconds", GaugeMetricFamily, "Age of the snapshot on disk.", now.snapshot_age_s),
            ("qredge_scans_dropped", CounterMetricFamily, "Scans that were answered and not kept.", now.scans_dropped),
        ):
            family = kind(name, text, labels=["pid"])
            if value is not None:
                family.add_metric([pid], value)
            yield family
        labels = ["pid", "route", "method"]
        answered = CounterMetricFamily("qredge_api_requests", "Requests of the API.", labels=[*labels, "status"])
        took = HistogramMetricFamily("qredge_api_seconds", "How long until an answer of the API began.", labels=labels)
        for (route, method), series in sorted(self._requests.series.items()):
            for digit, count in enumerate(series.statuses):
                if count:
                    answered.add_metric([pid, route, method, f"{digit}xx"], count)
            buckets = list(zip(BOUNDS, accumulate(series.took), strict=True))
            took.add_metric([pid, route, method], buckets, series.seconds)
        yield answered
        yield took


def _json(value: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, {"cache-control": "no-store"}, "application/json")
