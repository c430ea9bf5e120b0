"""Batches and imports, seen from inside a worker: what else it does goes on, and what is done again is done once."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from server.api.bulk import MAX_ITEMS
from server.api.tables import MAX_LINK_ROWS
from server.app import create_app
from server.asgi import Message
from server.domain.plan import UNLIMITED
from server.domain.studio import Studio
from server.settings import Settings
from tests.api.exchange import Json, problem
from tests.support import new_account_key, sql

pytestmark = pytest.mark.anyio

THERE = "https://example.com/"

#: So much of the processor at most without a turn for others; without pieces, an import of links takes 100 ms at once.
LONGEST_TURN_S = 0.05


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a worker that lives in this process and its event loop."""
    key = await new_account_key(database_url, UNLIMITED)
    app = create_app(Settings(database_url=database_url, data_dir=tmp_path))
    said: asyncio.Queue[Message] = asyncio.Queue()
    heard: asyncio.Queue[Message] = asyncio.Queue()

    async def tell(message: Message) -> None:
        await heard.put(message)

    life = asyncio.ensure_future(app({"type": "lifespan", "state": {}}, said.get, tell))
    await said.put({"type": "lifespan.startup"})
    assert (await heard.get())["type"] == "lifespan.startup.complete"
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://localhost/v1",
        headers={"authorization": f"Bearer {key}"},
    ) as client:
        yield client
    await said.put({"type": "lifespan.shutdown"})
    await life


@pytest.fixture
def unfrozen() -> Iterator[None]:
    """What the tests before have left in memory is no concern of the garbage collector here."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def items(number: int) -> list[Json]:
    return [{"destination": f"{THERE}{each}"} for each in range(number)]


def table(number: int) -> str:
    return "destination,title\r\n" + "".join(f"{THERE}{each},Link {each}\r\n" for each in range(number))


async def _longest_turn(made: asyncio.Future[httpx.Response]) -> float:
    """The most time of the processor, in seconds, that this thread had between two turns of ours. On a busy machine, it
    is the same."""
    longest, last = 0.0, time.thread_time()
    while not made.done():
        await asyncio.sleep(0)
        now = time.thread_time()
        longest, last = max(longest, now - last), now
    return longest


@pytest.mark.parametrize("mode", ["all_or_nothing", "item_by_item"])
@pytest.mark.parametrize("what", ["import", "wrong import", "links", "qr-codes"])
@pytest.mark.usefixtures("unfrozen")
async def test_others_have_their_turn_meanwhile(api: httpx.AsyncClient, what: str, mode: str) -> None:
    if what.endswith("import"):
        text = table(MAX_LINK_ROWS)
        content = text.replace("https", "ftp") if what == "wrong import" else text
        request = api.build_request("POST", "/links/import", params={"mode": mode}, content=content)
    else:
        body = {"items": items(MAX_ITEMS), "mode": mode}
        request = api.build_request("POST", f"/{what}/batch", json=body, headers={"idempotency-key": what})
    made = asyncio.ensure_future(api.send(request))
    longest = await _longest_turn(made)
    status = {"all_or_nothing": 422 if what == "wrong import" else 201, "item_by_item": 200}[mode]
    assert made.result().status_code == status, made.result().text[:300]
    assert longest < LONGEST_TURN_S


# --- slugs that are taken --------------------------------------------------------------------------------------------

# A row that a trigger takes away is one whose slug was taken, for who inserts it "ON CONFLICT DO NOTHING".
COUNTER = "CREATE SEQUENCE tried"
CLASH = """
    CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF nextval('tried') <= {times} THEN RETURN NULL; END IF;
            RETURN NEW;
        END $$
"""
TRIGGER = "CREATE TRIGGER clash BEFORE INSERT ON links FOR EACH ROW EXECUTE FUNCTION clash()"


async def _clash(database_url: str, times: int) -> None:
    """The first links to be inserted find their slugs taken."""
    for statement in (COUNTER, CLASH.format(times=times), TRIGGER):
        await asyncio.to_thread(sql, database_url, statement)


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is proven."""
    proven: list[str] = []
    prove = Studio.prove

    async def noted(self: Studio, order: object, *args: object, **more: object) -> object:
        proven.append(order.text)  # type: ignore[attr-defined]
        return await prove(self, order, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Studio, "prove", noted)
    return proven


@pytest.mark.parametrize("mode", ["all_or_nothing", "item_by_item"])
@pytest.mark.parametrize("what", ["links", "qr-codes"])
async def test_random_slugs_that_are_taken_are_others_without_another_proof(
    api: httpx.AsyncClient, database_url: str, proofs: list[str], what: str, mode: str
) -> None:
    number = 4
    await _clash(database_url, number - 1)
    answer = await api.post(f"/{what}/batch", json={"items": items(number), "mode": mode})
    assert answer.status_code in (200, 201), answer.text
    made = [each["data"] for each in answer.json()["items"]]
    assert len({each["short_url"] for each in made}) == number
    assert [each["destination"] for each in made] == [each["destination"] for each in items(number)]
    for each in made:
        assert (await api.get(f"/{what}/{each['id']}")).json() == each
    assert len(proofs) == (number if what == "qr-codes" else 0)
    rows = await asyncio.to_thread(sql, database_url, "SELECT FROM links")
    assert len(rows) == number


@pytest.mark.parametrize("what", ["links", "qr-codes"])
async def test_where_slug_after_slug_is_taken_somebody_else_may_have_more_luck(
    api: httpx.AsyncClient, database_url: str, what: str
) -> None:
    await _clash(database_url, 1000)
    problem(await api.post(f"/{what}/batch", json={"items": items(2)}), 503, "busy")
    answer = await api.post(f"/{what}/batch", json={"items": items(2), "mode": "item_by_item"})
    assert [each["problem"]["code"] for each in answer.json()["items"]] == ["busy", "busy"]
    assert await asyncio.to_thread(sql, database_url, "SELECT FROM links") == []
