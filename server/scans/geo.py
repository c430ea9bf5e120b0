"""Where a visitor is: as a CDN says, by a database in MaxMind's format, or the country by what geoip2fast has."""

import logging
import re
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

import maxminddb

from server.domain.model import Network
from server.domain.rules import COUNTRY
from server.scans.countries import Countries

#: In place of a country that is not known: of Cloudflare, and of CLDR.
UNKNOWN = frozenset(["XX", "ZZ"])

#: Characters of a name. The longest that cities have are some 60, but for one in Wales and one in New Zealand.
MAX_NAME = 100
#: Values of a CDN's headers that are remembered.
MAX_SAID = 1 << 14
CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")

#: What databases say of networks: the user and connection types of MaxMind's (dev.maxmind.com, GeoIP2 responses), and
#: what IPinfo and DB-IP say of who has one.
NETWORKS: dict[str, Network] = {
    **dict.fromkeys(["cellular", "mobile"], "mobile"),
    **dict.fromkeys(["residential", "dialup", "cable/dsl", "isp", "consumer"], "fixed"),
    "satellite": "satellite",
    **dict.fromkeys(["business", "corporate", "cafe"], "business"),
    **dict.fromkeys(["education", "college", "school", "library"], "education"),
    **dict.fromkeys(["government", "military"], "government"),
    **dict.fromkeys(["hosting", "content_delivery_network", "search_engine_spider"], "hosting"),
}

log = logging.getLogger(__name__)


class Place(NamedTuple):
    """A country's two letters (ISO 3166-1), the names of a region and a city in it, and the kind of network, as far as
    they are known."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    network: Network | None = None

    def or_else(self, other: "Place") -> "Place":
        """What this one does not tell as the other one does, unless that is in another country."""
        network = self.network or other.network
        if self.country not in (None, other.country):
            return self._replace(network=network)
        return Place(other.country, self.region or other.region, self.city or other.city, network)


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


def _name_of(given: object) -> str | None:
    name = CONTROLS.sub("", given).strip()[:MAX_NAME] if isinstance(given, str) else ""
    return name or None


@lru_cache(MAX_SAID)
def place_said(country: bytes, region: bytes, city: bytes) -> Place:
    """As a CDN says in the headers with these values."""
    return Place(country_of(_header(country)), _name_of(_header(region)), _name_of(_header(city)))


def _header(value: bytes) -> str:
    """Most send UTF-8, some of them in percent-encoding, and some Latin-1."""
    value = unquote_to_bytes(value)
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


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
        country = found.get("country")
        if isinstance(country, dict):
            country = country.get("iso_code")
        country = country_of(found.get("country_code", country))
        return Place(country, _region_in(found), _english(found.get("city")), _network(found))

    return place


def _region_in(found: Mapping[str, object]) -> str | None:
    """The largest part of the country that is told; MaxMind and DB-IP have a list of them, IPinfo has one."""
    parts = found.get("subdivisions")
    if not isinstance(parts, list) or not parts:
        return _name_of(found.get("region"))
    code = parts[0].get("iso_code") if isinstance(parts[0], dict) else None
    return _english(parts[0]) or _name_of(code)


def _english(thing: object) -> str | None:
    """The name of something that has names in several languages, or is one."""
    if isinstance(thing, dict):
        names = thing.get("names")
        thing = names.get("en") if isinstance(names, dict) else None
    return _name_of(thing)


def _network(found: Mapping[str, object]) -> Network | None:
    """The first that is known of what stands in MaxMind's and DB-IP's `traits`, or by itself in the database of
    connection types alone, and of what IPinfo says."""
    traits, of_system = found.get("traits"), found.get("asn")
    within = traits if isinstance(traits, dict) else found
    said = [within.get("user_type"), within.get("connection_type")]
    said += [kind for kind in ("mobile", "satellite", "hosting") if found.get(f"is_{kind}") is True]
    said += [found.get("as_type"), of_system.get("type") if isinstance(of_system, dict) else None]
    return next(filter(None, (NETWORKS.get(each.lower()) for each in said if isinstance(each, str))), None)


class _Bundled:
    """By the country data of geoip2fast, which are of the day on which it was released."""

    @cached_property
    def _countries(self) -> Countries[Place] | None:
        """0.2 s, once somebody asks: few links have a rule that does."""
        try:
            return Countries(lambda code: Place(country_of(code)))
        except Exception:  # whatever is wrong with a file of somebody else: without countries, all else goes on
            log.exception("the country data of geoip2fast cannot be used")
            return None

    def place(self, address: str) -> Place:
        return (self._countries and self._countries.of(address)) or NOWHERE
