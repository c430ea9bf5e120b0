"""The sockets at which a worker listens. Granian opens them, and nobody else knows them."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISSOCK

#: How long an answer may wait for a client that takes nothing of it.
STALLED_S = 60

#: What this process has open, where the system tells (proc_pid_fd(5)).
FILES = Path("/proc/self/fd")

#: Granian opens them when the application has started.
OPEN_EVERY_S, OPEN_TRIES = 0.02, 500


async def until_open() -> None:
    """Returns when there are any, or none after all; at once, where the system does not tell."""
    for _ in range(OPEN_TRIES):
        if any(listeners()) or not _told():
            return
        await asyncio.sleep(OPEN_EVERY_S)


def listeners() -> Iterator[socket.socket]:
    """Duplicates, each until the next one is asked for."""
    for number in sockets():
        with suppress(OSError), socket.socket(fileno=os.dup(number)) as duplicate:  # closed meanwhile
            if duplicate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                yield duplicate


def sockets() -> Iterator[int]:
    """The file descriptors of this process that are sockets; none where the system does not tell."""
    with suppress(OSError):  # not on every system
        for entry in os.listdir(FILES):
            with suppress(OSError):  # closed meanwhile, as the one that lists them
                if S_ISSOCK(os.fstat(int(entry)).st_mode):
                    yield int(entry)


def _told() -> bool:
    return FILES.exists()


async def part_from_stalled(stalled_s: float = STALLED_S) -> None:
    """Has the system end connections whose other end takes nothing of what is there for it (tcp(7),
    TCP_USER_TIMEOUT): those that are accepted have it from the socket that listens."""
    await until_open()
    for listener in listeners():
        with suppress(OSError):  # not every system has it, nor does a Unix socket
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(stalled_s * 1000))
