"""Where scans and requests come from: from which address, and from which place."""

from collections.abc import Callable
from pathlib import Path
from socket import AF_INET, AF_INET6, inet_ntop
from typing import cast

from server.asgi import Scope
from server.scans import record, visitor
from server.settings import Settings


def geo_database(config: Settings) -> Path | None:
    return Path(config.geo_database) if config.geo_database else None


def scan_visitors(config: Settings) -> visitor.Visitors:
    return visitor.Visitors(
        trusted=config.proxies,
        keep=cast(visitor.Keep, config.client_addresses),
        salting=cast(visitor.Salting, config.visitor_salt),
        by_file=bool(config.unix_socket),
    )


def address_by(config: Settings) -> Callable[[Scope], str]:
    """How to find out where a request came from; empty where that is not known."""
    visitors = scan_visitors(config)

    def address(scope: Scope) -> str:
        found = visitors.address(record.seen(scope))
        return "" if found is None else inet_ntop(AF_INET if len(found) == 4 else AF_INET6, found)

    return address
