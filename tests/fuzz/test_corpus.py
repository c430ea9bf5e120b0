"""What fuzzing has found worth keeping, tried again: fuzz/README.md."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from fuzz import content, core
from fuzz.content import RIGHT
from server.domain.content import KINDS, examine

CORPUS = Path(__file__).parents[2] / "fuzz" / "corpus"
TARGETS = {"core": core.run, "content": content.run}

Run = Callable[[bytes], None]


@pytest.mark.parametrize(("name", "run"), TARGETS.items(), ids=TARGETS)
def test_the_corpus_is_answered_or_refused(name: str, run: Run) -> None:
    files = sorted((CORPUS / name).iterdir())
    assert len(files) > 50
    for each in files:
        run(each.read_bytes())


@pytest.mark.parametrize(("name", "run"), TARGETS.items(), ids=TARGETS)
def test_so_is_the_corpus_with_errors_in_it(name: str, run: Run) -> None:
    """Where there is no fuzzer, a little of one: a few bytes of each are others."""
    rng = random.Random(len(name))
    for each in sorted((CORPUS / name).iterdir()):
        data = bytearray(each.read_bytes())
        for _ in range(4):
            if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            run(bytes(data))


def test_each_kind_of_content_has_an_example_to_begin_with() -> None:
    assert set(RIGHT) == set(KINDS)
    assert [kind for kind, given in RIGHT.items() if examine({"type": kind, **given})] == []
