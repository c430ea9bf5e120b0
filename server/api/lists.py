"""Lists of links and codes: what their queries may say, and the cursors of their pages.

A cursor is a place in one list, in one order. It says of which, so that it goes on nowhere else; what it says is only
for this server to read.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal, NamedTuple, TypeVar

import orjson
from pydantic import Field

from server.api.fields import Query, born
from server.api.problems import InvalidFields, WrongField
from server.api.schema import Limit, Tags, an_id
from server.domain.content import KINDS
from server.domain.errors import InvalidValue
from server.domain.label import one_line
from server.domain.model import LinkId
from server.domain.moment import a_moment
from server.domain.selection import (
    Deleted,
    Kind,
    LinkSelection,
    LinkSort,
    PageEnd,
    QrCodeSelection,
    QrCodeSort,
    Selection,
    SortKey,
)

S = TypeVar("S", bound=LinkSelection | QrCodeSelection)

MAX_SEARCH = 200
MAX_TYPES = len(KINDS)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

#: Of the hash by which a cursor says to which list it belongs.
LIST_BYTES = 6

#: Sorts of which people expect that they begin at A; all others begin with what is greatest.
ALPHABETICAL = frozenset(["title", "name"])
TIMES = frozenset(["created_at", "updated_at"])

INVALID = "A cursor is the next_cursor of an earlier page, as it was."
OTHER_LIST = "This cursor is of a list in another order or with other filters. Send those of the page that gave it."


class Cursor(NamedTuple):
    """What a cursor says."""

    list: bytes
    key: str | int
    id: int


def a_cursor(given: str) -> Cursor:
    try:
        said = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        key, number = orjson.loads(said[LIST_BYTES:])
        cursor = Cursor(said[:LIST_BYTES], key, number)
        if _is_key(key) and _is_number(number) and _text(cursor) == given:
            return cursor
    except (binascii.Error, ValueError, TypeError):  # TypeError: it is no list
        pass
    raise InvalidValue("invalid_cursor", INVALID)


def _is_key(key: object) -> bool:
    return _is_number(key) or (isinstance(key, str) and "\0" not in key)


def _is_number(number: object) -> bool:
    return type(number) is int and 0 <= number < 1 << 63


def _text(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(cursor.list + orjson.dumps(cursor[1:])).decode().rstrip("=")


def cursors(selection: LinkSelection | QrCodeSelection) -> Callable[[PageEnd], str]:
    """How places in this list become cursors."""
    list_ = _list(selection)

    def cursor(place: PageEnd) -> str:
        key = place.key
        return _text(Cursor(list_, (key - EPOCH) // MICROSECOND if isinstance(key, datetime) else key, place.id))

    return cursor


def _place(cursor: Cursor, selection: LinkSelection | QrCodeSelection) -> PageEnd:
    if cursor.list != _list(selection):
        raise InvalidFields([WrongField(parameter="cursor", code="other_list", detail=OTHER_LIST)])
    key: SortKey = cursor.key
    try:
        if isinstance(key, str) != (selection.sort in ALPHABETICAL):
            raise OverflowError  # somebody has made it
        if isinstance(key, int) and selection.sort in TIMES:
            key = EPOCH + key * MICROSECOND
    except OverflowError as exc:
        raise InvalidFields([WrongField(parameter="cursor", code="invalid_cursor", detail=INVALID)]) from exc
    return PageEnd(key, cursor.id)


def _list(selection: Selection) -> bytes:
    """Of what is not as it is by default, so that what lists may be asked for later changes no cursor of today."""
    asked = [type(selection).__name__]
    for each in fields(selection):
        value = getattr(selection, each.name)
        if value != each.default:
            asked.append(f"{each.name}={value!r}")
    return hashlib.blake2b("\n".join(asked).encode(), digest_size=LIST_BYTES).digest()


def _searched(given: str) -> str:
    return one_line(given.strip(), MAX_SEARCH)


class Filters(Query):
    """Which things, and in which order."""

    repeatable: ClassVar[frozenset[str]] = frozenset(["tag"])

    search: Annotated[str | None, born(_searched)] = None
    tag: Tags = ()
    created_after: Annotated[datetime | None, born(a_moment(day_ends=False))] = None
    created_before: Annotated[datetime | None, born(a_moment(day_ends=False))] = None
    deleted: Deleted = "exclude"
    order: Literal["asc", "desc"] | None = None

    def _selection(self, kind: type[S], sort: str) -> S:
        ascending = self.order == "asc" or (self.order is None and sort in ALPHABETICAL)
        said = {
            name: getattr(self, name) for name in type(self).model_fields.keys() & {each.name for each in fields(kind)}
        }
        return kind(**said, tags=tuple(sorted(self.tag)), descending=not ascending)


class Paged(Query):
    limit: Limit = 20
    cursor: Annotated[Cursor | None, born(a_cursor)] = None

    def place(self, selection: LinkSelection | QrCodeSelection) -> PageEnd | None:
        """Where the page begins; raises InvalidFields for a cursor of another list."""
        return None if self.cursor is None else _place(self.cursor, selection)


class LinkFilters(Filters):
    active: bool | None = None
    sort: LinkSort = "created_at"

    def selection(self) -> LinkSelection:
        return self._selection(LinkSelection, self.sort)


class Expanding(Query):
    """What answers with codes."""

    expand: Literal["link"] | None = None


def _content_type(given: str) -> str:
    if given not in KINDS:
        raise InvalidValue("unknown_value", f"A content's type is one of {', '.join(KINDS)}.")
    return given


class QrCodeFilters(Filters):
    repeatable: ClassVar[frozenset[str]] = frozenset(["tag", "type"])

    kind: Kind | None = None
    #: Of its content; a dynamic code says a URL.
    type: Annotated[
        tuple[Annotated[str, born(_content_type, {"enum": list(KINDS)})], ...], Field(max_length=MAX_TYPES)
    ] = ()
    link_id: Annotated[LinkId | None, born(an_id("lnk"))] = None
    sort: QrCodeSort = "created_at"

    def selection(self) -> QrCodeSelection:
        return replace(self._selection(QrCodeSelection, self.sort), types=tuple(sorted({*self.type})))


class LinkListQuery(LinkFilters, Paged):
    """GET /links."""


class QrCodeListQuery(QrCodeFilters, Paged, Expanding):
    """GET /qr-codes."""
