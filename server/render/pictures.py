"""Logos and photos: bytes from outside become a `Picture`, or are refused.

What a file is, its bytes say, and not its name or its sender. Its pixels are counted before memory is taken for them.

PIL is given one format's reader, and not the bytes to guess from: so no other plugin sees them, and its limits that
hold for the whole process (MAX_IMAGE_PIXELS, of which it only warns) are not what this file relies on. Colour
profiles are passed over: colours are taken as sRGB, CMYK by the plain formula.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import Self

from PIL import Image, ImageChops, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from server.domain.errors import InvalidValue
from server.render.foreign_svg import rasterise

MAX_PIXELS = 24_000_000

#: What an SVG is drawn at, unless somebody says more.
VECTOR_PX = 1024

#: Each scan of a progressive JPEG goes over all of its pixels, and a scan of nothing takes a few bytes.
MAX_JPEG_SCANS = 100
START_OF_SCAN = b"\xff\xda"  # ITU-T T.81, B.1.1.3; within the coded pixels a zero follows each FF

TILE_WIDTH, TILE_LENGTH = 322, 323  # TIFF 6.0, section 15

EXIF_ORIENTATION = 0x0112
#: How a picture of each EXIF orientation (CIPA DC-008, 4.6.5.1.7) is put upright.
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

#: PIL's names of pixels that have colours without a profile: not LAB, and not numbers of 32 bits without a range.
PLAIN = frozenset(["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"])
GREY_16 = frozenset(["I;16", "I;16B", "I;16L", "I;16N"])

#: What is taken for the darkest backing, in 0-255, and for one so bright that it is none.
BLACK, NOT_DARK = 16, 96

# A file that ends too early has no picture in it, whatever else in this process might like to see of it.
ImageFile.LOAD_TRUNCATED_IMAGES = False


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture in sRGB, upright: rows from the top, red, green, blue and alpha a byte each, not premultiplied."""

    #: Of the bytes it was decoded from, in hexadecimal.
    sha256: str
    width: int
    height: int
    rgba: bytes = field(repr=False)

    @property
    def image(self) -> Image.Image:
        """A view of the pixels, which PIL copies where it is drawn on."""
        return Image.frombuffer("RGBA", (self.width, self.height), self.rgba, "raw", "RGBA", 0, 1)

    @cached_property
    def is_opaque(self) -> bool:
        return self.image.getchannel("A").getextrema() == (255, 255)

    def fitted(self, width: int, height: int) -> Self:
        """The picture in its own proportions, as large as it can be within `width` x `height`; at least 1 x 1."""
        scale = min(width / self.width, height / self.height)
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        # PIL premultiplies for this, so that what is transparent lends no colour to its neighbours.
        return self._of(self.image.resize(size, Image.Resampling.LANCZOS))

    def middle_square(self) -> Self:
        """The largest square in its middle."""
        side = min(self.width, self.height)
        left, top = (self.width - side) // 2, (self.height - side) // 2
        return self if self.width == self.height else self._of(self.image.crop((left, top, left + side, top + side)))

    def without_dark_backing(self) -> Self:
        """A neon sign without its wall: what is dark becomes transparent, and a glow keeps its colour.

        The luminance that alpha follows is a pixel's brightest channel, the V of HSV: by the weights of Rec. 709 the
        glow of a blue tube would be 93 % transparent. Over black that is exact, as alpha times the colour is what the
        pixel was; a backing that is not black is found at the picture's border, and all up to it goes.
        """
        red, green, blue, alpha = self.image.convert("RGBa").split()
        value = ImageChops.lighter(ImageChops.lighter(red, green), blue)
        floor = _backing(value)
        neon = Image.merge("RGBa", (red, green, blue, value)).convert("RGBA")  # divides by the value, rounded
        lit = value.point([max(0, round((level - floor) * 255 / (255 - floor))) for level in range(256)])
        neon.putalpha(ImageChops.darker(lit, alpha))
        return self._of(neon)

    def _of(self, image: Image.Image) -> Self:
        return type(self)(self.sha256, image.width, image.height, image.tobytes())


def _backing(value: Image.Image) -> int:
    """How bright the backing is: the median of the picture's border, where that is dark."""
    width, height = value.size
    edges = [(0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)]
    histograms = zip(*(value.crop(edge).histogram() for edge in edges), strict=True)
    half, seen = width + height, 0
    for level, counts in enumerate(histograms):
        seen += sum(counts)
        if seen >= half:
            return max(BLACK, level) if level < NOT_DARK else BLACK
    raise AssertionError("a histogram counts every pixel")


