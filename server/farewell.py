"""How a worker stops without breaking off anybody's connection.

Told to stop, Granian closes the socket it listens at and every connection that is idle. Requests that are on their way
at that moment, on a connection that was kept or on one that waits to be accepted, are never answered. So first

    what asks to connect is dropped: who knocks now knocks again in a second, and finds nobody, or the next server;
    every answer says that its connection ends with it, until for a while nobody has asked for one, and nothing that
    was sent waits to be read.

That nobody has asked is not enough: on a busy machine the thread that reads (server/socket_thread.py) may not have its
turn for as long as that. Then Granian is told. What it closes is connections that nobody has used meanwhile.

Workers that are there to follow others (server/workers.py) are asked in their place from the moment they listen, so
that none of those who come then knocks at one that leaves.
"""

import asyncio
import multiprocessing
import select
import signal
import socket
import struct
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from ctypes import addressof, create_string_buffer
from threading import get_native_id
from time import monotonic

from server.asgi import ASGIApp, Message, Receive, Scope, Send
from server.listeners import listeners, sockets, until_open
from server.socket_thread import threads

CLOSE = (b"connection", b"close")

#: Who has begun to connect or keeps a connection busy is heard of again within so many looks. They are counted, as a
#: process that stood still for their time has heard of nobody...
LOOK_EVERY_S, QUIET_LOOKS = 0.01, 20
#: ... and all that goes on for longer is left to Granian, which answers what it is at.
MOST_S = 5.0

SO_ATTACH_FILTER = getattr(socket, "SO_ATTACH_FILTER", 26)  # Python 3.14 knows its name

#: A classic BPF program (Linux, Documentation/networking/filter.rst) that drops a TCP segment that has SYN set and not
#: ACK, and takes all others. What it looks at begins with the TCP header; byte 13 has its flags (RFC 9293, 3.1).
STEP = struct.Struct("=HBBI")
NO_SYN = (
    STEP.pack(0x30, 0, 0, 13)  # load that byte
    + STEP.pack(0x54, 0, 0, 0x12)  # keep ACK and SYN of it
    + STEP.pack(0x15, 0, 1, 0x02)  # only SYN? else pass over the next step
    + STEP.pack(0x06, 0, 0, 0)  # take nothing
    + STEP.pack(0x06, 0, 0, 0xFFFFFFFF)  # take all
)

#: Which of the sockets at one port is asked is said by a program of theirs (socket(7), SO_ATTACH_REUSEPORT_CBPF). They
#: are numbered as they came; when one leaves, the last takes its number. A number of none leaves it to the kernel.
SO_ATTACH_REUSEPORT_CBPF = 51
RANDOM = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM


class Farewell:
    """An application until it is told to end, and its last answers. `app` is what the server is given."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = self._answer = app
        self._asked = False

    def app(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """No coroutine of its own: what it costs every request is this call, some 50 ns."""
        return self._answer(scope, receive, send)

    async def leave_when_told(self, first: Callable[[], None]) -> None:
        """Ends this worker when its parent says so, or has died, and not otherwise; `first` ends what never would.

        Ctrl-C reaches the whole process group, but the order in which its processes end is the parent's to give; and a
        kill -9 of the parent must not leave a worker behind that holds the port.
        """
        parent = multiprocessing.parent_process()
        if parent is None:
            return
        loop, told = asyncio.get_running_loop(), asyncio.Event()
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal says it to all its processes; the parent hears it
        # To Granian either signal is the word to stop. One is heard here in its place, the other is kept for its end.
        loop.add_signal_handler(signal.SIGTERM, told.set)
        # Granian lets the loop end and begin once more between the start and the first request. What the loop is told
        # of in between it forgets (uvloop 0.23); what Python is told of it hands on.
        signal.signal(signal.SIGTERM, lambda *_: loop.call_soon_threadsafe(told.set))
        to_granian = signal.signal(signal.SIGINT, signal.SIG_IGN)
        with ending(parent.sentinel, told):
            await told.wait()
        first()
        await self.say()
        signal.signal(signal.SIGINT, to_granian)
        signal.raise_signal(signal.SIGINT)

    async def say(self) -> None:
        """Returns when the connections that are in use have been told, and ended."""
        self._answer = self._answer_last
        await until_open()  # it may be told before it has begun
        for listener in listeners():
            with suppress(OSError):  # then those who come in the very last moment are reset
                _take_no_more(listener)
        deadline_s = monotonic() + MOST_S
        quiet = 0
        while quiet < QUIET_LOOKS and monotonic() < deadline_s:
            self._asked = False
            await asyncio.sleep(LOOK_EVERY_S)
            quiet = 0 if self._asked or _at_work() else quiet + 1
            if quiet == QUIET_LOOKS and _unread():
                quiet = 0

    async def _answer_last(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked = True

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        await self._app(scope, receive, send_last)


@contextmanager
def ending(file: int, told: asyncio.Event) -> Iterator[None]:
    """Sets `told` when the other end is closed, or whoever had it is gone."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(file)
        told.set()

    loop.add_reader(file, ended)
    try:
        yield
    finally:
        loop.remove_reader(file)


def succeed(workers: int) -> None:
    """As one of so many that listen: of twice as many, has the last ones be asked, which are those that came to follow
    the others."""
    last = (
        STEP.pack(0x20, 0, 0, RANDOM)  # a random number
        + STEP.pack(0x94, 0, 0, workers)  # modulo their number
        + STEP.pack(0x04, 0, 0, workers)  # behind those that are there
        + STEP.pack(0x16, 0, 0, 0)  # is asked
    )
    for listener in listeners():
        with suppress(OSError):  # who is told to wait by a worker that leaves knocks again in a second
            _attach(listener, SO_ATTACH_REUSEPORT_CBPF, last)


def _at_work() -> bool:
    """Whether another thread of this process has something to do, which may be to pass on what was asked."""
    this = get_native_id()
    return any(thread.runs for thread in threads() if thread.id != this)


def _unread() -> bool:
    """Whether somebody has connected and is not accepted, or has sent what is not read."""
    waiting = select.poll()
    for number in sockets():
        waiting.register(number, select.POLLIN)
    # One that was closed meanwhile, or that is told of an error, waits for nothing.
    return any(event & select.POLLIN for _, event in waiting.poll(0))


def _take_no_more(listener: socket.socket) -> None:
    _attach(listener, SO_ATTACH_FILTER, NO_SYN)


def _attach(listener: socket.socket, option: int, steps: bytes) -> None:
    program = create_string_buffer(steps, len(steps))
    listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(steps) // STEP.size, addressof(program)))
