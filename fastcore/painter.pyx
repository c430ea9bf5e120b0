"""The boundary for painting: a drawing in, the bytes of a picture out.

No picture is ever whole in memory unless its pixels are what is asked for: some rows are drawn, filtered and
compressed, then the next ones. All that grows is the compressed file.
"""

import struct

from isal import isal_zlib
from zlib_ng import zlib_ng

from fastcore.drawing import Drawing, Fill, Linear, Photo, Radial, Rgba, Tiles
from fastcore.errors import IllegalDrawing
from fastcore.path import Path

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport int64_t, uint8_t
from libc.string cimport memcpy

from fastcore.band cimport Band
from fastcore.canvas cimport Canvas
from fastcore.paint cimport Pixel, luminances
from fastcore.palette cimport Palette, is_grey, pack
from fastcore.scanline cimport drop_alpha, filter_row


cdef enum:
    MAX_DPI = 100_000
    WIDE = 8192  # bytes of a row

cdef dict COLOUR_TYPES = {24: 2, 32: 6}  # by bits in a pixel; below them palettes (3) and grey (0)


# --- PNG files ---


# How rows are filtered and compressed, by what is in them: whether as differences from the row above (filter type 2),
# and by which compressor. What makes the smallest files within the time there is, of all filters with zlib, zlib-ng and
# igzip at their levels on pictures of 500 to 9000 px; zlib at level 1 is slower than each of these, for larger files.
cdef dict WAYS = {
    # igzip takes half the time, for a fifth more; level 6 saves a quarter, but takes three times as long as painting.
    "few colours": (True, lambda: zlib_ng.compressobj(2)),
    # The same shades come back in other rows: a third smaller than differences at level 2, for twice the time.
    "gradients": (False, lambda: zlib_ng.compressobj(5)),
    # Where the window of the format (32 KB) holds few rows, differences at level 2 are as small or smaller.
    "wide gradients": (True, lambda: zlib_ng.compressobj(2)),
    # Nothing comes back, and all that helps is the Huffman code: zlib-ng needs twice the time for the same size.
    "photos": (True, lambda: isal_zlib.compressobj(1)),
}


cdef tuple way_for(Canvas canvas, int stride):
    if canvas.has_few_colours:
        return WAYS["few colours"]
    if any([isinstance(layer, Photo) for layer in canvas.drawing.layers]):
        return WAYS["photos"]
    return WAYS["wide gradients" if stride > WIDE else "gradients"]


cdef list chunk(bytes kind, list pieces):
    """Length, type, data and checksum."""
    checksum = zlib_ng.crc32(kind)
    for piece in pieces:
        checksum = zlib_ng.crc32(piece, checksum)
    return [struct.pack(">I", sum(map(len, pieces))), kind, *pieces, struct.pack(">I", checksum)]


cdef inline void write_row(const Band *band, int row, int bits, int stride, uint8_t *out) noexcept nogil:
    """Write a row of pixels as a file has it, but for its filter."""
    if bits <= 8:
        pack(band.numbers + <int64_t> row * band.pitch, band.width, bits, out)
    elif bits == 24:
        drop_alpha(band.pixels + <int64_t> row * band.width, band.width, out)
    else:
        memcpy(out, band.pixels + <int64_t> row * band.width, stride)


cdef list image_data(Canvas canvas, int bits):
    """The compressed rows of a picture of so many bits per pixel; None if it has more colours than that allows."""
    cdef int stride = (canvas.width * bits + 7) // 8
    cdef bytearray plain = bytearray((canvas.rows + 1) * stride)  # the first one is that above the band
    cdef bytearray filtered = bytearray(canvas.rows * (1 + stride))
    cdef uint8_t *above = plain
    cdef uint8_t *out = filtered
    cdef int top = 0
    cdef int rows, row
    up, new_compressor = way_for(canvas, stride)
    cdef bint differs = up
    view = memoryview(filtered)
    compressor = new_compressor()
    cdef list pieces = []
    with nogil:
        canvas.start(bits)
    while top < canvas.height:
        rows = min(canvas.rows, canvas.height - top)
        with nogil:
            canvas.paint_band(top, rows)
            for row in range(rows):
                write_row(&canvas.band, row, bits, stride, above + (row + 1) * stride)
                filter_row(
                    above + (row + 1) * stride, above + row * stride, stride, differs, out + row * (1 + stride)
                )
            memcpy(above, above + rows * stride, stride)
        if bits <= 8 and canvas.palette.spilled:
            return None
        pieces.append(compressor.compress(view[:rows * (1 + stride)]))
        top += rows
    pieces.append(compressor.flush())
    return pieces


