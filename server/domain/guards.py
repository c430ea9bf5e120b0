"""What a link asks before it redirects, and how it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self, get_args

from server.domain.destination import Destination
from server.domain.errors import InvalidValue
from server.domain.rules import Rule, rules_of
from server.domain.stats import EARLIEST, LATEST

#: More scans than there are people.
MAX_SCANS = 1_000_000_000_000

#: 302 and 307 say that the next scan may lead elsewhere, 301 and 308 that it will not (RFC 9110, 15.4). None of them
#: is kept by a browser, as all are answered with "no-store".
RedirectStatus = Literal[301, 302, 307, 308]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """Of one link; without any, everybody is redirected by a 302, until it is deleted."""

    #: A paused link has ended until it is active again.
    active: bool = True
    #: From this moment on the link has ended.
    expires_at: datetime | None = None
    #: Where scans of a link that has ended go.
    fallback_url: Destination | None = None
    redirect_status: RedirectStatus = 302
    #: Whether the scan's query goes on to the destination.
    forward_query: bool = False
    #: Of the password that a visitor has to enter.
    password_hash: str | None = field(default=None, repr=False)

    #: Scans after which the link has ended.
    max_scans: int | None = None
    #: The first that holds says where a visitor goes; where none does, it is the link's own destination.
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if self.redirect_status not in get_args(RedirectStatus):
            raise InvalidValue("unknown_value", "A redirect is 301, 302, 307 or 308.", field="redirect_status")

    @property
    def none(self) -> bool:
        """Whether a link that is not deleted redirects as if it had no guards at all."""
        return replace(self, fallback_url=None) == NO_GUARDS

    @classmethod
    def stored(cls, kept: Mapping[str, Any]) -> Self:
        """Guards as the link table has them, in JSON's types; what is absent was never set. Raises InvalidValue for
        what somebody may have put in by SQL."""
        given = {each.name: kept[each.name] for each in fields(cls) if kept.get(each.name) is not None}
        for name, read in READ.items():
            if name in given:
                try:
                    given[name] = read(given[name])
                except InvalidValue as exc:
                    raise InvalidValue(exc.reason, exc.detail, field=name) from exc
        return cls(**given)


NO_GUARDS = Guards()


def expiry(at: datetime) -> datetime:
    """The moment, if it is one that a link may end at."""
    if not EARLIEST <= at <= LATEST:
        raise InvalidValue("out_of_range", f"A link ends between {EARLIEST.year} and {LATEST.year}, or never.")
    return at


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError as exc:  # PostgreSQL knows moments that are infinite, and others that are before Christ
        raise InvalidValue("invalid_time", f"{text!r} is not a time that a link may end at.") from exc
    return at.astimezone(UTC)


#: How fields are read that JSON has no type for.
READ: dict[str, Callable[[Any], object]] = {
    "expires_at": _moment,
    "fallback_url": Destination,
    "rules": rules_of,
}
