"""What the tests of dialects need: accounts on a vendor's plan, with a key of its form."""

import asyncio
import threading
from collections.abc import Callable, Collection, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from PIL import Image

from server.dialects import key_formats
from server.domain.accounts import Accounts
from server.domain.keys import ALL, permissions
from server.domain.label import Label
from server.parts import now
from server.storage.postgres.accounts import PostgresAccounts
from server.storage.postgres.pool import Database
from tests.support import PHONE, PLANS, ServerProcess, harmless, new_id

NewKey = Callable[..., str]

HOOKS = {"response": [harmless]}


@pytest.fixture
def new_key(server: ServerProcess) -> NewKey:
    """Makes an account, and returns its key: new_key("qrlogo", plan="qrlogo.advanced", permissions=["read"])."""

    def make(
        dialect: str, *, plan: str = "unlimited", permissions: Collection[str] = ALL, email: str | None = None
    ) -> str:
        return asyncio.run(key_of_new_account(server.database_url, dialect, plan, permissions, email))

    return make


@pytest.fixture
def native(server: ServerProcess, key: str) -> Iterator[httpx.Client]:
    """The account of a test's own key, by the server's own API."""
    with server.anyone({"authorization": f"Bearer {key}"}) as native:
        yield native


def client_of(server: ServerProcess, root: str, key: str) -> httpx.Client:
    """A client of the vendor's, on a phone, whose paths begin with `root`."""
    headers = {"authorization": f"Bearer {key}", "user-agent": PHONE}
    return httpx.Client(base_url=f"{server.url}{root}", headers=headers, verify=False, timeout=60, event_hooks=HOOKS)


async def key_of_new_account(
    database_url: str,
    dialect: str,
    plan: str = "unlimited",
    permitted: Collection[str] = ALL,
    email: str | None = None,
) -> str:
    database = Database(database_url, max_connections=1)
    await database.open()
    try:
        accounts = Accounts(PostgresAccounts(database, PLANS), now=now, new_id=new_id)
        account = await accounts.create(Label("Vendor's client"), email=email, plan=PLANS.named(plan))
        _, key = await accounts.create_key(
            account, Label("Test"), permissions=permissions(permitted), form=key_formats()[dialect]
        )
        return key
    finally:
        await database.close()


@pytest.fixture
def cdn(tmp_path: Path) -> Iterator[str]:
    """Where the pictures of the vendors' examples are."""
    folder = tmp_path / "cdn"
    folder.mkdir()
    neon = Image.new("RGB", (300, 300), "black")
    neon.paste((80, 255, 200), (100, 100, 200, 200))
    neon.save(folder / "logo.png")
    Image.linear_gradient("L").convert("RGB").save(folder / "coffee.jpg")
    pages = ThreadingHTTPServer(("127.0.0.79", 0), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=pages.serve_forever)
    thread.start()
    yield f"http://127.0.0.79:{pages.server_port}"
    pages.shutdown()
    thread.join()
    pages.server_close()
