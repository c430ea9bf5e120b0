"""URL to PNG file, and symbol to PNG file alone: size of the file beside the time.

All draw as many pixels: widths are multiples of the symbol's, since segno knows no others. libpng wants rows of
pixels. Whoever calls it has to make them from libqrencode's modules: that is measured with it, in C, and without it,
as if it took no time. The list of pointers to them is made beforehand.
"""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING

import segno

import fastcore
from bench.measure import compare, pin, save

try:
    from bench.rivals import libpng, libqrencode
except OSError:
    libpng = libqrencode = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Callable

URL = "https://example.com/abc/defgh?i=12345"
CASES = [(3, 13), (10, 15), (40, 5), (3, 243)]  # version, pixels per module
MARGIN = 4


def _ours(version: int, scale: int) -> bytes:
    return fastcore.png(fastcore.encode(URL, version=version), scale=scale, margin=MARGIN)


def _symbol_of_segno(version: int) -> segno.QRCode:
    return segno.make_qr(URL, version=version, error="M", boost_error=False)


def _file_of_segno(code: segno.QRCode, scale: int) -> bytes:
    out = io.BytesIO()
    code.save(out, kind="png", scale=scale, border=MARGIN)
    return out.getvalue()


def _segno(version: int, scale: int) -> bytes:
    return _file_of_segno(_symbol_of_segno(version), scale)


def _libraries(picture: libpng.Picture, version: int) -> bytes:
    libqrencode.encode(URL, version)
    return picture.png()


def _rows_and_png(picture: libpng.Picture, modules: bytes) -> bytes:
    picture.lay(modules)
    return picture.png()


def _libraries_and_rows(picture: libpng.Picture, version: int, modules: bytes) -> bytes:
    libqrencode.encode(URL, version)
    return _rows_and_png(picture, modules)


def main() -> None:
    pin()
    results = {}
    for version, scale in CASES:
        size = 17 + 4 * version
        symbol = fastcore.encode(URL, version=version)
        whole: dict[str, Callable[[], bytes]] = {
            "fastcore": partial(_ours, version, scale),
            "segno": partial(_segno, version, scale),
        }
        alone: dict[str, Callable[[], bytes]] = {
            "fastcore": partial(fastcore.png, symbol, scale=scale, margin=MARGIN),
            "segno": partial(_file_of_segno, _symbol_of_segno(version), scale),
        }
        if libpng is not None:
            modules = libpng.modules_of(URL, version)
            picture = libpng.Picture(modules, size, scale, MARGIN)
            whole["libqrencode + libpng"] = partial(_libraries, picture, version)
            alone["libqrencode + libpng"] = picture.png
            whole["the same with rows"] = partial(_libraries_and_rows, picture, version, modules)
            alone["the same with rows"] = partial(_rows_and_png, picture, modules)
        for what, contestants in (("URL", whole), ("symbol", alone)):
            figures = compare(contestants, rounds=15)
            for label, call in contestants.items():
                figures[label]["bytes"] = len(call())
            results[f"{what} to PNG, version {version}, {scale * (size + 2 * MARGIN)} px"] = figures
    save("png", results)


if __name__ == "__main__":
    main()
