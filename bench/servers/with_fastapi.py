"""Routes as FastAPI's documentation has them, with segno to draw."""

import io
from typing import Literal

import segno
from fastapi import FastAPI, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from bench.servers.bare import LOCATION

app = FastAPI()


@app.get("/{slug}")
async def follow(slug: str) -> RedirectResponse:
    return RedirectResponse(LOCATION, 302)


class Url(BaseModel):
    type: Literal["url"]
    url: str


class Render(BaseModel):
    content: Url
    size: int


def draw(url: str, size: int) -> Response:
    """As wide as asked for where that is so many pixels a module, as segno knows no others."""
    code = segno.make_qr(url, error="M", boost_error=False)
    out = io.BytesIO()
    code.save(out, kind="png", border=4, scale=size // (len(code.matrix) + 2 * 4))
    return Response(out.getvalue(), media_type="image/png")


@app.get("/v1/image")
async def image(url: str, size: int) -> Response:
    return draw(url, size)


@app.post("/v1/render")
async def render(order: Render) -> Response:
    return draw(order.content.url, order.size)
