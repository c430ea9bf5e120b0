"""A route as FastAPI's documentation has it."""

from fastapi import FastAPI
from fastapi.responses import RedirectResponse

from bench.servers.bare import LOCATION

app = FastAPI()


@app.get("/{slug}")
async def follow(slug: str) -> RedirectResponse:
    return RedirectResponse(LOCATION, 302)
