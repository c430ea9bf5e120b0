"""Where the next page of a list begins, as the opaque text that a client brings back. What it says is only for this
server to read."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from server.domain.errors import InvalidValue
from server.domain.log import Place
from server.domain.selection import ALPHABETICAL, TIMES, LinkSelection, PageEnd, QrCodeSelection, Selection, SortKey
from server.domain.stats import EARLIEST, LATEST
from server.wire import cursor_number, cursor_of

MICROSECOND = timedelta(microseconds=1)

#: That a number takes.
LETTERS = len(cursor_of(0))

#: Of the hash by which a cursor says to which list it belongs.
LIST_BYTES = 6


def a_cursor(given: str) -> int:
    """Below which id a list goes on."""
    number = cursor_number(given)
    if number is None:
        raise _invalid()
    return number


def place_text(place: Place) -> str:
    return cursor_of((place.at - EARLIEST) // MICROSECOND) + cursor_of(place.number)


def a_place(given: str) -> Place:
    """Behind which place a log goes on."""
    time_us, number = cursor_number(given[:LETTERS]), cursor_number(given[LETTERS:])
    if time_us is None or number is None or time_us > (LATEST - EARLIEST) // MICROSECOND:
        raise _invalid()
    return Place(EARLIEST + time_us * MICROSECOND, number)


# --- lists of links and codes -------------------------------------------------------------------------------------


class ListCursor(NamedTuple):
    """A place in one list, in one order. It says of which, so that it goes on nowhere else."""

    list: bytes
    key: str | int
    id: int


def a_list_cursor(given: str) -> ListCursor:
    try:
        said = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        key, number = orjson.loads(said[LIST_BYTES:])
        cursor = ListCursor(said[:LIST_BYTES], key, number)
        if _is_key(key) and _is_number(number) and _text(cursor) == given:
            return cursor
    except (binascii.Error, ValueError, TypeError):  # TypeError: it is no list
        pass
    raise _invalid()


def _is_key(key: object) -> bool:
    return _is_number(key) or (isinstance(key, str) and "\0" not in key)


def _is_number(number: object) -> bool:
    return type(number) is int and 0 <= number < 1 << 63


def _text(cursor: ListCursor) -> str:
    return base64.urlsafe_b64encode(cursor.list + orjson.dumps(cursor[1:])).decode().rstrip("=")


def cursors(selection: LinkSelection | QrCodeSelection) -> Callable[[PageEnd], str]:
    """How places in this list become cursors."""
    list_ = _list(selection)

    def cursor(place: PageEnd) -> str:
        key = place.key
        return _text(ListCursor(list_, (key - EARLIEST) // MICROSECOND if isinstance(key, datetime) else key, place.id))

    return cursor


def place_in(selection: LinkSelection | QrCodeSelection, cursor: ListCursor) -> PageEnd:
    """Raises InvalidValue for a cursor of another list."""
    if cursor.list != _list(selection):
        detail = "This cursor is of a list in another order or with other filters. Send those of the page that gave it."
        raise InvalidValue("other_list", detail, field="cursor")
    key: SortKey = cursor.key
    try:
        if isinstance(key, str) != (selection.sort in ALPHABETICAL):
            raise OverflowError  # somebody has made it
        if isinstance(key, int) and selection.sort in TIMES:
            key = EARLIEST + key * MICROSECOND
    except OverflowError as exc:
        raise _invalid("cursor") from exc
    return PageEnd(key, cursor.id)


def _list(selection: Selection) -> bytes:
    """Of what is not as it is by default, so that what lists may be asked for later changes no cursor of today."""
    asked = [type(selection).__name__]
    for each in fields(selection):
        value = getattr(selection, each.name)
        if value != each.default:
            asked.append(f"{each.name}={value!r}")
    return hashlib.blake2b("\n".join(asked).encode(), digest_size=LIST_BYTES).digest()


def _invalid(field: str | None = None) -> InvalidValue:
    return InvalidValue("invalid_cursor", "A cursor is the next_cursor of an earlier page, as it was.", field=field)
