"""`qredge data export` and `import`: all that is in the database as a file, by PostgreSQL's pg_dump and pg_restore.

Behind what pg_dump has written stands the SHA-256 of it.
"""

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Annotated, BinaryIO, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import asyncpg
import typer

from server.console.telling import fail

#: Nobody else's users are in the file: what is imported belongs to whoever imports it.
NOBODYS = ("--no-owner", "--no-privileges")

CHUNK = 1 << 20

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"

File = Annotated[str, typer.Argument(metavar="FILE", help="- is standard output, or input.")]


class Opened(Protocol):
    """The database of this server, for a command; brought up to date before, unless it is to be `bare`."""

    def __call__(self, *, bare: bool) -> AbstractContextManager[str]: ...


def commands(database: Opened, program: Callable[[str], Path], migrate: Callable[[str], object]) -> typer.Typer:
    """`data`, with commands of its own. `program` is where one of PostgreSQL's is; `migrate` brings a database up to
    date."""
    group = typer.Typer(no_args_is_help=True, help="Take everything from one database to another.")

    @group.command("export")
    def export(file: File) -> None:
        """Write all that is in the database to a file, as it stands at one moment. The server may run; scans that are
        still in its journals are not in the file."""
        with database(bare=False) as url, _to(file) as out, _connected(url) as place:
            command = [str(program("pg_dump")), "--format=custom", *NOBODYS, f"--dbname={place}"]
            with subprocess.Popen(command, stdout=subprocess.PIPE) as dump:
                assert dump.stdout is not None, "it is a pipe"
                digest = hashlib.sha256()
                while some := dump.stdout.read(CHUNK):
                    out.write(some)
                    digest.update(some)
            if dump.returncode:  # it has said why
                fail("pg_dump has failed, and there is no file.")
            out.write(digest.digest())

    @group.command("import")
    def import_(file: File) -> None:
        """Put all that such a file has into the database, which must be empty, and bring it up to date: all of it, or
        nothing. No server may run on it yet."""
        with _from(file) as source, database(bare=True) as url, _connected(url) as place:
            if asyncio.run(_tables(url)):
                fail("The database is not empty. Name another one in QREDGE_DATABASE_URL.")
            command = [str(program("pg_restore")), "--exit-on-error", "--single-transaction", *NOBODYS]
            if subprocess.run([*command, f"--dbname={place}"], stdin=source).returncode:
                fail("pg_restore has failed, and nothing was done.")
            migrate(url)

    return group


@contextmanager
def _to(file: str) -> Iterator[BinaryIO]:
    """A file that is there under its name when all of it is."""
    if file == "-":
        yield sys.stdout.buffer
        return
    part = Path(f"{file}.part")
    try:
        with part.open("xb") as out:
            yield out
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _from(file: str) -> Iterator[BinaryIO]:
    """A file that has been found to be whole: pg_restore itself may take one that was cut off, and say nothing."""
    with TemporaryFile() if file == "-" else Path(file).open("rb") as source:
        if file == "-":
            shutil.copyfileobj(sys.stdin.buffer, source)
        size = source.seek(0, os.SEEK_END) - hashlib.sha256().digest_size
        source.seek(0)
        digest = hashlib.sha256()
        while size > 0 and (some := source.read(min(CHUNK, size))):
            digest.update(some)
            size -= len(some)
        if size < 0 or source.read() != digest.digest():
            fail("This is no file of `qredge data export`, or it is not whole.")
        source.seek(0)
        os.lseek(source.fileno(), 0, os.SEEK_SET)  # for the one who is handed it
        yield source


@contextmanager
def _connected(url: str) -> Iterator[str]:
    """The URL for a program's command line, which everybody on this machine can read: its password is in a file."""
    parts = urlsplit(url)
    if parts.password is None:
        yield url
        return
    with NamedTemporaryFile("w", prefix="qredge-") as file:  # which nobody else can read
        password = unquote(parts.password).replace("\\", "\\\\").replace(":", "\\:")
        file.write(f"*:*:*:*:{password}\n")
        file.flush()
        user, _, place = parts.netloc.rpartition("@")
        query = "&".join(filter(None, [parts.query, f"passfile={quote(file.name)}"]))
        yield urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}@{place}", query=query))


async def _tables(url: str) -> int:
    """How many there are."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval(TABLES))
    finally:
        await connection.close()
