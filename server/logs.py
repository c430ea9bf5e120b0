"""How log lines look: time, level, who, what; one form for every process and for Granian."""

from typing import Any


def configuration(level: str) -> dict[str, Any]:
    """For logging.config.dictConfig, and for Granian, which wants it whole."""
    line = {"handlers": ["stderr"], "level": level.upper(), "propagate": False}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
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
