"""The boundary for drawings: what one says is checked, and laid out in memory as the kernels want it."""

from fastcore.drawing import Drawing, Fill, Linear, Photo, Radial, Rgba, Tiles
from fastcore.errors import IllegalDrawing
from fastcore.path import Path as Outlines

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree
from libc.math cimport ceil, floor
from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint64_t
from libc.string cimport memcpy, memset

from fastcore.band cimport FILL, PHOTO, TILES, Band, Layer, draw
from fastcore.coverage cimport LARGEST, Edge, Edges, flatten, most_edges, rasterise, rewind, shape_sums
from fastcore.paint cimport LINEAR, RADIAL, SHADES, SOLID, Ink, Pixel, ink_row, shade
from fastcore.palette cimport COLOURS, FULL, LEVELS, Palette, number_of, start_ramp
from fastcore.path cimport Path
from fastcore.photo cimport Sample, sample


cdef enum:
    MAX_SIZE_PX = 20_000  # 85 cm at 600 dpi
    BAND_PIXELS = 1 << 16  # with all scratch about what the second level of a processor's cache holds
    MOST_ROWS = 64
    BITMAPS = 32 << 20  # bytes that the squares of tiles may take; where they are larger, they are outlines like others


# --- what a drawing may say ---


cdef int whole_number(str part, object value, int first, int last) except -1:
    if type(value) is not int or not first <= value <= last:
        raise IllegalDrawing(part, value, f"a whole number from {first} to {last}")
    return value


cdef double number(str part, object value, double first, double last) except? -1:
    if not isinstance(value, (int, float)) or not first <= value <= last:
        raise IllegalDrawing(part, value, f"a number from {first:g} to {last:g}")
    return value


cdef double place(str part, object value) except? -1:
    return number(part, value, -LARGEST, LARGEST)


cdef Pixel pixel_of(object colour) except *:
    cdef Pixel pixel
    if not isinstance(colour, Rgba):
        raise TypeError(f"a colour is an Rgba, not {type(colour).__name__}")
    pixel.red = whole_number("red", colour.red, 0, 255)
    pixel.green = whole_number("green", colour.green, 0, 255)
    pixel.blue = whole_number("blue", colour.blue, 0, 255)
    pixel.alpha = whole_number("alpha", colour.alpha, 0, 255)
    return pixel


cdef tuple limits_of(Path path):
    """Left, top, right and bottom of an outline, which must lie where pixels may be."""
    bounds = path.bounds
    for bound in bounds:
        place("a coordinate", bound)
    return bounds


# --- a drawing in memory ---


