"""python -m fuzz TARGET FOLDER... [libFuzzer's options]: tries inputs, and keeps in the first folder what reaches
something new. `make fuzz` builds what it needs, and calls it."""

import importlib
import sys

import atheris


def main() -> None:
    target, *rest = sys.argv[1:]
    with atheris.instrument_imports(include=["server.domain", "fastcore"]):
        run = importlib.import_module(f"fuzz.{target}").run
    atheris.Setup([sys.argv[0], *rest], run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
