"""The roll finds out who is missing, however rows have come and gone in between."""

import random

from server.edge.roll import Roll

PAGE = 7


def call(roll: Roll, slugs: list[str]) -> set[str]:
    roll.begin()
    for begin in range(0, len(slugs), PAGE):
        roll.answer(slugs[begin : begin + PAGE])
    missing = set(roll.missing())
    roll.end()
    return missing


def test_nobody_is_missing_who_answers_and_everybody_is_who_does_not() -> None:
    chance = random.Random(5)
    roll, before = Roll(), set[str]()
    for _ in range(300):
        slugs = [f"s{number}" for number in range(100) if chance.random() < 0.9]
        assert call(roll, slugs) == before - set(slugs)
        before = set(slugs)
        for number in range(chance.randrange(3)):
            roll.join(f"joined-{number}")
            before.add(f"joined-{number}")


def test_a_call_that_is_broken_off_excuses_nobody() -> None:
    chance = random.Random(6)
    roll = Roll()
    everybody = [f"s{number}" for number in range(100)]
    for pages in range(12):
        call(roll, everybody)
        there = [slug for slug in everybody if chance.random() < 0.9]
        roll.begin()
        for begin in range(0, min(pages * PAGE, len(there)), PAGE):
            roll.answer(there[begin : begin + PAGE])
        roll.break_off()
        assert set(everybody) - set(there) <= call(roll, there)
