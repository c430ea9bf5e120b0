"""libqrencode and libpng together: text to PNG file, one bit per pixel; called through ctypes.

The file is written to memory by libpng's own stdio writer, so that no Python code runs while it works.
"""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from pathlib import Path

_qr = ctypes.CDLL("libqrencode.so.4")
_png = ctypes.CDLL("libpng16.so.16")
_c = ctypes.CDLL(None)


class _Code(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int),
        ("width", ctypes.c_int),
        ("data", ctypes.POINTER(ctypes.c_ubyte)),
    )


_qr.QRcode_encodeString8bit.restype = ctypes.POINTER(_Code)
_qr.QRcode_encodeString8bit.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_int]
_qr.QRcode_free.argtypes = [ctypes.POINTER(_Code)]

_png.png_get_libpng_ver.restype = ctypes.c_char_p
_png.png_get_libpng_ver.argtypes = [ctypes.c_void_p]
_png.png_create_write_struct.restype = ctypes.c_void_p
_png.png_create_write_struct.argtypes = [ctypes.c_char_p] + [ctypes.c_void_p] * 3
_png.png_create_info_struct.restype = ctypes.c_void_p
_png.png_create_info_struct.argtypes = [ctypes.c_void_p]
_png.png_init_io.argtypes = [ctypes.c_void_p] * 2
_png.png_set_IHDR.argtypes = [ctypes.c_void_p] * 2 + [ctypes.c_uint32] * 2 + [ctypes.c_int] * 5
_png.png_write_info.argtypes = [ctypes.c_void_p] * 2
_png.png_write_image.argtypes = [ctypes.c_void_p] * 2
_png.png_write_end.argtypes = [ctypes.c_void_p] * 2
_png.png_destroy_write_struct.argtypes = [ctypes.c_void_p] * 2

_c.open_memstream.restype = ctypes.c_void_p
_c.open_memstream.argtypes = [ctypes.c_void_p] * 2
_c.fclose.argtypes = [ctypes.c_void_p]
_c.free.argtypes = [ctypes.c_void_p]

_LEVEL_M = 1
_VERSION = _png.png_get_libpng_ver(None)


def _compiled() -> ctypes.CDLL:
    """rows.c, as fast as the compiler makes it."""
    source = Path(__file__).with_name("rows.c")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "rows.so"
        subprocess.run(["cc", "-O3", "-shared", "-fPIC", "-o", library, source], check=True)
        return ctypes.CDLL(str(library))


_rows = _compiled().rows
_rows.argtypes = [ctypes.c_char_p] + [ctypes.c_int] * 4 + [ctypes.c_void_p]


class Picture:
    """A symbol's rows of pixels, each different one once, laid out by `lay`."""

    def __init__(self, modules: bytes, size: int, scale: int, margin: int = 4) -> None:
        self.side = scale * (size + 2 * margin)
        stride = (self.side + 7) // 8
        self._layout = (size, scale, margin, stride)
        self._light = ctypes.create_string_buffer(b"\xff" * stride, stride)
        self._dark = ctypes.create_string_buffer(size * stride)
        light = [ctypes.addressof(self._light)] * (margin * scale)
        first = ctypes.addressof(self._dark)
        dark = [first + row * stride for row in range(size) for _ in range(scale)]
        self._pointers = (ctypes.c_void_p * self.side)(*light, *dark, *light)
        self.lay(modules)

    def lay(self, modules: bytes) -> None:
        """Turn modules into rows of pixels."""
        _rows(modules, *self._layout, self._dark)

    def png(self) -> bytes:
        """A file with the filter and level that libpng chooses for one bit per pixel."""
        start, count = ctypes.c_void_p(), ctypes.c_size_t()
        stream = _c.open_memstream(ctypes.byref(start), ctypes.byref(count))
        png = ctypes.c_void_p(_png.png_create_write_struct(_VERSION, None, None, None))
        info = ctypes.c_void_p(_png.png_create_info_struct(png))
        _png.png_init_io(png, stream)
        _png.png_set_IHDR(png, info, self.side, self.side, 1, 0, 0, 0, 0)
        _png.png_write_info(png, info)
        _png.png_write_image(png, self._pointers)
        _png.png_write_end(png, None)
        _png.png_destroy_write_struct(ctypes.byref(png), ctypes.byref(info))
        _c.fclose(stream)
        file = ctypes.string_at(start, count.value)
        _c.free(start)
        return file


def modules_of(text: str, version: int) -> bytes:
    """A symbol of libqrencode, its own mask, as 0 and 1."""
    code = _qr.QRcode_encodeString8bit(text.encode(), version, _LEVEL_M)
    if not code:
        raise ValueError(text)
    try:
        width = code.contents.width
        return bytes(ctypes.string_at(code.contents.data, width * width))
    finally:
        _qr.QRcode_free(code)
