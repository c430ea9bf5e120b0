"""The command `qredge`."""

import asyncio
import base64
import logging.config
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import orjson
import typer

from migrations import MigrationChanged, migrate
from server import logs, settings
from server.api.problems import InvalidFields
from server.api.renders import RenderCreate
from server.app import accounts_in, plans_of, rollups_in
from server.console import data, stats
from server.console.accounts import commands
from server.dialects import key_formats
from server.domain.accounts import Accounts
from server.domain.errors import DomainError, InvalidValue, Unscannable
from server.domain.model import AccountId, Image
from server.domain.order import MAX_SIZE_PX, MEDIA_TYPES
from server.domain.ports import Rollups
from server.domain.qrcodes import ToldByField
from server.domain.studio import Studio
from server.edge.image_cache import Images
from server.embedded import DoesNotStart, program
from server.outbound import Outbound
from server.render.fetched import Fetched
from server.render.image import Painter
from server.supervisor import Supervisor, database
from server.workers import NoWorkerStarts

T = TypeVar("T")

cli = typer.Typer(
    help="Draws QR codes, redirects their scans and counts them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def serve(
    workers: Annotated[int | None, typer.Option(metavar="N", help="In place of QREDGE_WORKERS.")] = None,
    file: Annotated[
        Path | None, typer.Option("--settings", metavar="FILE", help="In place of QREDGE_SETTINGS_FILE.")
    ] = None,
) -> None:
    """Run the server, on an embedded PostgreSQL unless QREDGE_DATABASE_URL is set."""
    if file is not None:
        settings.use(file)
    config = settings.load()
    if workers is not None:
        config = replace(config, workers=workers)
    logging.config.dictConfig(logs.configuration(config.log_level))
    Supervisor(config).run()


@cli.command("migrate")
def migrate_() -> None:
    """Bring the database of QREDGE_DATABASE_URL up to date; `serve` does so itself."""
    config = settings.load()
    if not config.database_url:
        raise settings.IllegalSetting("QREDGE_DATABASE_URL is not set; the embedded database migrates by itself.")
    for name in asyncio.run(migrate(config.database_url)):
        print(name)


def _with_rollups(use: Callable[[Rollups], Awaitable[T]]) -> T:
    async def run(url: str) -> T:
        async with rollups_in(url) as rollups:
            return await use(rollups)

    with database(settings.load()) as url:
        return asyncio.run(run(url))


def _with_accounts(use: Callable[[Accounts], Awaitable[T]]) -> T:
    config = settings.load()
    plans = plans_of(config)

    async def run(url: str) -> T:
        async with accounts_in(url, plans) as accounts:
            return await use(accounts)

    with database(config) as url:
        return asyncio.run(run(url))


for name, group in commands(_with_accounts, key_formats(), lambda: plans_of(settings.load())).items():
    cli.add_typer(group, name=name)
cli.add_typer(stats.commands(_with_rollups), name="stats")


def _database(*, bare: bool) -> AbstractContextManager[str]:
    return database(settings.load(), bare=bare)


cli.add_typer(data.commands(_database, program, lambda url: asyncio.run(migrate(url))), name="data")


# --- render: what POST /v1/render takes, as options ------------------------------------------------------------------

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


@cli.command()
def render(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What the code says.")],
    output: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="- is standard output.")],
    format: Annotated[str | None, typer.Option(help="png, svg, pdf, eps or webp; else as FILE ends.")] = None,
    size: Annotated[int | None, typer.Option(help="Pixels, 64 to 9000; 512 unless --inches says more.")] = None,
    inches: Annotated[float | None, typer.Option(help="The width on paper, in place of --size.")] = None,
    dpi: Annotated[float | None, typer.Option(help="Pixels per inch; 300 with --inches.")] = None,
    level: Annotated[str | None, typer.Option(help="Error correction: L, M, Q or H.")] = None,
    margin: Annotated[int | None, typer.Option(help="The quiet zone in modules, 0 to 32; 4 is safe.")] = None,
    shape: Annotated[str | None, typer.Option(help="Of the modules: square, rounded, dots, classy ...")] = None,
    color: Annotated[str | None, typer.Option(help="Of the modules: black, #08f, #0088ff ...")] = None,
    background: Annotated[str | None, typer.Option(help="A colour, or transparent.")] = None,
    eye_border: Annotated[str | None, typer.Option(help="square, rounded, circle, leaf-tl ...")] = None,
    eye_center: Annotated[str | None, typer.Option(help="square, circle, star, diamond ...")] = None,
    logo: Annotated[Path | None, typer.Option(help="A picture for the middle of the code.")] = None,
    frame: Annotated[str | None, typer.Option(help="rounded, scan-me-top, scan-me-bottom, wave ...")] = None,
    label: Annotated[str | None, typer.Option(help="The text on the frame.")] = None,
    design: Annotated[
        Path | None, typer.Option(help="A design as JSON, as in docs/api.md; options go before it.")
    ] = None,
    allow_unscannable: Annotated[bool, typer.Option("--allow-unscannable", help="Draw what no reader reads.")] = False,
) -> None:
    """Draw a QR code into a file, without any server. What would not scan is not drawn."""
    suffix = Path(output).suffix[1:].lower()
    if format is None and suffix not in MEDIA_TYPES:
        _fail(2, f"--format says {', '.join(MEDIA_TYPES)}, where FILE does not end so.")
    given = {
        "TEXT": text,
        "--format": format or suffix,
        "--size": size,
        "--inches": inches,
        "--dpi": dpi,
        "--level": level,
        "--margin": margin,
        "--shape": shape,
        "--color": color,
        "--background": background,
        "--eye-border": eye_border,
        "--eye-center": eye_center,
        "--logo": None if logo is None else {"data": base64.b64encode(logo.read_bytes()).decode()},
        "--frame": frame,
        "--label": label,
    }
    body: dict[str, object] = {"content": {"type": "text"}, "allow_unscannable": allow_unscannable}
    try:
        if design is not None:
            body["design"] = orjson.loads(design.read_bytes())
        for option, value in given.items():
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


def main() -> None:
    try:
        cli()
    except (settings.IllegalSetting, MigrationChanged, DoesNotStart, NoWorkerStarts, OSError) as exc:
        sys.exit(f"qredge: {exc}")


if __name__ == "__main__":
    main()
