"""What is asked of a list: which things, in which order, and from where on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from server.domain.model import LinkId
from server.domain.tag import Tag

Deleted = Literal["exclude", "include", "only"]
Kind = Literal["dynamic", "static"]
LinkSort = Literal["created_at", "updated_at", "title", "scans"]
QrCodeSort = Literal["created_at", "updated_at", "name", "scans"]

#: Sorts of which people expect that they begin at A; all others begin with what is greatest.
ALPHABETICAL = frozenset(["title", "name"])
TIMES = frozenset(["created_at", "updated_at"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Of links or codes; without anything said, all that are not deleted, newest first."""

    #: A part of one of the texts that people know a thing by, in any case.
    search: str | None = None
    #: It has all of these.
    tags: tuple[Tag, ...] = ()
    #: Made at or after this moment ...
    created_after: datetime | None = None
    #: ... and before this one.
    created_before: datetime | None = None
    deleted: Deleted = "exclude"
    descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSelection(Selection):
    active: bool | None = None
    sort: LinkSort = "created_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCodeSelection(Selection):
    kind: Kind | None = None
    #: Of their contents, any of which will do; a dynamic code says a URL.
    types: tuple[str, ...] = ()
    link_id: LinkId | None = None
    #: Of their link, in lower case.
    slug: str | None = None
    sort: QrCodeSort = "created_at"


ALL_LINKS = LinkSelection()
ALL_CODES = QrCodeSelection()

#: What things are sorted by: a time, a text in lower case, or a number.
SortKey = datetime | str | int


class PageEnd(NamedTuple):
    """Where a page ends: what its last thing was sorted by, and the thing's id. Pages that go on from a place, and not
    from a number of things, stay right while things come and go."""

    key: SortKey
    id: int
