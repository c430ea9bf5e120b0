"""Checks of single fields: each takes what JSON may hold and returns it in its one spelling, or raises InvalidValue.

A check does not know the name of its field; `Content` adds it. Inside a list, the error names the place in it ("1").
What JSON Schema (draft 2020-12) can say of what a check takes stands with it: `schema_of`.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

import idna

from server.domain.destination import COMMON, FORBIDDEN, UNESCAPED, Destination
from server.domain.errors import InvalidValue
from server.domain.label import one_line

T = TypeVar("T")
Check = Callable[[object], T]
Schema = dict[str, Any]

MAX_URL_CHARACTERS = 2048

# RFC 3986, 3.1.
SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):.", re.DOTALL)
# URLs that are programs or documents of their own: whoever opens one runs what the code's author wrote.
DANGEROUS_SCHEMES = frozenset(["blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"])

# What people write between the digits of a number, in all the dashes and spaces there are.
BETWEEN_DIGITS = re.compile(r"[\s().\-/\u2010-\u2015]")
# ITU-T E.164, 6.2.1: at most 15 digits behind the plus. Without it, whatever is dialled here: 112, 0800 123456.
PHONE = re.compile(r"\+[1-9][0-9]{3,14}|[0-9]{2,15}")

# The address as HTML reads it (WHATWG HTML, "valid e-mail address"), which leaves out what nobody uses of RFC 5322.
# Lengths: RFC 5321, 4.5.3.1.
LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}")
DOMAIN_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
MAX_ADDRESS_CHARACTERS = 254


def takes(**schema: object) -> Callable[[Check[T]], Check[T]]:
    def told(check: Check[T]) -> Check[T]:
        vars(check)["schema"] = schema
        return check

    return told


def schema_of(check: Check[object]) -> Schema:
    return dict(vars(check)["schema"])


@takes(type="string")
def string(given: object) -> str:
    if not isinstance(given, str):
        raise InvalidValue("wrong_type", "This must be a string.")
    return given


@takes(type="boolean")
def flag(given: object) -> bool:
    if not isinstance(given, bool):
        raise InvalidValue("wrong_type", "This must be true or false.")
    return given


def number(low: float, high: float, *, decimals: int) -> Check[float]:
    """A number in [low, high], rounded."""

    @takes(type="number", minimum=low, maximum=high)
    def check(given: object) -> float:
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise InvalidValue("wrong_type", "This must be a number.")
        if not low <= given <= high:
            raise InvalidValue("out_of_range", f"This is from {low:g} to {high:g}.")
        return round(float(given), decimals) + 0.0  # and -0.0 is 0.0

    return check


def one_of(*choices: str) -> Check[str]:
    @takes(type="string", enum=list(choices))
    def check(given: object) -> str:
        if given not in choices:
            raise InvalidValue("unknown_value", f"This is one of {', '.join(choices)}.")
        return str(given)

    return check


def optional(check: Check[T]) -> Check[T | None]:
    """None, or what the check lets through."""
    return takes(anyOf=[schema_of(check), {"type": "null"}])(lambda given: None if given is None else check(given))


def many(check: Check[T], *, at_most: int, at_least: int = 0) -> Check[tuple[T, ...]]:
    """A list; a single string is a list of one."""
    one = schema_of(check)

    @takes(anyOf=[{"type": "array", "items": one, "minItems": at_least, "maxItems": at_most}, one])
    def check_all(given: object) -> tuple[T, ...]:
        if isinstance(given, str):
            return (check(given),)
        if not isinstance(given, list | tuple):
            raise InvalidValue("wrong_type", "This must be a string or a list of strings.")
        if len(given) < at_least:
            raise InvalidValue("empty", "This may not be empty.")
        if len(given) > at_most:
            raise InvalidValue("too_many", f"There are at most {at_most} of these; here are {len(given)}.")
        found = []
        for place, each in enumerate(given):
            try:
                found.append(check(each))
            except InvalidValue as exc:
                raise InvalidValue(exc.reason, exc.detail, field=str(place)) from exc
        return tuple(found)

    return check_all


def line(at_most: int) -> Check[str]:
    """One line of 1 to `at_most` characters, without white space around it and without control characters."""
    return takes(type="string", minLength=1, maxLength=at_most)(lambda given: one_line(string(given).strip(), at_most))


def words(at_most: int) -> Check[str]:
    """Lines of text, of 1 to `at_most` characters in all; every line ends as \\n."""

    @takes(type="string", minLength=1, maxLength=at_most)
    def check(given: object) -> str:
        text = string(given).replace("\r\n", "\n").replace("\r", "\n")
        if not text.strip():
            raise InvalidValue("empty", "This may not be empty.")
        if len(text) > at_most:
            raise InvalidValue("too_long", f"This has at most {at_most} characters; it has {len(text)}.")
        for position, character in enumerate(text):
            if character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cs"):
                raise InvalidValue(
                    "invalid_character",
                    f"This may not contain the character U+{ord(character):04X} (position {position}).",
                )
        return text

    return check


@takes(type="string", minLength=2, examples=["+33 6 12 34 56 78"])
def phone_number(given: object) -> str:
    """A number to dial, with or without a plus before it; spaces, dashes, dots, slashes and brackets go."""
    text = string(given)
    if "+" in text and re.search(r"\(\s*0\s*\)", text):
        raise InvalidValue(
            "invalid_phone", "Behind a country code the (0) is not dialled; leave it out, as in +44 20 7946 0018."
        )
    dialled = BETWEEN_DIGITS.sub("", text)
    if not PHONE.fullmatch(dialled):
        raise InvalidValue(
            "invalid_phone",
            "A phone number has 2 to 15 digits, and may begin with a plus and the country code: +33 6 12 34 56 78.",
        )
    return dialled


@takes(type="string", format="email", examples=["ada@example.com"])
def email_address(given: object) -> str:
    """An address whose host is a name; one with letters beyond ASCII becomes its IDNA form."""
    text = string(given).strip()
    local, at, host = text.rpartition("@")
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode()
    except UnicodeError as exc:  # IDNAError is a UnicodeError
        raise InvalidValue("invalid_email", f"The host of the address is not a legal name: {exc}.") from exc
    address = f"{local}@{name}"
    if not at or not LOCAL_PART.fullmatch(local) or not all(DOMAIN_LABEL.fullmatch(each) for each in name.split(".")):
        raise InvalidValue(
            "invalid_email", "An address is name@host, as in ada@example.com; before the @ stand ASCII letters only."
        )
    if len(address) > MAX_ADDRESS_CHARACTERS:
        raise InvalidValue(
            "too_long", f"An address has at most {MAX_ADDRESS_CHARACTERS} characters; this one has {len(address)}."
        )
    return address


@takes(type="string", format="uri", minLength=3, maxLength=MAX_URL_CHARACTERS, examples=["https://example.com/"])
def any_url(given: object) -> str:
    """An absolute URL in ASCII: of http and https by the rules of `Destination`; else of any scheme that opens
    something elsewhere, as `myapp:` and `ftp:` do, and does not bring along what it runs."""
    text = string(given)
    if len(text) <= MAX_URL_CHARACTERS and COMMON.fullmatch(text):
        return text
    if len(text) > MAX_URL_CHARACTERS:
        raise InvalidValue("too_long", f"A URL has at most {MAX_URL_CHARACTERS} characters; this one has {len(text)}.")
    if not text:
        raise InvalidValue("empty", "A URL may not be empty.")
    found = SCHEME.match(text)
    if not found:
        raise InvalidValue("invalid_scheme", "A URL begins with its scheme, as in https://example.com/.")
    scheme = found[1].lower()
    if scheme in ("http", "https"):
        url = str(Destination(text))
    elif scheme in DANGEROUS_SCHEMES:
        raise InvalidValue("invalid_scheme", f"A URL may not begin with {scheme}:.")
    elif found := FORBIDDEN.search(text):
        raise InvalidValue(
            "invalid_character",
            f"A URL may not contain the character U+{ord(found[0]):04X} (position {found.start()}); percent-encode it.",
        )
    else:
        url = quote(text, safe=UNESCAPED)
    if len(url) > MAX_URL_CHARACTERS:
        raise InvalidValue(
            "too_long", f"A URL has at most {MAX_URL_CHARACTERS} characters; escaped, this one has {len(url)}."
        )
    return url
