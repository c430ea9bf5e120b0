"""The boundary: the only place where Python's objects and the kernels meet.

Each function here does the same five things in order: check what it was given, allocate, release the GIL,
call the stages, wrap the result. Kernels get plain pointers and never fail; what can be wrong is found here.
"""

from fastcore.errors import (
    DataTooLong,
    IllegalColour,
    IllegalCombination,
    IllegalCount,
    IllegalLevel,
    IllegalMargin,
    IllegalMask,
    IllegalScale,
    IllegalSize,
    IllegalText,
    IllegalVersion,
)

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.long cimport PyLong_AsLongAndOverflow
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint64_t
from libc.string cimport memset

from fastcore cimport deflate, ecc, mask as masks, matches, png as pngs, raster, segment, svg as svgs, zigzag
from fastcore.deflate cimport Plan
from fastcore.picture cimport Picture
from fastcore.segment cimport MAX_TEXT, NO_ECI, Mode, Text
from fastcore.tables cimport (
    alignment_of,
    MAX_BLOCKS,
    Blocks,
    blocks_of,
    codewords_of,
    data_bits_of,
    length_bits,
    mode_bits,
    size_of,
)
from fastcore.template cimport Template, template_of
from fastcore.tokens cimport Tokens
from fastcore.types cimport (
    LEVEL_H, LEVEL_L, MAX_CODEWORDS, MAX_SIZE, MAX_VERSION, MICRO, NO_CODEWORD, VERSIONS, Grid, Level
)


cdef enum:
    MAX_SIZE_PX = 20_000  # 85 cm at 600 dpi; a decoder needs 50 MB for it
    MAX_MARGIN = 1_000
    MAX_SYMBOLS = 16  # that hold a text together (8.1)
    DEFAULT_SCALE = 8

cdef tuple LEVELS = ("L", "M", "Q", "H")
cdef dict MODE_NAMES = {
    Mode.NUMERIC: "numeric", Mode.ALPHANUMERIC: "alphanumeric", Mode.BYTE: "byte", Mode.KANJI: "kanji"
}
cdef uint16_t[1 << 16] KANJI_VALUES  # see segment.Text
cdef bint kanji_known = False
cdef tuple MICRO_NAMES = ("M1", "M2", "M3", "M4")
cdef dict USUAL_COLOURS = {"#000000": b"\0\0\0", "#ffffff": b"\xff\xff\xff"}
cdef dict LEVEL_OF = {name: index for index, name in enumerate(LEVELS)}


# --- symbol ---


@cython.final
cdef class Symbol:
    cdef int inner_version
    cdef readonly int mask
    cdef readonly int size
    cdef int level_index
    cdef bytes rows  # machine words, see raster.pyx

    cdef readonly int bits_used
    cdef readonly tuple segments

    def __init__(self):
        raise TypeError("symbols are made by fastcore.encode")

    @property
    def version(self):
        return self.inner_version - MICRO if self.inner_version > MICRO else self.inner_version

    @property
    def micro(self):
        return self.inner_version > MICRO

    @property
    def level(self):
        return LEVELS[self.level_index]

    @property
    def bits_free(self):
        return data_bits_of(self.inner_version, <Level> self.level_index) - self.bits_used

    @property
    def alignments(self):
        cdef int[7] centres
        cdef int count = 0 if self.micro else alignment_of(self.inner_version, centres)
        cdef int last = count - 1
        return tuple([
            (centres[column], centres[row])
            for row in range(count)
            for column in range(count)
            if (row, column) not in ((0, 0), (0, last), (last, 0))
        ])

    @property
    def modules(self):
        cdef bytes modules = PyBytes_FromStringAndSize(NULL, self.size * self.size)
        raster.modules_to_bytes(rows_of(self), self.size, <uint8_t *> PyBytes_AS_STRING(modules))
        return modules

    def __repr__(self):
        name = f"{version_name(self.inner_version)}-{self.level}"
        return f"<Symbol version {name}, mask {self.mask}, {self.size} x {self.size} modules>"

    def __eq__(self, other):
        if not isinstance(other, Symbol):
            return NotImplemented
        # Version, level and mask can be read off the modules.
        return self.rows == (<Symbol> other).rows

    def __hash__(self):
        return hash(self.rows)


