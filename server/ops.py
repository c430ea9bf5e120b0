"""Whether this process lives, and whether it can redirect: for load balancers and for people."""

from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def routes(*, loaded: Callable[[], int | None], dropped: Callable[[], int]) -> list[Route]:
    """`loaded` is the number of links in memory, None before the first load; `dropped` counts scans that were
    answered and could not be kept."""

    async def livez(request: Request) -> Response:
        return _json({"status": "alive"})

    async def readyz(request: Request) -> Response:
        links = loaded()
        return _json(
            {
                "status": "starting" if links is None else "ready",
                "links": links or 0,
                "scans_dropped": dropped(),
            },
            503 if links is None else 200,
        )

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _json(value: dict[str, object], status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, {"cache-control": "no-store"}, "application/json")
