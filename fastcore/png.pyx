"""Per image: a symbol as a PNG file, one bit per pixel (PNG specification, third edition).

The image is never laid out: each different row of pixels is made once, with the number of times it repeats,
and both the compressed stream and its checksum are made from that.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove, memset

from fastcore cimport deflate
from fastcore.deflate cimport WIDE, Picture, Plan
from fastcore.raster cimport Placement, pixel_row


cdef enum:
    SIGNATURE = 8
    CHUNK = 12  # length, type and checksum of a chunk
    ADLER = 65521

# Checksums of one byte followed by up to seven zero bytes (annex D of the specification).
cdef uint32_t[8][256] CRC


cdef void build() noexcept nogil:
    cdef uint32_t value
    cdef int i, j
    for i in range(256):
        value = i
        for _ in range(8):
            value = value >> 1 ^ (value & 1) * <uint32_t> 0xEDB88320
        CRC[0][i] = value
    for j in range(1, 8):
        for i in range(256):
            CRC[j][i] = CRC[j - 1][i] >> 8 ^ CRC[0][CRC[j - 1][i] & 255]


build()


# --- checksums ---


cdef uint32_t crc32(const uint8_t *data, int64_t count) noexcept nogil:
    """The checksum of a chunk, eight bytes at a time."""
    cdef uint32_t crc = 0xFFFFFFFF
    while count >= 8:
        crc ^= data[0] | <uint32_t> data[1] << 8 | <uint32_t> data[2] << 16 | <uint32_t> data[3] << 24
        crc = (
            CRC[7][crc & 255] ^ CRC[6][crc >> 8 & 255] ^ CRC[5][crc >> 16 & 255] ^ CRC[4][crc >> 24]
            ^ CRC[3][data[4]] ^ CRC[2][data[5]] ^ CRC[1][data[6]] ^ CRC[0][data[7]]
        )
        data += 8
        count -= 8
    while count:
        crc = crc >> 8 ^ CRC[0][(crc ^ data[0]) & 255]
        data += 1
        count -= 1
    return ~crc


cdef inline void adler_rows(
    uint64_t *a, uint64_t *b, uint64_t total, uint64_t slope, int stride, uint64_t times
) noexcept nogil:
    """Take `times` equal rows into an Adler-32 checksum at once.

    One row adds its `total` of bytes to a, and stride * a + slope to b, where slope weighs each byte by how
    many bytes of the row it stands before, itself included. The sum over all rows is an arithmetic series.
    """
    cdef uint64_t pairs = times * (times - 1) // 2 % ADLER
    b[0] = (b[0] + times * stride % ADLER * a[0] + pairs * (stride * total % ADLER) + times * slope) % ADLER
    a[0] = (a[0] + times * total) % ADLER


cdef uint32_t adler32(const Picture *picture) noexcept nogil:
    """The checksum of the whole image (RFC 1950), from one copy of each row."""
    cdef uint64_t a = 1, b = 0
    cdef uint32_t total
    cdef uint64_t slope
    cdef const uint8_t *row = picture.rows
    cdef int stride = picture.stride
    cdef int band, i
    for band in range(picture.count):
        total = slope = 0
        for i in range(stride):
            total += row[i]
            slope += row[i] * <uint32_t> (stride - i)
        adler_rows(&a, &b, total, slope % ADLER, stride, 1 if picture.zeros else picture.times[band])
        if picture.zeros and picture.times[band] > 1:  # filter type 2, then zeros
            adler_rows(&a, &b, 2, 2 * stride, stride, picture.times[band] - 1)
        row += stride
    return <uint32_t> (b << 16 | a)


# --- rows ---


cdef inline int stride_of(Placement placement) noexcept nogil:
    """Bytes in a row: the filter type, then eight pixels each."""
    return 1 + (placement.width + 7) // 8


cdef inline bint small(Placement placement) noexcept nogil:
    """Whether an image is so small that it is best taken as one row: then matches can go across rows."""
    return placement.scale == 1 and <int64_t> placement.width * stride_of(placement) < 1 << deflate.BAND


cdef int64_t rows_size(int size, Placement placement) noexcept nogil:
    """Bytes that `draw` needs for the different rows of an image."""
    cdef int rows = size + 2
    if small(placement):
        rows = max(rows, placement.width)
    return <int64_t> rows * stride_of(placement)


cdef inline void add_band(Picture *picture, int top, int times) noexcept nogil:
    picture.top[picture.count] = top
    picture.times[picture.count] = times
    picture.count += 1


cdef void unfold(uint8_t *rows, Picture *picture) noexcept nogil:
    """Make one band of one row out of all bands, from the last to the first."""
    cdef int stride = picture.stride
    cdef int band, at = 0
    for band in range(picture.count):
        at += picture.times[band]
    picture.stride = stride * at
    for band in range(picture.count - 1, -1, -1):
        for _ in range(picture.times[band]):
            at -= 1
            memmove(rows + at * stride, rows + band * stride, stride)
    picture.count = 1
    picture.times[0] = 1
    picture.top[0] = 0


cdef inline void tune(int size, int scale, Picture *out) noexcept nogil:
    """Choose how to search, found by trying: versions 1 to 40, modules of 1 to 50 pixels, against zlib."""
    out.step = max(1, scale // 8)
    out.samples = 3 if scale <= 2 else 8 if scale == 4 else 6 if scale == 8 else 4 if scale >= 32 else 5
    out.candidates = 64 if scale <= 2 else 16 if size > 57 else 8 if scale >= 32 else 4 if size > 37 else 2
    out.enough = 8 if size <= 57 else 12
    out.literal_bits = 7 if scale == 1 else 4


cdef void draw(
    const uint64_t *rows, int size, Placement placement, bint grey, uint8_t *pixels, Picture *out
) noexcept nogil:
    """Make the bands of an image; dark is 0 in grey, 1 in a palette.

    Rows of modules that are equal to the one before them become one band with it. `pixels` has eight bytes
    more before it and after it.
    """
    cdef int words = (size + 63) // 64
    cdef int stride = stride_of(placement)
    cdef int below = placement.width - placement.offset - placement.scale * size
    cdef uint8_t light = 255 if grey else 0
    cdef int i, k
    cdef bint same
    out.rows = pixels
    out.count = 0
    out.stride = stride
    tune(size, placement.scale, out)
    out.zeros = (stride - deflate.LONGEST) * (placement.scale - 1) >= WIDE
    if placement.offset:
        pixels[0] = 0
        memset(pixels + 1, light, stride - 1)
        pixels += stride
        add_band(out, 0, placement.offset)
    for i in range(size):
        same = i > 0
        for k in range(words):
            same = same and rows[k] == rows[k - words]
        if same:
            out.times[out.count - 1] += placement.scale
        else:
            pixels[0] = 0
            pixel_row(rows, size, placement, light, pixels + 1)
            pixels += stride
            add_band(out, placement.offset + i * placement.scale, placement.scale)
        rows += words
    if below:
        pixels[0] = 0
        memset(pixels + 1, light, stride - 1)
        add_band(out, placement.width - below, below)
    if small(placement):
        unfold(<uint8_t *> out.rows, out)
    # Comparing eight bytes at a time looks at these too, though nothing depends on them.
    memset(<uint8_t *> out.rows - 8, 0, 8)
    memset(<uint8_t *> out.rows + out.count * out.stride, 0, 8)


# --- file ---


cdef inline uint8_t *put_number(uint8_t *out, uint32_t number) noexcept nogil:
    """Four bytes, the highest first."""
    cdef int i
    for i in range(4):
        out[i] = <uint8_t> (number >> 24 - 8 * i)
    return out + 4


cdef inline uint8_t *begin_chunk(uint8_t *out, const char *kind, int64_t length) noexcept nogil:
    out = put_number(out, <uint32_t> length)
    memcpy(out, kind, 4)
    return out + 4


cdef inline uint8_t *end_chunk(uint8_t *end, int64_t length) noexcept nogil:
    """Append the checksum of type and data."""
    return put_number(end, crc32(end - length - 4, length + 4))


cdef int64_t file_size(const Colours *colours, int64_t stream) noexcept nogil:
    """Bytes of a file whose compressed image takes `stream` bytes."""
    cdef int64_t size = SIGNATURE + CHUNK + 13 + CHUNK + 2 + stream + 4 + CHUNK
    if not colours.grey:
        size += CHUNK + 6
        if colours.transparent:
            size += CHUNK + 1
    return size


cdef void write_file(
    const Colours *colours, int width, const Picture *picture, const Plan *plan, int64_t stream, uint8_t *out
) noexcept nogil:
    """Write the file, exactly file_size bytes."""
    memcpy(out, <const char *> b"\x89PNG\r\n\x1a\n", SIGNATURE)
    out = begin_chunk(out + SIGNATURE, b"IHDR", 13)
    out = put_number(put_number(out, width), width)
    out[0] = 1  # bit per pixel
    out[1] = 0 if colours.grey else 3
    out[2] = out[3] = out[4] = 0  # the one compression, the one set of filters, not interlaced
    out = end_chunk(out + 5, 13)

    if not colours.grey:
        out = begin_chunk(out, b"PLTE", 6)
        memcpy(out, colours.light, 3)
        memcpy(out + 3, colours.dark, 3)
        out = end_chunk(out + 6, 6)
        if colours.transparent:
            out = begin_chunk(out, b"tRNS", 1)
            out[0] = 0
            out = end_chunk(out + 1, 1)

    out = begin_chunk(out, b"IDAT", 2 + stream + 4)
    out[0] = 0x78  # deflate with a window of 32 KB
    out[1] = 0xDA  # made as small as we can; makes the two bytes a multiple of 31 (RFC 1950)
    deflate.write(picture, plan, out + 2)
    out = put_number(out + 2 + stream, adler32(picture))
    out = end_chunk(out, 2 + stream + 4)

    out = begin_chunk(out, b"IEND", 0)
    end_chunk(out, 0)
