"""When a worker hears that it is to leave."""

import asyncio
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable
from functools import partial

import pytest
import uvloop

from server.asgi import Receive, Scope, Send
from server.farewell import Farewell
from tests.support import DEADLINE_S

ENDED_FIRST = 7


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("nobody asks")


def work(when: str) -> None:
    """A worker, as Granian runs it: its loop runs until the application has started, and then until it is to stop."""
    loop = uvloop.new_event_loop()
    stop, ended = asyncio.Event(), []
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    farewell = Farewell(application)

    async def start() -> asyncio.Task[None]:
        leaving = asyncio.create_task(farewell.leave_when_told(lambda: ended.append(True)))
        await asyncio.sleep(0)
        return leaving

    leaving = loop.run_until_complete(start())
    if when == "before it listens":
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        loop.call_later(0.01, os.kill, os.getpid(), signal.SIGTERM)
    with socket.create_server(("127.0.0.1", 0)):
        loop.run_until_complete(stop.wait())
    assert leaving.done()
    raise SystemExit(ENDED_FIRST if ended else 0)


def say(what: str) -> None:
    """A worker whose thread of the sockets comes to its turn a second after it was told to end."""

    async def run() -> bool:
        farewell = Farewell(application)
        done = []
        with (
            socket.create_server(("127.0.0.1", 0)) as listener,
            socket.create_connection(listener.getsockname()) as phone,
        ):
            if what == "sent":
                taken, _ = listener.accept()
                phone.sendall(b"GET / HTTP/1.1")
                read: Callable[[], object] = partial(taken.recv, 100)
            else:
                read = listener.accept
            asyncio.get_running_loop().call_later(1.0, lambda: done.append(read()))
            await farewell.say()
        return bool(done)

    raise SystemExit(ENDED_FIRST if asyncio.run(run()) else 0)


@pytest.mark.parametrize("when", ["before it listens", "while it answers"])
def test_it_leaves_whenever_it_is_told(when: str) -> None:
    assert exit_code(work, when) == ENDED_FIRST


@pytest.mark.parametrize("what", ["sent", "connected"])
def test_it_does_not_leave_before_what_was_asked_is_heard(what: str) -> None:
    assert exit_code(say, what) == ENDED_FIRST


def exit_code(target: Callable[[str], None], how: str) -> int | None:
    """Of a process of its own, as both change signals or sockets of all of it."""
    worker = multiprocessing.get_context("spawn").Process(target=target, args=(how,))
    worker.start()
    worker.join(DEADLINE_S)
    worker.kill()
    return worker.exitcode
