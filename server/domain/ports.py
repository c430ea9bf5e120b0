"""What the use cases need of the outside, named by role. `server.storage` and `server.render` fill these."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import NamedTuple, Protocol, TypeVar

from server.domain.barcode import BarcodeOrder
from server.domain.delivery import Attempt, Delivery, DisabledReason, Due, Webhook, WebhookChanges
from server.domain.design import Picture
from server.domain.errors import PlanLimit, SlugTaken
from server.domain.idempotency import IdempotencyKey, KeptAnswer
from server.domain.log import LogPage, Place, Wanted
from server.domain.model import (
    Account,
    AccountId,
    ApiKey,
    ApiKeyId,
    Caller,
    EventId,
    Hit,
    Image,
    Link,
    LinkChanges,
    LinkId,
    Page,
    Position,
    QrCode,
    QrCodeChanges,
    QrCodeId,
    RecordedScan,
    Scan,
    ScanId,
    Target,
    Targets,
    Version,
    WebhookId,
)
from server.domain.order import Order
from server.domain.password import Password
from server.domain.plan import Plan
from server.domain.scannability import Scannability
from server.domain.selection import LinkSelection, PageEnd, QrCodeSelection
from server.domain.slug import Slug
from server.domain.stats import Asked, Stats

T = TypeVar("T")

#: None is: whichever.
Versions = Collection[Version] | None


class AccountStore(Protocol):
    """Accounts and the hashes of their keys."""

    async def add_account(self, account: Account) -> None: ...
    async def add_first(self, account: Account, key: ApiKey, digest: bytes) -> bool:
        """Adds both, or neither and returns False where there is an account already."""

    async def account(self, account: AccountId) -> Account | None: ...
    async def accounts(self, *, before: int | None, limit: int) -> Page[Account, int]: ...
    async def caller(self, digest: bytes) -> Caller | None: ...
    async def set_plan(self, account: AccountId, plan: Plan) -> Account | None: ...
    async def add_key(self, key: ApiKey, digest: bytes, plan: Plan) -> bool:
        """False where there is no such account. Raises PlanLimit."""

    async def keys(self, account: AccountId, *, before: int | None, limit: int) -> Page[ApiKey, int]: ...
    async def keys_used(self, at: Mapping[ApiKeyId, datetime]) -> None: ...
    async def delete_key(self, account: AccountId | None, key: ApiKeyId) -> AccountId | None:
        """Of this account only, where one is given; whose it was, or None where there is none."""


class AnswerStore(Protocol):
    """Answers to requests with an Idempotency-Key. A claim is a number that nobody else has."""

    async def claim(self, account: AccountId, key: IdempotencyKey, claim: int) -> KeptAnswer | None:
        """The answer there is; None where the key is the claim's from now on. Raises RequestInProgress."""

    async def renew(self, account: AccountId, key: IdempotencyKey, claim: int) -> None: ...
    def together(self) -> AbstractAsyncContextManager[None]:
        """All that this task stores within, in whichever store, is committed at the end, or not at all."""

    async def keep(self, account: AccountId, key: IdempotencyKey, claim: int, answer: KeptAnswer) -> None:
        """Raises RequestInProgress where another claim has the key by now."""

    async def release(self, account: AccountId, key: IdempotencyKey, claim: int) -> None: ...
    async def forget(self) -> int:
        """Drops what has been kept long enough; returns how many."""


#: Which of many are not added, and why: their slug is taken, or the plan allows no more. Where there are any, and all
#: or none were to be added, none is.
Refused = dict[T, SlugTaken | PlanLimit]


class Window(NamedTuple):
    """The last minute of an account, as a request that was just counted or refused has seen it."""

    let_through: bool
    remaining: int
    #: Until the next one is free, or, where some are, until the oldest one leaves.
    reset_s: float


class Taken(NamedTuple):
    #: None where the minute was not asked about.
    window: Window | None
    #: Whether the month has none left.
    month_over: bool
    #: Of the month, with this one; 0 where it was not asked about.
    used: int


class Used(NamedTuple):
    requests: int = 0
    renders: int = 0


class Usage(NamedTuple):
    """Of a month, and what there is now, counted as plans count it."""

    requests: int
    renders: int
    links: int
    dynamic_codes: int
    keys: int


