"""What becomes of a scan of a link that is not plain: a pure function of the link, the scan and the time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import quote, unquote_plus

from server.domain.destination import MAX_BYTES, UNESCAPED, Destination
from server.domain.guards import Guards
from server.domain.model import LinkId
from server.domain.rules import Visitor

#: A "#" in a query is no fragment's beginning: browsers never send a fragment.
QUERY_UNESCAPED = UNESCAPED.replace("#", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardedLink:
    """What a scan needs to know of such a link."""

    link_id: LinkId
    destination: Destination
    guards: Guards
    deleted: bool


@dataclass(frozen=True, slots=True)
class Redirect:
    """The scan is accepted; where the link has a scan limit, only if there is a use left to take."""

    location: str
    status: int
    max_scans: int | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """The link was deleted or paused, or its time is over; to go to the fallback is not a scan."""

    fallback: Destination | None


@dataclass(frozen=True, slots=True)
class Locked:
    """The visitor has to enter a password first."""

    password_hash: str


Decision = Redirect | Ended | Locked


class AskVisitor(Protocol):
    """Who scans. The country is found out only where it is asked for, as it is dear."""

    def __call__(self, *, with_country: bool) -> Visitor: ...


def decide(link: GuardedLink, *, now: datetime, query: bytes, unlocked: bool, visitor: AskVisitor) -> Decision:
    """`query` is the scan's own, as it stood behind the "?"; `unlocked`, whether it brought the password; `visitor` is
    called only where a rule asks."""
    guards = link.guards
    if link.deleted or not guards.active or (guards.expires_at is not None and guards.expires_at <= now):
        return Ended(guards.fallback_url)
    if guards.password_hash is not None and not unlocked:
        return Locked(guards.password_hash)
    location: str = _destination(link, visitor, now) if guards.rules else link.destination
    if guards.forward_query:
        location = with_query(location, query)
    return Redirect(location, guards.redirect_status, guards.max_scans)


def _destination(link: GuardedLink, visitor: AskVisitor, now: datetime) -> Destination:
    rules = link.guards.rules
    who = visitor(with_country=any(rule.when.country for rule in rules))
    for rule in rules:
        if rule.when.holds(who, now):
            return rule.destination(link.link_id, who)
    return link.destination


def with_query(destination: str, query: bytes) -> str:
    """The destination with the scan's query behind its own, and its fragment last.

    Where both have a parameter of the same name, the scan's stays: it is the more particular. Nothing is decoded or
    put in another order, but for bytes that no URL may have, which are escaped. Without the scan's query, where the
    URL would be longer than a destination may be.
    """
    given = [pair for pair in quote(query, safe=QUERY_UNESCAPED).split("&") if pair]
    if not given:
        return destination
    names = {_name(pair) for pair in given}
    head, hash_, fragment = destination.partition("#")
    path, _, own = head.partition("?")
    kept = [pair for pair in own.split("&") if pair and _name(pair) not in names]
    merged = f"{path}?{'&'.join([*kept, *given])}{hash_}{fragment}"
    return merged if len(merged) <= MAX_BYTES else destination


def _name(pair: str) -> str:
    return unquote_plus(pair.partition("=")[0])
