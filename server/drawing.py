"""`qredge render`: what POST /v1/render takes, as options."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import orjson
import typer

from server.api.problems import InvalidFields
from server.api.renders import RenderCreate
from server.domain.errors import DomainError, InvalidValue, Unscannable
from server.domain.model import AccountId, Image
from server.domain.order import MAX_SIZE_PX, MEDIA_TYPES
from server.domain.qrcodes import ToldByField
from server.domain.studio import Studio
from server.edge.image_cache import Images
from server.outbound import Outbound
from server.render.fetched import Fetched
from server.render.image import Painter

#: Option -> the field of the API's body that it is.
FIELDS = {
    "TEXT": "content/text",
    "--format": "format",
    "--size": "size",
    "--inches": "size_inches",
    "--dpi": "dpi",
    "--level": "design/level",
    "--margin": "design/margin",
    "--shape": "design/modules/shape",
    "--color": "design/modules/color",
    "--background": "design/background/color",
    "--eye-border": "design/eyes/border/shape",
    "--eye-center": "design/eyes/center/shape",
    "--logo": "design/logo/image",
    "--frame": "design/frame/style",
    "--label": "design/frame/label",
}


def draw(output: str, options: Mapping[str, object], *, design: Path | None, allow_unscannable: bool) -> None:
    """Draws what FIELDS are into a file, or ends the command with the reason why not."""
    suffix = Path(output).suffix[1:].lower()
    if options["--format"] is None and suffix not in MEDIA_TYPES:
        _fail(2, f"--format says {', '.join(MEDIA_TYPES)}, where FILE does not end so.")
    said = {**options, "--format": options["--format"] or suffix}
    body: dict[str, object] = {"content": {"type": "text"}, "allow_unscannable": allow_unscannable}
    try:
        if design is not None:
            body["design"] = orjson.loads(design.read_bytes())
        for option, value in said.items():
            if value is not None:
                _put(body, FIELDS[option].split("/"), value)
        order = RenderCreate.read(orjson.dumps(body))
    except orjson.JSONDecodeError as exc:
        _fail(2, f"{design} is not JSON: {exc}.")
    except orjson.JSONEncodeError:
        _fail(2, "The options are not UTF-8.")
    except InvalidFields as exc:
        _fail(2, *(f"{_option(each['pointer'])}: {each['detail']}" for each in exc.wrong))
    try:
        image = asyncio.run(_drawn(order))
    except InvalidValue as exc:
        _fail(2, f"{_option('/' + (exc.field or ''))}: {exc.detail}")
    except Unscannable as exc:
        _fail(1, exc.detail, "--allow-unscannable draws it all the same.")
    except DomainError as exc:
        _fail(1, exc.detail)
    if not image.scannable:
        typer.echo(f"qredge: this will not scan: {image.reason}", err=True)
    if output == "-":
        sys.stdout.buffer.write(image.body)
    else:
        Path(output).write_bytes(image.body)


def _put(body: dict[str, object], path: list[str], value: object) -> None:
    for step in path[:-1]:
        inner = body[step] = {} if body.get(step) is None else body[step]
        if not isinstance(inner, dict):
            return  # it is not as it must be, as will be said of it
        body = inner
    body[path[-1]] = value


def _option(pointer: str) -> str:
    """What was given wrong, in words of the command line; from a design in a file, its pointer."""
    return next((option for option, field in FIELDS.items() if f"{pointer}/".startswith(f"/{field}/")), pointer)


def _fail(code: int, *lines: str) -> NoReturn:
    for line in lines:
        typer.echo(f"qredge: {line}", err=True)
    raise typer.Exit(code)


class _NoPictures:
    """`PictureStore`, where nothing is stored."""

    async def get(self, account: AccountId, sha256: str) -> bytes | None:
        return None


async def _drawn(body: RenderCreate) -> Image:
    painter, outbound = Painter(max_pixels=MAX_SIZE_PX**2), Outbound()
    images = Images(max_bytes=0, shared=None)
    fetched = Fetched(painter, outbound.fetch, lambda: datetime.now(UTC))
    studio = Studio(painter, images, _NoPictures(), fetched=fetched.get)
    nobody = AccountId(0)
    try:
        with ToldByField(body.content):
            order = body.order()
            studio.check(order)
            order = order._replace(design=await studio.complete(order.design, nobody))
            image, _ = await studio.show(order, nobody, allow_unscannable=body.allow_unscannable).draw()
            return image
    finally:
        painter.close()
        outbound.close()