class UsageStore(Protocol):
    """Requests and pictures of accounts, counted exactly over all processes. A month is its first day."""

    async def take_request(
        self, account: AccountId, *, per_minute: int | None, per_month: int | None, month: date
    ) -> Taken:
        """Counts a request, unless it is over one of the limits."""

    async def take_renders(
        self, account: AccountId, count: int, *, at_most: int | None, month: date, allowed: int | None = None
    ) -> int | None:
        """Counts pictures, and says how many the month has with them; None where there would be more than `at_most`. A
        negative count gives some back. Where the plan has `allowed`, webhooks are told that much of it is used."""

    async def add(self, used: Mapping[tuple[AccountId, date], Used]) -> None:
        """What was counted elsewhere, of accounts that may use any number."""

    async def usage(self, account: AccountId, month: date) -> Usage: ...


class Windows(Protocol):
    """The last minute of accounts, counted exactly over all processes. Nothing here raises or is waited for long."""

    async def take(self, account: AccountId, at_most: int) -> Window | None:
        """Counts a request, unless there were `at_most`; None where it cannot be asked at present."""


class LinkStore(Protocol):
    """Links of accounts. Deleted ones are seen by the redirect, and by lists that ask for them.

    What changes a link changes it only if it is of one of the versions `only_if`, where they are given, and returns
    None else, as it does where there is no such link."""

    async def add(self, link: Link, plan: Plan) -> None:
        """Raises SlugTaken, and PlanLimit where there are as many already as the plan allows."""

    async def add_many(self, links: Sequence[Link], plan: Plan, *, whole: bool) -> Refused[LinkId]:
        """All of them, and where `whole` is false those that can be added. Returns which were not."""

    async def taken(self, slugs: Sequence[Slug]) -> set[str]:
        """Those that a link has, or had."""

    async def some(self, account: AccountId, links: Sequence[LinkId]) -> list[Link]: ...
    async def get(self, account: AccountId, link: LinkId) -> Link | None: ...
    async def list(
        self, account: AccountId, selection: LinkSelection, *, after: PageEnd | None, limit: int
    ) -> Page[Link, PageEnd]: ...
    async def change(
        self, account: AccountId, link: LinkId, changes: LinkChanges, at: datetime, only_if: Versions = None
    ) -> Link | None: ...
    async def delete(self, account: AccountId, link: LinkId, at: datetime, only_if: Versions = None) -> Link | None: ...
    async def restore(self, account: AccountId, link: LinkId, plan: Plan, at: datetime) -> Link | None:
        """None also for a link that is not deleted; raises PlanLimit."""


class UseStore(Protocol):
    """Uses of links with a scan limit, counted exactly over all processes; raises StorageUnavailable."""

    async def take(self, link: LinkId, at_most: int) -> bool:
        """Counts a use, unless there were `at_most` already."""

    async def left(self, link: LinkId, at_most: int) -> bool:
        """Whether there would be one to take."""


class Hasher(Protocol):
    """Hashes of passwords. Raises Busy where too many wait for theirs."""

    async def hash(self, password: Password) -> str: ...
    async def matches(self, password_hash: str, password: str) -> bool: ...


class QrCodeStore(Protocol):
    """QR codes with the links they stand for; `only_if` as for links."""

    async def add(self, code: QrCode, plan: Plan, *, with_link: bool) -> None:
        """Raises SlugTaken, and PlanLimit where there are as many already as the plan allows."""

    async def add_many(
        self, codes: Sequence[QrCode], plan: Plan, *, with_link: Collection[QrCodeId], whole: bool
    ) -> Refused[QrCodeId]:
        """As links, some of them with theirs."""

    async def get(self, account: AccountId, code: QrCodeId) -> QrCode | None: ...
    async def find(self, code: QrCodeId) -> QrCode | None:
        """Whosever it is."""

    async def list(
        self, account: AccountId, selection: QrCodeSelection, *, after: PageEnd | None, limit: int, skip: int = 0
    ) -> Page[QrCode, PageEnd]: ...
    async def count(self, account: AccountId, selection: QrCodeSelection) -> int: ...
    async def change(
        self, account: AccountId, code: QrCodeId, changes: QrCodeChanges, at: datetime, only_if: Versions = None
    ) -> QrCode | None: ...
    async def delete(
        self, account: AccountId, code: QrCodeId, at: datetime, only_if: Versions = None
    ) -> QrCode | None: ...
    async def restore(self, account: AccountId, code: QrCodeId, plan: Plan, at: datetime) -> QrCode | None:
        """None also for a code that is not deleted; raises PlanLimit."""