cdef object version_name(int version):
    """A version as callers know it: 1 to 40 or M1 to M4."""
    return MICRO_NAMES[version - MICRO - 1] if version > MICRO else version


cdef inline const uint64_t *rows_of(Symbol symbol) noexcept:
    return <const uint64_t *> PyBytes_AS_STRING(symbol.rows)


cdef Symbol new_symbol(int version, Level level, int mask, const Grid *grid):
    """Keep the rows of a finished symbol."""
    cdef Symbol symbol = Symbol.__new__(Symbol)
    cdef int size = size_of(version)
    cdef int words = (size + 63) // 64
    cdef uint64_t *row
    cdef int i, k
    symbol.inner_version = version
    symbol.level_index = level
    symbol.mask = mask
    symbol.size = size
    symbol.rows = PyBytes_FromStringAndSize(NULL, size * words * sizeof(uint64_t))
    row = <uint64_t *> PyBytes_AS_STRING(symbol.rows)
    for i in range(size):
        for k in range(words):
            row[i * words + k] = grid.rows.word[k][i]
    return symbol


# --- what callers may ask for ---


cdef int whole_number(object value, int first, int last) except -2:
    """The value if it is an int (and no bool) in [first, last], otherwise -1; first must not be negative."""
    cdef int overflow = 0
    cdef long number = PyLong_AsLongAndOverflow(value, &overflow) if type(value) is int else -1
    return <int> number if first <= number <= last and not overflow else -1


cdef int checked_level(object level) except -1:
    index = LEVEL_OF.get(level) if isinstance(level, str) else None
    if index is None:
        raise IllegalLevel(level)
    return index


cdef int checked_version(object version, bint micro) except -1:
    """0 stands for the smallest that fits."""
    if version is None:
        return 0
    if isinstance(version, str) and version in MICRO_NAMES:
        return MICRO + 1 + <int> MICRO_NAMES.index(version)
    cdef int number = whole_number(version, 1, MAX_VERSION)
    if number < 0:
        raise IllegalVersion(version)
    if micro:
        raise IllegalCombination(f"version {number} is not a Micro QR code; leave out version or micro")
    return number


cdef int checked_mask(object mask) except -2:
    """-1 stands for the best."""
    if mask is None:
        return -1
    cdef int number = whole_number(mask, 0, 7)
    if number < 0:
        raise IllegalMask(mask)
    return number


cdef int checked_margin(object margin) except -1:
    cdef int number = whole_number(margin, 0, MAX_MARGIN)
    if number < 0:
        raise IllegalMargin(margin, maximum=MAX_MARGIN)
    return number


cdef int checked_size(object size_px, int modules) except -1:
    """A size in pixels for so many modules, margins included."""
    cdef int number = whole_number(size_px, modules, MAX_SIZE_PX)
    if number < 0:
        raise IllegalSize(size_px, minimum_px=modules, maximum_px=MAX_SIZE_PX)
    return number


cdef bytes checked_colour(str field, object colour):
    """Red, green and blue of #rgb or #rrggbb, one byte each."""
    usual = USUAL_COLOURS.get(colour) if type(colour) is str else None
    if usual is not None:
        return usual
    if isinstance(colour, str) and colour[:1] == "#" and len(colour) in (4, 7):
        digits = colour[1:] if len(colour) == 7 else "".join([digit * 2 for digit in colour[1:]])
        # bytes.fromhex allows spaces, and isalnum digits of other scripts.
        if digits.isascii() and digits.isalnum():
            try:
                return bytes.fromhex(digits)
            except ValueError:
                pass
    raise IllegalColour(field, colour)


# --- encode ---


