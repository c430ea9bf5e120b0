"""A receiver of webhooks: a real server on a port of this machine, which checks signatures as its users would."""

import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

import orjson
from standardwebhooks import Webhook

Reply = tuple[int, Mapping[str, str]]


class Received(NamedTuple):
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def type(self) -> str:
        return str(orjson.loads(self.body)["type"])

    @property
    def data(self) -> dict[str, Any]:
        return dict(orjson.loads(self.body)["data"])

    def verified(self, secret: str) -> dict[str, Any]:
        """What it says, if it is signed by this secret; by an implementation that is not ours."""
        return dict(Webhook(secret).verify(self.body, dict(self.headers)))


class Receiver:
    """Answers each delivery as `reply` does, 204 unless told otherwise, and keeps it."""

    def __init__(
        self,
        reply: Callable[[Received], Reply] = lambda _: (204, {}),
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.reply = reply
        self.received: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
                receiver.received.append(received)
                status, headers = receiver.reply(received)
                try:
                    self.send_response(status)
                    for name, value in {"content-length": "0", **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                except ConnectionError:
                    pass  # the sender has given up

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer((host, 0), Handler)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}/told"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def types(self) -> list[str]:
        return [each.type for each in self.received]
