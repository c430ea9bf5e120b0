"""Single stages, and the instruction sets the mask stage is compiled for."""

from __future__ import annotations

from functools import partial

import fastcore
from bench.encode import text_for
from bench.measure import Figures, compare, pin, save
from fastcore import _probe

VERSIONS = [3, 10, 25, 40]
ROUNDS = 100
TIMES = ("median", "min", "max")
SETS = ["plain", "AVX2", "AVX-512"]


def _scoring(version: int) -> Figures:
    """score_masks: all eight masks, by rows and columns; a call of ROUNDS rounds without Python in between."""
    data = bytes(range(256)) * 12
    data = data[: _probe.data_codewords(version, 1)]

    def score(number: int) -> None:
        _probe.use_instruction_set(number)
        _probe.score_masks(data, version, 1, ROUNDS)

    there = {name: number for number, name in enumerate(SETS) if _probe.use_instruction_set(number) == number}
    figures = compare({name: partial(score, number) for name, number in there.items()})
    _probe.use_instruction_set(len(SETS))
    return {
        name: {key: value / ROUNDS if key in TIMES else value for key, value in values.items()}
        for name, values in figures.items()
    }


def _stages(version: int) -> Figures:
    text = text_for(version)
    return compare(
        {
            "encode": lambda: fastcore.encode(text, version=version),
            "encode, mask given": lambda: fastcore.encode(text, version=version, mask=2),
            "encode, digits, mask given": lambda: fastcore.encode("7" * 10, version=version, mask=2),
        }
    )


def main() -> None:
    pin()
    results = {version: {"score_masks": _scoring(version), "calls": _stages(version)} for version in VERSIONS}
    save("kernels", results)


if __name__ == "__main__":
    main()
