"""Lists of links and codes: what their queries may say."""

from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field

from server.api.fields import Query
from server.api.problems import in_query
from server.api.schema import Limit, Tags, an_id
from server.cursors import ListCursor, a_list_cursor, place_in
from server.domain.content import KINDS
from server.domain.errors import InvalidValue
from server.domain.label import one_line
from server.domain.model import LinkId
from server.domain.moment import a_moment
from server.domain.selection import (
    ALPHABETICAL,
    Deleted,
    Kind,
    LinkSelection,
    LinkSort,
    PageEnd,
    QrCodeSelection,
    QrCodeSort,
)
from server.fields import born

S = TypeVar("S", bound=LinkSelection | QrCodeSelection)

MAX_SEARCH = 200
MAX_TYPES = len(KINDS)


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
    cursor: Annotated[ListCursor | None, born(a_list_cursor)] = None

    def place(self, selection: LinkSelection | QrCodeSelection) -> PageEnd | None:
        """Where the page begins; raises InvalidFields for a cursor of another list."""
        if self.cursor is None:
            return None
        with in_query():
            return place_in(selection, self.cursor)


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
