"""zxing-cpp, C++; it writes the smallest version that fits, so that texts are chosen to fill theirs."""

from __future__ import annotations

import zxingcpp

LABEL = "zxing-cpp"


def encode(text: str, version: int) -> object:
    return zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
