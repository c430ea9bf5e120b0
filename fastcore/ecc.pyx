"""Per symbol: Reed-Solomon check codewords, and both kinds of codewords interleaved.

Polynomial division with one table row per step. The remainder is kept whole in four machine words, its
highest coefficient in the lowest byte; a row holds the generator times one field element in the same form. So
one more data codeword takes a shift by one byte and four exclusive-ors, whatever the degree. The tables (8 KB
per degree, for the degrees of table 9 only) are built when the module is imported.
"""

from libc.stdint cimport uint8_t, uint64_t

from fastcore.gf256 cimport multiply
from fastcore.types cimport LEVEL_L, LEVEL_M, Level


cdef enum:
    MAX_DEGREE = 30
    WORDS = 4


cdef struct Divisor:
    # row[b] is b times the generator polynomial without its leading coefficient.
    uint64_t row[256][WORDS]


# Degrees of the generator polynomials in use (ISO/IEC 18004:2015, annex A): those of table 9.
cdef int[18] DEGREES = [2, 5, 6, 7, 8, 10, 13, 14, 15, 16, 17, 18, 20, 22, 24, 26, 28, 30]
cdef Divisor[18] DIVISORS
cdef int[MAX_DEGREE + 1] DIVISOR_OF  # index into DIVISORS, by degree


cdef void build_divisor(int degree, Divisor *out) noexcept nogil:
    """Expand (x - 1)(x - 2)(x - 4)... and multiply it by each field element (annex A)."""
    cdef uint8_t[MAX_DEGREE] generator  # highest coefficient first; the leading 1 is not stored
    cdef uint8_t root = 1
    cdef int i, j, b
    for i in range(degree):
        generator[i] = 0
    generator[degree - 1] = 1
    for _ in range(degree):
        for j in range(degree):
            generator[j] = multiply(generator[j], root)
            if j + 1 < degree:
                generator[j] ^= generator[j + 1]
        root = multiply(root, 2)
    for b in range(256):
        for i in range(WORDS):
            out.row[b][i] = 0
        for i in range(degree):
            out.row[b][i // 8] |= <uint64_t> multiply(<uint8_t> b, generator[i]) << 8 * (i % 8)


cdef void build() noexcept nogil:
    cdef int i
    for i in range(18):
        DIVISOR_OF[DEGREES[i]] = i
        build_divisor(DEGREES[i], &DIVISORS[i])


build()


cdef void remainder_of(const uint8_t *data, int count, int degree, uint8_t *out) noexcept nogil:
    """Write the `degree` check codewords of one block of `count` data codewords (7.5.2)."""
    cdef const Divisor *divisor = &DIVISORS[DIVISOR_OF[degree]]
    cdef const uint64_t *row
    cdef uint64_t a = 0, b = 0, c = 0, d = 0
    cdef uint64_t[WORDS] rest
    cdef int i
    for i in range(count):
        row = divisor.row[(a ^ data[i]) & 255]
        a = (a >> 8 | b << 56) ^ row[0]
        b = (b >> 8 | c << 56) ^ row[1]
        c = (c >> 8 | d << 56) ^ row[2]
        d = d >> 8 ^ row[3]
    rest[0], rest[1], rest[2], rest[3] = a, b, c, d
    for i in range(degree):
        out[i] = <uint8_t> (rest[i // 8] >> 8 * (i % 8))


cdef void protect(const uint8_t *data, Blocks blocks, uint8_t *out) noexcept nogil:
    """Write all codewords of a symbol to `out`: data, then check codewords, each interleaved (7.6)."""
    cdef int count = blocks.shorter + blocks.longer
    cdef int total = blocks.shorter * blocks.data + blocks.longer * (blocks.data + 1)
    cdef uint8_t[MAX_DEGREE] check
    cdef int block, length, i, at
    for block in range(count):
        length = blocks.data + (block >= blocks.shorter)
        remainder_of(data, length, blocks.degree, check)
        at = block
        for i in range(blocks.data):
            out[at] = data[i]
            at += count
        if length > blocks.data:
            # Only the longer blocks, which come last, have a codeword in this column.
            out[count * blocks.data + block - blocks.shorter] = data[blocks.data]
        at = total + block
        for i in range(blocks.degree):
            out[at] = check[i]
            at += count
        data += length
    if blocks.half:
        # Half a codeword is the higher half; the check codewords close up to it.
        for i in range(total, total + blocks.degree):
            out[i - 1] |= out[i] >> 4
            out[i] <<= 4


cdef int block_of(Blocks blocks, int codeword) noexcept nogil:
    """Which block a codeword of the interleaved sequence belongs to (7.6)."""
    cdef int count = blocks.shorter + blocks.longer
    cdef int total = blocks.shorter * blocks.data + blocks.longer * (blocks.data + 1)
    if codeword >= total:
        return (codeword - total) % count
    if codeword >= count * blocks.data:
        return blocks.shorter + codeword - count * blocks.data
    return codeword % count


cdef int correctable(int version, Level level, Blocks blocks) noexcept nogil:
    """How many wrong codewords of one block can be put right; the smallest symbols keep some check codewords
    to notice that they misread (table 9, note b).
    """
    cdef int reserved = 0
    if version == 1:
        reserved = 3 if level == LEVEL_L else 2 if level == LEVEL_M else 1
    elif level == LEVEL_L and version <= 3:
        reserved = 2 if version == 2 else 1
    return (blocks.degree - reserved) // 2
