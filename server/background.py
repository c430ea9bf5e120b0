"""The writer: a process of its own, for all that is cold."""

import asyncio
import logging
import logging.config
import signal
from collections.abc import Coroutine
from contextlib import ExitStack
from functools import cache
from multiprocessing.connection import Connection

from server import logs
from server.domain.errors import StorageUnavailable
from server.domain.ports import Rollups
from server.farewell import ending
from server.hooks.deliverer import Deliverer, Means
from server.late import late
from server.metrics import Metrics
from server.origins import geo_database, scan_visitors
from server.parts import RETRY_S, database_at, now
from server.scans import geo
from server.scans.writer import Writer, spare_collector
from server.settings import Settings
from server.storage.postgres.answers import PostgresAnswers
from server.storage.postgres.indexes import index_scans
from server.storage.postgres.links import PostgresTargets
from server.storage.postgres.notify import LINKS, changes
from server.storage.postgres.pool import Database
from server.storage.postgres.qrcodes import PostgresQrCodes
from server.storage.postgres.rebuilding import PostgresRollups
from server.storage.postgres.scans import PostgresScanLog
from server.storage.postgres.webhooks import PostgresOutbox
from server.storage.snapshot import Snapshot

PURGE_EVERY_S = 3600.0
INDEX_EVERY_S = 60.0
COUNT_ANEW_EVERY_S = 60.0
FORGET_ANSWERS_S = 600.0

#: How long the last snapshot may take when the server stops.
LAST_SNAPSHOT_S = 10.0

log = logging.getLogger(__name__)


