"""Puts the rooms together: the only file that knows everyone."""

import asyncio
import gc
import logging
import logging.config
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from multiprocessing.connection import Connection
from platform import python_version
from typing import TYPE_CHECKING

from starlette.routing import Router

from server import ops, settings
from server.api import api, documents, serving, serving_public
from server.api.public import public_routes
from server.asgi import ASGIApp, Receive, Scope, Send
from server.dialects import dialects
from server.dialects.dialect import Kit
from server.dialects.mounts import mounted
from server.domain.accounts import Accounts
from server.domain.barcodes import Barcodes
from server.domain.callers import Callers
from server.domain.errors import StorageUnavailable
from server.domain.ids import id_source
from server.domain.limits import Limits
from server.domain.links import Links
from server.domain.many import Many
from server.domain.model import AccountId, QrCodeId
from server.domain.qrcodes import QrCodes
from server.domain.scans import Scans
from server.domain.slug import Slug
from server.domain.studio import Studio
from server.domain.webhooks import Webhooks
from server.edge.cache import LinkCache
from server.edge.guarded import GuardedScans
from server.edge.image import ImageAnswers, images
from server.edge.image_cache import Images
from server.edge.pages import Page, send_page
from server.edge.redirect import Redirects, redirect
from server.farewell import Farewell, succeed
from server.late import late
from server.listeners import part_from_stalled, until_open
from server.metrics import Labelled, Metrics
from server.openapi import described
from server.origins import address_by, geo_database
from server.outbound import Outbound
from server.parts import RETRY_S, database_at, dialects_of, now, plans_of, short_urls
from server.passwords import Passwords
from server.render.barcode import BarcodePainter
from server.render.fetched import Fetched
from server.render.image import Painter
from server.request_log import STANDARD_OUTPUT, RequestLog
from server.requests import Requests
from server.scans import geo, record
from server.scans.feed import ScanFeed
from server.scans.journal import Journal
from server.scans.profile import Profiles
from server.settings import Settings
from server.socket_thread import stand_back
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.answers import PostgresAnswers
from server.storage.postgres.links import PostgresLinks, PostgresTargets
from server.storage.postgres.notify import ACCOUNTS, CODES, LINKS, SCANS, changes, numbers_in
from server.storage.postgres.pictures import PostgresPictures
from server.storage.postgres.pool import Database
from server.storage.postgres.qrcodes import PostgresQrCodes
from server.storage.postgres.recorded import PostgresRecordedScans
from server.storage.postgres.stats import PostgresStats
from server.storage.postgres.usage import PostgresUsage
from server.storage.postgres.uses import PostgresUses
from server.storage.postgres.webhooks import PostgresWebhooks
from server.storage.snapshot import Snapshot, UnusableSnapshot

if TYPE_CHECKING:
    from server.storage.redis.connection import RedisConnection
    from server.storage.redis.images import RedisImages
    from server.storage.redis.windows import RedisWindows

STORE_USES_S = 5.0
LAST_USES_S = 1.0
READY_EVERY_S = 0.02

#: How long a process that starts waits for the database to begin to answer, before it takes the snapshot.
PATIENCE_S = 2.0

log = logging.getLogger(__name__)


# --- a worker: redirects and answers ------------------------------------------------------------------------------


def create_worker(told: Connection, workers: int) -> ASGIApp:
    """The application of one of so many workers, which says by its process id when it answers."""

    def answers() -> None:
        succeed(workers)
        told.send(os.getpid())

    return create_app(answers=answers)


