"""segno, Python."""

from __future__ import annotations

import segno

LABEL = "segno"


def encode(text: str, version: int) -> object:
    return segno.make_qr(text, version=version, error="M", boost_error=False)
