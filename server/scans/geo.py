"""Where an address is: by a database in MaxMind's format, or the country by what geoip2fast brings along."""

import logging
import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import maxminddb
from geoip2fast import GeoIP2Fast

from server.domain.rules import COUNTRY

#: Both kinds of addresses; the file that geoip2fast would take by itself has IPv4 only.
BUNDLED = "geoip2fast-ipv6.dat.gz"

#: In place of a country that is not known: of Cloudflare, and of CLDR.
UNKNOWN = frozenset(["XX", "ZZ"])

#: Characters of a city's name. The longest there are have some 60, but for one in Wales and one in New Zealand.
MAX_CITY = 100
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A country's two letters (ISO 3166-1) and a city's name, as far as they are known."""

    country: str | None = None
    city: str | None = None


NOWHERE = Place()


def places(database: Path | None) -> Callable[[str], Place]:
    """A function from an address, as text, to where it is. It never raises."""
    if database is not None:
        try:
            return _safe(_maxmind(database))
        except (OSError, maxminddb.InvalidDatabaseError) as exc:  # yesterday's country is better than no redirect
            log.error("the geo database %s cannot be used, but the one that is installed: %s", database, exc)
    return _safe(_Bundled().place)


def countries(database: Path | None) -> Callable[[str], object]:
    """The same for countries alone."""
    find = places(database)
    return lambda address: find(address).country


def country_of(given: object) -> str | None:
    """A country's two letters; None for what is none, as "XX" at CDNs and "--" in databases."""
    country = given.strip().upper() if isinstance(given, str) else ""
    return country if COUNTRY.fullmatch(country) and country not in UNKNOWN else None


def _city_of(given: object) -> str | None:
    name = CONTROLS.sub("", given).strip()[:MAX_CITY] if isinstance(given, str) else ""
    return name or None


def _safe(find: Callable[[str], Place]) -> Callable[[str], Place]:
    def found(address: str) -> Place:
        try:
            return find(address)
        except Exception:  # whatever is wrong with a file of somebody else, no scan waits for it
            return NOWHERE

    return found


def _maxmind(database: Path) -> Callable[[str], Place]:
    """By a file as MaxMind, DB-IP and IPinfo have them (MaxMind DB file format 2.0). It is mapped into memory, and all
    processes share it."""
    reader = maxminddb.open_database(database, maxminddb.MODE_MMAP_EXT)

    def place(address: str) -> Place:
        found = reader.get(address)
        if not isinstance(found, dict):
            return NOWHERE
        country, city = found.get("country"), found.get("city")
        if isinstance(country, dict):
            country = country.get("iso_code")
        if isinstance(city, dict):
            names = city.get("names")
            city = names.get("en") if isinstance(names, dict) else None
        return Place(country_of(found.get("country_code", country)), _city_of(city))

    return place


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

    def place(self, address: str) -> Place:
        return NOWHERE if self._data is None else _in_country(self._data.lookup(address).country_code)


@lru_cache(1024)  # there are some 250
def _in_country(given: str) -> Place:
    return Place(country_of(given))
