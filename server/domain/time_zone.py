"""Time zones, by their names in IANA's list."""

from zoneinfo import ZoneInfo

from server.domain.errors import InvalidValue


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # no such zone; no name of one; the name of a folder of them
        raise InvalidValue("unknown_timezone", "A time zone is called as in IANA's list: Europe/Paris, UTC.") from exc
