"""Load by HTTP, and what comes of it: wrk, as one phone or many would ask.

wrk runs on the last processor, what is measured on the first (`on_core`); on a machine with one there is nothing to
divide.
"""

import os
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

CONNECTIONS = 32
#: Whoever draws 32 pictures in turns with one processor takes longer than the 2 s of wrk for some.
TIMEOUT_S = 10
SCRIPTS = Path(__file__).parent

#: A server that answers so many times in a row within this time has nothing else to do; the longest that is waited.
PROBES, AT_ONCE_S, REST_S = 10, 0.003, 5.0

PHONE_HEADERS = {
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.1 Mobile/15E148 Safari/604.1",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "de-CH,de;q=0.9,en;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Upgrade-Insecure-Requests": "1",
}


class Measured(NamedTuple):
    """One run of wrk."""

    per_second: float
    p50_ms: float
    p99_ms: float
    requests: float

    @classmethod
    def median(cls, runs: Sequence[Self]) -> Self:
        return cls(*(statistics.median(column) for column in zip(*runs, strict=True)))


def load(
    url: str, *, seconds: float, headers: Mapping[str, str] = PHONE_HEADERS, script: Sequence[str] = ()
) -> Measured:
    """`url` under load; what is asked for is up to a script in this folder, if one is given with its arguments."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", f"{TIMEOUT_S}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", str(SCRIPTS / script[0])]
    command = [*on_core(-1), *command, url, *script[1:]]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    _wait_for_rest(url)
    assert "Non-2xx or 3xx" not in told, told
    assert "Socket errors" not in told, told
    return Measured(
        _number(r"Requests/sec:\s*([\d.]+)", told),
        _ms("50%", told),
        _ms("99%", told),
        _number(r"(\d+) requests in", told),
    )


def _wait_for_rest(url: str) -> None:
    """Returns when the server is not at work any more. A slow one goes on for up to 500 ms after wrk has gone, for
    nobody, on the processor that the next one is measured on."""
    place = urlsplit(url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=REST_S)
    at_once, deadline = 0, time.monotonic() + REST_S
    while at_once < PROBES and time.monotonic() < deadline:
        began = time.monotonic()
        connection.request("GET", "/")
        connection.getresponse().read()
        at_once = at_once + 1 if time.monotonic() - began < AT_ONCE_S else 0
    connection.close()


def _number(pattern: str, told: str) -> float:
    found = re.search(pattern, told)
    assert found is not None, told
    return float(found[1])


def _ms(percentile: str, told: str) -> float:
    found = re.search(rf"{percentile}\s*([\d.]+)(us|ms|s)", told)
    assert found is not None, told
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]]


def on_core(core: int) -> list[str]:
    """What a command begins with to run on this processor, counted from 0, or from -1 backwards."""
    count = os.cpu_count() or 1
    return ["taskset", "-c", str(core % count)] if shutil.which("taskset") and count > 1 else []
