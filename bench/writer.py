"""How many scans a second come from a journal into PostgreSQL, counts included: python -m bench.writer

A journal full of scans, as a busy day leaves one (links by Zipf's law, some thousand user agents with bots among them,
many addresses all over the world, languages and referrers), is written by the writer into an embedded PostgreSQL on the
same machine. It runs as in a server, and so adds to the rollups every minute, as it is behind, what it has counted; the
figure is of the time until the last scan is in them. Beside the whole, its parts alone, of fewer scans: what the hot
side spends on a record, what reading costs, and what finding out who it was costs.
"""

import asyncio
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

from bench.load import PHONE_HEADERS
from bench.measure import save
from migrations import migrate
from server.asgi import Scope
from server.embedded import EmbeddedPostgres
from server.scans import geo
from server.scans.classifier import Classifier
from server.scans.journal import Journal
from server.scans.reader import START, JournalReader
from server.scans.record import MAX_RECORD, PLAIN, put
from server.scans.visitor import Visitors
from server.scans.writer import Writer, spare_collector
from server.storage.postgres.pool import Database
from server.storage.postgres.scans import PostgresScanLog

T = TypeVar("T")

SCANS = 1_000_000
#: For the parts alone.
SOME = 50_000
LINKS = 10_000
AGENTS = 2_000
LANGUAGES = ("de-CH,de;q=0.9,en;q=0.8", "en-GB,en;q=0.9", "fr-FR,fr;q=0.9", "pt-BR,pt;q=0.9,en;q=0.5")
BOT = b"WhatsApp/2.23.20.0 A"
#: One in so many.
BOTS = 20
#: Of each second scan.
REFERRERS = 500

#: What a writer that does not get on is given.
DEADLINE_S = 300

#: Whose links they are, as real ones have an owner, who is looked up.
ACCOUNTS = "INSERT INTO accounts SELECT number, 'Bench', now() FROM generate_series(1, 100) AS number"
OWNED_LINKS = f"""
    INSERT INTO links (id, account_id, slug, destination, created_at, updated_at)
    SELECT number, number % 100 + 1, 'bench-' || number, 'https://example.com/', now(), now()
    FROM generate_series(1, {LINKS}) AS number
"""


def main() -> None:
    random.seed(5)
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            number = int((Path(folder) / "postgres" / "postmaster.pid").read_text().split()[0])
            asyncio.run(measure(Path(folder) / "journal", postgres.url, psutil.Process(number)))
        finally:
            postgres.stop()


async def measure(root: Path, url: str, postgres: psutil.Process) -> None:
    await migrate(url)
    links = random.choices(range(1, LINKS + 1), [1 / rank for rank in range(1, LINKS + 1)], k=SCANS)
    journal = Journal(root, max_bytes=1 << 30, sync_s=0.1)
    scans = [(link.to_bytes(8, "little"), request()) for link in links[:SOME]]
    buffer = bytearray(MAX_RECORD)
    report("record", lambda: [put(buffer, 0, MAX_RECORD, link, scope, PLAIN) for link, scope in scans])
    for done, link in enumerate(links):
        journal.append(link.to_bytes(8, "little"), request())
        if done % 5_000 == 0:
            await asyncio.sleep(0.02)  # as the thread that makes segments is not given all the processor here
    journal.close()
    spare_collector()  # as the process of the writer does it
    assert journal.dropped == 0

    records = report("read", lambda: JournalReader(journal.folder).read(START, most=SOME, owned=False).scans[:SOME])
    visitors, place = Visitors(trusted=(), keep="truncated", salting="daily"), geo.places(None)
    classifier = Classifier(visitors, place)
    for name in ("who, first seen", "who, seen before"):
        report(name, lambda: classifier.scans(records, dict.fromkeys(classifier.days(records), bytes(32))))

    database = Database(url, max_connections=3)
    await database.open()
    async with database.connection() as connection:
        await connection.execute(ACCOUNTS)
        await connection.execute(OWNED_LINKS)
    scan_log = PostgresScanLog(database)
    writer, stop = Writer(root, scan_log, visitors, place), asyncio.Event()
    began, python_s, postgres_s = time.perf_counter(), time.process_time(), processor_s(postgres)
    running = asyncio.create_task(writer.run(stop))
    async with asyncio.timeout(DEADLINE_S):
        while journal.folder.exists():  # noqa: ASYNC110 -- the writer removes it when it has written it
            await asyncio.sleep(0.01)
    stop.set()
    await running
    async with database.connection() as connection:
        while await connection.fetchval("SELECT EXISTS (SELECT FROM scan_fresh)"):
            await scan_log.fold()
    tell("all, with the rollups", SCANS, time.perf_counter() - began)
    tell("of a processor, Python", SCANS, time.process_time() - python_s)
    tell("... and PostgreSQL", SCANS, processor_s(postgres) - postgres_s)
    save("writer", told)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT sum(scans + bots) FROM scan_totals") == SCANS
        assert await connection.fetchval("SELECT sum(people + bots) FROM scan_days WHERE link_id = 0") == SCANS
    await database.close()


def processor_s(postgres: psutil.Process) -> float:
    """What PostgreSQL and its processes that still run have used so far."""
    times = [process.cpu_times() for process in (postgres, *postgres.children())]
    return float(sum(each.user + each.system for each in times))


def request() -> Scope:
    """A phone's request, as one of many phones makes it."""
    headers = {name.lower().encode(): value.encode() for name, value in PHONE_HEADERS.items()}
    version = f"18_{random.randrange(AGENTS)}"
    headers[b"user-agent"] = headers[b"user-agent"].replace(b"18_1", version.encode())
    if random.randrange(BOTS) == 0:
        headers[b"user-agent"] = BOT
    headers[b"accept-language"] = random.choice(LANGUAGES).encode()
    if random.randrange(2):
        headers[b"referer"] = f"https://site-{int(random.paretovariate(0.7)) % REFERRERS}.example/page".encode()
    address = ".".join(str(random.randrange(1, 224)) for _ in range(4))
    return {"path": "/MENU", "headers": list(headers.items()), "client": (address, random.randrange(1024, 65536))}


def report(name: str, call: Callable[[], T]) -> T:
    began = time.perf_counter()
    result = call()
    tell(name, SOME, time.perf_counter() - began)
    return result


told: dict[str, dict[str, float]] = {}


def tell(name: str, scans: int, seconds: float) -> None:
    told[name] = {"per_second": scans / seconds, "us": seconds / scans * 1e6}
    print(f"{name:22}{scans / seconds:12,.0f} scans/s{seconds / scans * 1e6:8.2f} us each", flush=True)


if __name__ == "__main__":
    main()
