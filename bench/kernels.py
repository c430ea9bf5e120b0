"""Single stages, and the instruction sets the mask stage is compiled for."""

from __future__ import annotations

import fastcore
from bench.encode import text_for
from bench.measure import Figures, compare, pin, save
from fastcore import _probe

VERSIONS = [3, 10, 25, 40]
ROUNDS = 100
SETS = ["plain", "AVX2", "AVX-512"]


def _scoring(version: int) -> Figures:
    """score_masks: all eight masks, by rows and columns; a call of ROUNDS rounds without Python in between."""
    data = bytes(range(256)) * 12
    data = data[: _probe.data_codewords(version, 1)]
    figures: Figures = {}
    for number, name in enumerate(SETS):
        if _probe.use_instruction_set(number) == number:
            figures |= compare({name: lambda: _probe.score_masks(data, version, 1, ROUNDS)})
    _probe.use_instruction_set(len(SETS))
    return {
        name: {key: value if key in ("spread", "unsure") else value / ROUNDS for key, value in values.items()}
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
