"""Content: what a static code says."""

import re
from dataclasses import dataclass

from server.domain.errors import InvalidValue

# The most any symbol holds: 7,089 digits in version 40-L (ISO/IEC 18004:2015, table 7). What a given text needs is
# for the encoder to say; this bound only keeps it from being asked about megabytes.
MAX_CHARACTERS = 7089

# What PostgreSQL cannot hold, and halves of characters, which UTF-8 cannot.
FORBIDDEN = re.compile(r"[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Text:
    """Plain text, read out as it stands."""

    text: str

    def __post_init__(self) -> None:
        if not self.text:
            raise InvalidValue("empty", "A text may not be empty.", field="text")
        if len(self.text) > MAX_CHARACTERS:
            raise InvalidValue(
                "too_long",
                f"A text has at most {MAX_CHARACTERS} characters, and so many only of digits; "
                f"this one has {len(self.text)}.",
                field="text",
            )
        if found := FORBIDDEN.search(self.text):
            raise InvalidValue(
                "invalid_character",
                f"A text may not contain the character U+{ord(found[0]):04X} (position {found.start()}).",
                field="text",
            )
