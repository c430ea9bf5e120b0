"""Per band: some rows of a drawing, layer over layer."""

from libc.stdint cimport int64_t, uint8_t

from fastcore cimport palette as palettes, photo
from fastcore.coverage cimport add_band, sweep
from fastcore.paint cimport SOLID, Ink, ink_row, lay_colours, lay_solid
from fastcore.palette cimport FULL


cdef inline void lay_piece(
    Band *band, const Layer *layer, int row, int left, const uint8_t *coverage, int count
) noexcept nogil:
    """Lay a layer's paint over a piece of a row; a gradient's colours have been worked out for the whole row."""
    cdef const Ink *ink = band.inks + layer.ink
    if band.palette != NULL:
        palettes.lay(band.palette, layer.ink, coverage, count, band.numbers + <int64_t> row * band.pitch + left)
    elif ink.kind == SOLID:
        lay_solid(band.pixels + <int64_t> row * band.width + left, coverage, count, ink.colour)
    else:
        lay_colours(
            band.pixels + <int64_t> row * band.width + left, coverage, count, band.colours + left - layer.left
        )


cdef void lay_fill(Band *band, Layer *layer, int row) noexcept nogil:
    sweep(&band.sums, row, FULL if band.palette != NULL else 255, band.line)
    lay_piece(band, layer, row, layer.left, band.line + layer.left, layer.right - layer.left)


cdef void lay_tiles(Band *band, const Layer *layer, int row) noexcept nogil:
    cdef int scale = layer.grid.scale
    cdef int within = band.top + row - layer.grid.y
    cdef const uint8_t *places = layer.grid.places + <int64_t> (within // scale) * layer.grid.size
    cdef const uint8_t *bitmaps = layer.grid.bitmaps + <int64_t> (within % scale) * scale
    cdef int i
    for i in range(layer.grid.size):
        if places[i]:
            lay_piece(
                band, layer, row, layer.grid.x + i * scale,
                bitmaps + (places[i] - 1) * <int64_t> scale * scale, scale
            )


cdef void draw(Layer *layers, int count, Band *band) noexcept nogil:
    """Lay all layers over the rows of a band, which hold the ground; bands come from the top to the bottom."""
    cdef Layer *layer
    cdef int i, row
    for i in range(count):
        layer = layers + i
        if layer.kind == FILL:
            add_band(&layer.edges, band.top, band.rows, &band.sums)
        for row in range(max(layer.top - band.top, 0), min(layer.bottom - band.top, band.rows)):
            if layer.kind == PHOTO:
                photo.lay(&layer.shot, band.top + row, band.pixels + <int64_t> row * band.width)
                continue
            if band.palette == NULL and band.inks[layer.ink].kind != SOLID:
                ink_row(band.inks + layer.ink, layer.left, band.top + row, layer.right - layer.left, band.colours)
            if layer.kind == FILL:
                lay_fill(band, layer, row)
            else:
                lay_tiles(band, layer, row)
