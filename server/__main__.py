"""The command `qredge`."""

import asyncio
import logging.config
import sys

import typer

from migrations import MigrationChanged, migrate
from server import logs, settings
from server.supervisor import Supervisor

cli = typer.Typer(
    help="Draws QR codes, redirects their scans and counts them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.command()
def serve() -> None:
    """Run the server, on an embedded PostgreSQL unless QREDGE_DATABASE_URL is set."""
    config = settings.load()
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


def main() -> None:
    try:
        cli()
    except (settings.IllegalSetting, MigrationChanged, OSError) as exc:
        sys.exit(f"qredge: {exc}")


if __name__ == "__main__":
    main()
