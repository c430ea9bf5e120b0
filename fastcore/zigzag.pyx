"""Per symbol: codewords into the modules they belong to, 32 rows of two columns at a time.

Data runs through a symbol in strips two modules wide, upwards and downwards in turn, past whatever function
patterns stand in the way (ISO/IEC 18004:2015, 7.7.3). A strip seen as a word with two bits per row is nothing
but the next bits of the stream, deposited where the template says that modules are free. The even bits of
such a word are one column, its odd bits the other.

Reading the stream with its first bit highest puts the last bit lowest: at the top, where an upward strip
ends. A downward strip takes the same bits in the opposite order. So the stream is kept in both.
"""

from libc.stdint cimport uint8_t, uint16_t, uint64_t
from libc.string cimport memset

from fastcore.template cimport STRIP_WORDS, STRIPS, strip_column, transpose
from fastcore.types cimport MAX_CODEWORDS, NO_CODEWORD, WORDS

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    uint64_t load_word "fc_load" (const uint8_t *at)


cdef enum:
    # 64-bit words of the longest stream, one before and two after it, so that reads never need a check.
    STREAM = MAX_CODEWORDS // 8 + 1 + 3


cdef inline uint64_t mirror_bytes(uint64_t x) noexcept nogil:
    """Reverse the bits of each byte."""
    x = (x >> 1 & 0x5555555555555555ULL) | (x & 0x5555555555555555ULL) << 1
    x = (x >> 2 & 0x3333333333333333ULL) | (x & 0x3333333333333333ULL) << 2
    return (x >> 4 & 0x0F0F0F0F0F0F0F0FULL) | (x & 0x0F0F0F0F0F0F0F0FULL) << 4


cdef inline uint64_t deposit(uint64_t bits, uint64_t places) noexcept nogil:
    """Put the low bits of `bits` into the set bits of `places`, lowest first.

    One step per run of places: a strip meets few obstacles. (x86 has an instruction for this, slow on some
    processors and missing on others; this is not where the time goes.)
    """
    cdef uint64_t out = 0
    cdef int at, run
    if ~places == 0:
        return bits
    while places:
        at = trailing_zeros(places)
        run = trailing_zeros(~(places >> at))
        out |= (bits & ((<uint64_t> 1 << run) - 1)) << at
        bits >>= run
        places &= places + (<uint64_t> 1 << at)  # clears the lowest run
    return out


cdef inline uint64_t even_bits(uint64_t x) noexcept nogil:
    """Pack the even bits of a word into its lower half."""
    x &= 0x5555555555555555ULL
    x = (x | x >> 1) & 0x3333333333333333ULL
    x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0FULL
    x = (x | x >> 4) & 0x00FF00FF00FF00FFULL
    x = (x | x >> 8) & 0x0000FFFF0000FFFFULL
    return (x | x >> 16) & 0x00000000FFFFFFFFULL


cdef void load(const uint8_t *codewords, int count, uint64_t *falling, uint64_t *rising) noexcept nogil:
    """Write the stream twice, as 64-bit words: first bit highest to `falling`, first bit lowest to `rising`.

    Both start with an empty word and end with two; bits past the last codeword are zero, which is what remainder bits
    are (7.6). Codewords are read eight at a time, so up to seven more than `count`.
    """
    cdef int words = (count + 7) // 8
    cdef uint64_t little
    cdef int i
    falling[0] = rising[0] = 0
    for i in range(words):
        little = load_word(codewords + 8 * i)
        if 8 * i + 8 > count:
            little &= (<uint64_t> 1 << 8 * (count & 7)) - 1
        rising[i + 1] = mirror_bytes(little)
        little = (little >> 32) | (little << 32)
        little = (little >> 16 & 0x0000FFFF0000FFFFULL) | (little & 0x0000FFFF0000FFFFULL) << 16
        falling[i + 1] = (little >> 8 & 0x00FF00FF00FF00FFULL) | (little & 0x00FF00FF00FF00FFULL) << 8
    for i in range(words + 1, words + 3):
        falling[i] = rising[i] = 0


cdef void lay(const Template *template, const uint8_t *codewords, int count, Grid *out) noexcept nogil:
    """Write the symbol without mask and format: function patterns and codewords, in rows and columns."""
    cdef uint64_t[STREAM] falling, rising
    cdef uint64_t[STRIPS][STRIP_WORDS] strips
    cdef int size = template.size
    cdef int words = (2 * size + 63) // 64
    cdef int lines = (size + 63) & ~63
    cdef int position = 64  # in bits, counting the empty word in front
    cdef int strip, k, right, shift
    cdef uint64_t bits
    load(codewords, count, falling, rising)

    for strip in range(size // 2):
        if strip & 1:
            for k in range(words):
                shift = position & 63
                bits = rising[position >> 6] >> shift
                if shift:
                    bits |= rising[(position >> 6) + 1] << (64 - shift)
                strips[strip][k] = deposit(bits, template.strip[strip][k])
                position += template.strip_ones[strip][k]
        else:
            for k in range(words - 1, -1, -1):
                position += template.strip_ones[strip][k]
                shift = position & 63
                bits = falling[(position >> 6) - 1]
                if shift:
                    bits = bits << shift | falling[position >> 6] >> (64 - shift)
                strips[strip][k] = deposit(bits, template.strip[strip][k])

    # Lines are read up to the end of their block of 64, words up to the last. What is not cleared is written below.
    for k in range(WORDS):
        memset(out.columns.word[k], 0, lines * sizeof(uint64_t))
    for k in range(lines // 64, WORDS):
        memset(out.rows.word[k], 0, lines * sizeof(uint64_t))
    for strip in range(size // 2):
        right = strip_column(size, strip)
        for k in range(words):
            bits = even_bits(strips[strip][k]) << 32 * (k & 1)
            out.columns.word[k // 2][right if strip & 1 else right - 1] |= bits
            bits = even_bits(strips[strip][k] >> 1) << 32 * (k & 1)
            out.columns.word[k // 2][right - 1 if strip & 1 else right] |= bits
    for k in range((size + 63) // 64):
        for strip in range(size):
            out.columns.word[k][strip] |= template.dark.columns.word[k][strip]
    transpose(&out.columns.word[0][0], size, &out.rows.word[0][0])


cdef void find_codewords(const Template *template, int count, uint16_t *out) noexcept nogil:
    """Write for each module, row by row, which codeword it carries a bit of, or NO_CODEWORD (7.7.3).

    Module by module, as the standard tells it: this is asked about single symbols, not about each one.
    """
    cdef int size = template.size
    cdef int bit = 0
    cdef int strip, step, row, column, right
    for row in range(size * size):
        out[row] = NO_CODEWORD
    for strip in range(size // 2):
        right = strip_column(size, strip)
        for step in range(size):
            row = step if strip & 1 else size - 1 - step
            for column in range(right, right - 2, -1):
                if template.free.rows.word[column // 64][row] >> (column % 64) & 1:
                    if bit < 8 * count:
                        out[row * size + column] = <uint16_t> (bit // 8)
                    bit += 1
