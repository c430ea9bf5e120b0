"""Text in, QR code symbols and images out.

    >>> import fastcore
    >>> symbol = fastcore.encode("https://example.com/", level="Q")
    >>> symbol
    <Symbol version 3-Q, mask 2, 29 x 29 modules>
    >>> file = fastcore.png(symbol, size_px=512)

Everything here may be called from several threads at once; the work is done without the GIL. What cannot be
done raises a FastcoreError that says why.
"""

from typing import final

from fastcore.drawing import Drawing, Rgba
from fastcore.errors import (
    DataTooLong,
    FastcoreError,
    IllegalColour,
    IllegalCombination,
    IllegalCount,
    IllegalDrawing,
    IllegalLevel,
    IllegalMargin,
    IllegalMask,
    IllegalScale,
    IllegalSize,
    IllegalText,
    IllegalVersion,
)

__all__ = [
    "DataTooLong",
    "FastcoreError",
    "IllegalColour",
    "IllegalCombination",
    "IllegalCount",
    "IllegalDrawing",
    "IllegalLevel",
    "IllegalMargin",
    "IllegalMask",
    "IllegalScale",
    "IllegalSize",
    "IllegalText",
    "IllegalVersion",
    "Symbol",
    "damage",
    "draw_eps",
    "draw_pdf",
    "draw_svg",
    "encode",
    "encode_sequence",
    "paint_luminance",
    "paint_png",
    "paint_rgba",
    "places",
    "png",
    "svg",
]

@final
class Symbol:
    """An encoded QR code; immutable, made by `encode`."""

    @property
    def version(self) -> int:
        """1 to 40, or 1 to 4 for M1 to M4."""

    @property
    def micro(self) -> bool:
        """Whether it is a Micro QR code."""

    @property
    def level(self) -> str:
        """Error correction level: L, M, Q or H; with `boost` it may be higher than the one asked for."""

    @property
    def mask(self) -> int:
        """Data mask: 0 to 7, or 0 to 3 in a Micro QR code."""

    @property
    def size(self) -> int:
        """Modules in a row and in a column, without margin: 21 to 177, or 11 to 17."""

    @property
    def alignments(self) -> tuple[tuple[int, int], ...]:
        """Column and row of the module in the middle of each alignment pattern, row by row."""

    @property
    def modules(self) -> bytes:
        """size * size modules, 0 light and 1 dark, row by row."""

    @property
    def segments(self) -> tuple[tuple[str, int], ...]:
        """How the data was divided: (mode, count) pairs.

        Modes are "numeric", "alphanumeric" and "kanji" with a count of characters, "byte" with a count of
        bytes, and "eci", where the number is that of the character set.
        """

    @property
    def bits_used(self) -> int:
        """Bits that all segments take, headers included."""

    @property
    def bits_free(self) -> int:
        """Bits that the symbol has left for data."""

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

def encode(
    data: str | bytes,
    *,
    level: str = "M",
    version: int | str | None = None,
    mask: int | None = None,
    boost: bool = False,
    micro: bool = False,
) -> Symbol:
    """Encode a text, or bytes as they are, in the smallest symbol that holds it.

    A text beyond ASCII is written as UTF-8 and says so (ECI 26), unless all that is beyond is kanji. Digits,
    upper-case text and kanji take less room: modes are mixed so that the bits are the fewest possible.

    level: how much damage can be corrected: L 7 %, M 15 %, Q 25 %, H 30 % of the codewords.
    version: 1 to 40, or "M1" to "M4" for a Micro QR code; None for the smallest that fits.
    mask: 0 to 7, or 0 to 3 for a Micro QR code; None for the one that the standard's rules prefer.
    boost: raise the level as far as the version's size does not grow.
    micro: make the smallest Micro QR code that fits: M2 to M4, levels L, M and (M4) Q. M1 detects errors but
        corrects none; it is made if asked for by version, for digits only, and its level counts as L.

    Raises DataTooLong, IllegalText, IllegalVersion, IllegalLevel, IllegalMask, IllegalCombination.
    """

