"""Where the next page of a list begins, as the opaque text that a client brings back."""

from datetime import timedelta

from server.domain.errors import InvalidValue
from server.domain.log import Place
from server.domain.stats import EARLIEST, LATEST
from server.wire import cursor_number, cursor_of

MICROSECOND = timedelta(microseconds=1)

#: That a number takes.
LETTERS = len(cursor_of(0))


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


def _invalid() -> InvalidValue:
    return InvalidValue("invalid_cursor", "A cursor is the next_cursor of an earlier page, as it was.")
