"""Which codewords a hidden part of a symbol takes with it: checked by hiding modules and asking real decoders."""

import random

import numpy as np
import pytest
import zxingcpp

import fastcore

LEVELS = "LMQH"


def read(symbol: fastcore.Symbol, modules: bytes) -> str | None:
    grid = np.frombuffer(modules, np.uint8).reshape(symbol.size, symbol.size)
    picture = np.pad(np.where(grid == 1, 0, 255).astype(np.uint8), 4, constant_values=255)
    found = zxingcpp.read_barcodes(np.kron(picture, np.ones((4, 4), np.uint8)))
    return found[0].text if found else None


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("version", [1, 2, 3, 7, 14, 27, 40])
def test_blocks_are_those_of_the_symbol(version: int, level: str) -> None:
    symbol = fastcore.encode("1", version=version, level=level)
    none = fastcore.damage(symbol, bytes(symbol.size**2))
    whole = fastcore.damage(symbol, b"\1" * symbol.size**2)
    assert {wrong for wrong, _ in none} == {0}
    # Every codeword is somewhere: the sums are the totals of table 7.
    assert sum(wrong for wrong, _ in whole) == {1: 26, 2: 44, 3: 70, 7: 196, 14: 581, 27: 1828, 40: 3706}[version]


def test_some_check_codewords_of_small_symbols_are_not_for_correcting() -> None:
    """Table 9: the number of codewords that can be corrected."""
    known = {(1, "L"): 2, (1, "M"): 4, (1, "Q"): 6, (1, "H"): 8, (2, "L"): 4, (2, "H"): 14, (3, "L"): 7, (40, "H"): 15}
    for (version, level), limit in known.items():
        symbol = fastcore.encode("1", version=version, level=level)
        assert {each for _, each in fastcore.damage(symbol, bytes(symbol.size**2))} == {limit}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("version", [4, 5, 8, 13])  # below, readers correct more than the standard lets them
def test_what_is_said_to_be_bearable_is_read_and_one_more_is_not(version: int, level: str) -> None:
    """Codewords of one block are turned over, whole, until it is full; then one more."""
    symbol = fastcore.encode("qredge " * 2, version=version, level=level)
    size = symbol.size
    choice = random.Random(version)
    at = list(range(size * size))
    choice.shuffle(at)
    hidden, modules = bytearray(size * size), bytearray(symbol.modules)
    full: int | None = None
    for place in at:
        hidden[place] = 1
        blocks = fastcore.damage(symbol, bytes(hidden))
        if blocks == fastcore.damage(symbol, bytes(hidden[:place]) + b"\0" + bytes(hidden[place + 1 :])):
            hidden[place] = 0  # no new codeword: a function pattern, or one already turned
            continue
        modules[place] ^= 1
        full = next((block for block, (wrong, limit) in enumerate(blocks) if wrong > limit), None)
        if full is not None:
            modules[place] ^= 1
            assert read(symbol, bytes(modules)) == "qredge qredge "
            modules[place] ^= 1
            break
    assert full is not None
    assert read(symbol, bytes(modules)) is None


def test_errors() -> None:
    symbol = fastcore.encode("1")
    with pytest.raises(ValueError, match="441 modules"):
        fastcore.damage(symbol, b"")
    with pytest.raises(fastcore.IllegalCombination):
        fastcore.damage(fastcore.encode("1", micro=True), b"")
