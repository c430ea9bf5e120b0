"""SIGTERM under load: nobody's connection is broken off, and no scan is lost."""

import signal
from pathlib import Path

import pytest

from tests.api.exchange import new_link
from tests.load import Load, tally
from tests.support import ServerProcess


@pytest.mark.parametrize("everybody", [False, True], ids=["to the first process", "to all of them at once"])
def test_who_is_connected_or_connects_is_answered_and_every_answer_is_in_the_log(
    database_url: str, tmp_path: Path, everybody: bool
) -> None:
    server = ServerProcess(tmp_path / "data", database_url=database_url, workers="2")
    try:
        server.start()
        with server.client() as api:
            link = new_link(api)
        with Load(link["short_url"], kept=8, fresh=8, pause_s=0.002) as load:
            load.more(500)
            assert server.stop(signal.SIGTERM, everybody=everybody) == 0
        assert load.broken == []
        found = tally(load, database_url)
        assert found.exact, found
        assert not found.unanswered
    finally:
        server.kill()
