"""Which country an address is in: by a database in MaxMind's format, or by what geoip2fast brings along."""

import logging
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import maxminddb
from geoip2fast import GeoIP2Fast

#: Both kinds of addresses; the file that geoip2fast would take by itself has IPv4 only.
BUNDLED = "geoip2fast-ipv6.dat.gz"

log = logging.getLogger(__name__)


def countries(database: Path | None) -> Callable[[str], object]:
    """A function from an address, as text, to its country as the source has it: no two letters where it knows none."""
    if database is not None:
        try:
            return _maxmind(database)
        except (OSError, maxminddb.InvalidDatabaseError) as exc:  # yesterday's country is better than no redirect
            log.error("the geo database %s cannot be used, but the one that is installed: %s", database, exc)
    return _Bundled().country


def _maxmind(database: Path) -> Callable[[str], object]:
    """By a file as MaxMind, DB-IP and IPinfo have them (MaxMind DB file format 2.0). It is mapped into memory, and all
    processes share it."""
    reader = maxminddb.open_database(database, maxminddb.MODE_MMAP_EXT)

    def country(address: str) -> object:
        try:
            found = reader.get(address)
        except (ValueError, maxminddb.InvalidDatabaseError):
            return None
        if not isinstance(found, dict):
            return None
        named = found.get("country")
        return named.get("iso_code") if isinstance(named, dict) else found.get("country_code", named)

    return country


class _Bundled:
    """By the country data of geoip2fast, which are of the day on which it was released."""

    @cached_property
    def _data(self) -> GeoIP2Fast | None:
        """0.2 s and 48 MB, once somebody asks: few links have a rule that does."""
        try:
            return GeoIP2Fast(geoip2fast_data_file=BUNDLED)
        except Exception:  # whatever is wrong with a file of somebody else: without countries, all else goes on
            log.exception("the country data of geoip2fast cannot be used")
            return None

    def country(self, address: str) -> object:
        return None if self._data is None else self._data.lookup(address).country_code
