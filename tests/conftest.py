"""The real parts: a PostgreSQL for the whole run, a database for each test, and a server that answers over a socket."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

from migrations import migrate
from server.dialects import dialects
from server.embedded import EmbeddedPostgres
from tests.support import PLANS_FILE, Databases, RedisServer, ServerProcess, sql

TEMPLATE = "migrated"

#: Under which the vendors' own lines are run.
VENDORS = (
    *("api.qrcode-app.com=qrcode-app", "api.qrstudio.agency=qrstudio", "qrcodestack.com=qrcodestack"),
    "mask.pk=mask",
)


#: Files and folders that take long: the one that is all work first, as the next ones wait most of their time.
LONG = ("test_scannable.py", "e2e", "test_schemathesis.py", "console", "test_formats.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long files first: one that begins last would keep a single processor busy, and all others idle."""
    items.sort(key=lambda item: next((place for place, name in enumerate(LONG) if name in item.path.parts), len(LONG)))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The embedded PostgreSQL, as the server itself starts it, with a migrated template."""
    # Not pytest's own folder: as root, PostgreSQL runs as somebody else, whom every new pytest run shuts out there.
    with tempfile.TemporaryDirectory(prefix="qredge-", ignore_cleanup_errors=True) as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        # What survives a power cut is no test's to tell; waiting for the disk takes longer than most of them.
        sql(postgres.url, "ALTER SYSTEM SET fsync = off")
        sql(postgres.url, "SELECT pg_reload_conf()")
        yield _with_template(Databases(postgres.url))
        postgres.stop()


def _with_template(databases: Databases) -> Databases:
    sql(databases.url, f"CREATE DATABASE {TEMPLATE}")
    asyncio.run(migrate(databases.url_of(TEMPLATE)))
    return databases


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The URL of a database without any table."""
    url = databases.create(template=None)
    yield url
    databases.drop(url)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    url = databases.create(template=TEMPLATE)
    yield url
    databases.drop(url)


@pytest.fixture(scope="session")
def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A running server that tests share, each with an account of its own."""
    yield from _server(databases, tmp_path_factory)


@pytest.fixture
def own_server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One for a test that takes slugs which others count on."""
    yield from _server(databases, tmp_path_factory)


def _server(databases: Databases, folders: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    server = ServerProcess(
        folders.mktemp("server") / "data",
        database_url=databases.create(template=TEMPLATE),
        plans_file=str(PLANS_FILE),
        dialect_hosts=",".join([*(f"{name}.test={name}" for name in dialects()), *VENDORS]),
        fetch_networks="127.0.0.77/32",  # where webhooks of tests lead to: nobody is there
    )
    server.start()
    yield server
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="session")
def redis() -> Iterator[RedisServer]:
    """A Redis for all tests that leave it running; none reads what another one has written."""
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that a test may treat as badly as it likes."""
    server = RedisServer()
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """The system's Chromium; `make test` installs it on Debian."""
    options = ChromeOptions()
    options.binary_location = _program("chromium")
    options.add_argument("--headless")
    options.add_argument("--no-sandbox")  # which it does not have as root
    options.add_argument("--disable-background-networking")
    browser = Chrome(options, ChromeService(_program("chromedriver")))
    yield browser
    browser.quit()


def _program(name: str) -> str:
    path = shutil.which(name)
    assert path is not None, f"the pages are tested in a real browser; {name} is not on this system's PATH"
    return path


@pytest.fixture
def api(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of the shared server, with the key of a new account."""
    with server.client() as api:
        yield api


@pytest.fixture
def stranger(server: ServerProcess) -> Iterator[httpx.Client]:
    """Another account's client."""
    with server.client() as api:
        yield api


@pytest.fixture
def anyone(server: ServerProcess) -> Iterator[httpx.Client]:
    """A client without a key, as those who scan have none."""
    with server.anyone() as client:
        yield client
