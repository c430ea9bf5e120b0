"""mask: what the vendor keeps beside a link's URL, and the domain in its destination and its rules."""

from collections.abc import Mapping
from typing import Literal
from urllib.parse import quote, unquote_plus

from server.dialects.mask.fields import wrong
from server.dialects.mask.wire import UTM
from server.domain.destination import Destination
from server.domain.rules import MAX_RULES, Rule, Share, When

Target = Literal["ios", "android"]
TARGETS: tuple[Target, ...] = ("ios", "android")


# --- utm_*: in the destination's query ----------------------------------------------------------------------------


def split_utm(destination: str) -> tuple[str, dict[str, str]]:
    """The URL without them, in which all else stays as it is, and what they say; of several with a name the first."""
    before, mark, fragment = destination.partition("#")
    path, asked, query = before.partition("?")
    found: dict[str, str] = {}
    others = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in UTM:
            found.setdefault(name, unquote_plus(value))
        else:
            others.append(part)
    if not found:
        return destination, {}
    rest = "&".join(others)
    return f"{path}{asked if rest else ''}{rest}{mark}{fragment}", {name: said for name, said in found.items() if said}


def with_utm(url: str, utm: Mapping[str, str | None]) -> Destination:
    """The URL with these, beside those that it has itself; raises InvalidValue."""
    rest, own = split_utm(url)
    said = {name: value for name, value in {**own, **utm}.items() if value}
    if said == own:
        return Destination(url)
    before, mark, fragment = rest.partition("#")
    if said:
        joint = "" if before.endswith("?") else "&" if "?" in before else "?"
        before += joint + "&".join(f"{name}={quote(said[name], safe='')}" for name in UTM if name in said)
    return Destination(f"{before}{mark}{fragment}")


# --- targets: rules by the visitor's system -----------------------------------------------------------------------


def target_of(rules: tuple[Rule, ...], system: Target) -> Destination | None:
    return next((rule.split[0].destination for rule in rules if _is_of(rule, system)), None)


def with_targets(rules: tuple[Rule, ...], targets: Mapping[Target, Destination | None]) -> tuple[Rule, ...]:
    """The rules with these targets in front of all others, in place of those there were; None is for none."""
    kept = tuple(rule for rule in rules if not any(_is_of(rule, system) for system in targets))
    new = tuple(
        Rule(when=When(os=(system,)), split=(Share(weight=1, destination=target),))
        for system, target in targets.items()
        if target is not None
    )
    if len(new + kept) > MAX_RULES:
        raise wrong("ios_target" if targets.get("ios") else "android_target", f"A link has at most {MAX_RULES} rules.")
    return new + kept


def _is_of(rule: Rule, system: Target) -> bool:
    return rule.when == When(os=(system,)) and len(rule.split) == 1
