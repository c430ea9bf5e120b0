"""The things an account owns, as immutable values. Each is what storage returns and a use case hands on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar

from server.domain.content import Content
from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.guards import NO_GUARDS, Guards, RedirectStatus
from server.domain.keys import Permission
from server.domain.label import Label
from server.domain.order import DEFAULT_SIZE_PX, ImageFormat
from server.domain.plan import UNLIMITED, Plan
from server.domain.rules import Rule
from server.domain.slug import Slug
from server.domain.tag import Tag

AccountId = NewType("AccountId", int)
ApiKeyId = NewType("ApiKeyId", int)
LinkId = NewType("LinkId", int)
QrCodeId = NewType("QrCodeId", int)
#: Scans have these in the order in which they were written into the log: who has read up to one goes on behind it, and
#: misses none.
ScanId = NewType("ScanId", int)
WebhookId = NewType("WebhookId", int)
EventId = NewType("EventId", int)

T = TypeVar("T")
P = TypeVar("P")

#: When the parts of a thing that is answered were changed last: no two states of it have the same one.
Version = tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who owns links, codes and keys."""

    id: AccountId
    name: Label
    #: Whom to write to.
    email: str | None = None
    plan: Plan = UNLIMITED
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What opens the API; the key itself is known only to its holder."""

    id: ApiKeyId
    account_id: AccountId
    name: Label
    #: The name of its KeyFormat.
    format: str
    permissions: frozenset[Permission]
    #: The key's last four characters, by which people tell their keys apart.
    last4: str
    #: From this moment on it opens nothing.
    expires_at: datetime | None = None
    #: Some seconds behind; None for one that was never used.
    last_used_at: datetime | None = None
    created_at: datetime


class Caller(NamedTuple):
    """Whoever holds a key."""

    account: Account
    key: ApiKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A slug that leads to a destination."""

    id: LinkId
    account_id: AccountId
    slug: Slug
    destination: Destination
    title: Label | None
    tags: tuple[Tag, ...] = ()
    guards: Guards = NO_GUARDS
    #: Accepted scans, as far as the writer has come (a fraction of a second behind).
    scans: int = 0
    last_scan_at: datetime | None = None
    #: How often it was given another destination.
    destination_changes: int = 0
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def version(self) -> Version:
        return (self.updated_at,)


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """A stored content and design: dynamic when the content is a link's short URL, else static."""

    id: QrCodeId
    account_id: AccountId
    name: Label | None
    tags: tuple[Tag, ...] = ()
    content: Link | Content
    design: Design
    #: Of its picture, where nobody asks for another one.
    size_px: int = DEFAULT_SIZE_PX
    format: ImageFormat = "png"
    #: Of its link, when the code was made.
    scans_before: int = 0
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def scans_since(self) -> int:
        """Of its link, since the code was made; none of a static one, which nobody can count."""
        return max(self.content.scans - self.scans_before, 0) if isinstance(self.content, Link) else 0

    @property
    def version(self) -> Version:
        """Of a dynamic code, with that of its link, of which the code's answer has much."""
        return (self.updated_at, *(self.content.version if isinstance(self.content, Link) else ()))


class LinkChanges(TypedDict, total=False):
    """What may change of a link; what is absent stays."""

    destination: Destination
    title: Label | None
    tags: tuple[Tag, ...]
    active: bool
    expires_at: datetime | None
    fallback_url: Destination | None
    redirect_status: RedirectStatus
    forward_query: bool
    password_hash: str | None
    max_scans: int | None
    rules: tuple[Rule, ...]


class QrCodeChanges(TypedDict, total=False):
    """What may change of a QR code; what is absent stays."""

    name: Label | None
    tags: tuple[Tag, ...]
    #: Of a static code.
    content: Content
    design: Design
    size_px: int
    format: ImageFormat


@dataclass(frozen=True, slots=True)
class Page(Generic[T, P]):
    """One page of a list, and where to go on: below an id where the list is newest first and no other way, else at a
    Place; None when this is the last one."""

    items: list[T]
    next: P | None


class Target(NamedTuple):
    """What a scan needs to know of a link. Deleted links stay known: their codes are still on paper."""

    link_id: LinkId
    slug: str
    destination: str
    deleted: bool
    #: As `Guards.stored` reads them; None where there are none.
    guards: Mapping[str, Any] | None = None


#: How long an id is in an entry of `Targets`, and in a record of the journal.
ID_BYTES = 8


class Targets(NamedTuple):
    """Many links. Those without guards, of which there may be a million, are ready for use."""

    #: Of links that are not deleted, have no guards, and may be put into a header as they are.
    slugs: list[str]
    #: Of each of these, its id in eight bytes, the least first, and its destination.
    entries: list[bytes]
    #: All others.
    others: list[Target]


class Address(NamedTuple):
    """An IP address of 4 or 16 bytes, of which the first `bits` bits are known and the others 0."""

    packed: bytes
    bits: int


Device = Literal["mobile", "tablet", "desktop", "tv", "bot", "other"]
Network = Literal["mobile", "fixed", "satellite", "business", "education", "government", "hosting"]


class Scan(NamedTuple):
    """One accepted resolution of a link by a GET, and what follows from the request."""

    link_id: LinkId
    #: Microseconds since 2000.
    time_us: int
    user_agent: str | None
    referrer: str | None
    language: str | None
    #: The client's, or as much of it as is to be kept; None where none is, or it is not known.
    address: Address | None
    #: The same for the scans of one address and user agent, as long as the salt is the same.
    visitor: int
    device: Device
    #: Families, without versions, as "iOS" and "Mobile Safari".
    os: str | None
    browser: str | None
    #: Whether it came from a symbol, as far as can be told; else somebody followed or typed the short URL.
    from_code: bool
    #: Two letters (ISO 3166-1), and names; None where no source tells.
    country: str | None = None
    city: str | None = None
    region: str | None = None
    #: What kind of network the client's address belongs to, where it is known.
    network: Network | None = None
    #: The first number of it: "18".
    browser_version: str | None = None
    #: Which program it was, where the device is "bot" and somebody has given it a name.
    bot: str | None = None
    #: In lower case, without a port.
    referrer_host: str | None = None


class RecordedScan(NamedTuple):
    """A scan as the log has it. One of a version before may lack what that did not know."""

    #: None for one of a version before.
    id: ScanId | None
    link_id: LinkId
    scanned_at: datetime
    referrer: str | None
    language: str | None
    #: With its prefix length, where not all of it is kept: "203.0.113.0/24".
    address: str | None
    visitor: int | None
    device: Device | None
    os: str | None
    browser: str | None
    from_code: bool | None
    browser_version: str | None = None
    bot: str | None = None
    referrer_host: str | None = None
    network: Network | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    #: Of its link, where a webhook is told of it.
    slug: str | None = None


class Position(NamedTuple):
    """A place in a journal: everything before it has been written."""

    segment: int
    offset: int


class Image(NamedTuple):
    """A drawn code: bytes, media type, and a hash of all that the bytes depend on, known before they are."""

    body: bytes
    media_type: str
    etag: str
    #: The verdict of the proof, which is as old as the image and goes where it goes.
    scannable: bool = True
    #: Why not, for people; None where it is scannable.
    reason: str | None = None


class Hit(Enum):
    """Where an image came from."""

    LOCAL = "this process's memory"
    SHARED = "what processes share"
    MISS = "nowhere: it was drawn"
