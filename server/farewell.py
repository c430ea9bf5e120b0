"""How a worker stops without breaking off anybody's connection.

Told to stop, Granian closes the socket it listens at and every connection that is idle. Requests that are on their way
at that moment, on a connection that was kept or on one that waits to be accepted, are never answered. So first

    what asks to connect is dropped: who knocks now knocks again in a second, and finds nobody, or the next server;
    every answer says that its connection ends with it, until for a while nobody has asked for one.

Then Granian is told. What it closes is connections that nobody has used meanwhile.

Workers that are there to follow others (server/workers.py) are asked in their place from the moment they listen, so
that none of those who come then knocks at one that leaves.
"""

import asyncio
import socket
import struct
from collections.abc import Awaitable
from contextlib import suppress
from ctypes import addressof, create_string_buffer
from time import monotonic

from server.asgi import ASGIApp, Message, Receive, Scope, Send
from server.listeners import listeners

CLOSE = (b"connection", b"close")

#: Who has begun to connect or keeps a connection busy is heard of again within this time...
QUIET_S = 0.2
#: ... and all that goes on for longer is left to Granian, which answers what it is at.
MOST_S = 2.0

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
        self._asked_at_s = 0.0

    def app(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """No coroutine of its own: what it costs every request is this call, some 50 ns."""
        return self._answer(scope, receive, send)

    async def say(self) -> None:
        """Returns when the connections that are in use have been told, and ended."""
        self._answer = self._answer_last
        for listener in listeners():
            with suppress(OSError):  # then those who come in the very last moment are reset
                _take_no_more(listener)
        self._asked_at_s = monotonic()
        deadline_s = self._asked_at_s + MOST_S
        while (left_s := min(self._asked_at_s + QUIET_S, deadline_s) - monotonic()) > 0:  # noqa: ASYNC110 -- no event
            await asyncio.sleep(left_s)

    async def _answer_last(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._asked_at_s = monotonic()

        async def send_last(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), CLOSE]}
            await send(message)

        await self._app(scope, receive, send_last)


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


def _take_no_more(listener: socket.socket) -> None:
    _attach(listener, SO_ATTACH_FILTER, NO_SYN)


def _attach(listener: socket.socket, option: int, steps: bytes) -> None:
    program = create_string_buffer(steps, len(steps))
    listener.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(steps) // STEP.size, addressof(program)))
