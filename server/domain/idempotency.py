"""Requests that are done once, however often they are sent: by the key that a client gives them
(draft-ietf-httpapi-idempotency-key-header-07)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from server.domain.checked import CheckedText
from server.domain.errors import InvalidIdempotencyKey

MAX_KEY_LENGTH = 255

#: How long the answer of a request is kept.
KEPT_HOURS = 24

#: How long the key of a request is taken whose process has died, and how often one that lives says so.
LEASE_S = 20
RENEW_S = 5


class IdempotencyKey(CheckedText):
    """1 to 255 visible ASCII characters; with the quotes that the draft wants, these are a part of it."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not 0 < len(text) <= MAX_KEY_LENGTH or not all("!" <= each <= "~" for each in text):
            raise InvalidIdempotencyKey
        return super().__new__(cls, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What a request was answered, and which request it was."""

    #: Of its method, address and body.
    request_sha256: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
