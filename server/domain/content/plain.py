"""Contents that a reader takes as they stand: text and URLs."""

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from server.domain.content.fields import any_url, string, takes
from server.domain.content.kind import MAX_CHARACTERS, Content
from server.domain.errors import InvalidValue

# What PostgreSQL cannot hold, and halves of characters, which UTF-8 cannot.
FORBIDDEN = re.compile(r"[\x00\ud800-\udfff]")


@takes(type="string", minLength=1, maxLength=MAX_CHARACTERS)
def any_text(given: object) -> str:
    text = string(given)
    if not text:
        raise InvalidValue("empty", "A text may not be empty.")
    if len(text) > MAX_CHARACTERS:
        raise InvalidValue(
            "too_long",
            f"A text has at most {MAX_CHARACTERS} characters, and so many only of digits; this one has {len(text)}.",
        )
    if found := FORBIDDEN.search(text):
        raise InvalidValue(
            "invalid_character",
            f"A text may not contain the character U+{ord(found[0]):04X} (position {found.start()}).",
        )
    return text


@dataclass(frozen=True, slots=True)
class Text(Content):
    """Plain text, read out as it stands."""

    type: ClassVar = "text"

    text: Annotated[str, any_text]

    @property
    def says(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Url(Content):
    """A URL, opened without this server in between."""

    type: ClassVar = "url"

    url: Annotated[str, any_url]

    @property
    def says(self) -> str:
        return self.url
