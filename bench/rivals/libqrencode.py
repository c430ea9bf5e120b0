"""libqrencode, the C library that most tools use; called through ctypes."""

from __future__ import annotations

import ctypes

LABEL = "libqrencode"

_library = ctypes.CDLL("libqrencode.so.4")
_library.QRcode_encodeString8bit.restype = ctypes.c_void_p
_library.QRcode_encodeString8bit.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
_library.QRcode_free.argtypes = [ctypes.c_void_p]

_LEVEL_M = 1


def encode(text: str, version: int) -> None:
    code = _library.QRcode_encodeString8bit(text.encode(), version, _LEVEL_M)
    if not code:
        raise ValueError(text)
    _library.QRcode_free(code)
