"""Which of Granian's options and interfaces redirect fastest: python -m bench.granian

The bare application of each, in turns, as bench.redirect measures. What came of it is ADR 13; ours runs with what is
called BASE here.
"""

import os
from contextlib import ExitStack

from bench.load import Measured, load
from bench.redirect import figures, report
from bench.servers import free_port, granian, running

ROUNDS = 7
SECONDS = 2
BASE = "ASGI, uvloop, one thread"

VARIANTS: dict[str, tuple[str, ...]] = {
    BASE: (),
    "the same, once more": (),
    "loop asyncio": ("--loop", "asyncio"),
    "loop rloop": ("--loop", "rloop"),
    "task-impl rust": ("--task-impl", "rust"),
    "runtime-threads 2": ("--runtime-threads", "2"),
    "runtime-mode st": ("--runtime-mode", "st"),
    "runtime-mode mt": ("--runtime-mode", "mt"),
    "backpressure 16": ("--backpressure", "16"),
    "backpressure 1024": ("--backpressure", "1024"),
    "http1-pipeline-flush": ("--http1-pipeline-flush",),
    "http1-buffer-size 8192": ("--http1-buffer-size", "8192"),
    "http auto": ("--http", "auto"),
}


def main() -> None:
    with ExitStack() as stack:
        urls = {}
        for name, options in VARIANTS.items():
            urls[name] = start(stack, granian("bare:asgi", port := free_port(), *options), port)
        urls["RSGI"] = start(stack, granian("bare:rsgi", port := free_port(), interface="rsgi"), port)
        runs: dict[str, list[Measured]] = {name: [] for name in urls}
        for _ in range(ROUNDS + 1):
            for name, url in urls.items():
                runs[name].append(load(url, seconds=SECONDS))
    report("Granian", {name: figures(each[1:], runs[BASE][1:]) for name, each in runs.items()})


def start(stack: ExitStack, command: list[str], port: int) -> str:
    url = f"http://127.0.0.1:{port}/b0000001"
    stack.enter_context(running(command, url, dict(os.environ)))
    return url


if __name__ == "__main__":
    main()
