"""Clients that send too much, or take too long, over a real socket: docs/security.md has the limits as a table."""

import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from server.edge.guarded import MAX_FORM_BYTES
from server.patience import BODY_S
from server.wire import MAX_BODY_BYTES
from server.workers import HEAD_BYTES, HEAD_MS
from tests.support import ServerProcess, until

#: For the ones that look once in a while, and for a machine that is busy.
SLACK_S = 8.0


def connected(server: ServerProcess) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port))
    connection.settimeout(20)
    return connection


def answered(server: ServerProcess, *said: bytes) -> bytes:
    """All that is answered; a connection that is reset has no more to say."""
    told = b""
    with connected(server) as connection:
        try:
            for each in said:
                connection.sendall(each)
            while part := connection.recv(1 << 16):
                told += part
        except ConnectionError:
            pass
    return told


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: a", "Connection: close", *headers, "", ""]).encode("latin-1")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (head("GET /livez", f"X-Long: {'a' * (HEAD_BYTES - 1000)}"), 200),
        (head("GET /livez", f"X-Long: {'a' * (4 * HEAD_BYTES)}"), 431),
        (head("GET /livez", *[f"X-{number}: a" for number in range(90)]), 200),
        (head("GET /livez", *[f"X-{number}: a" for number in range(101)]), 431),
        (head(f"GET /livez?{'a' * (HEAD_BYTES - 1000)}"), 200),
        (head(f"GET /livez?{'a' * 66_000}"), 414),
        (head("GET /a b"), 400),
        (head("GET /a\xe9"), 400),
        (head("GET /livez", "X-Torn: a\rb"), 400),
        (head("GET /livez", "Torn"), 400),
        (head("POST /v1/links", "Content-Length: 4", "Content-Length: 5") + b"abcde", 400),
        (head("POST /v1/links", "Content-Length: -1"), 400),
        (head("POST /v1/links", "Transfer-Encoding: gzip"), 400),
    ],
)
def test_a_head_is_as_large_as_it_may_be_and_says_what_one_may(server: ServerProcess, said: bytes, status: int) -> None:
    assert answered(server, said).startswith(f"HTTP/1.1 {status} ".encode())


def test_a_body_is_as_large_as_it_may_be(server: ServerProcess, api: httpx.Client) -> None:
    key = f"Authorization: {api.headers['authorization']}"
    large = MAX_BODY_BYTES + 1
    announced = head("POST /v1/links", key, "Content-Type: application/json", f"Content-Length: {large}")
    assert answered(server, announced, b" " * large).startswith(b"HTTP/1.1 413 ")
    # Without a length, it is refused once so much has come.
    chunks = head("POST /v1/links", key, "Content-Type: application/json", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + b" " * (1 << 16) + b"\r\n"
    assert answered(server, chunks, chunk * 17, b"0\r\n\r\n").startswith(b"HTTP/1.1 413 ")


class Slow:
    """Says something, then, twice a second, a byte of what may be endless; and hears when that is ended."""

    def __init__(self, server: ServerProcess, said: bytes, drip: bytes = b"") -> None:
        self.connection = connected(server)
        self.connection.sendall(said)
        self._drip = drip
        self.told = b""
        self.began = time.monotonic()
        self.ended_s: float | None = None

    def hear(self) -> None:
        try:
            part = self.connection.recv(1 << 16)
        except ConnectionError:
            part = b""
        self.told += part
        if not part:
            self.ended_s = time.monotonic() - self.began

    def drip(self) -> None:
        if self._drip and self.ended_s is None and not self.told:
            try:
                self.connection.sendall(self._drip)
            except ConnectionError:
                self.ended_s = time.monotonic() - self.began


@pytest.fixture
def slow(server: ServerProcess) -> Iterator[Callable[..., Slow]]:
    with ExitStack() as stack:

        def connect(said: bytes, drip: bytes = b"") -> Slow:
            client = Slow(server, said, drip)
            stack.callback(client.connection.close)
            return client

        yield connect


def watch(clients: list[Slow], most_s: float) -> None:
    """Until all are ended."""
    deadline = time.monotonic() + most_s
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.connection, selectors.EVENT_READ, client)
        while open_ := [client for client in clients if client.ended_s is None]:
            assert time.monotonic() < deadline, f"{len(open_)} connections are still open after {most_s} s"
            for key, _ in selector.select(0.5):
                key.data.hear()
                if key.data.ended_s is not None:
                    selector.unregister(key.fileobj)
            for client in open_:
                client.drip()


def test_nobody_is_waited_for_without_end(server: ServerProcess, api: httpx.Client, slow: Callable[..., Slow]) -> None:
    link = api.post("/links", json={"destination": "https://example.com/", "password": "open sesame"}).json()
    scan = httpx.URL(link["short_url"]).path
    key = f"Authorization: {api.headers['authorization']}"
    body = head("POST /v1/links", key, "Content-Type: application/json", "Content-Length: 1000")
    chunked = head("POST /v1/render", key, "Content-Type: application/json", "Transfer-Encoding: chunked")
    form = head(f"POST {scan}", "Content-Type: application/x-www-form-urlencoded", f"Content-Length: {MAX_FORM_BYTES}")
    once = head("POST /v1/links", key, "Idempotency-Key: slow", "Content-Type: application/json", "Content-Length: 99")
    heads = [slow(b""), slow(b"GET /livez HTT"), slow(b"GET /livez HTTP/1.1\r\nX: ", b"a")]
    bodies = [slow(body), slow(body + b"{", b" "), slow(chunked, b"1\r\n \r\n"), slow(once + b"{")]
    forms = [slow(form), slow(form + b"password=", b"a")]
    nobodys = slow(head("POST /v1/links", "Content-Length: 1000") + b"{", b" ")
    watch([*heads, *bodies, *forms, nobodys], HEAD_MS / 1000 + SLACK_S)
    for client in heads:
        assert client.told == b""
        assert client.ended_s == pytest.approx(HEAD_MS / 1000, abs=SLACK_S)
    for client in [*bodies, *forms]:
        assert client.told.startswith(b"HTTP/1.1 408 ")
        assert client.ended_s == pytest.approx(BODY_S, abs=SLACK_S)
    assert nobodys.told.startswith(b"HTTP/1.1 401 ")  # and is not waited for as long as one who has a key
    assert nobodys.ended_s is not None
    assert nobodys.ended_s < BODY_S
    assert b"That took too long" in forms[0].told
    # The key of what was never heard to its end may be used again.
    again = api.post("/links", json={"destination": "https://example.com/"}, headers={"idempotency-key": "slow"})
    assert again.status_code == 201


def test_a_body_may_come_in_parts(server: ServerProcess, api: httpx.Client) -> None:
    said = b'{"destination": "https://example.com/"}'
    key = f"Authorization: {api.headers['authorization']}"
    start = head("POST /v1/links", key, "Content-Type: application/json", f"Content-Length: {len(said)}")
    with connected(server) as connection:
        connection.sendall(start)
        for byte in said:
            connection.sendall(bytes([byte]))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 201 ")


def test_many_who_say_nothing_keep_nobody_out(server: ServerProcess, api: httpx.Client, anyone: httpx.Client) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    short_url = api.post("/links", json={"destination": "https://example.com/"}).json()["short_url"]
    with ExitStack() as stack:
        try:
            for _ in range(5_000):  # more than the 4,096 that Granian would take
                stack.enter_context(connected(server))
            assert anyone.get(short_url, timeout=5).status_code == 302
        finally:
            stack.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    until(lambda: anyone.get(short_url).status_code == 302, what="a scan that is answered")
