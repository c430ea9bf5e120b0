"""`qredge data export` and `import`: everything comes along, or nothing does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from server.console.data import _connected
from server.embedded import EmbeddedPostgres
from tests.api.exchange import new_code
from tests.conftest import TEMPLATE
from tests.console.conftest import Shell
from tests.support import Databases, ServerProcess, phone, sql, until

TABLES = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
SCANS = 5


#: The symbols of both servers say the same.
PUBLIC_URL = "https://qr.example"


class Exported(NamedTuple):
    """A file that the database of a running server was written to, and something of what is in it."""

    file: Path
    key: str
    code: dict[str, Any]
    slug: str
    picture: bytes


@pytest.fixture(scope="module")
def exported(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    database_url, tmp_path = databases.create(template=TEMPLATE), tmp_path_factory.mktemp("exported")
    server = ServerProcess(tmp_path / "data", database_url=database_url, public_url=PUBLIC_URL)
    server.start()
    try:
        with server.client() as api:
            code = new_code(api)
            picture = api.get(f"/qr-codes/{code['id']}/image").raise_for_status().content
            key = api.headers["authorization"]
        slug = code["short_url"].removeprefix(f"{PUBLIC_URL}/")
        for _ in range(SCANS):
            assert phone.get(f"{server.url}/{slug}").status_code == 302
        until(lambda: sql(database_url, "SELECT count(*) FROM scans")[0][0] == SCANS, what="the scans in the log")
        file = tmp_path / "all.dump"
        assert Shell(tmp_path / "shell", database_url)("data", "export", str(file)) == []
        yield Exported(file, key, code, slug, picture)
    finally:
        assert server.stop() == 0


def test_a_server_goes_on_from_the_file(exported: Exported, empty_database: str, tmp_path: Path) -> None:
    assert Shell(tmp_path / "shell", empty_database)("data", "import", str(exported.file)) == []
    server = ServerProcess(tmp_path / "other", database_url=empty_database, public_url=PUBLIC_URL)
    server.start()
    try:
        with server.anyone({"authorization": exported.key}) as api:
            path = f"/qr-codes/{exported.code['id']}"
            scanned_since = {"scans": SCANS, "scans_since_created": SCANS}
            assert api.get(path).raise_for_status().json() == {**exported.code, **scanned_since}
            assert api.get(f"{path}/image").content == exported.picture
        scanned = phone.get(f"{server.url}/{exported.slug}")
        assert scanned.headers["location"] == exported.code["destination"]
        until(lambda: sql(empty_database, "SELECT count(*) FROM scans")[0][0] == SCANS + 1, what="one more scan")
    finally:
        assert server.stop() == 0


def test_from_the_embedded_database_to_another_by_a_pipe(empty_database: str, tmp_path: Path) -> None:
    embedded = Shell(tmp_path / "data", "")
    try:
        account = embedded("account", "create", "--name", "Moved", "--email", "a@example.com", "--plan", "unlimited")[
            -1
        ]
        dump = embedded.process("data", "export", "-")
        there = Shell(tmp_path / "there", empty_database)
        assert there.process("data", "import", "-", input=dump) == b""
        assert any(account in line for line in there("account", "list"))
    finally:
        EmbeddedPostgres(tmp_path / "data" / "postgres").stop()


def test_nothing_is_put_where_something_is(exported: Exported, shell: Shell) -> None:
    assert "The database is not empty" in shell.refused("data", "import", str(exported.file))


@pytest.mark.parametrize("length", [0, 2_000, -1])
def test_a_file_that_is_not_whole_leaves_nothing(
    exported: Exported, empty_database: str, tmp_path: Path, length: int
) -> None:
    broken = tmp_path / "broken.dump"
    broken.write_bytes(exported.file.read_bytes()[:length])
    assert "or it is not whole" in Shell(tmp_path / "shell", empty_database).refused("data", "import", str(broken))
    assert sql(empty_database, TABLES)[0][0] == 0


def test_a_file_is_whole_or_not_there(tmp_path: Path, empty_database: str) -> None:
    shell = Shell(tmp_path, empty_database)
    assert "No such file" in shell.refused("data", "export", str(tmp_path / "nowhere" / "all.dump"))
    assert "No such file" in shell.refused("data", "import", str(tmp_path / "all.dump"))
    assert list(tmp_path.glob("*.dump*")) == []


def test_a_password_is_on_no_command_line() -> None:
    with _connected("postgresql://me:a%3Ab@db.example:5433/qr?sslmode=require") as place:
        head, _, file = place.partition("passfile=")
        assert head == "postgresql://me@db.example:5433/qr?sslmode=require&"
        assert Path(file).read_text() == "*:*:*:*:a\\:b\n"
        assert Path(file).stat().st_mode & 0o077 == 0
    assert not Path(file).exists()
