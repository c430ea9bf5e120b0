"""Routes as Starlette's documentation has them."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bench.servers.bare import LOCATION


async def follow(request: Request) -> RedirectResponse:
    return RedirectResponse(LOCATION, 302)


async def empty(request: Request) -> Response:
    return Response()


app = Starlette(routes=[Route("/{slug}", follow), Route("/v1/empty", empty)])
