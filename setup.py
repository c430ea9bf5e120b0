"""Build fastcore: one extension per stage, named after its file.

Everything else about the package is in pyproject.toml. Switches, all read here and nowhere else:

    FASTCORE_DEBUG=1      asserts and bounds checks on, -O0 -g
    FASTCORE_ASAN=1       AddressSanitizer and UndefinedBehaviorSanitizer (run with libasan preloaded)
    FASTCORE_FUZZ=1       the same, and tells a fuzzer what it runs through (with clang; see fuzz/README.md)
    FASTCORE_ANNOTATE=1   writes fastcore/*.html: how much Python is left in each line
    FASTCORE_TRACE=1      line tracing, for coverage of the Cython files
    FASTCORE_STRICT=1     a performance hint from Cython or a warning from the C compiler fails the build
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import redirect_stderr
from typing import cast

from Cython.Build import cythonize
from setuptools import Extension, setup

STAGES = [
    "_api",
    "_probe",
    "band",
    "batch",
    "canvas",
    "counts",
    "coverage",
    "deflate",
    "ecc",
    "facts",
    "frame",
    "huffman",
    "mask",
    "matches",
    "networks",
    "paint",
    "painter",
    "palette",
    "path",
    "photo",
    "png",
    "raster",
    "rows",
    "scanline",
    "segment",
    "sightings",
    "sums",
    "svg",
    "tables",
    "tally",
    "template",
    "vector",
    "zigzag",
]

HEADERS = ["fastcore/lanes.h"]


def _switch(name: str) -> bool:
    return os.environ.get(f"FASTCORE_{name}", "0") not in {"", "0"}


DEBUG, ASAN, FUZZ, ANNOTATE, TRACE, STRICT = map(_switch, ["DEBUG", "ASAN", "FUZZ", "ANNOTATE", "TRACE", "STRICT"])

# Vectors are passed by value between functions that are always inlined: the warning about their calling
# convention (psabi) is about calls that do not exist. What asserts need is declared even where they are off.
compile_args = ["-Wall", "-Wno-psabi", "-Wno-unused-function", "-Wno-unused-variable"]
# Nobody reads errno or the flags of floating-point exceptions; without these, roots and comparisons become vectors.
compile_args += ["-fno-math-errno", "-fno-trapping-math"]
link_args: list[str] = []
macros: list[tuple[str, str | None]] = []

if STRICT:
    compile_args.append("-Werror")
if DEBUG:
    compile_args += ["-O0", "-g"]
else:
    compile_args += ["-O3", "-g1"]
    macros.append(("CYTHON_WITHOUT_ASSERTIONS", "1"))
if FUZZ:
    compile_args.append("-fsanitize=fuzzer-no-link")
if ASAN or FUZZ:
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer"]
    compile_args += sanitize
    link_args += sanitize if ASAN else []  # a fuzzer brings the sanitizers' own code along
if TRACE:
    macros.append(("CYTHON_TRACE_NOGIL", "1"))
    # Tracing is not implemented for every way Python 3.12+ offers to do it.
    macros.append(("CYTHON_USE_SYS_MONITORING", "0"))

directives = {
    "language_level": 3,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "nonecheck": DEBUG,
    "cdivision": True,
    "embedsignature": True,
    "linetrace": TRACE,
}


class _Tee(io.TextIOBase):
    """Passes text on to stderr and remembers it."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def write(self, text: str) -> int:
        self.seen.append(text)
        return cast("io.TextIOBase", sys.__stderr__).write(text)

    def flush(self) -> None:
        cast("io.TextIOBase", sys.__stderr__).flush()


def _extensions() -> list[Extension]:
    """Translate what changed; under FASTCORE_STRICT refuse what Cython calls slow."""
    stages = [
        Extension(
            f"fastcore.{stage}",
            [f"fastcore/{stage}.pyx"],
            depends=HEADERS,
            define_macros=macros,
            extra_compile_args=compile_args,
            extra_link_args=link_args,
        )
        for stage in STAGES
    ]
    log = _Tee()
    with redirect_stderr(log):
        extensions: list[Extension] = cythonize(
            stages,
            compiler_directives=directives,
            annotate=ANNOTATE,
            # Asking for strictness asks for every hint, also of files translated before.
            force=STRICT or DEBUG or TRACE,
        )
    if STRICT and "performance hint" in "".join(log.seen):
        sys.exit("fastcore: a performance hint above means that a kernel would take the GIL")
    return extensions


setup(
    ext_modules=_extensions(),
    options={"build_ext": {"parallel": os.cpu_count() or 1}},
)
