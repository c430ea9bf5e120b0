"""Ten pictures of 9000 px at once: memory stays within its bound, and scans hardly notice."""

import base64
import statistics
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Self

import httpx
import pytest
import zxingcpp
from PIL import Image

from tests.api.exchange import new_code
from tests.support import ServerProcess, until

pytestmark = pytest.mark.alone

STORM = 10
SIZE = 9000

#: Drawing one picture may take this much above idle (issue 4), and of 9000 px the budget allows one at a time.
PICTURE_BYTES = 150 << 20
#: What a process may keep of ten answers on their way, besides what the allocator does not give back.
SLACK_BYTES = 60 << 20

#: Of the 99th percentile of redirects. Where this was written it was 2 ms in quiet and 29 ms in the storm, on two
#: processors with three times the work they could do; a redirect that waits for a drawing would take 500.
WORST_MS = 100


@pytest.fixture
def own_server(database_url: str, tmp_path: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", database_url=database_url)
    server.start()
    yield server
    server.kill()


def memory(pid: int, what: str) -> int:
    """What a process has in memory, "VmRSS", or the most it has had, "VmHWM", in bytes (proc_pid_status(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(what))


def forget_most(pid: int) -> None:
    """VmHWM begins anew (proc_pid_clear_refs(5))."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def photo() -> str:
    """So that no row of the pictures can be pressed into nothing."""
    out = BytesIO()
    Image.radial_gradient("L").convert("RGB").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


class Scans:
    """Scans one after the other, on one connection, and how long each took."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.took_ms: list[float] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        with httpx.Client(verify=False) as phone:
            while not self._stop.wait(0.002):
                began = time.perf_counter()
                assert phone.get(self._url).status_code == 302
                self.took_ms.append((time.perf_counter() - began) * 1000)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def p99_ms(self) -> float:
        return statistics.quantiles(self.took_ms, n=100)[98]


def test_ten_pictures_of_9000_px_at_once_neither_exhaust_memory_nor_slow_a_redirect(own_server: ServerProcess) -> None:
    with own_server.client() as api, ThreadPoolExecutor(STORM) as threads:
        code = new_code(api)
        fade = {"type": "radial", "stops": [{"offset": 0, "color": "#203080"}, {"offset": 1, "color": "#400020"}]}
        designs = [
            {"modules": {"shape": "dots", "color": fade}},
            {"modules": {"shape": "rounded"}, "background": {"image": {"data": photo()}, "opacity": 0.2}},
        ]

        def draw(number: int) -> bytes:
            body = {
                "content": {"type": "text", "text": f"https://example.com/{number}"},
                "design": designs[number % 2],
                "size": SIZE,
            }
            answer = api.post("/render", json=body, timeout=60)
            assert answer.status_code == 200, answer.text
            return answer.content

        api.post(
            "/render", json={"content": {"type": "text", "text": "warm"}, "design": {"modules": {"shape": "dots"}}}
        )
        (worker,) = own_server.workers()
        with Scans(code["short_url"]) as quiet:
            until(lambda: len(quiet.took_ms) >= 300, what="scans in quiet")

        idle = memory(worker, "VmRSS")
        forget_most(worker)
        with Scans(code["short_url"]) as storm:
            files = list(threads.map(draw, range(STORM)))
        most = memory(worker, "VmHWM")

    bodies = sum(map(len, files))
    print(f"idle {idle >> 20} MB, at most {most >> 20} MB, bodies {bodies >> 20} MB")
    print(f"p99 {quiet.p99_ms:.1f} ms of {len(quiet.took_ms)}, in the storm {storm.p99_ms:.1f} of {len(storm.took_ms)}")
    assert most < idle + PICTURE_BYTES + bodies + SLACK_BYTES
    assert storm.p99_ms < max(WORST_MS, 2 * quiet.p99_ms)
    for number, file in enumerate(files):
        picture = Image.open(BytesIO(file))
        assert picture.size == (SIZE, SIZE)
        if number == 0:
            (found,) = zxingcpp.read_barcodes(picture.convert("L").resize((500, 500)))
            assert found.text == "https://example.com/0"
