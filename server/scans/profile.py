"""What a request tells of who scans: what the rules of links ask for."""

from collections.abc import Callable, Mapping

from server.asgi import Scope
from server.domain.rules import LANGUAGE, Device, System, Visitor
from server.scans.agent import agent
from server.scans.geo import country_of
from server.scans.record import MAX_AGENT, MAX_LANGUAGE

SYSTEMS: dict[str | None, System] = {
    "iOS": "ios",
    "Android": "android",
    "Windows": "windows",
    "Mac OS X": "macos",
    **dict.fromkeys(
        ["Linux", "Ubuntu", "Debian", "Fedora", "Red Hat", "SUSE", "Gentoo", "Arch Linux", "Mint"], "linux"
    ),
}

DEVICES: dict[str, Device] = {"mobile": "mobile", "tablet": "tablet", "desktop": "desktop"}


class Profiles:
    """Visitors by their requests."""

    def __init__(
        self, *, country_header: str, address: Callable[[Scope], str], country: Callable[[str], object]
    ) -> None:
        """`country_header` is one that a CDN in front sets; empty where there is none. Where it does not say, `country`
        tells by the address."""
        self._country_header = country_header.lower().encode()
        self._address = address
        self._country = country
        agent("curl")  # makes its tables ready

    def of(self, scope: Scope, *, with_country: bool) -> Visitor:
        headers = dict(scope["headers"])
        address = self._address(scope)
        text = headers.get(b"user-agent", b"")[:MAX_AGENT].decode("utf-8", "replace")
        found = agent(text)
        return Visitor(
            device=DEVICES.get(found.device, "other"),
            os=SYSTEMS.get(found.os, "other"),
            country=self._country_of(headers, address) if with_country else None,
            language=preferred(headers.get(b"accept-language", b"")[:MAX_LANGUAGE].decode("latin-1")),
            bot=found.device == "bot",
            key=f"{address} {text}",
        )

    def _country_of(self, headers: Mapping[bytes, bytes], address: str) -> str | None:
        said = headers.get(self._country_header, b"").decode("latin-1")
        return country_of(said) or country_of(self._country(address))


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
