"""What plans allow, asked in one place by the native API and every dialect.

`Limits` counts requests and pictures. What is asked of a plan alone is a function, which raises PlanLimit. How many
links, dynamic codes and keys an account may have is decided in the transaction that adds one (`storage.postgres.caps`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import NamedTuple

from server.domain.design import Design
from server.domain.destination import Destination
from server.domain.errors import DomainError, RateLimited, StorageUnavailable
from server.domain.log import Wanted
from server.domain.model import Account, AccountId, Link, RecordedScan
from server.domain.password import Password
from server.domain.plan import GeoDetail, Plan
from server.domain.ports import Usage, UsageStore, Used, Windows
from server.domain.stats import GroupBy

#: What of places a plan does not tell.
WITHHELD: dict[GeoDetail, frozenset[GroupBy]] = {
    "none": frozenset(["country", "region", "city"]),
    "country": frozenset(["region", "city"]),
    "city": frozenset(),
}


def allow_design(plan: Plan, design: Design) -> None:
    if design.logo is not None and not plan.logo:
        raise plan.refusal("logo", field="design/logo")
    if design.background.image is not None and not plan.background_image:
        raise plan.refusal("background_image", field="design/background/image")


def allow_size(plan: Plan, size_px: int, dpi: float | None, *, field: str = "size") -> None:
    if plan.size_px is not None and size_px > plan.size_px:
        raise plan.refusal("size_px", field=field)
    if plan.dpi is not None and dpi is not None and dpi > plan.dpi:
        raise plan.refusal("dpi", field="dpi")


def allow_guards(plan: Plan, password: Password | None, expires_at: datetime | None, max_scans: int | None) -> None:
    """Of a link that is new or changed; None for one that is not set, or taken away, which is always allowed."""
    if password is not None and not plan.password:
        raise plan.refusal("password", field="password")
    if expires_at is not None and not plan.expiry:
        raise plan.refusal("expiry", field="expires_at")
    if max_scans is not None and not plan.scan_limit:
        raise plan.refusal("scan_limit", field="max_scans")


def allow_destination(plan: Plan, link: Link, destination: Destination) -> None:
    """Another one than it has."""
    most = plan.destination_edits
    if most is not None and destination != link.destination and link.destination_changes >= most:
        raise plan.refusal("destination_edits", field="destination")


def allow_bulk(plan: Plan, items: int, *, field: str = "items") -> None:
    """So many things in one request."""
    if plan.bulk_items is not None and items > plan.bulk_items:
        raise plan.refusal("bulk_items", field=field)


def allow_webhooks(plan: Plan) -> None:
    if not plan.webhooks:
        raise plan.refusal("webhooks")


def allow_grouping(plan: Plan, group_by: Collection[GroupBy]) -> None:
    if not WITHHELD[plan.geo_detail].isdisjoint(group_by):
        raise plan.refusal("geo_detail", field="group_by")


def allow_log(plan: Plan, wanted: Wanted) -> None:
    if wanted.country is not None and "country" in WITHHELD[plan.geo_detail]:
        raise plan.refusal("geo_detail", field="country")


def allowed_places(detail: GeoDetail, scan: RecordedScan) -> RecordedScan:
    """The scan, with as much of its place as a plan with this detail tells."""
    withheld = WITHHELD[detail]
    if "country" in withheld:
        scan = scan._replace(country=None)
    return scan._replace(region=None, city=None) if "city" in withheld else scan


# --- what is counted ----------------------------------------------------------------------------------------------


class Quota(NamedTuple):
    """What is left of a limit."""

    #: The limit's name in `Plan`.
    limit: str
    allowed: int
    remaining: int
    #: Of the time that it is for.
    window_s: int
    #: Until there is more.
    reset_s: int


class Standing(NamedTuple):
    """How far an account may still go, after a request of it was counted."""

    #: None where there is no limit.
    quotas: tuple[Quota, ...] = ()
    #: What to raise where the request was one too many.
    refusal: DomainError | None = None


#: One value for all, so that it can be told apart by `is`.
FREE = Standing()


class Limits:
    """Counts requests and pictures of accounts.

    What a plan limits is counted before it is let through, in one place for all processes: the minute in Redis, where
    there is one that answers, else in the database like the month. What it does not limit is counted in memory, and
    stored now and then.
    """

    def __init__(self, store: UsageStore, windows: Windows | None, *, now: Callable[[], datetime]) -> None:
        self._store = store
        self._windows = windows
        self._now = now
        #: What has not been stored yet, by account, year and month: requests and renders, in place, as this is done for
        #: every request.
        self._used = _nothing()
        #: How often what was counted has been given to the store, and how many of these it has not answered.
        self._given = self._unanswered = 0
        #: Requests that were refused, by the limit's name.
        self.refused = Counter[str]()

    def is_free(self, account: Account) -> bool:
        """Whether no request and no picture can be refused to it."""
        plan = account.plan
        return (
            plan.requests_per_minute is None
            and plan.requests_per_month is None
            and plan.renders_per_month is None
            and plan.api_access
        )

    def count_free(self, account: Account) -> Standing | None:
        """Counts a request of an account whose requests nobody limits, without waiting; None of any other."""
        plan = account.plan
        if plan.requests_per_minute is not None or plan.requests_per_month is not None or not plan.api_access:
            return None
        self.count(account, requests=1)
        return FREE

    async def count_request(self, account: Account) -> Standing:
        """Called once for each request whose key is known, before anything else is done for it, unless `count_free`
        has counted it. Raises StorageUnavailable where it cannot be counted."""
        plan = account.plan
        if standing := self.count_free(account):
            return standing
        if not plan.api_access:
            self.refused["api_access"] += 1
            return Standing((Quota("api_access", 0, 0, 0, 0),), plan.refusal("api_access"))
        return await self._count_limited(account, plan)

    async def _count_limited(self, account: Account, plan: Plan) -> Standing:
        per_minute, per_month = plan.requests_per_minute, plan.requests_per_month
        now = self._now()
        window, month_over, used = None, False, 0
        if per_minute is not None and self._windows is not None:
            window = await self._windows.take(account.id, per_minute)
        if (window is None or window.let_through) and (window is None or per_month is not None):
            here = per_minute if window is None else None
            taken = await self._store.take_request(account.id, per_minute=here, per_month=per_month, month=_month(now))
            window, month_over, used = taken.window or window, taken.month_over, taken.used
        quotas = []
        refusal = None
        if per_minute is not None and window is not None:
            reset_s = max(ceil(window.reset_s), 0)
            quotas.append(Quota("requests_per_minute", per_minute, max(window.remaining, 0), MINUTE_S, reset_s))
            if not window.let_through:
                self.refused["requests_per_minute"] += 1
                refusal = _too_many(plan, "requests_per_minute", reset_s)
        if per_month is not None and refusal is None:
            left_s, month_s = _left_of_month(now)
            quotas.append(Quota("requests_per_month", per_month, max(per_month - used, 0), month_s, left_s))
            if month_over:
                self.refused["requests_per_month"] += 1
                refusal = _too_many(plan, "requests_per_month", left_s)
        if refusal is None and per_month is None:
            self.count(account, requests=1)
        return Standing(tuple(quotas), refusal)

    def renders(self, account: Account, count: int = 1) -> "Renders":
        """Within it so many pictures are drawn, or had from a cache; where that raises, none is counted. Says how many
        the month has left then; None where there is no limit. Raises RateLimited where that would be more than the
        month has."""
        return Renders(self, account, count)

    async def take_renders(self, account: Account, count: int, at_most: int) -> tuple[date, int]:
        """The month that they were taken from, and how many it has left; raises RateLimited."""
        plan, now = account.plan, self._now()
        month = _month(now)
        bound = None if plan.renders_overrun else at_most
        used = await self._store.take_renders(account.id, count, at_most=bound, month=month, allowed=at_most)
        if used is None:
            self.refused["renders_per_month"] += 1
            raise _too_many(plan, "renders_per_month", _left_of_month(now)[0])
        return month, max(at_most - used, 0)

    async def give_back_renders(self, account: Account, count: int, month: date) -> None:
        await self._store.take_renders(account.id, -count, at_most=None, month=month)

    async def usage(self, account: Account) -> Usage:
        """What other processes have counted in memory is some seconds behind."""
        now = self._now()
        while True:
            given, unanswered = self._given, self._unanswered
            stored = await self._store.usage(account.id, _month(now))
            if self._given == given and not unanswered:
                break  # else what was given to it meanwhile may be in neither of the two, or in both
        requests, renders = self._used.get((account.id, now.year, now.month), (0, 0))
        return stored._replace(requests=stored.requests + requests, renders=stored.renders + renders)

    async def store_usage(self) -> None:
        """Stores what was counted in memory since it was called the last time; where that cannot be, the next time."""
        used, self._used = self._used, _nothing()
        if not used:
            return
        self._given += 1
        self._unanswered += 1
        try:
            await self._store.add(
                {(account, date(year, month, 1)): Used(*counts) for (account, year, month), counts in used.items()}
            )
        except StorageUnavailable:
            for key, (requests, renders) in used.items():
                counts = self._used[key]
                counts[0] += requests
                counts[1] += renders
        finally:
            self._unanswered -= 1

    def count(self, account: Account, *, requests: int = 0, renders: int = 0) -> None:
        """What its plan does not limit."""
        now = self._now()
        counts = self._used[account.id, now.year, now.month]
        counts[0] += requests
        counts[1] += renders


class Renders:
    """`Limits.renders`. A generator would take 6 us, which is half of what the plainest picture takes."""

    __slots__ = ("_account", "_count", "_limits", "_month")

    def __init__(self, limits: Limits, account: Account, count: int) -> None:
        self._limits = limits
        self._account = account
        self._count = count
        #: The one they were taken from, of a plan that limits them.
        self._month: date | None = None

    @property
    def free(self) -> bool:
        """Whether nothing can be refused: then whoever has drawn them without waiting may also just `count` them."""
        return self._account.plan.renders_per_month is None

    def count(self) -> None:
        self._limits.count(self._account, renders=self._count)

    async def __aenter__(self) -> int | None:
        at_most = self._account.plan.renders_per_month
        if at_most is None:
            return None
        self._month, left = await self._limits.take_renders(self._account, self._count, at_most)
        return left

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._month is None:
            if kind is None:
                self.count()
        elif kind is not None:
            await self._limits.give_back_renders(self._account, self._count, self._month)


MINUTE_S = 60


def _month(now: datetime) -> date:
    return date(now.year, now.month, 1)


def _nothing() -> defaultdict[tuple[AccountId, int, int], list[int]]:
    return defaultdict(lambda: [0, 0])


def _left_of_month(now: datetime) -> tuple[int, int]:
    """The seconds until the month ends, and all that it has."""
    first = datetime(now.year, now.month, 1, tzinfo=UTC)
    following = (first + timedelta(days=31)).replace(day=1)
    return ceil((following - now).total_seconds()), int((following - first).total_seconds())


def _too_many(plan: Plan, limit: str, retry_after_s: int) -> RateLimited:
    detail = f"{plan.refusal(limit).detail} Try this again in {max(retry_after_s, 1)} s."
    return RateLimited(
        detail, plan=plan.name, limit=limit, allowed=getattr(plan, limit), retry_after_s=max(retry_after_s, 1)
    )
