"""Per image: a symbol as a PNG file, one bit per pixel (PNG specification, third edition).

The image is never laid out: rows of modules that are equal make a band, and both the compressed stream and its
checksum are made from bands.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from fastcore cimport deflate
from fastcore.deflate cimport Plan
from fastcore.picture cimport Picture, has_zeros, word_of
from fastcore.raster cimport Placement
from fastcore.tokens cimport LONGEST, SHORTEST, Tokens
from fastcore.types cimport MAX_SIZE

cdef extern from "lanes.h" nogil:
    uint64_t load "fc_load" (const uint8_t *at)
    bint can_fold "fc_can_fold" ()
    void fold "fc_fold" (uint32_t crc, const uint8_t *data, int64_t blocks, uint8_t *out)

cdef enum:
    SIGNATURE = 8
    CHUNK = 12  # length, type and checksum of a chunk
    ADLER = 65521
    SUM = 24  # bits of the bytes of a row added up

    # Bytes of a band's repeats, less the first LONGEST of each row, from which on they cost less as rows of
    # zeros than as copies; found by trying.
    WIDE = 2500
    # Bytes of zeros between two rows that leave room in a match for the ends of both. With JOINED_SCALE pixels in
    # a module even more are worth it, though they take two matches. Found by trying.
    NARROW = 235
    JOINED_SCALE = 5

# Checksums of one byte followed by up to fifteen zero bytes (annex D of the specification).
cdef uint32_t[16][256] CRC
cdef bint CAN_FOLD = can_fold()


cdef void build() noexcept nogil:
    cdef uint32_t value
    cdef int i, j
    for i in range(256):
        value = i
        for _ in range(8):
            value = value >> 1 ^ (value & 1) * <uint32_t> 0xEDB88320
        CRC[0][i] = value
    for j in range(1, 16):
        for i in range(256):
            CRC[j][i] = CRC[j - 1][i] >> 8 ^ CRC[0][CRC[j - 1][i] & 255]


build()


# --- checksums ---


cdef inline uint32_t crc_of(uint32_t crc, const uint8_t *data, int64_t count) noexcept nogil:
    """A checksum gone on with, sixteen bytes at a time."""
    cdef uint64_t first, last
    cdef int i
    while count >= 16:
        first = load(data) ^ crc
        last = load(data + 8)
        crc = 0
        for i in range(8):
            crc ^= CRC[15 - i][first >> 8 * i & 255] ^ CRC[7 - i][last >> 8 * i & 255]
        data += 16
        count -= 16
    while count:
        crc = crc >> 8 ^ CRC[0][(crc ^ data[0]) & 255]
        data += 1
        count -= 1
    return crc


cdef uint32_t crc32(const uint8_t *data, int64_t count) noexcept nogil:
    """The checksum of a chunk."""
    cdef uint32_t crc = 0xFFFFFFFF
    cdef uint8_t[16] rest
    cdef int64_t folded
    if CAN_FOLD and count >= 32:
        folded = count & ~15
        fold(crc, data, folded >> 4, rest)
        crc = crc_of(0, rest, 16)
        data += folded
        count -= folded
    return ~crc_of(crc, data, count)


cdef inline void adler_rows(
    uint64_t *a, uint64_t *b, uint64_t total, uint64_t slope, int stride, uint64_t times
) noexcept nogil:
    """Take `times` equal rows into an Adler-32 checksum at once.

    One row adds its `total` of bytes to a, and stride * a + slope to b, where slope weighs each byte by how
    many bytes of the row it stands before, itself included. The sum over all rows is an arithmetic series.

    Remainders can wait for the end of the image: n bytes make b at most 255 * n**2 / 2, and even with the most
    pixels that an image may have, 50 million bytes, that is below 2**59.
    """
    b[0] += times * (stride * a[0] + slope) + times * (times - 1) // 2 * stride * total
    a[0] += times * total


cdef inline uint64_t sums_from(const Picture *picture, int module) noexcept nogil:
    """What a row's bytes add up to if only the pixels from a module on are 1; and from SUM on the same, each byte
    weighed by how many bytes of the row it stands before, itself included.
    """
    cdef int pixel = picture.placement.offset + module * picture.placement.scale
    cdef uint64_t before = picture.stride - 1 - (pixel >> 3)  # how many bytes its own one stands before
    cdef uint64_t first = 0xFF >> (pixel & 7)
    return (first * before + 255 * (before * (before - 1) // 2) << SUM) + first + 255 * before - 255


cdef uint32_t adler32(const Picture *picture) noexcept nogil:
    """The checksum of the whole image (RFC 1950), from the modules of each different row, twice four in one step:
    what a row's bytes add up to is the sum of what each dark module adds.
    """
    cdef uint64_t[(MAX_SIZE + 7) >> 3 << 1][16] sums
    cdef uint64_t a = 1, b = 0
    cdef uint64_t current = sums_from(picture, 0)
    cdef uint64_t following, module, row, word
    cdef int stride = picture.stride
    cdef int band, four, i, k, times, zeros
    cdef uint64_t full = (255 * (<uint64_t> stride * (stride - 1) // 2) << SUM) + 255 * (stride - 1)
    for four in range(picture.size + 7 >> 3 << 1):
        sums[four][0] = 0
        for i in range(4):
            following = sums_from(picture, min(4 * four + i + 1, picture.size))
            module = current - following
            current = following
            for k in range(1 << i):
                sums[four][1 << i | k] = sums[four][k] + module
    for band in range(picture.count):
        row = 0
        for k in range(picture.words):
            word = word_of(picture, band, k)
            four = 16 * k
            while word:
                row += sums[four][word & 15] + sums[four + 1][word >> 4 & 15]
                word >>= 8
                four += 2
        if picture.grey:
            row = full - row
        times = picture.times[band]
        zeros = times - 1 if has_zeros(picture, band) else 0
        adler_rows(&a, &b, row & (<uint64_t> 1 << SUM) - 1, row >> SUM, stride, times - zeros)
        if zeros:  # filter type 2, then zeros
            adler_rows(&a, &b, 2, 2 * stride, stride, zeros)
    return <uint32_t> (b % ADLER << 16 | a % ADLER)


# --- bands ---


cdef inline void add_band(Picture *picture, int row, int top, int times) noexcept nogil:
    picture.row[picture.count] = row
    picture.top[picture.count] = top
    picture.times[picture.count] = times
    picture.count += 1


cdef void divide(
    const uint64_t *modules, int size, Placement placement, bint grey, Picture *out
) noexcept nogil:
    """Divide an image into bands; dark is 0 in grey, 1 in a palette."""
    cdef int below = placement.width - placement.offset - placement.scale * size
    cdef int i, k, zeros
    cdef bint same, wide
    out.modules = modules
    out.size = size
    out.words = (size + 63) // 64
    out.placement = placement
    out.stride = 1 + (placement.width + 7) // 8
    out.grey = grey
    zeros = out.stride * (placement.scale - 1)
    wide = zeros - LONGEST * (placement.scale - 1) >= WIDE
    out.joined = placement.scale > 1 and (zeros <= NARROW or (placement.scale == JOINED_SCALE and not wide))
    # A row of zeros is two literals and a match, for which the smallest Micro QR codes have too few bytes in a row.
    out.joined = out.joined and out.stride >= 2 + SHORTEST
    out.zeros = out.joined or wide
    out.count = 0
    if placement.offset:
        add_band(out, -1, 0, placement.offset)
    for i in range(size):
        same = i > 0
        for k in range(out.words):
            same = same and modules[i * out.words + k] == modules[(i - 1) * out.words + k]
        if same:
            out.times[out.count - 1] += placement.scale
        else:
            add_band(out, i, placement.offset + i * placement.scale, placement.scale)
    if below:
        add_band(out, -1, placement.width - below, below)


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
    const Colours *colours, const Picture *picture, const Tokens *tokens, const Plan *plan, int64_t stream,
    uint8_t *out
) noexcept nogil:
    """Write the file, exactly file_size bytes."""
    cdef int width = picture.placement.width
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
    deflate.write(tokens, plan, picture.stride, out + 2)  # and into the twenty bytes that follow
    out = put_number(out + 2 + stream, adler32(picture))
    out = end_chunk(out, 2 + stream + 4)

    out = begin_chunk(out, b"IEND", 0)
    end_chunk(out, 0)
