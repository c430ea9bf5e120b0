"""The snapshot on disk is whole, or it is none: whatever has become of the file, what comes out is what went in."""

import random
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.domain.errors import StorageUnavailable
from server.domain.model import Targets
from server.storage.lines import SLICE_BYTES, targets
from server.storage.snapshot import Snapshot, UnusableSnapshot

pytestmark = pytest.mark.anyio

TAKEN_AT = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
LINE = b"%d\tslug%d\thttps://example.com/%d\t\n"
PAGES = [b"".join(LINE % (n, n, n) for n in range(begin, begin + 100)) for begin in range(0, 5000, 100)]


async def those(pages: list[bytes]) -> AsyncIterator[bytes]:
    for page in pages:
        yield page


async def read(snapshot: Snapshot, limit: int = 1_000_000) -> Targets:
    found = Targets([], [], [])
    async for page in snapshot.all(limit):
        found = Targets(found.slugs + page.slugs, found.entries + page.entries, found.others + page.others)
    return found


@pytest.fixture
async def snapshot(tmp_path: Path) -> Snapshot:
    snapshot = Snapshot(tmp_path / "links.snapshot")
    assert await snapshot.write(those(PAGES), TAKEN_AT) == 5000
    return snapshot


async def test_what_was_written_is_read(snapshot: Snapshot) -> None:
    assert len(b"".join(PAGES)) > SLICE_BYTES  # so that a page ends within a line, and is read on to its end
    assert await read(snapshot) == targets(b"".join(PAGES))
    assert snapshot.taken_at() == TAKEN_AT


@pytest.mark.parametrize("limit", [1, 2_500, 4_999, 5_000])
async def test_with_a_limit_the_newest_are_read(snapshot: Snapshot, limit: int) -> None:
    assert (await read(snapshot, limit)).slugs == [f"slug{n}" for n in range(5000 - limit, 5000)]


async def test_nobody_else_may_read_it(snapshot: Snapshot, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "links.snapshot").stat().st_mode) == 0o600


async def test_there_may_be_none_and_an_empty_one_is_one(tmp_path: Path) -> None:
    snapshot = Snapshot(tmp_path / "links.snapshot")
    assert snapshot.taken_at() is None
    with pytest.raises(UnusableSnapshot, match="No such file"):
        await read(snapshot)
    await snapshot.write(those([]), TAKEN_AT)
    assert await read(snapshot) == Targets([], [], [])


async def test_a_torn_or_damaged_one_is_refused_before_anything_is_read(snapshot: Snapshot, tmp_path: Path) -> None:
    path = tmp_path / "links.snapshot"
    whole = path.read_bytes()
    chance = random.Random(5)
    damaged = [whole[:size] for size in (0, 1, 50, 110, 5_000, len(whole) - 1)]
    damaged += [whole + b"\n", whole[:4096] + bytes(4096) + whole[8192:], b"qredge links 2" + whole[14:]]
    for place in [*range(107), *(chance.randrange(len(whole)) for _ in range(50))]:
        damaged.append(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(UnusableSnapshot):
            await anext(aiter(snapshot.all(10)))
    path.write_bytes(whole)
    assert len((await read(snapshot)).slugs) == 5000


async def test_one_that_cannot_be_finished_leaves_the_old_one_and_nothing_else(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    async def lost() -> AsyncIterator[bytes]:
        yield PAGES[0]
        raise StorageUnavailable

    with pytest.raises(StorageUnavailable):
        await snapshot.write(lost(), datetime.now(UTC))
    assert [each.name for each in tmp_path.iterdir()] == ["links.snapshot"]
    assert len((await read(snapshot)).slugs) == 5000


async def test_one_that_is_read_while_the_next_is_written_stays_what_it_was(snapshot: Snapshot) -> None:
    pages = aiter(snapshot.all(1_000_000))
    slugs = (await anext(pages)).slugs
    await snapshot.write(those([]), TAKEN_AT)
    async for page in pages:
        slugs += page.slugs
    assert len(slugs) == 5000
