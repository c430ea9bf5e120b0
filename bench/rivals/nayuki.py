"""qrcodegen by Nayuki, Python."""

from __future__ import annotations

from qrcodegen import QrCode, QrSegment

LABEL = "qrcodegen"


def encode(text: str, version: int) -> object:
    segments = [QrSegment.make_bytes(text.encode())]
    return QrCode.encode_segments(segments, QrCode.Ecc.MEDIUM, version, version, -1, False)
