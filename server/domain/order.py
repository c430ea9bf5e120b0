"""The order: what is to be drawn, and as which file."""

from typing import Literal, NamedTuple

from server.domain.design import PLAIN, Design

ImageFormat = Literal["png", "svg", "pdf", "eps", "webp"]

MEDIA_TYPES: dict[ImageFormat, str] = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "eps": "application/postscript",
    "webp": "image/webp",
}

MIN_SIZE_PX, DEFAULT_SIZE_PX, MAX_SIZE_PX = 64, 512, 9000
MIN_DPI, MAX_DPI = 36, 2400


class Order(NamedTuple):
    """A picture of a text."""

    text: str
    design: Design = PLAIN
    format: ImageFormat = "png"
    #: Width and height: pixels, which a vector format takes for its units. [64, 9000]
    size_px: int = DEFAULT_SIZE_PX
    #: Pixels per inch, [36, 2400]: how large it is on paper. None leaves it to whoever prints; a PDF or EPS needs an
    #: answer and takes 72, where a pixel is a point.
    dpi: float | None = None
