"""Places."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from urllib.parse import quote

from server.domain.content.fields import line, number, optional
from server.domain.content.kind import Content

MAX_LABEL = 100
DECIMALS = 7  # about a centimetre


@dataclass(frozen=True, slots=True, kw_only=True)
class Geo(Content):
    """A place on the map, in degrees of WGS 84: a geo: URI (RFC 5870)."""

    type: ClassVar = "geo"

    latitude: Annotated[float, number(-90, 90, decimals=DECIMALS)]
    longitude: Annotated[float, number(-180, 180, decimals=DECIMALS)]
    label: Annotated[str | None, optional(line(MAX_LABEL))] = None

    @property
    def says(self) -> str:
        place = f"{_degrees(self.latitude)},{_degrees(self.longitude)}"
        # RFC 5870 knows no label; q= is Android's, and read by others as the place and what follows it
        # (https://developers.google.com/maps/documentation/urls/android-intents, "Search", read November 2026).
        return f"geo:{place}?q={place}({quote(self.label, safe='')})" if self.label else f"geo:{place}"


def _degrees(value: float) -> str:
    """A number without an exponent, which no geo: URI may have."""
    return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")
