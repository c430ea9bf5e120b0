"""Hurts a server of its own for as long as one likes, and counts: python -m loadtests.soak --minutes 10

Phones scan without a pause while, in random order, its processes are killed, its database stops, hangs, is slow or
breaks off connections, and it is stopped and started again. Afterwards every scan that was answered has to be in the
log, once. The exit code is 1 where one is missing or double, or where a connection was broken off by anything else
than a kill.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.api.exchange import new_link
from tests.faults import PostgresServer, Proxy
from tests.load import Load, Tally, tally
from tests.support import ServerProcess, until

WORKERS = 2

#: Seconds between two faults, and how long one lasts that ends by itself.
PAUSE_S = (0.5, 3.0)
FAULT_S = (1.0, 10.0)

#: A process that was killed is there again by then, also on a machine that has other things to do.
RECOVERY_S = 60.0


class Site(NamedTuple):
    """What is hurt, and by what."""

    postgres: PostgresServer
    proxy: Proxy
    server: ServerProcess
    load: Load
    random: random.Random

    def a_while(self) -> None:
        self.load.last(self.random.uniform(*FAULT_S))


# --- what happens to it ----------------------------------------------------------------------------------------------


def worker_killed(site: Site) -> None:
    os.kill(site.random.choice(site.server.workers()), signal.SIGKILL)


def writer_killed(site: Site) -> None:
    os.kill(site.server.writer(), signal.SIGKILL)


def supervisor_killed(site: Site) -> None:
    os.kill(site.server.group(), signal.SIGKILL)
    until(lambda: not site.server.pids(), what="a worker and a writer that follow it")
    site.server.start()


def server_killed(site: Site) -> None:
    site.server.kill()
    site.server.start()


def all_killed(site: Site) -> None:
    site.server.kill()
    site.postgres.kill()
    site.postgres.start()
    site.server.start()


def server_stopped(site: Site) -> None:
    everybody = site.random.choice([False, True])
    code = site.server.stop(signal.SIGTERM, everybody=everybody)
    assert code == 0, f"exit code {code}"
    site.server.start()


def database_killed(site: Site) -> None:
    site.postgres.kill()
    site.a_while()
    site.postgres.start()


def database_stopped(site: Site) -> None:
    site.postgres.stop()
    site.a_while()
    site.postgres.start()


def database_hangs(site: Site) -> None:
    site.postgres.hang()
    site.a_while()
    site.postgres.go_on()


def database_slow(site: Site) -> None:
    site.proxy.delay_s = site.random.uniform(0.01, 0.5)
    site.a_while()
    site.proxy.delay_s = 0


def database_refuses(site: Site) -> None:
    site.proxy.refuse()
    site.a_while()
    site.proxy.accept()


def copies_cut(site: Site) -> None:
    site.proxy.copies_to_cut = 3
    until(lambda: not site.proxy.copies_to_cut, what="copies that were cut")


def commits_cut(site: Site) -> None:
    site.proxy.commits_to_cut = 3
    until(lambda: not site.proxy.commits_to_cut, what="commits that were cut")


KILLS = (worker_killed, writer_killed, supervisor_killed, server_killed, all_killed)
FAULTS: tuple[Callable[[Site], None], ...] = (
    *KILLS,
    *(server_stopped, database_killed, database_stopped, database_hangs, database_slow, database_refuses),
    *(copies_cut, commits_cut),
)


# --- the run ---------------------------------------------------------------------------------------------------------


class Figures(NamedTuple):
    """What came of it, by what happened."""

    times: Counter[str]
    answered: Counter[str]
    broken: Counter[str]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtests.soak", description="Hurts a server, and counts.")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the order of what happens")
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with running() as (postgres, proxy, server):
        with server.client() as api:
            link = new_link(api)
        with Load(link["short_url"]) as load:
            site = Site(postgres, proxy, server, load, random.Random(chosen.seed))
            figures = hurt(site, time.monotonic() + chosen.minutes * 60)
        assert server.stop() == 0
        found = tally(load, postgres.url)
    report(figures, load, found)
    allowed = {fault.__name__ for fault in KILLS}
    if not found.exact or figures.broken.keys() - allowed:
        sys.exit(1)


@contextmanager
def running() -> Iterator[tuple[PostgresServer, Proxy, ServerProcess]]:
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = PostgresServer(Path(folder) / "postgres")
        postgres.start()
        proxy = Proxy(postgres.url)
        proxy.start()
        server = ServerProcess(Path(folder) / "data", database_url=proxy.url, workers=str(WORKERS))
        try:
            server.start()
            yield postgres, proxy, server
        finally:
            server.kill()
            proxy.stop()
            postgres.kill()


def hurt(site: Site, until_s: float) -> Figures:
    """Every fault as often as any other, in random order, until it is time."""
    figures = Figures(Counter(), Counter(), Counter())
    waiting: list[Callable[[Site], None]] = []
    while time.monotonic() < until_s:
        waiting = waiting or site.random.sample(FAULTS, len(FAULTS))
        fault = waiting.pop()
        answered, broken = len(site.load.answered), len(site.load.broken)
        print(f"{time.strftime('%H:%M:%S')} {fault.__name__}", flush=True)
        fault(site)
        site.load.last(site.random.uniform(*PAUSE_S))
        until(lambda: whole(site.server), what="all workers", within_s=RECOVERY_S)
        figures.times[fault.__name__] += 1
        figures.answered[fault.__name__] += len(site.load.answered) - answered
        if len(site.load.broken) > broken:
            figures.broken[fault.__name__] += len(site.load.broken) - broken
    return figures


def whole(server: ServerProcess) -> bool:
    """Whether every worker listens and knows its links; each connection may be given to another one."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    listening = [each for each in sockets if each[1].endswith(f":{server.port:04X}") and each[3] == "0A"]
    return len(listening) == WORKERS and all(server.ready() for _ in range(20))


def report(figures: Figures, load: Load, found: Tally) -> None:
    print(f"\n{'':20}{'times':>8}{'answered':>10}{'broken off':>12}")
    for name, times in sorted(figures.times.items()):
        print(f"{name.replace('_', ' '):20}{times:8}{figures.answered[name]:10,}{figures.broken[name]:12,}")
    print(
        f"\n{load.sent:,} scans sent, {len(load.answered):,} answered: {len(found.missing)} missing, "
        f"{len(found.double)} double, {len(found.foreign)} that nobody sent; "
        f"{found.unanswered} of {len(load.broken)} that were broken off are there"
    )


if __name__ == "__main__":
    main()
