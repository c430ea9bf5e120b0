"""The processes that answer: Granian's, as they are started, watched, renewed and stopped here.

A renewal (SIGHUP) starts as many new ones, and only when all of these answer has the others leave; so there is no
moment in which nobody listens. New ones read the program, the settings and the certificate anew. If one of them does
not start, the old ones go on.
"""

import logging
import multiprocessing
import resource
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from time import monotonic

from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mp import MPServer, WorkerProcess

from server import logs
from server.late import late
from server.settings import Settings

#: What is run in each of them.
APPLICATION = "server.app:create_worker"

STOP_S = 15
#: How long new workers may take until they answer: a million links are read in some seconds.
START_S = 120.0
LOOK_EVERY_S = 0.05

#: How long to wait before the next try, where a worker has died before it answered: twice as long each time.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0
#: So many tries, if no worker has ever answered.
FIRST_TRIES = 3

#: How long a connection may be silent, or be at the head of a request. It is the same clock for both, so it may not be
#: shorter than what proxies keep a connection for.
HEAD_MS = 30_000
#: Of memory that a head may take. Browsers send 1 KB; a picture that is asked for by its URL says up to some 20.
HEAD_BYTES = 1 << 16

#: Connections that a worker has at a time; others wait. Each that says nothing takes 10 KB, until HEAD_MS have passed;
#: at Granian's own 4,096 a single machine could keep everybody else out for so long.
MAX_CONNECTIONS = 16_384
#: Of files that a worker may have open, those that are no connections of clients.
OTHER_FILES = 512

log = logging.getLogger(__name__)


class NoWorkerStarts(Exception):
    """Every worker has died before it answered, from the first one on."""


class Workers(MPServer):
    """As many as the settings say; `serve` returns when a signal has said stop, or when none of them starts."""

    def __init__(self, settings: Settings, renewing: Callable[[], bool], renewed: Callable[[], None]) -> None:
        """`renewing` prepares a renewal, and says whether it is to be; `renewed` is called when it is done."""
        super().__init__(
            APPLICATION,
            interface=Interfaces.ASGI,
            address=settings.host,
            port=settings.port,
            uds=Path(settings.unix_socket) if settings.unix_socket else None,
            uds_permissions=int(settings.unix_socket_mode, 8),
            workers=settings.workers,
            ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
            ssl_key=Path(settings.tls_key) if settings.tls_key else None,
            ssl_protocol_min=SSLProtocols.tls12,  # phones of ten years ago scan, too
            http=HTTPModes.http1,
            loop=Loops.uvloop,
            websockets=False,
            backlog=4096,
            backpressure=_connections(),
            http1_settings=HTTP1Settings(header_read_timeout=HEAD_MS, max_buffer_size=HEAD_BYTES),
            log_level=LogLevels.warning,
            log_dictconfig=logs.configuration(settings.log_level),
            workers_kill_timeout=STOP_S,
        )
        self._renewing, self._renewed = renewing, renewed
        #: Workers write their process id into the other end when they answer.
        self._answering, self._told = multiprocessing.Pipe(duplex=False)
        self._answer: set[int] = set()
        #: Tries in a row in which one has died before it answered, and when the next one is due.
        self._failures = 0
        self._due_s = 0.0
        #: Whether none of them has ever started.
        self.failed = False

    def run(self) -> None:
        # What Granian calls to get the application in each worker.
        self.serve(target_loader=partial(late, APPLICATION, self._told, self.workers), wrap_loader=False)
        if self.failed:
            raise NoWorkerStarts("no worker starts; why stands above.")

    def shutdown(self, exit_code: int = 0) -> None:
        # Nobody is let in who would not be answered any more.
        if self.bind_uds is not None:
            self.bind_uds.unlink(missing_ok=True)
        self.interrupt_children.clear()  # or it would end this process, too
        super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    # --- in place of Granian's own -----------------------------------------------------------------------------------
    # Which gives up on workers that die in quick succession, and lets old ones go some seconds after new ones began.

    def _serve_loop(self, spawn_target: Callable[..., None], target_loader: Callable[..., object]) -> None:
        def new(place: int) -> WorkerProcess:
            worker = self._spawn_worker(idx=place, target=spawn_target, callback_loader=target_loader)
            worker.start()  # type: ignore[no-untyped-call]
            return worker

        wait_s: float | None = None
        while not self.failed:
            self.main_loop_interrupt.wait(wait_s)
            self.main_loop_interrupt.clear()
            self.interrupt_children.clear()
            if self.interrupt_signal:
                return
            if self.reload_signal:
                self.reload_signal = False
                if self._renewing():
                    self._renew(new)
            wait_s = self._replace_the_dead(new)

    def _replace_the_dead(self, new: Callable[[int], WorkerProcess]) -> float | None:
        """In how many seconds to look again; None as long as nothing happens."""
        self._learn()
        dead = [place for place, worker in enumerate(self.wrks) if not worker.is_alive()]  # type: ignore[no-untyped-call]
        if not dead:
            return None
        if not self._due_s:
            answered = all(self.wrks[place].inner.pid in self._answer for place in dead)
            self._failures = 0 if answered else self._failures + 1
            self.failed = not self._answer and self._failures >= FIRST_TRIES
            wait_s = min(FIRST_WAIT_S * 2 ** (self._failures - 1), LONGEST_WAIT_S) if self._failures else 0.0
            self._due_s = monotonic() + wait_s
        if self.failed:
            return None
        left_s = self._due_s - monotonic()
        if left_s > 0:
            return left_s
        self._due_s = 0.0
        for place in dead:
            log.error("worker %d has died; starting it again", place + 1)
            self.wrks[place] = new(place)
        return None

    def _renew(self, new: Callable[[int], WorkerProcess]) -> None:
        old = self.wrks
        young = [new(place) for place in range(self.workers)]
        self.wrks = [*old, *young]  # all of them are stopped if that is said meanwhile
        if not self._all_answer(young):
            if not self.interrupt_signal:
                log.error("the new workers do not start; the old ones go on")
                self.wrks = old
                self._stop(young)
            return
        self.wrks = young
        self._stop(old)
        self._renewed()
        log.info("the workers are new")

    def _all_answer(self, young: list[WorkerProcess]) -> bool:
        deadline = monotonic() + START_S
        while not {worker.inner.pid for worker in young} <= self._answer:
            alive = all(worker.is_alive() for worker in young)  # type: ignore[no-untyped-call]
            if not alive or self.interrupt_signal or monotonic() > deadline:
                return False
            self._answering.poll(LOOK_EVERY_S)
            self._learn()
        return True

    def _learn(self) -> None:
        while self._answering.poll():
            self._answer.add(self._answering.recv())

    def _stop(self, workers: list[WorkerProcess]) -> None:
        """Has them answer what they were asked, and leave."""
        deadline = monotonic() + STOP_S
        for worker in workers:
            worker.terminate()  # type: ignore[no-untyped-call]
        for worker in workers:
            # A thread of Granian's waits for it, too, and then this one is not told how it ended.
            if not wait([worker.inner.sentinel], max(deadline - monotonic(), 0)):
                log.warning("an old worker takes too long and is killed")
                worker.kill()  # type: ignore[no-untyped-call]
            worker.join()  # type: ignore[no-untyped-call]


def _connections() -> int:
    """How many a worker may have at a time; lets it, and all that is started from here, have as many files open."""
    wanted = MAX_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    if soft != resource.RLIM_INFINITY and soft < files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return max(files - OTHER_FILES, files // 2)
