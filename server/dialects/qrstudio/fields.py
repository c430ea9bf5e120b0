"""How a body's fields are read: with the words of Django REST framework, which are the vendor's."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple

REQUIRED = "This field is required."
NULL = "This field may not be null."

TRUE = frozenset(["true", "1"])
FALSE = frozenset(["false", "0"])

COLOUR = re.compile(r"black|white|#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")

#: What is wrong with a field: a list where one of its own rules is broken, a text where what it says means nothing.
Said = str | list[str]


class Broken(Exception):
    """A field is not as it must be."""

    def __init__(self, said: Said) -> None:
        super().__init__(said)
        self.said = said


class WrongFields(Exception):
    """All fields of a body that are not as they must be, by name."""

    def __init__(self, wrong: Mapping[str, Said]) -> None:
        super().__init__(wrong)
        self.wrong = wrong


Check = Callable[[Any], object]


class Field(NamedTuple):
    check: Check
    #: None may also be said.
    default: object = None
    required: bool = False


Fields = Mapping[str, Field]


def read(fields: Fields, given: Mapping[str, Any], *, partly: bool = False) -> tuple[dict[str, Any], dict[str, Said]]:
    """The fields with their defaults, unless only those are wanted that are `given`; and what is wrong with others."""
    found: dict[str, Any] = {}
    wrong: dict[str, Said] = {}
    for name, field in fields.items():
        if name not in given:
            if field.required and not partly:
                wrong[name] = [REQUIRED]
            elif not partly:
                found[name] = field.default
        elif given[name] is None:
            if field.required or field.default is not None:
                wrong[name] = [NULL]
            else:
                found[name] = None
        else:
            try:
                found[name] = field.check(given[name])
            except Broken as exc:
                wrong[name] = exc.said
    return found, wrong


# --- checks: each takes what JSON holds, or a form, in which all is text ------------------------------------------


def text(at_most: int, *, blank: bool = False) -> Check:
    def check(given: object) -> str:
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise Broken(["Not a valid string."])
        found = str(given)
        if not found.strip() and not blank:
            raise Broken(["This field may not be blank."])
        if len(found) > at_most:
            raise Broken([f"Ensure this field has no more than {at_most} characters."])
        return found

    return check


def choice(*names: str) -> Check:
    def check(given: object) -> str:
        if not isinstance(given, str) or given not in names:
            raise Broken([f'"{given}" is not a valid choice.'])
        return given

    return check


def number(least: float, most: float) -> Check:
    def check(given: object) -> float:
        try:
            found = float(given) if isinstance(given, str | int | float) and not isinstance(given, bool) else None
        except (ValueError, OverflowError):
            found = None
        if found is None or not isfinite(found):
            raise Broken(["A valid number is required."])
        return _between(found, least, most)

    return check


def integer(least: int, most: int) -> Check:
    def check(given: object) -> int:
        if isinstance(given, float) and given.is_integer():
            given = int(given)
        if isinstance(given, str) and re.fullmatch(r"-?[0-9]{1,9}", given.strip(), re.ASCII):
            given = int(given)
        if isinstance(given, bool) or not isinstance(given, int):
            raise Broken(["A valid integer is required."])
        return int(_between(given, least, most))

    return check


def _between(found: float, least: float, most: float) -> float:
    if found < least:
        raise Broken([f"Ensure this value is greater than or equal to {least:g}."])
    if found > most:
        raise Broken([f"Ensure this value is less than or equal to {most:g}."])
    return found


def flag(given: object) -> bool:
    said = str(given).lower() if isinstance(given, bool | int | str) else ""
    if said not in TRUE | FALSE:
        raise Broken(["Must be a valid boolean."])
    return said in TRUE


def colour(given: object) -> str:
    if not isinstance(given, str) or not COLOUR.fullmatch(given):
        raise Broken(f"Invalid color {_shown(given)}. Use 'black', 'white', or hex like #RRGGBB / #RRGGBBAA.")
    return given


def ground(given: object) -> str:
    if given == "transparent":
        return given
    if not isinstance(given, str) or not COLOUR.fullmatch(given):
        known = "'black', 'white', 'transparent', or hex like #RRGGBB / #RRGGBBAA"
        raise Broken(f"Invalid color {_shown(given)}. Use {known}.")
    return given


def _shown(given: object) -> str:
    return f"'{str(given)[:40]}'"


def mapping(given: object) -> Mapping[str, object]:
    if not isinstance(given, dict):
        kind = type(given).__name__
        raise Broken([f'Expected a dictionary of items but got type "{kind}".'])
    return given


def file(max_bytes: int) -> Check:
    """A part of a multipart body."""

    def check(given: object) -> bytes:
        if not isinstance(given, bytes):
            raise Broken(["The submitted data was not a file. Check the encoding type on the form."])
        if not given:
            raise Broken(["The submitted file is empty."])
        if len(given) > max_bytes:
            raise Broken(f"File too large: {len(given)} bytes. The limit is {max_bytes >> 20} MB.")
        return given

    return check
