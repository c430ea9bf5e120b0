"""python-qrcode, Python."""

from __future__ import annotations

import qrcode  # type: ignore[import-untyped]

LABEL = "python-qrcode"


def encode(text: str, version: int) -> object:
    code = qrcode.QRCode(version=version, error_correction=qrcode.constants.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=False)
    return code