cdef void fill_kanji():
    """Find out which characters Shift JIS has, once (7.4.6): two ranges of two-byte codes.

    Eight codes stand for different characters in JIS X 0208 and in Windows, so that readers disagree: those
    are left to UTF-8.
    """
    global kanji_known
    for code in (*range(0x8140, 0x9FFD), *range(0xE040, 0xEBC0)):
        pair = code.to_bytes(2, "big")
        try:
            character = pair.decode("shift_jis")
            if len(character) == 1 and character == pair.decode("cp932"):
                offset = code - (0x8140 if code < 0xA000 else 0xC140)
                KANJI_VALUES[<int> ord(character)] = (offset >> 8) * 0xC0 + (offset & 255) + 1
        except UnicodeDecodeError:
            pass
    kanji_known = True


cdef bytes as_bytes(object data, Text *out):
    """Describe what is to be encoded; the bytes that come back have to be kept as long as `out`."""
    cdef bytes content
    out.kanji = NULL
    out.ascii = True
    out.position = out.total = out.parity = 0
    if isinstance(data, str):
        try:
            content = data.encode()
        except UnicodeEncodeError as error:
            raise IllegalText(error.start) from error
        # ASCII is the same in every character set a reader may assume. Anything else is not, so it is named
        # (docs/adr/0004-text-beyond-ascii.md).
        if not data.isascii():
            if not kanji_known:
                fill_kanji()
            out.kanji = KANJI_VALUES
            out.ascii = False
    elif isinstance(data, bytes):
        content = data
    else:
        raise TypeError(f"data must be str or bytes, not {type(data).__name__}")
    out.bytes = content
    out.count = len(content)
    return content


cdef int fitting_version(const Text *text, Level level, bint micro) noexcept nogil:
    """The smallest version that holds a text, 0 if none does; M1, which corrects nothing, only on request."""
    cdef int[3] last_of_range = [9, 26, 40]  # a text takes the same bits in all versions of a range (table 3)
    cdef int version = 1
    cdef int i, eci
    cdef int64_t bits
    if micro:
        for version in range(MICRO + 2, VERSIONS + 1):
            if segment.bits_of(text, version, &eci, NULL) <= data_bits_of(version, level):
                return version
        return 0
    for i in range(3):
        bits = segment.bits_of(text, last_of_range[i], &eci, NULL)
        while version <= last_of_range[i]:
            if bits <= data_bits_of(version, level):
                return version
            version += 1
    return 0


cdef object too_long(const Text *text, int version, Level level):
    """The error for a text that does not fit, in words a person can act on."""
    cdef Mode mode = segment.simplest_mode(text)
    cdef int available = data_bits_of(version, level)
    # Bits left for characters once the headers are written that any text of its kind needs.
    cdef int room = available - mode_bits(version) - length_bits(mode, version)
    cdef int eci
    room = max(room if text.ascii or mode == Mode.KANJI else room - 12, 0)
    if mode == Mode.NUMERIC:
        unit, longest = "digits", room // 10 * 3 + (2 if room % 10 >= 7 else 1 if room % 10 >= 4 else 0)
    elif mode == Mode.ALPHANUMERIC:
        unit, longest = "characters", room // 11 * 2 + (1 if room % 11 >= 6 else 0)
    elif mode == Mode.KANJI:
        unit, longest = "characters", room // 13
    else:
        unit, longest = "bytes", room // 8
    return DataTooLong(
        needed_bits=segment.bits_of(text, version, &eci, NULL),
        available_bits=available,
        length=segment.count_characters(text, mode, 0, text.count),
        max_length=longest,
        unit=unit,
        version=version_name(version),
        level=LEVELS[level],
    )


cdef tuple segments_of(const Text *text, const uint8_t *modes, int eci):
    """The segments as (mode, character count) pairs."""
    cdef list segments = [("eci", eci)] if eci != NO_ECI else []
    cdef int first = 0, end
    while first < text.count:
        end = first + 1
        while end < text.count and modes[end] == modes[first]:
            end += 1
        segments.append(
            (MODE_NAMES[modes[first]], segment.count_characters(text, <Mode> modes[first], first, end))
        )
        first = end
    return tuple(segments)