class StatsStore(Protocol):
    """Counts of scans, each answer of one moment."""

    async def of_link(self, account: AccountId, link: LinkId, asked: Asked) -> Stats: ...
    async def of_account(self, account: AccountId, asked: Asked) -> Stats:
        """Of all its links, also of those that were deleted."""


class Artist(Protocol):
    """Draws codes. What is wrong with an order it raises as InvalidValue ("text", "size", "frame/label" ...)."""

    def etag(self, order: Order) -> str:
        """A hash of all that the image's bytes depend on, without drawing it; each picture in it has its hash."""

    def is_quick(self, order: Order) -> bool:
        """Whether it is so plain that it needs neither a thread nor a proof."""

    def check(self, order: Order) -> None:
        """Raises InvalidValue for what cannot be drawn, as far as that is known without pictures."""

    def draw_at_once(self, order: Order, etag: str) -> Image:
        """The image of a quick order."""

    async def draw(self, order: Order, etag: str, verdict: Scannability | None = None) -> Image:
        """The image, with the verdict of its proof, which is made unless it is given; each picture in the order has
        its bytes."""

    async def examine(self, order: Order) -> Scannability: ...

    async def admit(self, data: bytes) -> Picture:
        """A picture that was given, with its hash, as it is to be kept; raises InvalidValue for what is none."""


class BarcodeArtist(Protocol):
    """Draws barcodes."""

    def etag(self, order: BarcodeOrder) -> str:
        """A hash of all that the image's bytes depend on, without drawing it."""

    async def draw(self, order: BarcodeOrder, etag: str) -> Image:
        """Raises InvalidValue ("value", "width", "height", "text"), and Busy."""


class PictureStore(Protocol):
    """Pictures that the designs of an account's codes name, by the SHA-256 of what was given."""

    async def get(self, account: AccountId, sha256: str) -> bytes | None: ...


class ImageCache(Protocol):
    """Images by their ETag. What a drawing raises reaches everybody who waits for it, and is not kept."""

    def inline(self, etag: str, draw: Callable[[], Image]) -> tuple[Image, Hit]:
        """For an image that is drawn faster than another process could be asked for it."""

    async def get(self, etag: str, draw: Callable[[], Awaitable[Image]]) -> tuple[Image, Hit]:
        """For any other: drawn once, however many ask, and even if the one who asked first goes away."""


class SharedImages(Protocol):
    """Images that processes share. Nothing here raises or is waited for long: what goes wrong is a miss."""

    async def get(self, etag: str) -> Image | None: ...
    def put(self, image: Image) -> None:
        """Some time soon, or not at all."""


class TargetSource(Protocol):
    """The whole link table, for the redirect."""

    def all(self, limit: int) -> AsyncIterator[Targets]:
        """The newest `limit` links, oldest first, so many at a time as are used within a few milliseconds."""


class TargetStore(TargetSource, Protocol):
    """The link table that is true at this moment. Raises StorageUnavailable."""

    async def some(self, slugs: list[str]) -> list[Target]: ...


class PreparedScans(Protocol):
    """Scans, ready to be written."""

    async def write(self, journal: str, start: Position | None, end: Position) -> bool:
        """Adds the scans, counts them, and moves the journal's position from start to end, all of it or nothing.

        False, and nothing added, when the journal no longer stands at `start`: somebody else has written on.
        """


class ScanLog(Protocol):
    """The table of scans, and how far each journal has come into it."""

    async def position(self, journal: str) -> Position | None: ...

    async def prepare(self, scans: Iterable[Scan]) -> PreparedScans:
        """All that can be done before the scans in front of them are written."""

    async def fold(self) -> None:
        """Adds what was counted of late to the rollups."""

    async def forget(self, journal: str) -> None:
        """Drops the position of a journal that is no more."""

    async def retire(self, days: int) -> list[str]:
        """Forgets the salts and visitors of past days; drops months of which every scan is older than `days`, unless
        that is 0, and returns their names. What was counted stays. Raises StorageUnavailable also where somebody is in
        the way."""

    async def salt(self, day: date) -> bytes:
        """What visitors are hashed with on this day, the same for everybody who asks; those of past days are
        forgotten, but not that of date.min."""


