"""The command `qredge`."""

import asyncio
import base64
import logging.config
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from migrations import MigrationChanged, migrate
from server import logs, settings
from server.console import data, stats
from server.console.accounts import commands
from server.dialects import key_formats
from server.domain.accounts import Accounts
from server.domain.ports import Rollups
from server.embedded import DoesNotStart, program
from server.late import late
from server.parts import accounts_in, opened, plans_of
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
        async with opened(url) as there:
            return await use(late("server.storage.postgres.rebuilding:PostgresRollups", there))

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
    options = {
        "TEXT": text,
        "--format": format,
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
    late("server.drawing:draw", output, options, design=design, allow_unscannable=allow_unscannable)


def main() -> None:
    try:
        cli()
    except (settings.IllegalSetting, MigrationChanged, DoesNotStart, NoWorkerStarts, OSError) as exc:
        sys.exit(f"qredge: {exc}")


if __name__ == "__main__":
    main()
