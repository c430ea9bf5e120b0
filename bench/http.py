"""What the API's pictures cost by HTTP: python -m bench.http

`qredge serve`, with everything that a request asks for on (its key, what it may, the limits of its plan, the metrics),
an empty route of Starlette on the same Granian, and a route of FastAPI that draws the same picture with segno; in
turns, each alone on one processor while the load generator (wrk) and PostgreSQL have the other (bench/servers).

* the picture of a stored code that was drawn before, whole, and as 304 to whoever has it;
* a picture of a content that nobody has asked for before, each request another one (fresh.lua).

What counts are the ratios to the empty route and to FastAPI in the same rounds; the figures are this machine's.
"""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx

from bench.load import Measured, load
from bench.measure import save
from bench.servers import free_port, granian, ours, running
from server.app import accounts_in, plans_of
from server.domain.label import Label
from server.embedded import EmbeddedPostgres
from server.settings import Settings

ROUNDS = 9
SECONDS = 1

URL = "https://example.com/abc/defgh?i=12345"
#: A multiple of the symbol's width, as segno draws no others.
SIZE_PX = 13 * (29 + 2 * 4)

BASE = "an empty route of Starlette"
FASTAPI = "FastAPI + segno, "
IMAGE, HELD, RENDER = "GET image, cached", "GET image, cached, 304", "POST render, never seen"

#: What a program sends that has a key.
HEADERS = {"User-Agent": "python-httpx/0.28.1", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

Run = Callable[[], Measured]


def main() -> None:
    if shutil.which("wrk") is None:
        sys.exit("bench.http needs wrk (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        stack.callback(postgres.stop)
        server = stack.enter_context(ours(folder / "ours", free_port(), postgres.url, links=1_000))
        runs = others(stack) | of_ours(server.url, asyncio.run(new_key(server.database_url)))
        measured: dict[str, list[Measured]] = {each: [] for each in runs}
        for _ in range(ROUNDS + 1):
            for each, run in runs.items():
                measured[each].append(run())
    results = {each: figures(each, measured) for each in measured}
    report(results)
    save("http", results)


def others(stack: ExitStack) -> dict[str, Run]:
    """The other servers, each with one process of Granian."""
    urls = {}
    for app in ("with_starlette:app", "with_fastapi:app"):
        port = free_port()
        urls[app] = f"http://127.0.0.1:{port}"
        stack.enter_context(running(granian(app, port), f"{urls[app]}/ready", dict(os.environ)))
    starlette, fastapi = urls.values()
    return {
        BASE: partial(load, f"{starlette}/v1/empty", seconds=SECONDS, headers=HEADERS),
        FASTAPI + IMAGE: partial(
            load, f"{fastapi}/v1/image?url={quote(URL)}&size={SIZE_PX}", seconds=SECONDS, headers=HEADERS
        ),
        FASTAPI + RENDER: partial(render, fastapi, HEADERS),
    }


async def new_key(database_url: str) -> str:
    async with accounts_in(database_url, plans_of(Settings())) as accounts:
        account = await accounts.create(Label("Bench"))
        _, key = await accounts.create_key(account, Label("Bench"))
    return key


def of_ours(url: str, key: str) -> dict[str, Run]:
    headers = HEADERS | {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/v1", headers=headers, verify=False) as api:
        code = api.post("/qr-codes", json={"content": {"type": "url", "url": URL}}).raise_for_status().json()
        image = f"/qr-codes/{code['id']}/image?size={SIZE_PX}"
        etag = api.get(image).raise_for_status().headers["etag"]
        assert api.get(image).headers["x-cache"] == "HIT"
    return {
        IMAGE: partial(load, f"{url}/v1{image}", seconds=SECONDS, headers=headers),
        HELD: partial(load, f"{url}/v1{image}", seconds=SECONDS, headers=headers | {"If-None-Match": etag}),
        RENDER: partial(render, url, headers),
    }


def render(url: str, headers: dict[str, str]) -> Measured:
    script = ["fresh.lua", secrets.token_hex(4), str(SIZE_PX)]
    headers = headers | {"Content-Type": "application/json"}
    return load(f"{url}/v1/render", seconds=SECONDS, headers=headers, script=script)


def figures(name: str, measured: dict[str, list[Measured]]) -> dict[str, float]:
    """Medians; a ratio is that of two runs of the same round. The first round is for warming up."""
    runs = measured[name][1:]
    typical = Measured.median(runs)
    found = {
        "per_second": typical.per_second,
        "ratio": _ratio(runs, measured[BASE][1:]),
        "p50_ms": typical.p50_ms,
        "p99_ms": typical.p99_ms,
    }
    rival = measured.get(FASTAPI + (IMAGE if name == HELD else name))
    return found | ({"times_fastapi": _ratio(runs, rival[1:])} if rival else {})


def _ratio(runs: list[Measured], others: list[Measured]) -> float:
    return median(run.per_second / other.per_second for run, other in zip(runs, others, strict=True))


def report(results: dict[str, dict[str, float]]) -> None:
    print(f"{'':44}{'a second':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'x FastAPI':>11}")
    for name, each in results.items():
        times = f"{each['times_fastapi']:11.1f}" if "times_fastapi" in each else ""
        print(
            f"{name:44}{each['per_second']:10,.0f}{each['ratio']:8.2f}{each['p50_ms']:9.2f}{each['p99_ms']:9.2f}{times}"
        )


if __name__ == "__main__":
    main()
