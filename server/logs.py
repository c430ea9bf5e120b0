"""How log lines look: time, level, who, what; one form for every process and for Granian.

What a request has said stands in none of them. So an exception is told by its kind and by where it was raised, and not
by its message, which may repeat a password, a key or a client's address.
"""

import logging
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

CAUSED = "\n... from which followed:\n\n"
MEANWHILE = "\n... during which happened:\n\n"


class Line(logging.Formatter):
    def formatException(self, ei: tuple[type, BaseException, TracebackType | None] | tuple[None, None, None]) -> str:
        return "".join(_told(ei[1])).rstrip() if ei[1] is not None else ""


def _told(exc: BaseException) -> Iterator[str]:
    """The exception with those before it, the first one first."""
    if exc.__cause__ is not None:
        yield from _told(exc.__cause__)
        yield CAUSED
    elif exc.__context__ is not None and not exc.__suppress_context__:
        yield from _told(exc.__context__)
        yield MEANWHILE
    yield from traceback.format_tb(exc.__traceback__)
    yield f"{type(exc).__module__}.{type(exc).__qualname__}"
    if isinstance(exc, OSError) and exc.strerror:
        yield f": {exc.strerror}"  # the system's own words
    yield "\n"
    if isinstance(exc, BaseExceptionGroup):
        for each in exc.exceptions:
            yield from _told(each)


def configuration(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig, and for Granian, which wants it whole."""
    line = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": Line,
                "format": "%(asctime)s.%(msecs)03d %(levelname)-7s %(name)s: %(message)s",
                "datefmt": "%Y-%m-%d %H:%M:%S",
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "loggers": {
            "server": line,
            # What Granian says of its own coming and going is said here already.
            "_granian": {**line, "level": "WARNING"},
            "granian.access": {**line, "level": "WARNING"},
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
    }
