"""Files as the programs show them that people will open them with: resvg, Chromium, PDFium, Ghostscript.

Each answers pixels by row and column: red, green and blue upon white, unless it says otherwise.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import pypdfium2
import resvg_py

if TYPE_CHECKING:
    from collections.abc import Sequence

    from selenium.webdriver import Chrome

Pixels = npt.NDArray[np.uint8]

# Loads an image, draws it to a canvas of a width and hands back red, green, blue and alpha of each pixel.
DRAW = """
const [address, width, done] = arguments;
const image = new Image();
image.onerror = () => done(["refused", 0, 0]);
image.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = width || image.naturalWidth;
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const reader = new FileReader();
    reader.onload = () => done([reader.result.split(",")[1], image.naturalWidth, image.naturalHeight]);
    reader.readAsDataURL(new Blob([context.getImageData(0, 0, canvas.width, canvas.height).data]));
};
image.src = address;
"""


def in_chromium(browser: Chrome, file: bytes, kind: str, width: int = 0) -> tuple[Pixels, tuple[int, int]]:
    """Pixels with alpha, of the file's own width or another, and the size that the browser takes from the file."""
    address = f"data:{kind};base64,{base64.b64encode(file).decode()}"
    browser.get("about:blank")
    data, *size = browser.execute_async_script(DRAW, address, width)
    assert data != "refused", "refused"
    pixels = np.frombuffer(base64.b64decode(data), np.uint8)
    side = int((len(pixels) // 4) ** 0.5)
    return pixels.reshape(side, side, 4), (size[0], size[1])


def in_resvg(svg: bytes, width: int | None = None) -> Pixels:
    """With alpha, and without any fonts: to look for those of this machine takes a fifth of the time."""
    return _decoded(
        resvg_py.svg_to_bytes(svg_string=svg.decode(), width=width, skip_system_fonts=True), cv2.COLOR_BGRA2RGBA
    )


def in_pdfium(pdf: bytes, width: int) -> Pixels:
    page = pypdfium2.PdfDocument(pdf)[0]
    pixels = page.render(scale=width / page.get_width(), rev_byteorder=True).to_numpy()
    return np.asarray(pixels[:width, :width, :3], np.uint8)


def in_ghostscript(eps: bytes, width: int, width_pt: float) -> Pixels:
    """Drawn four times as large, as what it clips has no smooth edges."""
    command = ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", "-sDEVICE=ppmraw"]
    command += [f"-r{4 * width / width_pt * 72}", "-sOutputFile=-", "-"]
    assert shutil.which("gs") is not None, "EPS files are tested in Ghostscript, which is not on this system's PATH"
    shown = subprocess.run(command, input=eps, capture_output=True, check=True, timeout=60)
    assert not shown.stderr, shown.stderr.decode()
    pixels = _decoded(shown.stdout, cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(pixels, (width, width), interpolation=cv2.INTER_AREA), np.uint8)


def all_in_ghostscript(files: Sequence[bytes]) -> list[Pixels]:
    """The same in one run, which takes a third of the time: grey, a pixel for each point."""
    assert shutil.which("gs") is not None, "EPS files are tested in Ghostscript, which is not on this system's PATH"
    command = ["gs", "-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-dEPSCrop", "-sDEVICE=pgmraw", f"-r{4 * 72}"]
    with tempfile.TemporaryDirectory(prefix="qredge-") as name:
        folder = Path(name)
        paths = [folder / f"{number}.eps" for number, _ in enumerate(files, 1)]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file)
        command += [f"-sOutputFile={folder}/%d.pgm", *map(str, paths)]
        shown = subprocess.run(command, capture_output=True, check=True, timeout=300)
        assert not shown.stderr, shown.stderr.decode()
        return [_averaged(path.with_suffix(".pgm")) for path in paths]


def _averaged(path: Path) -> Pixels:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert pixels is not None
    height, width = pixels.shape
    return np.asarray(cv2.resize(pixels, (width // 4, height // 4), interpolation=cv2.INTER_AREA), np.uint8)


def on_white(pixels: Pixels) -> Pixels:
    """Without their alpha."""
    alpha = pixels[:, :, 3:] / 255
    return np.asarray(np.round(pixels[:, :, :3] * alpha + 255 * (1 - alpha)), np.uint8)


def likeness(one: Pixels, other: Pixels) -> float:
    """Mean structural similarity of three channels, as Wang et al. (2004) have it: 1 where they are the same."""
    a, b = one.astype(np.float64), other.astype(np.float64)

    def mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(cv2.GaussianBlur(values, (11, 11), 1.5), np.float64)

    mean_a, mean_b = mean(a), mean(b)
    spread = mean(a * a) - mean_a**2 + mean(b * b) - mean_b**2
    common = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    similar = (2 * mean_a * mean_b + c1) * (2 * common + c2) / ((mean_a**2 + mean_b**2 + c1) * (spread + c2))
    return float(similar.mean())


def _decoded(file: bytes, order: int) -> Pixels:
    pixels = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(cv2.cvtColor(pixels, order), np.uint8)
