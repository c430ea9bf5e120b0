"""Lines of JSON for requests, and who reads them."""

import os
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any, NamedTuple

import orjson
import pytest

from server.request_log import LAST_S, MAX_WAITING, MAX_WRITE_BYTES, RequestLog
from tests.support import until


class Pipe(NamedTuple):
    reader: int
    writer: int

    def read(self) -> list[dict[str, Any]]:
        """All lines until the other end is closed."""
        os.close(self.writer)
        with os.fdopen(os.dup(self.reader), "rb") as lines:
            return [orjson.loads(line) for line in lines]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe(*os.pipe())
    yield pipe
    os.close(pipe.reader)


def note(log: RequestLog, number: int, *, method: str = "GET") -> None:
    log.note({"type": "http", "method": method}, f"req_{number}", "/v1/links", 200, 0.0012346, None)


def test_a_line_says_what_was_asked_and_how_it_went(pipe: Pipe) -> None:
    log = RequestLog(pipe.writer)
    log.open()
    log.note({"type": "http", "method": "POST"}, "req_1", "/mask/api/v1/links", 201, 0.0012346, "mask")
    note(log, 2, method="sk_live_4711")
    log.close()
    first, second = pipe.read()
    assert first.pop("time").endswith("Z")
    assert first == {
        "request_id": "req_1",
        "method": "POST",
        "route": "/mask/api/v1/links",
        "status": 201,
        "duration_ms": 1.235,
        "account": None,
        "key": None,
        "dialect": "mask",
    }
    assert second["method"] == "other", "strangers choose methods"


def test_lines_are_written_before_the_end_and_all_of_them_at_the_end(pipe: Pipe) -> None:
    log = RequestLog(pipe.writer)
    log.open()
    note(log, 0)
    os.set_blocking(pipe.reader, False)
    until(lambda: _begun(pipe.reader), what="a line while the log is open")
    for number in range(1, 200):
        note(log, number)
    log.close()
    os.set_blocking(pipe.reader, True)
    assert [line["request_id"] for line in pipe.read()] == [f"req_{number}" for number in range(1, 200)]


def _begun(reader: int) -> bytes:
    try:
        return os.read(reader, MAX_WRITE_BYTES)
    except BlockingIOError:
        return b""


def test_lines_of_several_processes_do_not_mix(pipe: Pipe) -> None:
    ends = [os.dup(pipe.writer) for _ in range(3)]
    logs = [RequestLog(end) for end in ends]
    for number, log in enumerate(logs * 2000):
        note(log, number)
    found: list[dict[str, Any]] = []
    reader = threading.Thread(target=lambda: found.extend(pipe.read()))
    reader.start()
    for log in logs:
        log.open()
    for log, end in zip(logs, ends, strict=True):
        log.close()
        os.close(end)
    reader.join()
    assert sorted(int(line["request_id"].removeprefix("req_")) for line in found) == list(range(6000))


def test_a_reader_that_hangs_keeps_nobody_waiting(pipe: Pipe) -> None:
    log = RequestLog(os.dup(pipe.writer))
    for number in range(MAX_WAITING + 5):
        note(log, number)
    assert log.dropped == 5
    log.open()
    began = monotonic()
    log.close()  # it is more than a pipe holds
    assert monotonic() - began < 2 * LAST_S


def test_a_reader_that_has_gone_is_nobodys_trouble() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    log = RequestLog(writer)
    log.open()
    note(log, 1)
    log.close()
    os.close(writer)
    assert log.dropped == 0
