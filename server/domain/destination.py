"""The destination: where a link leads."""

import re
from typing import Self
from urllib.parse import quote, urlsplit

import idna

from server.domain.checked import CheckedText
from server.domain.errors import InvalidValue

MAX_BYTES = 8192

# What must never reach a Location header, and what no URL may carry unescaped (RFC 3986, 2): CR and LF split a
# response, tabs are dropped by browsers, and a backslash is a slash to them, so that the host is another one.
# Lone surrogates are no characters at all.
FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\<>\"^`{|}\u2028\u2029\ud800-\udfff]")

# As nearly all are: a host of letters, digits, dots and hyphens, without a user or a port, and nothing that is escaped
# or forbidden. Nothing else need be asked.
COMMON = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://[A-Za-z0-9][A-Za-z0-9.-]*(?:[/?#][!#-;=?-\[\]_a-z~]*)?")

# Everything that RFC 3986 lets stand unescaped, and '%' so that escapes stay as they are.
UNESCAPED = "%:/?#[]@!$&'()*+,;=-._~"


class Destination(CheckedText):
    """An absolute http or https URL in ASCII, at most 8,192 bytes.

    A URL with other letters is mapped as browsers do (RFC 3987, 3.1): the host to its IDNA form, the rest to
    percent-escapes of UTF-8. Everything else stays exactly as it was sent.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if len(text) <= MAX_BYTES and COMMON.fullmatch(text):
            return super().__new__(cls, text)
        if not text:
            raise InvalidValue("empty", "A destination may not be empty.")
        if (size := len(text.encode(errors="replace"))) > MAX_BYTES:
            raise InvalidValue("too_long", f"A destination has at most {MAX_BYTES} bytes; this one has {size}.")
        if found := FORBIDDEN.search(text):
            raise InvalidValue(
                "invalid_character",
                f"A destination may not contain the character U+{ord(found[0]):04X} "
                f"(position {found.start()}); percent-encode it.",
            )
        url = text if text.isascii() else _to_ascii(text)
        if len(url) > MAX_BYTES:
            raise InvalidValue(
                "too_long", f"A destination has at most {MAX_BYTES} bytes; escaped, this one has {len(url)}."
            )
        _check(url)
        return super().__new__(cls, url)


def _check(url: str) -> None:
    scheme, colon, rest = url.partition(":")
    if scheme.lower() not in ("http", "https") or not colon:
        raise InvalidValue("invalid_scheme", "A destination begins with http:// or https://.")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port  # raises unless it is a number in [0, 65535]
    except ValueError as exc:
        raise InvalidValue("invalid_url", f"The destination is not a URL: {exc}.") from exc
    if not rest.startswith("//") or not host:
        raise InvalidValue("no_host", "A destination names a host, as in https://example.com/.")
    if "%" in host or not (host.strip(".") or ":" in host):
        raise InvalidValue("invalid_host", f"The host {host!r} of the destination is not a name or an address.")


def _to_ascii(text: str) -> str:
    try:
        netloc = urlsplit(text).netloc
        user, at, place = netloc.rpartition("@")
        host, colon, port = place.partition(":")
        if not host.isascii():
            # Put together from its parts, and not looked for: the user may be called as the host is.
            head, slashes, tail = text.partition("//")
            name = idna.encode(host, uts46=True).decode()
            text = f"{head}{slashes}{user}{at}{name}{colon}{port}{tail[len(netloc) :]}"
    except (ValueError, UnicodeError) as exc:  # IDNAError is a UnicodeError
        raise InvalidValue("invalid_host", f"The host of the destination is not a legal name: {exc}.") from exc
    return quote(text, safe=UNESCAPED)
