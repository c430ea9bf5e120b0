"""What a command says: one thing or many, to people or to programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NoReturn

import orjson
import typer

Row = dict[str, object]

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


def tell(row: Row, json: bool, *, last: str | None = None) -> None:
    """One thing; where it has one, with a last line that a program may want."""
    if json:
        typer.echo(orjson.dumps(row, option=orjson.OPT_UTC_Z).decode())
        return
    width = max(map(len, row))
    for name, value in row.items():
        typer.echo(f"{name:{width}}  {_text(value)}")
    if last is not None:
        typer.echo(last)


def table(rows: Sequence[Row], json: bool) -> None:
    """Many things, in columns as wide as what is in them."""
    if json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_UTC_Z).decode())
        return
    if not rows:
        return
    lines = [list(rows[0]), *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return ",".join(value) if isinstance(value, list) else str(value)


def fail(detail: str) -> NoReturn:
    typer.echo(f"qredge: {detail}", err=True)
    raise typer.Exit(1)
