"""A route as Starlette's documentation has it."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from bench.servers.bare import LOCATION


async def follow(request: Request) -> RedirectResponse:
    return RedirectResponse(LOCATION, 302)


app = Starlette(routes=[Route("/{slug}", follow)])