class Rollups(Protocol):
    """What is counted of scans."""

    async def months(self) -> list[date]:
        """Those that anything is known of, by their first days (UTC)."""

    async def stale(self) -> list[date]:
        """Those in which a version before has counted, so that they have to be counted anew; the newest first."""

    async def rebuild(self, month: date) -> int | None:
        """Counts a month anew from the log; returns how many scans there are, or None where some are there no longer,
        and what was counted stays. Writers wait meanwhile."""


class RecordedScans(Protocol):
    """The scans in the log, for whoever reads them."""

    async def last(self) -> ScanId:
        """No scan that is in the log has a greater id, and none that comes into it a lesser one."""

    async def of_link(
        self, link: LinkId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        """In the order of their times."""

    async def of_account(
        self, account: AccountId, wanted: Wanted, *, before: Place | None, limit: int, skip: int = 0
    ) -> LogPage:
        """In the order of their ids, and so none that has none. Raises Busy as `after` does."""

    async def after(self, account: AccountId, scan: ScanId, *, limit: int) -> list[RecordedScan]:
        """The account's scans that came into the log next after this one, bots' as well. Raises Busy where the log is
        not ready for that yet."""


class WebhookStore(Protocol):
    """Webhooks of accounts, and what was sent to them. Events come about by themselves, with what they tell of."""

    async def add(self, webhook: Webhook, secret: bytes) -> None: ...
    async def get(self, account: AccountId, webhook: WebhookId) -> Webhook | None: ...
    async def list(self, account: AccountId, *, before: int | None, limit: int) -> Page[Webhook, int]: ...
    async def change(
        self, account: AccountId, webhook: WebhookId, changes: WebhookChanges, at: datetime
    ) -> Webhook | None:
        """One that is given another URL, or made active, has not failed yet."""

    async def delete(self, account: AccountId, webhook: WebhookId) -> bool:
        """With all that was, or is to be, sent to it."""

    async def rotate(
        self, account: AccountId, webhook: WebhookId, secret: bytes, at: datetime, until: datetime
    ) -> Webhook | None:
        """Another secret; the one it had until now signs, too, until then."""

    async def add_event(self, webhook: WebhookId, kind: str) -> Delivery | None:
        """An event for this webhook alone."""

    async def deliveries(self, webhook: WebhookId, *, before: int | None, limit: int) -> Page[Delivery, int]: ...
    async def redeliver(self, webhook: WebhookId, event: EventId, at: datetime) -> Delivery | None:
        """Has it sent at this moment, as if for the first time."""


class Outbox(Protocol):
    """Deliveries that wait, whichever servers take them. Raises StorageUnavailable."""

    async def claim(self, at: datetime, until: datetime, busy: Mapping[WebhookId, int], most: int) -> list[Due]:
        """Of the deliveries that are due at this moment, at most so many, which are nobody else's until then.

        `busy` says how many the caller is sending already: no webhook gets more than a few at a time.
        """

    async def gather_scans(self) -> bool:
        """Puts down, for each webhook that wants them, the scans that came into the log since it was told last; whether
        there may be more."""

    async def settle(self, due: Due, attempt: Attempt, next_at: datetime | None) -> DisabledReason | None:
        """Puts down how it went, and when it is due again; passes over what is not the caller's any more.

        Returns why the webhook has been disabled for it, where it has.
        """

    async def forget(self, before: datetime) -> int:
        """Forgets events that are older, some at a time; returns how many."""


class Following(Protocol):
    """A client that follows the scans of its account."""

    @property
    def behind(self) -> ScanId:
        """The last scan that it has."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be had here, as this process stops."""

    async def next(self, within_s: float) -> list[RecordedScan]:
        """Some of the scans that come next; none when none have come within this time."""

    def close(self) -> None: ...


class ScanFeed(Protocol):
    """Scans as they come into the log."""

    async def follow(self, account: AccountId, behind: ScanId | None) -> Following:
        """From behind a scan, or from now on. To be closed. Raises TooManyStreams, and Busy."""
