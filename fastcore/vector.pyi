from fastcore.drawing import Fill, Rgba, Tiles

def path_data(layer: Fill | Tiles) -> tuple[bytes, bool]:
    """The data of one SVG path, to three decimals, and whether all its edges lie between pixels.

    Full squares that touch in a row are drawn as one rectangle, here as below.
    """

def operators(layer: Fill | Tiles) -> bytes:
    """The same path in the operators of PDF: m, l, c, h and re, one a line."""

def tile_operators(tiles: Tiles) -> bytes:
    """As `operators`, where a tile is "x y tN": the Nth of its paths, counted from 1, with its square's corner there.

    What tN draws is for the caller to say.
    """

def filtered(pixels: bytes, rows: int, columns: int, channels: int) -> bytes:
    """Rows of pixels as they compress best, each with the number of its filter before it (ISO/IEC 15948, 9).

    Both PNG and PDF know these filters. Raises ValueError where the numbers do not fit the pixels.
    """

def mixed(pixels: bytes, opacity: float, ground: Rgba) -> bytes:
    """Pixels of red, green, blue and alpha, as they look upon an opaque ground: mask, red, green and blue in turns.

    The mask is 255 where a pixel has less than half of its alpha, else 0.
    """
