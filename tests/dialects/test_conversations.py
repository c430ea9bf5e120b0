"""Every example of a vendor's documentation, and every error, as a conversation with a live server: below /{name}, and
at a host of the dialect's own, where the vendor's paths are unchanged."""

from pathlib import Path

import pytest

from tests.dialects.conftest import NewKey
from tests.dialects.conversations import Replay, read
from tests.support import ServerProcess

#: What a conversation does not show well.
TEXTS = {"crlf": "\r\n", "long": 400 * "long "}

#: Where answers tell of the plan, one of the vendor's.
PLANS = {"qrcodestack": "qrcodestack.advanced"}

CONVERSATIONS = sorted(Path(__file__).parent.glob("*/*.http"))


@pytest.mark.parametrize("by_host", [False, True], ids=["by-path", "by-host"])
@pytest.mark.parametrize("path", CONVERSATIONS, ids=[f"{path.parent.name}-{path.stem}" for path in CONVERSATIONS])
def test_the_conversation_is_as_it_is_written(
    path: Path, by_host: bool, server: ServerProcess, new_key: NewKey
) -> None:
    dialect = path.parent.name.replace("_", "-")
    key = new_key(dialect, plan=PLANS.get(dialect, "unlimited"))
    replay = Replay(server, dialect, by_host=by_host, key=key, **TEXTS)
    for exchange in read(path):
        replay.ask(exchange)
