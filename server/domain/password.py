"""The password of a link, as its owner sets it and a visitor enters it."""

import unicodedata
from typing import Self

from server.domain.checked import CheckedText
from server.domain.errors import InvalidValue

MAX_LENGTH = 128


class Password(CheckedText):
    """1 to 128 characters in Unicode's form C, as keyboards differ in how they spell an accent (RFC 8265, 4.2)."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        password = unicodedata.normalize("NFC", text)
        if not password:
            raise InvalidValue("empty", "A password may not be empty; null is none.")
        if len(password) > MAX_LENGTH:
            raise InvalidValue("too_long", f"A password has at most {MAX_LENGTH} characters.")
        return super().__new__(cls, password)