def encode_sequence(
    data: str | bytes, *, count: int | None = None, version: int | None = None, level: str = "M"
) -> tuple[Symbol, ...]:
    """Divide a text among 2 to 16 symbols of one version that a reader puts together (structured append).

    count: how many symbols; None for as few of the given version as hold the text.
    version: 1 to 40; None for the smallest that holds the longest part.

    One of the two must be given. Raises what `encode` raises, and IllegalCount.
    """

def damage(symbol: Symbol, hidden: bytes) -> tuple[tuple[int, int], ...]:
    """For each Reed-Solomon block: how many of its codewords have a hidden module, and how many can be wrong.

    hidden: for each module not 0 where it cannot be read. Function patterns carry no codeword.

    Raises ValueError, and IllegalCombination for a Micro QR code.
    """

def places(symbol: Symbol, table: bytes, skip: bytes | None = None) -> bytes:
    """What stands at each module, row by row: for its neighbourhood, looked up in a table (see `shape.variants`).

    table: 512 entries: 256 for a light module, by the dark ones around it, then 256 for a dark one.
    skip: for each module not 0 where nothing stands; it counts as light.

    Raises ValueError.
    """

def png(
    symbol: Symbol,
    *,
    size_px: int | None = None,
    scale: int | None = None,
    margin: int = 4,
    dark: str = "#000000",
    light: str | None = "#ffffff",
) -> bytes:
    """Draw a symbol as a PNG file with one bit per pixel.

    size_px: exact width and height. Each module gets as many whole pixels as fit, the margins get the rest.
    scale: pixels per module, if size_px is not given (8 if neither is).
    margin: modules of light around the symbol; the standard asks for 4. With size_px it is the least.
    dark, light: colours like #1a2b3c or #abc; light may be None for a transparent background.

    Raises IllegalSize, IllegalScale, IllegalMargin, IllegalColour.
    """

def svg(
    symbol: Symbol,
    *,
    size_px: int | None = None,
    margin: int = 4,
    dark: str = "#000000",
    light: str | None = "#ffffff",
) -> bytes:
    """Draw a symbol as an SVG file: one path, one unit per module.

    size_px: width and height attributes, and modules of as many whole pixels as fit, as in a PNG; without it the
        drawing takes the size of its place.
    margin, dark, light: as for `png`.

    Raises IllegalSize, IllegalMargin, IllegalColour.
    """

def paint_png(drawing: Drawing, *, dpi: float | None = None) -> bytes:
    """Paint a drawing as a PNG file of the least depth that it can have.

    Where all paints are solid and there is no photo, that is a palette, or grey, of 1, 2, 4 or 8 bits, and edges have
    16 levels of coverage; else RGB or, where the ground is not opaque, RGBA.

    dpi: is written to the file, so that it is printed at its true size; 1 to 100,000.

    Raises IllegalDrawing.
    """

def paint_rgba(drawing: Drawing) -> bytes:
    """Paint a drawing as width * height pixels row by row: red, green, blue and alpha, which is not multiplied in.

    Raises IllegalDrawing.
    """

def paint_luminance(drawing: Drawing, backdrop: Rgba) -> bytes:
    """Paint a drawing over an opaque colour, as width * height bytes of luma (ITU-R BT.601) row by row.

    Raises IllegalDrawing.
    """

def draw_svg(drawing: Drawing) -> bytes:
    """A drawing as an SVG file: one path for each layer, width, height and units in pixels of the drawing.

    A transparent ground is left out; a photo is a PNG file within the file.
    """

def draw_pdf(drawing: Drawing, *, dpi: float) -> bytes:
    """A drawing as a PDF file of one page, width / dpi inches wide: outlines, and pixels only where it has a photo."""

def draw_eps(drawing: Drawing, *, dpi: float) -> bytes:
    """A drawing as an EPS file, width / dpi inches wide; as `draw_pdf`, but nothing in it can be seen through.

    What has an alpha is mixed with the ground beforehand; vector_eps.py says how.
    """
