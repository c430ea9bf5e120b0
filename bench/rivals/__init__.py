"""Other encoders, one file each, all with the same two names: LABEL and encode(text, version) at level M.

`encode` finds the mask itself and gives its matrix in whatever form the library has. Libraries that are not
installed are left out.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["libqrencode", "zxing", "nayuki", "python_qrcode", "segno_"]


def available() -> dict[str, Callable[[str, int], object]]:
    """The encoders that are installed, by label."""
    found: dict[str, Callable[[str, int], object]] = {}
    for name in NAMES:
        try:
            rival = import_module(f"bench.rivals.{name}")
        except (ImportError, OSError):
            continue
        found[rival.LABEL] = rival.encode
    return found