def create_app(given: Settings | None = None, *, answers: Callable[[], None] | None = None) -> ASGIApp:
    """A worker's application; with the settings of the environment, unless others are given. `answers` is called when
    it listens and has the links in memory."""
    config = given or settings.load()
    spoken, hosts = dialects_of(config)
    database = database_at(config.database_url)
    snapshot = Snapshot(config.snapshot_path)
    targets = LinkCache(PostgresTargets(database), max_links=config.max_links, report=log.error)
    journal = Journal(
        config.journal_dir,
        max_bytes=config.journal_max_bytes,
        sync_s=config.journal_sync_ms / 1000,
        tags=record.tags(country=config.country_header, region=config.region_header, city=config.city_header),
    )

    def printed_url(slug: Slug) -> str:
        return f"{config.printed_base_url}/{slug.upper()}"

    async def changed(slug: Slug) -> None:
        await all_changed([slug])

    async def all_changed(slugs: Sequence[Slug]) -> None:
        async def refresh() -> None:
            with suppress(StorageUnavailable):  # what was changed is changed; this process hears of it like the others
                await targets.refresh(slugs)

        await database.when_committed(refresh)

    short_url = short_urls(config)
    new_id = id_source(now)
    accounts = Accounts(PostgresAccounts(database, plans_of(config)), now=now, new_id=new_id)
    passwords = Passwords()
    links = Links(PostgresLinks(database), PostgresStats(database), passwords, now=now, new_id=new_id, changed=changed)
    redis: RedisConnection | None = None
    shared: RedisImages | None = None
    windows: RedisWindows | None = None
    if config.redis_url:
        redis = late("server.storage.redis.connection:RedisConnection", config.redis_url)
        shared = late("server.storage.redis.images:RedisImages", redis, ttl_s=config.image_cache_ttl_s)
        windows = late("server.storage.redis.windows:RedisWindows", redis)
    limits = Limits(PostgresUsage(database), windows, now=now)
    painter = Painter(max_pixels=config.render_pixels)
    outbound = Outbound(http=config.fetch_http, networks=config.outbound_networks)
    told = Outbound(http=config.fetch_http, networks=config.outbound_networks, deed="send to")
    drawn = Images(max_bytes=config.image_cache_bytes, shared=shared)
    answered = ImageAnswers()
    barcodes = Barcodes(BarcodePainter(painter.budget), drawn)
    studio = Studio(
        painter,
        drawn,
        PostgresPictures(database),
        fetched=Fetched(painter, outbound.fetch, now).get,
    )
    codes = QrCodes(
        PostgresQrCodes(database),
        links,
        studio,
        now=now,
        new_id=new_id,
        short_url=printed_url,
        changed=changed,
        altered=lambda code: answered.changed([code]),
    )

    many = Many(links, codes, PostgresLinks(database), PostgresQrCodes(database), passwords, changed=all_changed)
    webhooks = Webhooks(PostgresWebhooks(database), told.check, now=now, new_id=new_id)
    recorded = PostgresRecordedScans(database)
    feed = ScanFeed(recorded)
    scans = Scans(recorded, feed, links, codes)

    request_log = RequestLog(STANDARD_OUTPUT) if config.request_log else None
    requests = Requests(request_log.note if request_log else None)
    redirects, listening = Redirects(), asyncio.Event()
    metrics = Metrics(config.metrics_dir)

    @asynccontextmanager
    async def lifespan(_: Router) -> AsyncIterator[None]:
        await database.open()
        if request_log is not None:
            request_log.open()
        if windows is not None:
            await windows.warm_up()
        tasks = [
            asyncio.create_task(_follow(targets, accounts.callers, answered, feed, listening, config.database_url)),
            asyncio.create_task(_stand_in(targets, snapshot)),
            asyncio.create_task(farewell.leave_when_told(feed.end)),  # a stream has no end of its own
            *([asyncio.create_task(_say_when_ready(targets, answers))] if answers else []),
            asyncio.create_task(part_from_stalled()),
            asyncio.create_task(stand_back()),
            asyncio.create_task(_store_uses(accounts, limits)),
            asyncio.create_task(metrics.keep_published()),
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _store_last_uses(accounts, limits)
            if shared is not None:
                await shared.close()
            if windows is not None:
                await windows.close()
            if redis is not None:
                await redis.close()
            painter.close()
            passwords.close()
            outbound.close()
            told.close()
            await database.close()
            journal.close()
            metrics.close()
            if request_log is not None:
                request_log.close()

    def health() -> ops.Health:
        taken_at = snapshot.taken_at()
        return ops.Health(
            links=len(targets) if targets.loaded else None,
            from_snapshot=targets.source == "snapshot",
            snapshot_age_s=(now() - taken_at).total_seconds() if taken_at else None,
            scans_dropped=journal.dropped,
            dropping=journal.dropping,
            database=listening.is_set(),
            redis=not redis.lost if redis else None,
        )

    _tell(metrics, health, database, journal, redirects, requests, drawn, limits)

    kept = PostgresAnswers(database)
    native = api(
        *(accounts, limits, links, codes, studio, barcodes, many, scans, kept, webhooks),
        base_url=config.base_url,
        short_url=short_url,
        now=now,
    )
    public = public_routes(codes)
    probes = ops.routes(health, metrics)
    router = Router(
        [
            *documents.routes([*described(native, "/v1"), *described(public), *described(probes)], config.base_url),
            *probes,
            ops.asked_for_certificates({config.public_host, *hosts}),
        ],
        redirect_slashes=False,
        default=_nothing_here,
        lifespan=lifespan,
    )
    address = address_by(config)
    guarded = GuardedScans(
        journal.append,
        now=now,
        address=address,
        hasher=passwords,
        uses=PostgresUses(database),
        visitor=Profiles(
            country_header=config.country_header,
            address=address,
            country=geo.countries(geo_database(config)),
        ).of,
    )
    managed = mounted(
        _by_path(serving(native, requests), serving_public(public, requests), router),
        [dialects()[name] for name in spoken],
        Kit(
            accounts=accounts,
            limits=limits,
            links=links,
            codes=codes,
            studio=studio,
            barcodes=barcodes,
            many=many,
            scans=scans,
            webhooks=webhooks,
            kept=kept,
            now=now,
            base_url=config.base_url,
        ),
        requests,
        hosts=hosts,
    )
    edge = redirect(
        images(managed, answered, drawn.known, accounts, limits, requests),
        targets,
        journal.append,
        guarded,
        redirects,
        address=address,
        unknown_per_min=config.unknown_slugs_per_min,
    )
    farewell = Farewell(edge)
    return farewell.app


def _tell(
    metrics: Metrics,
    health: Callable[[], ops.Health],
    database: Database,
    journal: Journal,
    redirects: Redirects,
    requests: Requests,
    drawn: Images,
    limits: Limits,
) -> None:
    """What a worker tells of itself."""

    def flag(value: bool | None) -> float | None:
        return None if value is None else float(value)

    def redirected() -> Iterator[Labelled]:
        return (((kind, str(status)), took.numbers()) for (kind, status), took in redirects.answered.items())

    def images() -> Iterator[Labelled]:
        yield ("memory",), drawn.local
        yield ("shared",), drawn.shared
        yield ("drawn",), sum(sum(took.counts) for took in drawn.drawn.values())

    build = (version("qredge"), python_version())
    metrics.tell("build_info", "gauge", "1.", lambda: [(build, 1)], labels=("version", "python"))
    metrics.gauge("links", "Links in memory.", lambda: health().links)
    metrics.gauge("links_from_snapshot", "1 while they are those of a snapshot.", lambda: flag(health().from_snapshot))
    metrics.gauge("snapshot_age_seconds", "Age of the snapshot on disk.", lambda: health().snapshot_age_s)
    metrics.gauge("database_up", "1 while the database tells this worker of changes.", lambda: flag(health().database))
    metrics.gauge("redis_up", "1 while Redis answers in time.", lambda: flag(health().redis))
    metrics.tell(
        "database_connections",
        "gauge",
        "Connections to the database.",
        lambda: [(("used",), database.used), (("idle",), database.idle)],
        labels=("state",),
    )
    metrics.count("scans_accepted", "Scans that were answered and kept in a journal.", lambda: journal.kept)
    metrics.count("scans_dropped", "Scans that were answered and not kept.", lambda: journal.dropped)
    metrics.tell(
        "redirect_seconds",
        "histogram",
        "How long it took until a slug was answered.",
        redirected,
        labels=("kind", "status"),
    )
    metrics.tell(
        "api_requests", "counter", "Requests of the API.", requests.answered, labels=("route", "method", "status")
    )
    metrics.tell(
        "api_seconds",
        "histogram",
        "How long until an answer of the API began.",
        requests.took,
        labels=("route", "method"),
    )
    metrics.tell("images", "counter", "Where images were had from.", images, labels=("source",))
    metrics.tell(
        "draw_seconds",
        "histogram",
        "How long images took to draw.",
        lambda: (((media_type,), took.numbers()) for media_type, took in drawn.drawn.items()),
        labels=("media_type",),
    )
    metrics.gauge("image_cache_bytes", "Memory that drawn images take.", lambda: drawn.size_bytes)
    metrics.tell(
        "refused",
        "counter",
        "Requests that an account's limits refused.",
        lambda: (((limit,), count) for limit, count in limits.refused.items()),
        labels=("limit",),
    )


def _by_path(native: ASGIApp, public: ASGIApp, others: ASGIApp) -> ASGIApp:
    def application(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        path = scope["path"] if scope["type"] == "http" else ""
        app = native if path.startswith("/v1/") or path == "/v1" else public if path.startswith("/i/") else others
        return app(scope, receive, send)

    return application


async def _nothing_here(scope: Scope, receive: Receive, send: Send) -> None:
    await send_page(scope, send, Page.NOT_FOUND)


async def _follow(
    targets: LinkCache,
    callers: Callers,
    answered: ImageAnswers,
    feed: ScanFeed,
    listening: asyncio.Event,
    database_url: str,
) -> None:
    """Keeps what is in memory right, for as long as the process lives. `listening` is set while the database tells."""
    links: asyncio.Queue[set[str] | None] = asyncio.Queue()
    follower = asyncio.create_task(_follow_links(targets, links))
    try:
        while True:
            try:
                async for news in changes(database_url, LINKS, ACCOUNTS, CODES, SCANS):
                    # Nothing here waits for the database: a key that was revoked opens nothing any more.
                    if news is None:
                        listening.clear()
                        callers.lost()
                        answered.lost()
                        continue
                    listening.set()
                    if ACCOUNTS in news:
                        changed = news[ACCOUNTS]
                        callers.changed(None if changed is None else [AccountId(int(text)) for text in changed])
                    if SCANS in news:
                        feed.tell(numbers_in(news[SCANS]))
                    if CODES in news:
                        changed = news[CODES]
                        answered.changed(None if changed is None else [QrCodeId(int(text)) for text in changed])
                    if LINKS in news:
                        links.put_nowait(news[LINKS])
            except Exception:  # whatever it is: a process that stopped listening would live in the past for ever
                log.exception("lost track of what changes; starting over")
                listening.clear()
                callers.lost()
                answered.lost()
                await asyncio.sleep(RETRY_S)
    finally:
        follower.cancel()


async def _follow_links(targets: LinkCache, links: asyncio.Queue[set[str] | None]) -> None:
    stale = asyncio.Event()
    loader = asyncio.create_task(_load_when(stale, targets))
    try:
        while True:
            changed = await links.get()
            if changed is None:
                stale.set()
                continue
            try:
                await targets.refresh(changed)
            except StorageUnavailable:
                stale.set()  # what changed is not known any more, so everything may have
            except Exception:  # whatever it is: a process that stopped here would redirect to the past for ever
                log.exception("changed links cannot be read; reading all")
                stale.set()
    finally:
        loader.cancel()


async def _load_when(stale: asyncio.Event, targets: LinkCache) -> None:
    """Reads everything whenever anything may have changed. Beside it, what changes meanwhile is followed as ever."""
    while True:
        await stale.wait()
        stale.clear()
        try:
            await _load(targets)
            continue
        except StorageUnavailable:
            pass
        except Exception:  # whatever it is, the next one may have more luck
            log.exception("the links cannot be read; trying again")
        stale.set()
        await asyncio.sleep(RETRY_S)


async def _load(targets: LinkCache) -> None:
    began = asyncio.get_running_loop().time()
    first = not targets.loaded
    await targets.load()
    if first:
        _keep_for_good()
    took = asyncio.get_running_loop().time() - began
    log.info("%d links in memory, read in %.2f s", len(targets), took)


async def _store_uses(accounts: Accounts, limits: Limits) -> None:
    """Notes when keys were used, and how much, for as long as the process lives."""
    while True:
        await asyncio.sleep(STORE_USES_S)
        try:
            await accounts.store_uses()
            await limits.store_usage()
        except Exception:  # whatever it is, the keys still open what they open
            log.exception("the use of keys cannot be stored")


async def _store_last_uses(accounts: Accounts, limits: Limits) -> None:
    """As long as it takes no time: a database that hangs may not keep the worker from ending in good order."""
    try:
        async with asyncio.timeout(LAST_USES_S):
            await asyncio.gather(accounts.store_uses(), limits.store_usage())
    except Exception as exc:
        log.warning("the last use of keys is not stored: %s", str(exc) or type(exc).__name__)


async def _stand_in(targets: LinkCache, snapshot: Snapshot) -> None:
    """Reads the links from the snapshot, if the database has not begun to tell them."""
    told = -1
    while not targets.loaded and told != len(targets):
        told = len(targets)
        await asyncio.sleep(PATIENCE_S)
    if targets.loaded:
        return
    began = asyncio.get_running_loop().time()
    try:
        await targets.load_snapshot(snapshot)
    except UnusableSnapshot as exc:
        log.error("the snapshot of the links cannot be used; nobody is redirected before the database is back: %s", exc)
        return
    except Exception:  # whatever it is, it costs no more than the snapshot
        log.exception("the snapshot of the links cannot be used")
        return
    if targets.source == "snapshot":
        _keep_for_good()
        took = asyncio.get_running_loop().time() - began
        log.warning(
            "the database does not answer; %d links in memory, read from the snapshot in %.2f s", len(targets), took
        )


def _keep_for_good() -> None:
    """What was loaded at first lives as long as the process; no collection need look at it again."""
    gc.collect()
    gc.freeze()


async def _say_when_ready(targets: LinkCache, answers: Callable[[], None]) -> None:
    await until_open()
    while not targets.loaded:  # noqa: ASYNC110 -- whatever loads them first
        await asyncio.sleep(READY_EVERY_S)
    answers()
