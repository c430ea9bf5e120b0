"""A vendor's host, with its own name and a certificate for it, in front of a server that speaks plain HTTP."""

import asyncio
import os
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue

import trustme


@contextmanager
def tls_front(host: str, to_port: int, ca_file: Path) -> Iterator[int]:
    """The port at which `host` is; whoever trusts `ca_file` is passed on."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    ports: Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Queue()

    async def serve() -> None:
        over = asyncio.Event()
        server = await asyncio.start_server(_passing_on(to_port), "127.0.0.1", 0, ssl=context)
        ports.put((server.sockets[0].getsockname()[1], asyncio.get_running_loop(), over))
        async with server:
            await over.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    port, loop, over = ports.get()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


def run_lines(lines: str, vendor: str, to_port: int, folder: Path) -> bytes:
    """Runs a vendor's own lines as they are, in this folder; what leads curl here stands in its own settings."""
    with tls_front(vendor, to_port, folder / "ca.pem") as port:
        folder.joinpath(".curlrc").write_text(
            f'connect-to = "{vendor}:443:127.0.0.1:{port}"\ncacert = "{folder}/ca.pem"\nsilent\nfail\n'
        )
        environment = {**os.environ, "CURL_HOME": str(folder)}
        ran = subprocess.run(
            ["bash", "-ec", lines], cwd=folder, env=environment, check=True, timeout=60, capture_output=True
        )
    return ran.stdout


def _passing_on(port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        copies = [asyncio.create_task(_copy(reader, back)), asyncio.create_task(_copy(there, writer))]
        try:
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for copy in copies:
                copy.cancel()
            for end in (back, writer):
                end.close()
                with suppress(OSError):  # whoever is there may have gone first
                    await end.wait_closed()

    return pass_on


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(1 << 16):
        target.write(data)
        await target.drain()
