"""`qredge stats rebuild`: what is counted of scans, counted anew from the log."""

from collections.abc import Awaitable, Callable
from datetime import date
from time import monotonic
from typing import Protocol, TypeVar

import typer

from server.console.telling import Json, Row, fail, table
from server.domain.errors import DomainError
from server.domain.ports import Rollups

T = TypeVar("T")


class WithRollups(Protocol):
    """Has the rollups of this server used, and answers what comes of it."""

    def __call__(self, use: Callable[[Rollups], Awaitable[T]]) -> T: ...


def commands(rollups: WithRollups) -> typer.Typer:
    """`stats`, with commands of its own."""
    group = typer.Typer(no_args_is_help=True, help="Count scans anew.")

    @group.callback()
    def about() -> None:
        """Count scans anew."""

    @group.command()
    def rebuild(json: Json = False) -> None:
        """Count all scans of the log anew, month by month. The server may run; scans wait in its journals meanwhile."""

        async def run(counted: Rollups) -> list[Row]:
            return [await _rebuilt(counted, month) for month in await counted.months()]

        try:
            table(rollups(run), json)
        except DomainError as exc:
            fail(exc.detail)

    return group


async def _rebuilt(rollups: Rollups, month: date) -> Row:
    """One without a number of scans stays as it is: rows of its log were dropped."""
    began = monotonic()
    scans = await rollups.rebuild(month)
    return {"month": f"{month:%Y-%m}", "scans": scans, "seconds": round(monotonic() - began, 1)}