@cython.final
cdef class Canvas:
    def __cinit__(self):
        self.numbers = {}
        self.kept = []
        self.rooms = []

    def __init__(self, drawing, bint has_few_colours):
        if not isinstance(drawing, Drawing):
            raise TypeError(f"what is painted is a Drawing, not {type(drawing).__name__}")
        self.drawing = drawing
        self.has_few_colours = has_few_colours
        self.width = whole_number("width", drawing.width, 1, MAX_SIZE_PX)
        self.height = whole_number("height", drawing.height, 1, MAX_SIZE_PX)
        self.inks = <Ink *> self.room(len(drawing.layers) + 1, sizeof(Ink))
        self.layers = <Layer *> self.room(len(drawing.layers), sizeof(Layer))
        self.ground = -1 if drawing.ground is None else self.ink_of(drawing.ground)
        self.prepare_band()
        for layer in drawing.layers:
            if isinstance(layer, Fill):
                self.add_fill(layer.path, layer.paint)
            elif isinstance(layer, Tiles):
                self.add_tiles(layer)
            elif isinstance(layer, Photo):
                self.add_photo(layer)
            else:
                raise TypeError(f"a layer is a Fill, Tiles or a Photo, not {type(layer).__name__}")

    def __dealloc__(self):
        for address in self.rooms:
            PyMem_RawFree(<void *> <size_t> address)

    cdef void *room(self, int64_t count, int64_t size) except NULL:
        """Memory that is all 0 and lives as long as the canvas."""
        cdef void *room = PyMem_RawCalloc(max(count, 1), size)
        if room == NULL:
            raise MemoryError
        self.rooms.append(<size_t> room)
        return room

    cdef int prepare_band(self) except -1:
        cdef Band *band = &self.band
        self.rows = min(self.height, max(1, min(MOST_ROWS, BAND_PIXELS // self.width)))
        band.width = self.width
        band.rows = self.rows
        band.pitch = self.width + 8  # some kernels look at eight pixels at a time
        band.inks = self.inks
        shape_sums(&band.sums, self.width, band.rows)
        band.sums.change = <float *> self.room(<int64_t> band.rows * band.sums.stride, sizeof(float))
        band.sums.touched = <uint64_t *> self.room(<int64_t> band.rows * band.sums.words, sizeof(uint64_t))
        band.line = <uint8_t *> self.room(band.sums.stride, 1)
        band.colours = <Pixel *> self.room(self.width, sizeof(Pixel))
        if self.has_few_colours:
            band.palette = &self.palette
            band.numbers = <uint8_t *> self.room(<int64_t> band.rows * band.pitch, 1)
        else:
            band.pixels = <Pixel *> self.room(<int64_t> band.rows * self.width, sizeof(Pixel))
        return 0

    # --- inks ---

    cdef int ink_of(self, paint) except -1:
        """The number of a paint's ink."""
        if paint in self.numbers:
            return self.numbers[paint]
        cdef Ink *ink = self.inks + self.ink_count
        cdef double length
        if isinstance(paint, Rgba):
            ink.kind = SOLID
            ink.colour = pixel_of(paint)
        elif isinstance(paint, (Linear, Radial)):
            self.shade_ink(ink, paint.stops)
            # Where a gradient has no extent its last colour is everywhere (SVG 2, 14.2.2 and 14.2.3).
            if isinstance(paint, Linear):
                ink.dx = place("x1", paint.x1) - place("x0", paint.x0)
                ink.dy = place("y1", paint.y1) - place("y0", paint.y0)
                length = ink.dx * ink.dx + ink.dy * ink.dy
                ink.kind = LINEAR if length > 0 else SOLID
                if length > 0:
                    ink.dx *= (SHADES - 1) / length
                    ink.dy *= (SHADES - 1) / length
                    ink.offset = -(ink.dx * paint.x0 + ink.dy * paint.y0)
            else:
                ink.x = place("x", paint.x)
                ink.y = place("y", paint.y)
                length = number("radius", paint.radius, 0, LARGEST)
                ink.kind = RADIAL if length > 0 else SOLID
                if length > 0:
                    ink.dx = (SHADES - 1) / length
        else:
            raise TypeError(f"a paint is an Rgba, Linear or Radial, not {type(paint).__name__}")
        self.numbers[paint] = self.ink_count
        self.ink_count += 1
        return self.ink_count - 1

    cdef int shade_ink(self, Ink *ink, stops) except -1:
        cdef int count = len(stops)
        cdef int i
        if count < 2:
            raise IllegalDrawing("stops", count, "two or more")
        cdef double *offsets = <double *> self.room(count, sizeof(double))
        cdef Pixel *colours = <Pixel *> self.room(count, sizeof(Pixel))
        for i in range(count):
            offsets[i] = number("offset", stops[i].offset, offsets[i - 1] if i else 0, 1)
            colours[i] = pixel_of(stops[i].colour)
        ink.colour = colours[count - 1]
        ink.shades = <Pixel *> self.room(SHADES, sizeof(Pixel))
        with nogil:
            shade(offsets, colours, count, ink.shades)
        return 0

    # --- layers ---

    cdef Layer *next_layer(self, double left, double top, double right, double bottom) except? NULL:
        """The next layer, that covers nothing beyond these limits; NULL if it lies outside the picture."""
        cdef Layer *layer = self.layers + self.layer_count
        layer.left = max(0, <int> floor(left))
        layer.top = max(0, <int> floor(top))
        layer.right = min(self.width, <int> ceil(right))
        layer.bottom = min(self.height, <int> ceil(bottom))
        if layer.left >= layer.right or layer.top >= layer.bottom:
            return NULL
        self.layer_count += 1
        return layer

    cdef int fill_edges(self, Path path, double scale, int bottom, Edges *edges) except -1:
        cdef int64_t most
        outline = path.outline()
        most = most_edges(&outline, scale)
        if most > 1 << 30:
            raise IllegalDrawing("an outline", most, f"of at most {1 << 30} edges")
        edges.edges = <Edge *> self.room(most, sizeof(Edge))
        edges.active = <int32_t *> self.room(most, sizeof(int32_t))
        with nogil:
            flatten(&outline, scale, bottom, edges)
        return 0

    cdef int add_fill(self, path, paint) except -1:
        if not isinstance(path, Outlines):
            raise TypeError(f"what is filled is a Path, not {type(path).__name__}")
        cdef int ink = self.ink_of(paint)
        left, top, right, bottom = limits_of(path)
        cdef Layer *layer = self.next_layer(left, top, right, bottom)
        if layer != NULL:
            layer.kind = FILL
            layer.ink = ink
            self.fill_edges(path, 1, self.height, &layer.edges)
        return 0

    cdef int add_tiles(self, tiles) except -1:
        cdef int size = whole_number("size", tiles.size, 1, MAX_SIZE_PX)
        cdef int scale = whole_number("scale", tiles.scale, 1, min(self.width, self.height) // size)
        cdef int x = whole_number("x", tiles.x, 0, self.width - size * scale)
        cdef int y = whole_number("y", tiles.y, 0, self.height - size * scale)
        cdef bytes places = tiles.places
        if len(places) != size * size:
            raise IllegalDrawing("places", len(places), f"{size * size}, size * size")
        used = sorted(set(places) - {0})
        if used and max(used) > len(tiles.paths):
            raise IllegalDrawing("a place", max(used), f"at most the number of paths, {len(tiles.paths)}")
        if len(used) * scale * scale > BITMAPS:
            return self.add_fill(outlines_of(tiles), tiles.paint)
        cdef int ink = self.ink_of(tiles.paint)
        cdef Layer *layer = self.next_layer(x, y, x + size * scale, y + size * scale)
        layer.kind = TILES
        layer.ink = ink
        layer.grid.size = size
        layer.grid.scale = scale
        layer.grid.x = x
        layer.grid.y = y
        # Only the paths in use are drawn, and numbered anew.
        numbers = bytearray(256)
        for new, old in enumerate(used, 1):
            numbers[old] = new
        places = places.translate(bytes(numbers))
        self.kept.append(places)
        layer.grid.places = <const uint8_t *> PyBytes_AS_STRING(places)
        layer.grid.bitmaps = self.bitmaps([tiles.paths[old - 1] for old in used], scale)
        return 0

    cdef uint8_t *bitmaps(self, list paths, int scale) except NULL:
        """Scale * scale pixels of coverage for each outline."""
        cdef int64_t pixels = <int64_t> scale * scale, i
        cdef uint8_t *bitmaps = <uint8_t *> self.room(len(paths) * pixels, 1)
        cdef int full = FULL if self.has_few_colours else 255
        cdef Edges edges
        cdef Band *band = &self.band
        cdef int width = band.sums.width
        cdef int at
        for at in range(len(paths)):
            limits_of(paths[at])
            self.fill_edges(paths[at], scale, scale, &edges)
            with nogil:
                band.sums.width = scale
                rasterise(&edges, scale, full, &band.sums, band.line, bitmaps + at * pixels)
                band.sums.width = width
                i = 0
                while not self.has_edges and i < pixels:
                    self.has_edges = bitmaps[at * pixels + i] % full != 0
                    i += 1
        return bitmaps

    cdef int add_photo(self, photo) except -1:
        cdef int columns = whole_number("columns", photo.columns, 1, LARGEST)
        cdef int rows = whole_number("rows", photo.rows, 1, LARGEST)
        cdef bytes pixels = photo.pixels
        if len(pixels) != <int64_t> columns * rows * 4:
            raise IllegalDrawing("pixels", len(pixels), f"{<int64_t> columns * rows * 4} bytes")
        cdef double x = place("x", photo.x), y = place("y", photo.y)
        cdef double width = number("width", photo.width, 1e-6, LARGEST)
        cdef double height = number("height", photo.height, 1e-6, LARGEST)
        cdef double opacity = number("opacity", photo.opacity, 0, 1)
        cdef Layer *layer = self.next_layer(x, y, x + width, y + height)
        if layer == NULL:
            return 0
        layer.kind = PHOTO
        layer.shot.pixels = <const Pixel *> PyBytes_AS_STRING(pixels)
        layer.shot.columns = columns
        layer.shot.rows = rows
        layer.shot.x = x
        layer.shot.y = y
        layer.shot.width = width
        layer.shot.height = height
        layer.shot.opacity = <float> opacity
        layer.shot.left = layer.left
        layer.shot.count = layer.right - layer.left
        layer.shot.samples = <Sample *> self.room(layer.shot.count, sizeof(Sample))
        layer.shot.line = <float *> self.room(4 * <int64_t> columns, sizeof(float))
        with nogil:
            sample(&layer.shot)
        return 0

    # --- what comes out ---

    cdef bint is_opaque(self):
        """Whether nothing shows through the ground."""
        if self.drawing.ground is None:
            return False
        if self.inks[self.ground].kind == SOLID:
            return self.inks[self.ground].colour.alpha == 255
        return all([stop.colour.alpha == 255 for stop in self.drawing.ground.stops])

    cdef tuple start_palette(self):
        """Begin a palette without colours; say in which depths (bits) the picture may be possible, from the lowest."""
        cdef Palette *palette = &self.palette
        cdef Pixel *inks = <Pixel *> self.room(self.ink_count, sizeof(Pixel))
        cdef int i
        for i in range(self.ink_count):
            inks[i] = self.inks[i].colour
        palette.inks = inks
        palette.mixed = <int16_t *> self.room(self.ink_count * LEVELS * COLOURS, sizeof(int16_t))
        laid = {self.layers[i].ink for i in range(self.layer_count)}
        palette.ramp = len(laid) == 1 and inks[<int> min(laid)].alpha == 255
        if palette.ramp:
            self.ramp_ink = min(laid)
            return tuple([4] if self.has_edges else [1, 4])
        # The ground, and each ink alone somewhere.
        least = 1 + len(laid) + (LEVELS if self.has_edges else 0)
        return tuple([depth for depth in (1, 2, 4, 8) if least <= 1 << depth])

    cdef void start(self, int depth) noexcept nogil:
        """Make ready for the first band, in numbers of colours if there is a palette."""
        cdef Palette *palette = &self.palette
        cdef Pixel ground
        cdef int i
        for i in range(self.layer_count):
            rewind(&self.layers[i].edges)
        if not self.has_few_colours:
            return
        memset(&ground, 0, sizeof(Pixel))
        if self.ground >= 0:
            ground = palette.inks[self.ground]
        palette.spilled = False
        memset(palette.mixed, 0xFF, self.ink_count * LEVELS * COLOURS * sizeof(int16_t))  # that is -1
        if palette.ramp:
            start_ramp(palette, ground, palette.inks[self.ramp_ink], depth)
            self.ground_number = palette.count - 1 if palette.falling else 0
        else:
            palette.room = 1 << depth
            self.ground_number = number_of(palette, ground)

    cdef void paint_band(self, int top, int rows) noexcept nogil:
        """Draw a band, in numbers of colours if there is a palette."""
        cdef Band *band = &self.band
        cdef Pixel *row = band.pixels
        cdef int i
        band.top = top
        band.rows = rows
        if self.has_few_colours:
            memset(band.numbers, self.ground_number, <int64_t> rows * band.pitch)
        elif self.ground < 0:
            memset(band.pixels, 0, <int64_t> rows * self.width * sizeof(Pixel))
        else:
            for i in range(rows):
                if i and self.inks[self.ground].kind == SOLID:
                    memcpy(row, band.pixels, self.width * sizeof(Pixel))
                else:
                    ink_row(self.inks + self.ground, 0, top + i, self.width, row)
                row += self.width
        draw(self.layers, self.layer_count, band)


cdef object outlines_of(tiles):
    """Tiles as one outline."""
    return Outlines.joined([
        tiles.paths[number - 1].transformed(
            tiles.scale, 0, 0, tiles.scale,
            tiles.x + at % tiles.size * tiles.scale, tiles.y + at // tiles.size * tiles.scale,
        )
        for at, number in enumerate(tiles.places) if number
    ])