def count_pixels(data: bytes) -> int:
    """How many pixels `decode` would take memory for, without taking it; raises InvalidValue as it does."""
    for starts, reader in READERS.items():
        if data.startswith(starts):
            with _told_as_broken(), reader(BytesIO(data)) as image:
                return _count(*image.size)
    return _count(*_webp_size(data)) if _is_webp(data) else VECTOR_PX**2


def decode(data: bytes, *, vector_px: int = VECTOR_PX) -> Picture:
    """The picture in a PNG, JPEG, WebP, GIF (its first frame), BMP, TIFF or SVG.

    An SVG is drawn as large as it can be within a square of `vector_px`. Raises InvalidValue, without a field. For a
    thread: 24 megapixels take up to a second, and four bytes each, twice of that while they are turned to RGBA.
    """
    for starts, reader in READERS.items():
        if data.startswith(starts):
            return _picture(data, _read(data, reader))
    if _is_webp(data):
        _count(*_webp_size(data))  # its reader takes memory as it opens the file
        return _picture(data, _read(data, WebPImageFile))
    if data.lstrip(b"\xef\xbb\xbf\xfe\xff\0\t\n\r ").startswith(b"<"):
        return _picture(data, _read(rasterise(data, within_px=vector_px), PngImageFile))
    raise InvalidValue("unknown_image", "The picture is none of PNG, JPEG, WebP, GIF, BMP, TIFF and SVG.")


Reader = Callable[[BytesIO], ImageFile.ImageFile]


def _jpeg(file: BytesIO) -> ImageFile.ImageFile:
    if file.getvalue().count(START_OF_SCAN) > MAX_JPEG_SCANS:
        raise InvalidValue("too_complex", f"The JPEG has more than {MAX_JPEG_SCANS} scans.")
    return JpegImageFile(file)


def _png(file: BytesIO) -> ImageFile.ImageFile:
    image = PngImageFile(file)
    _count(*image.size)
    image.verify()  # the checksums of all chunks, and that there is a last one; a verified file is read anew
    return PngImageFile(BytesIO(file.getvalue()))


def _tiff(file: BytesIO) -> ImageFile.ImageFile:
    image = TiffImageFile(file)
    # A tile is decoded whole, however little of it lies in the picture.
    _count(*(int(image.tag_v2.get(tag, 0)) for tag in (TILE_WIDTH, TILE_LENGTH)))
    return image


READERS: dict[bytes | tuple[bytes, ...], Reader] = {
    b"\x89PNG\r\n\x1a\n": _png,
    b"\xff\xd8\xff": _jpeg,
    (b"GIF87a", b"GIF89a"): GifImageFile,
    b"BM": BmpImageFile,
    (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"): _tiff,
}


def _read(data: bytes, reader: Reader) -> Image.Image:
    """The first frame, decoded and upright, in RGBA."""
    with _told_as_broken(), reader(BytesIO(data)) as image:
        _count(*image.size)
        image.load()
        turn = UPRIGHT.get(image.getexif().get(EXIF_ORIENTATION, 1))
        pixels = _rgba(image)
    return pixels if turn is None else pixels.transpose(turn)


@contextmanager
def _told_as_broken() -> Iterator[None]:
    try:
        yield
    except InvalidValue:
        raise
    except Exception as exc:  # on bytes that are wrong on purpose PIL's readers raise whatever comes
        raise InvalidValue("broken_image", "The picture is broken, or ends too early.") from exc


def _rgba(image: Image.Image) -> Image.Image:
    if image.mode in GREY_16:
        # Straight to 8 bits, PIL would take all above 255 for white.
        image = image.convert("I").point(lambda level: level * (1 / 257) + 0.5).convert("L")
    if image.mode not in PLAIN:
        raise InvalidValue("unsupported_pixels", f"Pictures with pixels of the kind {image.mode} are not drawn.")
    return image.convert("RGBA")


def _count(width: int, height: int) -> int:
    if width * height > MAX_PIXELS:
        raise InvalidValue(
            "too_many_pixels",
            f"The picture has {width:,} x {height:,} pixels; at most {MAX_PIXELS // 1_000_000} million are drawn.",
        )
    return width * height


def _is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height as the first chunk of a WebP file has them (RFC 9649, 2.5 to 2.7)."""
    kind, payload = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        return int.from_bytes(payload[4:7], "little") + 1, int.from_bytes(payload[7:10], "little") + 1
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", payload, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", payload, 6)
    return width & 0x3FFF, height & 0x3FFF


def _picture(data: bytes, image: Image.Image) -> Picture:
    return Picture(hashlib.sha256(data).hexdigest(), image.width, image.height, image.tobytes())
