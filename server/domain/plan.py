"""Plans: what an account may do, as a record of limits.

A limit that is a number is None where there is none. Nothing here counts; what does asks a plan how far it may go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, get_args

from server.domain.errors import InvalidValue, PlanLimit
from server.domain.order import MAX_SIZE_PX, MIN_DPI, MIN_SIZE_PX

MAX_NAME = 64
NAME_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")

#: More than anybody asks for in a minute; each of them is remembered for that long.
MAX_PER_MINUTE = 1_000_000
MAX_COUNT = 1_000_000_000_000

GeoDetail = Literal["none", "country", "city"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Limits under a name; the defaults allow everything."""

    name: str
    #: Whether its keys open anything at all.
    api_access: bool = True
    #: In any 60 seconds.
    requests_per_minute: int | None = None
    #: A month is one of the calendar, in UTC.
    requests_per_month: int | None = None
    #: Pictures that were served, drawn for it or not.
    renders_per_month: int | None = None
    #: Whether renders beyond those are counted, and not refused.
    renders_overrun: bool = False
    links: int | None = None
    dynamic_codes: int | None = None
    #: Those that have not expired.
    keys: int | None = None
    #: Of each link: how often it may be given another destination.
    destination_edits: int | None = None
    #: In one request; 0 where there may be no such requests.
    bulk_items: int | None = None
    logo: bool = True
    background_image: bool = True
    size_px: int | None = None
    dpi: int | None = None
    #: Of links: passwords, expiry, scan limits.
    password: bool = True
    expiry: bool = True
    scan_limit: bool = True
    #: What is told of the places of scans.
    geo_detail: GeoDetail = "city"
    webhooks: bool = True

    @classmethod
    def read(cls, name: str, table: object) -> Self:
        """A plan as a file has it; raises InvalidValue, which names the field."""
        if not 0 < len(name) <= MAX_NAME or not NAME_LETTERS.issuperset(name):
            detail = f"A plan's name is 1 to {MAX_NAME} of a-z 0-9 - _ and full stops, not {name!r}."
            raise InvalidValue("invalid_name", detail)
        if not isinstance(table, Mapping):
            raise InvalidValue("wrong_type", "A plan is a table of limits.", field=name)
        for field in table:
            if field not in DEFAULTS:
                known = ", ".join(DEFAULTS)
                raise InvalidValue("unknown_field", f"There is no such limit, but {known}.", field=f"{name}.{field}")
        try:
            return cls(name=name, **{field: _limit(field, given) for field, given in table.items()})
        except InvalidValue as exc:
            raise InvalidValue(exc.reason, exc.detail, field=f"{name}.{exc.field}") from exc

    @property
    def limits(self) -> dict[str, Any]:
        """Each by its name."""
        return {field: getattr(self, field) for field in DEFAULTS}

    def refusal(self, limit: str, *, field: str | None = None) -> PlanLimit:
        """What to raise where this limit does not allow something; `field` is what asks for it."""
        allowed = getattr(self, limit)
        what = WORDS[limit]
        if not allowed or allowed == "none":
            detail = f"has no {what}"
        elif isinstance(allowed, str):
            detail = f"has {what} by {allowed} at most"
        else:
            detail = f"has at most {allowed:,} {what}"
        return PlanLimit(
            f"The plan {self.name!r} of this account {detail}.",
            plan=self.name,
            limit=limit,
            allowed=allowed,
            field=field,
        )


#: Each limit's default.
DEFAULTS: dict[str, object] = {each.name: each.default for each in fields(Plan) if each.name != "name"}

#: The limits that are numbers, and how small and large they may be.
RANGES = dict.fromkeys((name for name, default in DEFAULTS.items() if default is None), (0, MAX_COUNT)) | {
    "requests_per_minute": (1, MAX_PER_MINUTE),
    "requests_per_month": (1, MAX_COUNT),
    "size_px": (MIN_SIZE_PX, MAX_SIZE_PX),
    "dpi": (MIN_DPI, MAX_COUNT),
}

#: What people call that which a limit is about.
WORDS = {
    "api_access": "access to the API",
    "requests_per_minute": "requests in a minute",
    "requests_per_month": "requests in a month",
    "renders_per_month": "pictures in a month",
    "links": "links",
    "dynamic_codes": "dynamic QR codes",
    "keys": "API keys",
    "destination_edits": "changes of a link's destination",
    "bulk_items": "items in one request",
    "logo": "logos",
    "background_image": "background images",
    "size_px": "pixels in width",
    "dpi": "pixels in an inch",
    "password": "passwords of links",
    "expiry": "links that expire",
    "scan_limit": "links with a scan limit",
    "geo_detail": "places of scans",
    "webhooks": "webhooks",
}


def _limit(field: str, given: object) -> Any:  # noqa: ANN401 -- what the field holds
    default = DEFAULTS[field]
    if isinstance(default, bool):
        if not isinstance(given, bool):
            raise InvalidValue("wrong_type", "This is true or false.", field=field)
    elif default is None:
        least, most = RANGES[field]
        if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
            detail = f"This is a whole number from {least} to {most}; leave it out for no limit."
            raise InvalidValue("out_of_range", detail, field=field)
    elif given not in get_args(GeoDetail):
        raise InvalidValue("unknown_value", f"This is {', '.join(get_args(GeoDetail))}.", field=field)
    return given


UNLIMITED = Plan(name="unlimited")


class Plans:
    """The plans that this server knows."""

    def __init__(self, plans: Iterable[Plan]) -> None:
        """Raises InvalidValue for a name that two of them have."""
        self._plans: dict[str, Plan] = {}
        for plan in plans:
            if plan.name in self._plans:
                raise InvalidValue("taken", "There is a plan of this name already.", field=plan.name)
            self._plans[plan.name] = plan

    def __iter__(self) -> Iterator[Plan]:
        return iter(self._plans.values())

    def __contains__(self, name: str) -> bool:
        return name in self._plans

    def named(self, name: str) -> Plan:
        """The plan that somebody asks for; raises InvalidValue."""
        plan = self._plans.get(name)
        if plan is None:
            raise InvalidValue("unknown_value", f"{name!r} is none of {', '.join(self._plans)}.")
        return plan

    def of(self, name: str) -> Plan:
        """The plan that an account has. One that is not defined any more opens nothing: to allow everything would
        be to give away what nobody has bought."""
        return self._plans.get(name) or Plan(name=name, api_access=False)
