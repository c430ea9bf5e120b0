"""Whether this process lives, and whether it can redirect: for load balancers, for monitors and for people."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import orjson
from pydantic import with_config
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from server.openapi import File, operation, shown

#: Prometheus text format; docs of prometheus.io, "Exposition formats".
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


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


def routes(health: Callable[[], Health]) -> list[Route]:
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
        return Response("".join(_lines(health())), 200, {"cache-control": "no-store", "content-type": METRICS_TYPE})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def _lines(now: Health) -> Iterator[str]:
    """Of this worker: others have other numbers, and any of them may answer the next request."""
    for name, kind, text, value in (
        ("qredge_links", "gauge", "Links in memory.", now.links or 0),
        ("qredge_links_from_snapshot", "gauge", "1 while the links are those of a snapshot.", int(now.from_snapshot)),
        ("qredge_snapshot_age_seconds", "gauge", "Age of the snapshot on disk.", now.snapshot_age_s),
        ("qredge_scans_dropped_total", "counter", "Scans that were answered and not kept.", now.scans_dropped),
    ):
        yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
        if value is not None:
            yield f'{name}{{pid="{os.getpid()}"}} {value}\n'


def _json(value: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, {"cache-control": "no-store"}, "application/json")
