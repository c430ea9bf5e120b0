"""Who scans, as far as a request tells: what the rules of links ask for."""

from collections.abc import Callable

import ua_parser

from server.asgi import Scope
from server.domain.rules import COUNTRY, LANGUAGE, Device, System, Visitor

# Longer ones are cut. Browsers send up to about 350 and 100 bytes.
MAX_AGENT = 512
MAX_LANGUAGES = 256

LINUX: System = "linux"
SYSTEMS: dict[str, System] = {
    "iOS": "ios",
    "Android": "android",
    "Windows": "windows",
    "Mac OS X": "macos",
    **dict.fromkeys(
        ["Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "SUSE", "Gentoo", "Arch Linux", "Mint"], "linux"
    ),
}
DESKTOPS = frozenset(["windows", "macos", "linux"])


class Visitors:
    """Visitors of requests."""

    def __init__(self, *, country_header: str, address: Callable[[Scope], str]) -> None:
        """`country_header` is one that a CDN in front sets; empty where there is none."""
        self._country_header = country_header.lower().encode()
        self._address = address
        ua_parser.parse_os("")  # makes its tables ready, which takes 100 ms

    def of(self, scope: Scope) -> Visitor:
        headers = dict(scope["headers"])
        agent = headers.get(b"user-agent", b"")[:MAX_AGENT].decode("latin-1")
        family = _family(agent)
        system = SYSTEMS.get(family, "other")
        return Visitor(
            device=_device(system, family, agent),
            os=system,
            country=_country(headers.get(self._country_header, b"")),
            language=preferred(headers.get(b"accept-language", b"")[:MAX_LANGUAGES].decode("latin-1")),
            key=f"{self._address(scope)} {agent}",
        )


def _family(agent: str) -> str:
    found = ua_parser.parse_os(agent)
    return found.family if found is not None else ""


def _device(system: System, family: str, agent: str) -> Device:
    """An Android tablet is told by the word that it leaves out; an iPad that asks for desktop pages is a Mac."""
    if system == "ios":
        return "tablet" if "iPad" in agent else "mobile"
    if system == "android":
        return "mobile" if "Mobile" in agent else "tablet"
    if system in DESKTOPS or family == "Chrome OS":
        return "desktop"
    return "mobile" if "Mobile" in agent else "other"


def _country(given: bytes) -> str | None:
    country = given.decode("latin-1").strip()
    return country.upper() if COUNTRY.fullmatch(country) else None


def preferred(accepted: str) -> str | None:
    """The language of the highest quality in an Accept-Language header, of several the first (RFC 9110, 12.5.4)."""
    best, best_quality = None, 0.0
    for each in accepted.split(","):
        language, _, parameter = each.partition(";")
        language = language.strip()
        quality = _quality(parameter.strip())
        if quality > best_quality and LANGUAGE.fullmatch(language):
            best, best_quality = language, quality
    return best


def _quality(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        quality = float(value)
    except ValueError:
        return 0.0
    return quality if name.strip().lower() == "q" and 0 <= quality <= 1 else 0.0
