"""Readers of codes, each as strangers have it: one picture, read as it is."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import zxingcpp

if TYPE_CHECKING:
    from collections.abc import Callable

#: By row and column, 0 black and 255 white.
Grey = npt.NDArray[np.uint8]

_QR_CODE = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

_zbar = ctypes.CDLL("libzbar.so.0")
_pointer, _int = ctypes.c_void_p, ctypes.c_int
for _name, _result, _arguments in (
    ("zbar_image_scanner_create", _pointer, []),
    ("zbar_image_scanner_set_config", _int, [_pointer, _int, _int, _int]),
    ("zbar_image_scanner_destroy", None, [_pointer]),
    ("zbar_image_create", _pointer, []),
    ("zbar_image_set_format", None, [_pointer, ctypes.c_ulong]),
    ("zbar_image_set_size", None, [_pointer, ctypes.c_uint, ctypes.c_uint]),
    ("zbar_image_set_data", None, [_pointer, ctypes.c_char_p, ctypes.c_ulong, _pointer]),
    ("zbar_scan_image", _int, [_pointer, _pointer]),
    ("zbar_image_first_symbol", _pointer, [_pointer]),
    ("zbar_symbol_next", _pointer, [_pointer]),
    ("zbar_symbol_get_data", _pointer, [_pointer]),
    ("zbar_symbol_get_data_length", ctypes.c_uint, [_pointer]),
    ("zbar_image_destroy", None, [_pointer]),
):
    _function = getattr(_zbar, _name)
    _function.restype, _function.argtypes = _result, _arguments

# Of zbar.h: zbar_symbol_type_t, zbar_config_t, and the only format of pixels that it scans.
_ALL = 0
QRCODE = 64
_ENABLE, _TEST_INVERTED = 0, 0x81
_Y800 = int.from_bytes(b"Y800", "little")


def zxing(picture: Grey) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(np.ascontiguousarray(picture), formats=_QR_CODE)]


def opencv(picture: Grey) -> list[str]:
    """By both of its detectors, of which each finds eyes that the other one misses."""
    found = []
    for detector in (cv2.QRCodeDetector(), cv2.QRCodeDetectorAruco()):
        try:
            found.append(detector.detectAndDecode(picture)[0])
        except (cv2.error, UnicodeDecodeError):  # what it took for a symbol was none
            continue
    return found


def zbar(picture: Grey, symbology: int = QRCODE) -> list[str]:
    """Told to look for light modules on dark as well, which it does not by itself."""
    height, width = picture.shape
    pixels = picture.tobytes()
    scanner, image = _zbar.zbar_image_scanner_create(), _zbar.zbar_image_create()
    try:
        for which, option, value in ((_ALL, _ENABLE, 0), (symbology, _ENABLE, 1), (_ALL, _TEST_INVERTED, 1)):
            _zbar.zbar_image_scanner_set_config(scanner, which, option, value)
        _zbar.zbar_image_set_format(image, _Y800)
        _zbar.zbar_image_set_size(image, width, height)
        _zbar.zbar_image_set_data(image, pixels, len(pixels), None)
        _zbar.zbar_scan_image(scanner, image)
        found = []
        symbol = _zbar.zbar_image_first_symbol(image)
        while symbol:
            data = _zbar.zbar_symbol_get_data(symbol)
            found.append(ctypes.string_at(data, _zbar.zbar_symbol_get_data_length(symbol)).decode(errors="replace"))
            symbol = _zbar.zbar_symbol_next(symbol)
        return found
    finally:
        _zbar.zbar_image_destroy(image)
        _zbar.zbar_image_scanner_destroy(scanner)


DECODERS: dict[str, Callable[[Grey], list[str]]] = {"zxing-cpp": zxing, "OpenCV": opencv, "zbar": zbar}