def run_writer(config: Settings, told: Connection) -> None:
    """Writes scans into the database, and links to the disk, and tells webhooks, until the other end of `told` is
    closed, and then what is left of scans and links.

    So it outlives the workers also where a signal reaches every process at once, as Ctrl-C does and systemd's SIGTERM.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    logging.config.dictConfig(logs.configuration(config.log_level))
    spare_collector()
    asyncio.run(_write(config, told))


async def _write(config: Settings, told: Connection) -> None:
    stop = asyncio.Event()
    database = database_at(config.database_url, max_connections=6)
    await database.open()
    metrics = Metrics(config.metrics_dir)
    writer = Writer(
        config.journal_dir,
        PostgresScanLog(database),
        scan_visitors(config),
        geo.places(geo_database(config)),
        retention_days=config.scan_retention_days,
    )
    metrics.count("scans_written", "Scans that were put into the database.", lambda: writer.written)
    metrics.gauge("journal_bytes", "What all journals take on disk, blank segments included.", writer.journal_bytes)
    metrics.gauge("journal_oldest_seconds", "How long the oldest scan waits for the database.", writer.behind_s)
    until_stopped = [
        asyncio.create_task(_keep_snapshot(config, PostgresTargets(database), stop)),
        asyncio.create_task(_tell_webhooks(config, metrics, stop)),
    ]
    beside = [
        asyncio.create_task(_forget_answers(PostgresAnswers(database))),
        asyncio.create_task(_complete_indexes(database)),
        asyncio.create_task(_count_anew(PostgresRollups(database))),
        asyncio.create_task(_purge(PostgresQrCodes(database), config.deleted_codes_days)),
        asyncio.create_task(metrics.keep_published()),
    ]
    try:
        with ending(told.fileno(), stop):
            await writer.run(stop)
            await asyncio.gather(*until_stopped)
    finally:
        for task in (*until_stopped, *beside):
            task.cancel()
        await database.close()
        metrics.close()


async def _forget_answers(kept: PostgresAnswers) -> None:
    """Drops answers to requests with an Idempotency-Key a day after they were given."""
    while True:
        try:
            await kept.forget()
        except StorageUnavailable:
            pass
        except Exception:  # whatever it is, what is too old is not answered any more
            log.exception("old answers cannot be dropped; trying again")
        await asyncio.sleep(FORGET_ANSWERS_S)


async def _purge(codes: PostgresQrCodes, days: int) -> None:
    """Removes codes that were deleted so many days ago; none, where that is 0."""
    while days:
        try:
            if purged := await codes.purge(days):
                log.info("removed %d codes that were deleted %d days ago", purged, days)
        except StorageUnavailable:
            pass
        except Exception:  # whatever it is, they are kept no longer than until it is over
            log.exception("deleted codes cannot be removed; trying again later")
        await asyncio.sleep(PURGE_EVERY_S)


async def _count_anew(rollups: Rollups) -> None:
    """Counts what a version before has counted, or still counts while this one starts."""
    while True:
        try:
            for month in await rollups.stale():
                log.info("counted %s scans of %s anew", await rollups.rebuild(month), f"{month:%Y-%m}")
        except StorageUnavailable:
            pass
        except Exception:  # whatever it is, scans go on being counted
            log.exception("scans of before cannot be counted anew; trying again later")
        await asyncio.sleep(COUNT_ANEW_EVERY_S)


async def _complete_indexes(database: Database) -> None:
    """Builds what a migration has left to be built, while the server runs."""
    while True:
        try:
            for part in await index_scans(database):
                log.info("indexed %s", part)
            return
        except StorageUnavailable:
            pass
        except Exception:  # whatever it is, the log is written all the same
            log.exception("the log cannot be indexed; trying again later")
        await asyncio.sleep(INDEX_EVERY_S)


async def _keep_snapshot(config: Settings, targets: PostgresTargets, stop: asyncio.Event) -> None:
    """Takes a snapshot of the links now and then, if any has changed, and a last one at the end: whoever changes one
    right before the stop may be told of too late."""
    snapshot = Snapshot(config.snapshot_path)
    changed = asyncio.Event()
    listener = asyncio.create_task(_notice(changed, config.database_url))
    try:
        while True:
            stopping = stop.is_set()
            if changed.is_set() or stopping:
                changed.clear()
                if not await _take_snapshot(snapshot, targets, config.max_links, stopping):
                    changed.set()
            if stopping:
                return
            await _first_of(changed.wait(), stop.wait())
            await _first_of(asyncio.sleep(config.snapshot_interval_s), stop.wait())
    finally:
        listener.cancel()


async def _notice(changed: asyncio.Event, database_url: str) -> None:
    while True:
        try:
            async for news in changes(database_url, LINKS):
                if news is not None:
                    changed.set()
        except Exception:  # whatever it is: without this, no snapshot would be taken any more
            log.exception("lost track of the links; starting over")
            await asyncio.sleep(RETRY_S)


async def _take_snapshot(snapshot: Snapshot, targets: PostgresTargets, max_links: int, last: bool) -> bool:
    """Whether it was taken; the last one may not keep the server from stopping."""
    began = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(LAST_SNAPSHOT_S if last else None):
            links = await snapshot.write(targets.pages(max_links), now())
    except (StorageUnavailable, TimeoutError):
        return False
    except OSError as exc:
        log.error("the links cannot be written to the disk; a start without the database would know old ones: %s", exc)
        return False
    log.debug("snapshot of %d links, taken in %.2f s", links, asyncio.get_running_loop().time() - began)
    return True


async def _tell_webhooks(config: Settings, metrics: Metrics, stop: asyncio.Event) -> None:
    """On connections of its own: who is told may not keep scans from being written."""
    database = database_at(config.database_url, max_connections=3)
    await database.open()
    ended = ExitStack()

    @cache
    def means() -> Means:
        found: Means = late("server.telling:means", config, ended.callback)
        return found

    try:
        deliverer = Deliverer(PostgresOutbox(database), means, now=now)
        metrics.tell(
            "webhook_deliveries",
            "counter",
            "Attempts to tell a webhook.",
            lambda: [(("succeeded",), deliverer.succeeded), (("failed",), deliverer.failed)],
            labels=("outcome",),
        )
        await deliverer.run(stop)
    finally:
        ended.close()
        await database.close()


async def _first_of(*waits: Coroutine[None, None, object]) -> None:
    """Returns when one of them has, and gives up the others."""
    tasks = [asyncio.create_task(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
