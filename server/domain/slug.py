"""The slug: the part of a short URL that names a link."""

import re
import secrets
from typing import Self

from server.domain.checked import CheckedText
from server.domain.errors import InvalidValue

# Lower-case digits and letters without vowels (no accidental words) and without 0, 1, l (no look-alikes on paper).
# 28 ** 8 = 3.8e11: with a million links, one guess in 380,000 hits (Georgiev & Shmatikov, arXiv:1604.02734).
ALPHABET = "23456789bcdfghjkmnpqrstvwxyz"
LENGTH = 8
MAX_LENGTH = 64

# Matched before it is lower-cased: U+212A, the Kelvin sign, is no letter of ours, but would become one.
PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?", re.ASCII | re.IGNORECASE)

#: First path segments that belong to the server, now or by the design, and the names dialects are mounted at.
RESERVED = frozenset(
    [
        "api",
        "v1",
        "q",
        "i",
        "r",
        "docs",
        "console",
        "assets",
        "static",
        "metrics",
        "livez",
        "readyz",
        "healthz",
        "problems",
        "mask",
        "qrlogo",
        "qrcode-app",
        "qrstudio",
        "qrcodestack",
    ]
)


class Slug(CheckedText):
    """A legal slug, in lower case: slugs are case-insensitive, as people type them from paper."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not text:
            raise InvalidValue("empty", "A slug may not be empty.")
        if len(text) > MAX_LENGTH:
            raise InvalidValue("too_long", f"A slug has at most {MAX_LENGTH} characters; this one has {len(text)}.")
        if not PATTERN.fullmatch(text):
            raise InvalidValue(
                "invalid_slug",
                "A slug is made of a-z, 0-9, '-' and '_', and begins and ends with a letter or digit.",
            )
        slug = text.lower()
        if slug in RESERVED:
            raise InvalidValue("reserved_slug", f"The slug {slug!r} belongs to the server itself. Choose another.")
        return super().__new__(cls, slug)

    @classmethod
    def random(cls) -> Self:
        return cls("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)))