cdef int check_micro(const Text *text, int version, Level level, int mask) except -1:
    """Refuse what no Micro QR code can be, or not the one asked for; version 0 stands for any."""
    cdef int eci
    cdef Mode mode = segment.simplest_mode(text)
    if level == LEVEL_H or version and data_bits_of(version, level) < 0:
        name = version_name(version) if version else "a Micro QR code"
        raise IllegalCombination(f"{name} does not have level {LEVELS[level]}")
    if mask > 3:
        raise IllegalCombination(f"a Micro QR code has masks 0 to 3, not {mask}")
    if segment.bits_of(text, version or VERSIONS, &eci, NULL) >= 1 << 20 and text.count <= MAX_TEXT:
        name = version_name(version) if version else "a Micro QR code"
        kind = f"{MODE_NAMES[mode]} text"
        if mode == Mode.BYTE and not text.ascii:
            kind = "characters beyond ASCII and kanji"
        raise IllegalCombination(f"{name} cannot hold {kind}")
    return 0


cdef Symbol make_symbol(const Text *text, int version, Level level, int mask, bint raise_level, bint micro):
    """Encode a text; version 0 stands for the smallest that fits, mask -1 for the best."""
    cdef int wanted_version = version
    cdef int64_t bits = 0
    cdef int eci
    cdef uint8_t[MAX_TEXT] modes
    cdef uint8_t[MAX_CODEWORDS + 8] codewords, protected
    cdef const Template *template
    cdef Grid grid
    with nogil:
        if version == 0:
            version = fitting_version(text, level, micro)
        else:
            # The modes are found at the same time, unless the text is certainly too long.
            bits = segment.bits_of(text, version, &eci, modes if text.count <= MAX_TEXT else NULL)
            if bits > data_bits_of(version, level):
                version = 0
        if version:
            if wanted_version == 0:
                bits = segment.bits_of(text, version, &eci, modes)
            while raise_level and level < LEVEL_H and bits <= data_bits_of(version, <Level> (level + 1)):
                level = <Level> (level + 1)
            memset(codewords, 0, data_bits_of(version, level) // 8 + 4)  # as many as are written, see segment.write
            segment.write(text, modes, eci, version, data_bits_of(version, level), codewords)
            ecc.protect(codewords, blocks_of(version, level), protected)
            template = template_of(version)
            zigzag.lay(template, protected, codewords_of(version), &grid)
            if micro and mask < 0:
                mask = masks.choose_micro(template, version, level, &grid)
            elif micro:
                masks.apply_micro(template, version, level, mask, &grid)
            elif mask < 0:
                mask = masks.choose(template, level, &grid)
            else:
                masks.apply(template, level, mask, &grid)
    if version == 0:
        raise too_long(text, wanted_version or (VERSIONS if micro else MAX_VERSION), level)
    cdef Symbol symbol = new_symbol(version, level, mask, &grid)
    symbol.bits_used = <int> bits
    symbol.segments = segments_of(text, modes, eci)
    return symbol


def encode(data, *, level="M", version=None, mask=None, boost=False, micro=False):
    cdef bint wants_micro = micro
    cdef int wanted_version = checked_version(version, wants_micro)
    cdef int wanted_mask = checked_mask(mask)
    cdef Level wanted_level = <Level> checked_level(level)
    cdef Text text
    cdef bytes _content = as_bytes(data, &text)
    if wants_micro or wanted_version > MICRO:
        wants_micro = True
        if wanted_version == MICRO + 1:
            wanted_level = LEVEL_L  # has no levels, and corrects nothing
        check_micro(&text, wanted_version, wanted_level, wanted_mask)
    return make_symbol(&text, wanted_version, wanted_level, wanted_mask, boost, wants_micro)


cdef void part_of(const Text *text, int position, int total, Text *out) noexcept nogil:
    """One of `total` parts of about equal length, cut between characters."""
    cdef int64_t first = text.count * position // total
    cdef int64_t end = text.count * (position + 1) // total
    cdef int64_t i
    # Only a text has characters of several bytes; it knows its kanji.
    while text.kanji != NULL and first > 0 and text.bytes[first] >> 6 == 2:
        first -= 1
    while text.kanji != NULL and end < text.count and text.bytes[end] >> 6 == 2:
        end -= 1
    out[0] = text[0]
    out.bytes = text.bytes + first
    out.count = end - first
    out.ascii = True
    if not text.ascii:
        for i in range(out.count):
            out.ascii = out.ascii and out.bytes[i] < 128
    out.position = position
    out.total = total


def encode_sequence(data, *, count=None, version=None, level="M"):
    cdef int wanted_version = checked_version(version, False)
    cdef Level wanted_level = <Level> checked_level(level)
    cdef Text text, part
    cdef bytes _content = as_bytes(data, &text)
    cdef int wanted_count = 0 if count is None else whole_number(count, 2, MAX_SYMBOLS)
    cdef int total, position, needed, eci
    cdef int64_t bits
    cdef uint8_t[MAX_TEXT] modes
    if wanted_count < 0:
        raise IllegalCount(count)
    if wanted_version > MICRO:
        raise IllegalCombination("Micro QR codes cannot hold a text together")
    if wanted_count == 0 and wanted_version == 0:
        raise TypeError("count or version must be given")
    for total in range(wanted_count or 2, (wanted_count or MAX_SYMBOLS) + 1):
        needed = wanted_version
        for position in range(total):
            part_of(&text, position, total, &part)
            if wanted_version == 0:
                needed = max(needed, fitting_version(&part, wanted_level, False) or VERSIONS)
            else:
                bits = segment.bits_of(&part, wanted_version, &eci, NULL)
                if bits > data_bits_of(wanted_version, wanted_level):
                    needed = VERSIONS
            if needed > MAX_VERSION:
                break  # and `part` is the one that does not fit
        if needed <= MAX_VERSION:
            break
    else:
        raise too_long(&part, wanted_version or MAX_VERSION, wanted_level)
    symbols = []
    # Every symbol carries the parity of all of them, which depends on the modes that say each.
    for position in range(total):
        part_of(&text, position, total, &part)
        segment.bits_of(&part, needed, &eci, modes)
        text.parity ^= segment.parity_of(&part, modes)
    for position in range(total):
        part_of(&text, position, total, &part)
        symbols.append(make_symbol(&part, needed, wanted_level, -1, False, False))
    return tuple(symbols)


# --- what a symbol can bear ---


def damage(Symbol symbol not None, bytes hidden not None):
    cdef int size = symbol.size
    cdef int version = symbol.inner_version
    cdef Blocks blocks
    cdef uint8_t[MAX_BLOCKS] wrong
    cdef uint8_t[MAX_CODEWORDS] seen
    cdef uint16_t[MAX_SIZE * MAX_SIZE] codewords
    cdef const uint8_t *covered = <const uint8_t *> PyBytes_AS_STRING(hidden)
    cdef int i
    if symbol.micro:
        raise IllegalCombination("Micro QR codes are too small to hide a part of them")
    if len(hidden) != size * size:
        raise ValueError(f"hidden has an entry for each of {size * size} modules, not {len(hidden)}")
    with nogil:
        blocks = blocks_of(version, <Level> symbol.level_index)
        memset(wrong, 0, sizeof(wrong))
        memset(seen, 0, sizeof(seen))
        zigzag.find_codewords(template_of(version), codewords_of(version), codewords)
        for i in range(size * size):
            if covered[i] and codewords[i] != NO_CODEWORD and not seen[codewords[i]]:
                seen[codewords[i]] = 1
                wrong[ecc.block_of(blocks, codewords[i])] += 1
    limit = ecc.correctable(version, <Level> symbol.level_index, blocks)
    return tuple((wrong[i], limit) for i in range(blocks.shorter + blocks.longer))


# --- images ---


def places(Symbol symbol not None, bytes table not None, bytes skip=None):
    cdef int size = symbol.size
    cdef bytes modules = symbol.modules
    cdef bytes out = PyBytes_FromStringAndSize(NULL, size * size)
    cdef const uint8_t *skipped = NULL
    if len(table) != 512:
        raise ValueError(f"a table has 512 entries, not {len(table)}")
    if skip is not None:
        if len(skip) != size * size:
            raise ValueError(f"skip has an entry for each of {size * size} modules, not {len(skip)}")
        skipped = <const uint8_t *> PyBytes_AS_STRING(skip)
    cdef const uint8_t *source = <const uint8_t *> PyBytes_AS_STRING(modules)
    cdef const uint8_t *entries = <const uint8_t *> PyBytes_AS_STRING(table)
    cdef uint8_t *target = <uint8_t *> PyBytes_AS_STRING(out)
    with nogil:
        raster.modules_to_places(source, skipped, size, entries, target)
    return out


def png(Symbol symbol not None, *, size_px=None, scale=None, margin=4, dark="#000000", light="#ffffff"):
    cdef int light_modules = checked_margin(margin)
    cdef int modules = symbol.size + 2 * light_modules
    cdef int width, pixels, i
    cdef bytes file
    cdef uint8_t *out
    if size_px is not None:
        if scale is not None:
            raise TypeError("size_px and scale cannot both be given")
        width = checked_size(size_px, modules)
    else:
        pixels = whole_number(DEFAULT_SCALE if scale is None else scale, 1, MAX_SIZE_PX // modules)
        if pixels < 0:
            raise IllegalScale(scale, maximum=MAX_SIZE_PX // modules)
        width = pixels * modules
    cdef bytes dark_rgb = checked_colour("dark", dark)
    cdef bytes light_rgb = None if light is None else checked_colour("light", light)
    cdef pngs.Colours colours
    colours.transparent = light_rgb is None
    for i in range(3):
        colours.dark[i] = dark_rgb[i]
        colours.light[i] = 255 if light_rgb is None else light_rgb[i]
    colours.grey = dark_rgb == b"\0\0\0" and light_rgb == b"\xff\xff\xff"

    cdef raster.Placement placement = raster.place(symbol.size, width, light_modules)
    cdef Picture picture
    cdef Tokens tokens
    cdef Plan plan
    cdef int64_t stream
    pngs.divide(rows_of(symbol), symbol.size, placement, colours.grey, &picture)
    cdef uint8_t *scratch = <uint8_t *> PyMem_RawMalloc(matches.memory_for(&picture))
    if scratch == NULL:
        raise MemoryError
    try:
        with nogil:
            matches.find(&picture, scratch, &tokens)
            stream = deflate.plan(&tokens, &plan)
        file = PyBytes_FromStringAndSize(NULL, pngs.file_size(&colours, stream))
        out = <uint8_t *> PyBytes_AS_STRING(file)
        with nogil:
            pngs.write_file(&colours, &picture, &tokens, &plan, stream, out)
    finally:
        PyMem_RawFree(scratch)
    return file


cdef str number(double value):
    """In decimal, to a millionth, without zeros that say nothing."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def svg(Symbol symbol not None, *, size_px=None, margin=4, dark="#000000", light="#ffffff"):
    cdef int light_modules = checked_margin(margin)
    cdef int modules = symbol.size + 2 * light_modules
    cdef int width = 0 if size_px is None else checked_size(size_px, 1)
    cdef bytes dark_rgb = checked_colour("dark", dark)
    cdef bytes light_rgb = None if light is None else checked_colour("light", light)

    # Whole pixels for each module and the rest for the margins, as in a PNG; unless there is less than one.
    cdef raster.Placement placement = raster.place(symbol.size, width, light_modules)
    corner, side = "0", str(modules)
    if placement.scale:
        corner = number(light_modules - placement.offset / <double> placement.scale)
        side = number(width / <double> placement.scale)

    cdef const uint64_t *rows = rows_of(symbol)
    cdef bytearray path = bytearray(svgs.count_runs(rows, symbol.size) * svgs.RUN_BYTES)
    cdef char *out = path
    cdef int length
    with nogil:
        length = svgs.path(rows, symbol.size, light_modules, out)
    dimensions = f' width="{width}" height="{width}"' if width else ""
    ground = f'<path fill="#{light_rgb.hex()}" d="M{corner} {corner}h{side}v{side}H{corner}z"/>' if light_rgb else ""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg"{dimensions} viewBox="{corner} {corner} {side} {side}" '
        f'shape-rendering="crispEdges">{ground}<path fill="#{dark_rgb.hex()}" d="'
    ).encode() + path[:length] + b'"/></svg>\n'
