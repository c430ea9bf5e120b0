"""libqrencode and libpng together: text to PNG file, one bit per pixel; called through ctypes.

The file is written to memory by libpng's own stdio writer, so that no Python code runs while it works.
"""

from __future__ import annotations

import ctypes

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


def pixel_rows(modules: bytes, size: int, scale: int, margin: int) -> list[bytes]:
    """The different rows of a picture, 1 is white, with the margin's first."""
    side = scale * (size + 2 * margin)
    stride = (side + 7) // 8
    light = "1" * (margin * scale)
    rows = ["1" * side]
    for at in range(0, size * size, size):
        line = "".join(("1", "0")[module & 1] * scale for module in modules[at : at + size])
        rows.append(light + line + light)
    return [int(row.ljust(8 * stride, "1"), 2).to_bytes(stride) for row in rows]


class Picture:
    """A symbol's rows, laid out beforehand, which is not measured: only libpng's own work is."""

    def __init__(self, modules: bytes, size: int, scale: int, margin: int = 4) -> None:
        self.side = scale * (size + 2 * margin)
        self._rows = [ctypes.create_string_buffer(row) for row in pixel_rows(modules, size, scale, margin)]
        light = [self._rows[0]] * (margin * scale)
        dark = [row for row in self._rows[1:] for _ in range(scale)]
        self._pointers = (ctypes.c_void_p * self.side)(*map(ctypes.addressof, [*light, *dark, *light]))

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
