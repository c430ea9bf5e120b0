"""Readable names for what scans are grouped by."""

from functools import cache
from importlib import resources

from server.domain.stats import Group, GroupBy

UNKNOWN: dict[GroupBy, str] = {"referrer": "Direct or unknown"}
REST = "All others"
DEVICES = {"tv": "TV"}
#: Keys of ours, which are words.
WORDS = frozenset[GroupBy](["source", "network"])
#: Keys that end with a country, so that places of the same name are told apart.
PLACES = frozenset[GroupBy](["region", "city"])


def label(group_by: GroupBy, key: str | None) -> str:
    if key is None:
        return UNKNOWN.get(group_by, "Unknown")
    if group_by == "country":
        return _countries().get(key, key)
    if group_by in PLACES:
        place, comma, country = key.rpartition(", ")
        return f"{place}{comma}{_countries().get(country, country)}"
    if group_by == "device":
        return DEVICES.get(key, key.capitalize())
    if group_by in WORDS:
        return key.capitalize()
    return key


def key_of(group: Group) -> str:
    """A key for each group, also where what it has in common is not known, or nothing."""
    return group.key or ("other" if group.rest else "unknown")


@cache
def _countries() -> dict[str, str]:
    """English names by two letters (ISO 3166-1), as the tz database has them."""
    table = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    return dict(line.split("\t") for line in table.splitlines() if not line.startswith("#"))
