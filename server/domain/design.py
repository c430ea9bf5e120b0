"""The design: the value that fully determines how a code looks."""

from dataclasses import dataclass
from typing import Literal, get_args

from server.domain.errors import InvalidValue

Level = Literal["L", "M", "Q", "H"]
LEVELS: tuple[Level, ...] = get_args(Level)

MAX_MARGIN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Black modules on white."""

    #: Error correction: about 7, 15, 25 or 30 % of the codewords can be restored (ISO/IEC 18004:2015, table 8).
    level: Level = "M"
    #: The quiet zone, in modules, [0, 32]. Readers may rely on 4 (ISO/IEC 18004:2015, 6.3.8).
    margin: int = 4

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise InvalidValue("invalid_level", f"A level is one of {', '.join(LEVELS)}.", field="level")
        if not 0 <= self.margin <= MAX_MARGIN:
            raise InvalidValue(
                "out_of_range",
                f"A margin is 0 to {MAX_MARGIN} modules; this one is {self.margin}.",
                field="margin",
            )
