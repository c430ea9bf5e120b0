"""What a redirect costs that keeps its scan: python -m bench.redirect

Servers that redirect, in turns, each alone on one processor while the load generator (wrk) and PostgreSQL have the
other (bench/servers): nginx, a bare application of each of Granian's interfaces, a route of Starlette, of FastAPI and
of Fastify, and `qredge serve` with its journal on. Then ours with 1,000 to 1,000,000 links, one hot link or many by
Zipf's law, plain and with guards. Requests have a phone's full headers. What counts are the ratios to the bare ASGI
application in the same rounds; the figures themselves are this machine's.

Our writer stands still while wrk runs, as on two processors it would take from wrk what it takes; one line shows that.
Before the next one's turn it has to put all scans that were answered into the database. What it costs is bench.writer.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.load import Measured, load
from bench.measure import save
from bench.noise import scatter
from bench.servers import GUARDED, Ours, fastify, free_port, granian, nginx, ours, running, uvicorn
from server.embedded import EmbeddedPostgres

ROUNDS, ROUNDS_BY_LINKS = 31, 21
SECONDS = 1
BASE = "bare ASGI on Granian"
OURS = "qredge"
WRITING = "qredge, its writer beside wrk"
LINKS = (1_000, 100_000, 1_000_000)

Results = dict[str, dict[str, float]]


def main() -> None:
    for tool in ("wrk", "nginx", "node"):
        if shutil.which(tool) is None:
            sys.exit(f"bench.redirect needs {tool} (Debian: apt-get install wrk nginx-light nodejs)")
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)  # nginx works as somebody else
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        stack.callback(postgres.stop)
        others = start_others(folder, stack)
        servers = {
            links: stack.enter_context(ours(folder / f"{links}", free_port(), postgres.url, links=links))
            for links in LINKS
        }
        results = {
            "against": against({name: f"{url}/b0000001" for name, url in others.items()}, servers[LINKS[0]]),
            "links": by_links(others[BASE], servers),
        }
    for title, each in results.items():
        report(title, each)
    save("redirect", results)


def start_others(folder: Path, stack: ExitStack) -> dict[str, str]:
    """Starts the other servers; their URLs, by their names."""
    ports = [free_port() for _ in range(6)]
    commands = {
        "nginx, return 302": nginx(folder / "nginx", ports[0]),
        "bare RSGI on Granian": granian("bare:rsgi", ports[1], interface="rsgi"),
        BASE: granian("bare:asgi", ports[2]),
        "Starlette on Granian": granian("with_starlette:app", ports[3]),
        "FastAPI on uvicorn": uvicorn("with_fastapi:app", ports[4]),
        "Fastify on Node": fastify(ports[5]),
    }
    urls = {name: f"http://127.0.0.1:{port}" for name, port in zip(commands, ports, strict=True)}
    for name, command in commands.items():
        stack.enter_context(running(command, f"{urls[name]}/ready", dict(os.environ)))
    return urls


def against(urls: dict[str, str], server: Ours) -> Results:
    runs: dict[str, list[Measured]] = {name: [] for name in (*urls, OURS, WRITING)}
    for _ in range(ROUNDS + 1):
        for name, url in urls.items():
            runs[name].append(load(url, seconds=SECONDS))
        runs[OURS].append(kept(server, "/b0000001"))
        runs[WRITING].append(load(f"{server.url}/b0000001", seconds=SECONDS))
        server.answered(runs[WRITING][-1].requests)
    return {name: figures(each[1:], runs[BASE][1:]) for name, each in runs.items()}


def by_links(base_url: str, servers: dict[int, Ours]) -> Results:
    """One hot link or many, plain or not: each beside the bare application with the same requests."""
    cases = [(f"{links:,} plain links", server, "b", links) for links, server in servers.items()]
    guarded = servers[LINKS[0]]
    cases += [(f"{GUARDED:,} links that expire", guarded, "g", GUARDED)]
    cases += [(f"{GUARDED:,} links with rules", guarded, "r", GUARDED)]
    results = {}
    for name, server, kind, links in cases:
        mixes: list[tuple[str, str, list[str]]] = [
            ("one hot", f"/{kind}0000001", []),
            ("Zipf", f"/{kind}", ["zipf.lua", str(links)]),
        ]
        for mix, path, script in mixes:
            bare, ours = [], []
            for _ in range(ROUNDS_BY_LINKS):
                bare.append(load(f"{base_url}{path}", seconds=SECONDS, script=script))
                ours.append(kept(server, path, script))
            results[f"{name}, {mix}"] = figures(ours, bare)
    return results


def kept(server: Ours, path: str, script: Sequence[str] = ()) -> Measured:
    """Ours under load, and then until every scan of it is in the database."""
    with server.writer_stopped():
        measured = load(f"{server.url}{path}", seconds=SECONDS, script=script)
    server.answered(measured.requests)
    return measured


def figures(runs: list[Measured], base: list[Measured]) -> dict[str, float]:
    """Medians. A ratio is that of two runs of the same round, as a machine is not equally fast in all of them."""
    pairs = list(zip(runs, base, strict=True))
    ratios = [run.per_second / bare.per_second for run, bare in pairs]
    typical = Measured.median(runs)
    return {
        "per_second": typical.per_second,
        "ratio": median(ratios),
        **scatter(ratios),
        "p50_ms": typical.p50_ms,
        "p99_ms": typical.p99_ms,
        "p99_ratio": median(run.p99_ms / bare.p99_ms for run, bare in pairs),
    }


def report(title: str, results: Results) -> None:
    print(f"{title:36}{'302/s':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'ratio':>8}")
    for name, each in results.items():
        print(
            f"{name:36}{each['per_second']:10,.0f}{each['ratio']:8.2f}"
            f"{each['p50_ms']:9.2f}{each['p99_ms']:9.2f}{each['p99_ratio']:8.2f}"
        )


if __name__ == "__main__":
    main()
