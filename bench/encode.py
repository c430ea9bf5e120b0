"""Text to symbol, mask chosen, Python call against Python call; and how time grows from version 1 to 40."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import fastcore
from bench.measure import compare, pin, save
from bench.rivals import available

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = [1, 3, 7, 10, 20, 40]
LABEL = "fastcore"


def text_for(version: int) -> str:
    """Lower-case bytes that fill a version at level M to the last one."""
    bits = fastcore.encode("x", version=version).bits_free + 8
    return ("https://example.com/" + "q" * 3000)[: bits // 8]


def main() -> None:
    pin()
    against = {}
    for version in VERSIONS:
        text = text_for(version)
        contestants: dict[str, Callable[[], object]] = {LABEL: partial(fastcore.encode, text, version=version)}
        for label, encode in available().items():
            contestants[label] = partial(encode, text, version)
        against[version] = compare(contestants, rounds=25)
    versions = {str(version): partial(fastcore.encode, text_for(version), version=version) for version in range(1, 41)}
    save("encode", {"against": against, "growth": compare(versions, rounds=60)})


if __name__ == "__main__":
    main()
