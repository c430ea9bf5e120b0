"""Whether this process lives, and whether it can redirect: for load balancers, for monitors and for people."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

import orjson
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from pydantic import with_config
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typing_extensions import TypedDict

from server.metrics import Metrics
from server.openapi import File, operation, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What there is to tell of this process."""

    #: Links in memory; None before any are.
    links: int | None
    #: Whether they are those of a snapshot, as the database has not been reached since this process began.
    from_snapshot: bool
    #: How old the snapshot is that a process would start from now; None where there is none.
    snapshot_age_s: float | None
    #: Scans that were answered and could not be kept, and whether the last one was.
    scans_dropped: int
    dropping: bool
    database: bool
    #: None where there is none.
    redis: bool | None


@with_config(shown({"status": "alive"}))
class LivezAnswer(TypedDict):
    status: Literal["alive"]


class Components(TypedDict):
    """What each part can do now."""

    #: `from_snapshot` while the database has not told of links since the worker began.
    redirects: Literal["ready", "from_snapshot", "starting"]
    #: `dropped` while the journal is full, or its disk.
    scans: Literal["kept", "dropped"]
    #: `unavailable` while the database does not answer.
    management: Literal["ready", "unavailable"]
    #: `local` while no Redis answers, or where there is none: each worker draws its own.
    images: Literal["shared", "local"]


@with_config(
    shown(
        {
            "status": "ready",
            "components": {"redirects": "ready", "scans": "kept", "management": "ready", "images": "shared"},
            "links": 1200,
            "links_from": "database",
            "snapshot_age_s": 61.5,
            "scans_dropped": 0,
        }
    )
)
class ReadyzAnswer(TypedDict):
    status: Literal["ready", "starting"]
    components: Components
    links: int
    links_from: Literal["database", "snapshot"] | None
    snapshot_age_s: float | None
    scans_dropped: int


def routes(health: Callable[[], Health], told: Metrics) -> list[Route]:
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
                "components": {
                    "redirects": ("from_snapshot" if now.from_snapshot else "ready") if ready else "starting",
                    "scans": "dropped" if now.dropping else "kept",
                    "management": "ready" if now.database else "unavailable",
                    "images": "shared" if now.redis else "local",
                },
                "links": now.links or 0,
                "links_from": source,
                "snapshot_age_s": now.snapshot_age_s,
                "scans_dropped": now.scans_dropped,
            },
            200 if ready else 503,
        )

    @operation(answers={200: File("text/plain")})
    async def metrics(request: Request) -> Response:
        """Get the metrics of all processes of the server, for Prometheus."""
        headers = {"cache-control": "no-store", "content-type": CONTENT_TYPE_PLAIN_0_0_4}
        return Response(generate_latest(told), 200, headers)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def asked_for_certificates(hosts: Collection[str]) -> Route:
    """For a proxy that has certificates issued when they are first needed, as Caddy's on-demand TLS does
    (https://caddyserver.com/docs/caddyfile/options#on-demand-tls, read on 2026-11-22): 200 for `hosts`, which are in
    lower case, and 404 for all others, for which anybody could have any number issued."""

    async def ask(request: Request) -> Response:
        host = request.query_params.get("domain", "").lower().removesuffix(".")
        return Response(status_code=200 if host in hosts else 404, headers={"cache-control": "no-store"})

    return Route("/tls/ask", ask)


def _json(value: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, {"cache-control": "no-store"}, "application/json")