cdef list palette_chunks(const Palette *palette):
    """PLTE, and tRNS as far as alpha goes (PNG specification, 11.2.2 and 11.3.1.1)."""
    cdef int i
    colours = b"".join([
        bytes((palette.colours[i].red, palette.colours[i].green, palette.colours[i].blue))
        for i in range(palette.count)
    ])
    alphas = bytes([palette.colours[i].alpha for i in range(palette.count)]).rstrip(b"\xff")
    return chunk(b"PLTE", [colours]) + (chunk(b"tRNS", [alphas]) if alphas else [])


def paint_png(drawing, *, dpi=None):
    cdef Canvas canvas
    cdef list data = None
    cdef list chunks = []
    cdef int bits
    if dpi is not None:
        if not isinstance(dpi, (int, float)) or not 1 <= dpi <= MAX_DPI:
            raise IllegalDrawing("dpi", dpi, f"a number from 1 to {MAX_DPI}")
        per_metre = round(dpi / 0.0254)
        chunks = chunk(b"pHYs", [struct.pack(">IIB", per_metre, per_metre, 1)])
    colour_type = 3
    if has_only_solid_paints(drawing):
        canvas = Canvas(drawing, True)
        for bits in canvas.start_palette():
            data = image_data(canvas, bits)
            if data is not None:
                if is_grey(&canvas.palette):
                    colour_type = 0
                else:
                    chunks += palette_chunks(&canvas.palette)
                break
    if data is None:
        canvas = Canvas(drawing, False)
        bits = 24 if canvas.is_opaque() else 32
        colour_type = COLOUR_TYPES[bits]
        data = image_data(canvas, bits)
    header = struct.pack(">IIBBBBB", canvas.width, canvas.height, min(bits, 8), colour_type, 0, 0, 0)
    return b"".join([
        b"\x89PNG\r\n\x1a\n", *chunk(b"IHDR", [header]), *chunks, *chunk(b"IDAT", data), *chunk(b"IEND", [])
    ])


cdef bint has_only_solid_paints(drawing):
    return isinstance(drawing, Drawing) and all([
        isinstance(layer, (Fill, Tiles)) and isinstance(layer.paint, Rgba) for layer in drawing.layers
    ]) and not isinstance(drawing.ground, (Linear, Radial))


# --- pixels ---


def paint_rgba(drawing):
    cdef Canvas canvas = Canvas(drawing, False)
    cdef bytes pixels = PyBytes_FromStringAndSize(NULL, <int64_t> canvas.width * canvas.height * 4)
    cdef Pixel *out = <Pixel *> PyBytes_AS_STRING(pixels)
    cdef int top = 0
    with nogil:
        canvas.start(32)
        while top < canvas.height:
            canvas.band.pixels = out + <int64_t> top * canvas.width
            canvas.paint_band(top, min(canvas.rows, canvas.height - top))
            top += canvas.rows
    return pixels


def paint_luminance(drawing, backdrop):
    cdef Canvas canvas
    cdef bytes luminance
    cdef uint8_t *out
    cdef int top = 0
    cdef int rows
    if not isinstance(backdrop, Rgba) or backdrop.alpha != 255:
        raise IllegalDrawing("backdrop", backdrop, "an opaque Rgba")
    if not isinstance(drawing, Drawing):
        raise TypeError(f"what is painted is a Drawing, not {type(drawing).__name__}")
    layers = drawing.layers
    if drawing.ground is not None:
        sheet = Path(f"M0 0H{drawing.width}V{drawing.height}H0Z")
        layers = (Fill(sheet, drawing.ground), *layers)
    canvas = Canvas(Drawing(drawing.width, drawing.height, backdrop, layers), False)
    luminance = PyBytes_FromStringAndSize(NULL, <int64_t> canvas.width * canvas.height)
    out = <uint8_t *> PyBytes_AS_STRING(luminance)
    with nogil:
        canvas.start(32)
        while top < canvas.height:
            rows = min(canvas.rows, canvas.height - top)
            canvas.paint_band(top, rows)
            luminances(canvas.band.pixels, rows * canvas.width, out + <int64_t> top * canvas.width)
            top += rows
    return luminance
