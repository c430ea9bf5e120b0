"""What the API's pictures cost by HTTP: python -m bench.http

`qredge serve`, with everything that a request asks for on (its key, what it may, the limits of its plan, the metrics),
an empty route of Starlette on the same Granian, and what people put together to draw the same picture: FastAPI with
segno on uvicorn, Fastify with qrcode on Node; in turns, each alone on one processor while the load generator (wrk) and
PostgreSQL have the other (bench/servers).

* the picture of a stored code that was drawn before, whole, and as 304 to whoever has it;
* a picture of a content that nobody has asked for before, each request another one (fresh.lua).

What counts are the ratios to the empty route and to the others in the same rounds; the figures are this machine's.
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
from bench.noise import scatter
from bench.servers import fastify, free_port, granian, ours, running, uvicorn
from server.domain.label import Label
from server.embedded import EmbeddedPostgres
from server.parts import accounts_in, plans_of
from server.settings import Settings

ROUNDS = 9
SECONDS = 1
#: Of those that answer some sixty in a second, one more or less would be 2 %.
RIVAL_SECONDS = 3

URL = "https://example.com/abc/defgh?i=12345"
#: A multiple of the symbol's width, as segno draws no others.
SIZE_PX = 13 * (29 + 2 * 4)

BASE = "an empty route of Starlette"
#: Whoever draws the same, by their names in the results.
RIVALS = {"times_fastapi": "FastAPI + segno", "times_fastify": "Fastify + qrcode"}
IMAGE, HELD, RENDER = "GET image, cached", "GET image, cached, 304", "POST render, never seen"

#: What a program sends that has a key.
HEADERS = {"User-Agent": "python-httpx/0.28.1", "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}

Run = Callable[[], Measured]


def main() -> None:
    for tool in ("wrk", "node"):
        if shutil.which(tool) is None:
            sys.exit(f"bench.http needs {tool} (Debian: apt-get install wrk nodejs)")
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
    """The other servers, each with one process."""
    ports = [free_port() for _ in range(3)]
    starlette, *rivals = (f"http://127.0.0.1:{port}" for port in ports)
    commands = granian("with_starlette:app", ports[0]), uvicorn("with_fastapi:app", ports[1]), fastify(ports[2])
    for command, url in zip(commands, (starlette, *rivals), strict=True):
        stack.enter_context(running(command, f"{url}/ready", dict(os.environ)))
    runs: dict[str, Run] = {BASE: partial(load, f"{starlette}/v1/empty", seconds=SECONDS, headers=HEADERS)}
    for rival, url in zip(RIVALS.values(), rivals, strict=True):
        image = f"{url}/v1/image?url={quote(URL)}&size={SIZE_PX}"
        runs[f"{rival}, {IMAGE}"] = partial(load, image, seconds=RIVAL_SECONDS, headers=HEADERS)
        runs[f"{rival}, {RENDER}"] = partial(render, url, HEADERS, RIVAL_SECONDS)
    return runs


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


def render(url: str, headers: dict[str, str], seconds: float = SECONDS) -> Measured:
    script = ["fresh.lua", secrets.token_hex(4), str(SIZE_PX)]
    headers = headers | {"Content-Type": "application/json"}
    return load(f"{url}/v1/render", seconds=seconds, headers=headers, script=script)


def figures(name: str, measured: dict[str, list[Measured]]) -> dict[str, float]:
    """Medians; a ratio is that of two runs of the same round. The first round is for warming up."""
    runs = measured[name][1:]
    typical = Measured.median(runs)
    ratios = _ratios(runs, measured[BASE][1:])
    found = {
        "per_second": typical.per_second,
        "ratio": median(ratios),
        **scatter(ratios),
        "p50_ms": typical.p50_ms,
        "p99_ms": typical.p99_ms,
    }
    for times, rival in RIVALS.items():
        if theirs := measured.get(f"{rival}, {IMAGE if name == HELD else name}"):
            found[times] = median(_ratios(runs, theirs[1:]))
    return found


def _ratios(runs: list[Measured], others: list[Measured]) -> list[float]:
    return [run.per_second / other.per_second for run, other in zip(runs, others, strict=True)]


def report(results: dict[str, dict[str, float]]) -> None:
    print(f"{'':44}{'a second':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'x FastAPI':>11}{'x Fastify':>11}")
    for name, each in results.items():
        times = "".join(f"{each[rival]:11.1f}" for rival in RIVALS if rival in each)
        print(
            f"{name:44}{each['per_second']:10,.0f}{each['ratio']:8.2f}{each['p50_ms']:9.2f}{each['p99_ms']:9.2f}{times}"
        )


if __name__ == "__main__":
    main()
