"""What the standard tabulates, kept as few numbers as it takes to work out the rest.

Only the two halves of table 9 are typed in; capacities, alignment centres and the two BCH codes are computed
from the rules the standard gives for them. The tests compare every value with independent encoders.
"""

from libc.stdint cimport uint8_t, uint32_t

from fastcore.types cimport MICRO, VERSIONS, Level


# Check codewords in each block and number of blocks (ISO/IEC 18004:2015, table 9), by level L M Q H and
# version 1-40, M1-M4; version 0 does not exist, and where there are no blocks a level does not.
cdef uint8_t[4][VERSIONS + 1] CHECK = [
    [0, 7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
     28, 28, 30, 30, 26, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 2, 5, 6, 8],
    [0, 10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26,
     26, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28, 0, 6, 8, 10],
    [0, 13, 22, 18, 26, 18, 24, 18, 22, 20, 24, 28, 26, 24, 20, 30, 24, 28, 28, 26, 30,
     28, 30, 30, 30, 30, 28, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 0, 0, 0, 14],
    [0, 17, 28, 22, 16, 22, 28, 26, 26, 24, 28, 24, 28, 22, 24, 24, 30, 28, 28, 26, 28,
     30, 24, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 30, 0, 0, 0, 0],
]
cdef uint8_t[4][VERSIONS + 1] BLOCKS = [
    [0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8,
     8, 9, 9, 10, 12, 12, 12, 13, 14, 15, 16, 17, 18, 19, 19, 20, 21, 22, 24, 25, 1, 1, 1, 1],
    [0, 1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16,
     17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49, 0, 1, 1, 1],
    [0, 1, 1, 2, 2, 4, 4, 6, 6, 8, 8, 8, 10, 12, 16, 12, 17, 16, 18, 21, 20,
     23, 23, 25, 27, 29, 34, 34, 35, 38, 40, 43, 45, 48, 51, 53, 56, 59, 62, 65, 68, 0, 0, 0, 1],
    [0, 1, 1, 2, 4, 4, 4, 5, 6, 8, 8, 11, 11, 16, 16, 18, 16, 19, 21, 25, 25,
     25, 34, 30, 32, 35, 37, 40, 42, 45, 48, 51, 54, 57, 60, 63, 66, 70, 74, 77, 81, 0, 0, 0, 0],
]


cdef int codewords_of(int version) noexcept nogil:
    """Data and check codewords of a version (table 1): 26 to 3706, or 5 to 24.

    The modules that no function pattern, format or version information takes, in whole bytes; up to seven
    remainder bits are left over.
    """
    cdef int size = size_of(version)
    if version > MICRO:
        # The square without one finder pattern and its separator, one copy of format information, and two
        # timing patterns. M1 and M3 have half a codeword more, which counts as a whole one.
        return (size * size - 64 - 15 - 2 * (size - 8) + 7) // 8
    cdef int alignments = version // 7 + 2 if version > 1 else 0
    # Three finder patterns with separators; two timing patterns between them; two copies of format
    # information and the dark module.
    cdef int modules = size * size - 3 * 64 - 2 * (size - 16) - 31
    if alignments:
        # 25 modules each, without the three corners that finder patterns occupy; those on a timing pattern
        # share five modules with it.
        modules -= 25 * (alignments * alignments - 3) - 2 * 5 * (alignments - 2)
    if version >= 7:
        modules -= 2 * 18
    return modules // 8


cdef int data_bits_of(int version, Level level) noexcept nogil:
    """Bits for data of a version (table 7): the last data codeword of M1 and M3 has four. -1 for no such
    level, in which not even an empty text fits.
    """
    cdef int half = 4 if version == MICRO + 1 or version == MICRO + 3 else 0
    if BLOCKS[<int> level][version] == 0:
        return -1
    return 8 * data_codewords_of(version, level) - half


cdef int data_codewords_of(int version, Level level) noexcept nogil:
    """Data codewords of a version (table 7): 9 to 2956, or 3 to 16."""
    return codewords_of(version) - CHECK[<int> level][version] * BLOCKS[<int> level][version]


cdef Blocks blocks_of(int version, Level level) noexcept nogil:
    """The error correction blocks of a version (table 9)."""
    cdef int count = BLOCKS[<int> level][version]
    cdef int data = data_codewords_of(version, level)
    cdef Blocks blocks
    blocks.degree = CHECK[<int> level][version]
    blocks.data = data // count
    blocks.longer = data % count
    blocks.shorter = count - blocks.longer
    blocks.half = 8 * data > data_bits_of(version, level)
    return blocks


cdef int alignment_of(int version, int *centres) noexcept nogil:
    """Write the row (and column) centres of alignment patterns, at most 7, ascending; return how many.

    Annex E: the first is 6, the last 6 less than the size less one, the ones between at one even distance
    counted from the last. Version 32 is the one row of table E.1 that rounds otherwise.
    """
    if version == 1:
        return 0
    cdef int count = version // 7 + 2
    cdef int last = size_of(version) - 7
    cdef int step = 26 if version == 32 else (version * 4 + count * 2 + 1) // (count * 2 - 2) * 2
    cdef int i
    centres[0] = 6
    for i in range(1, count):
        centres[i] = last - (count - 1 - i) * step
    return count


cdef inline uint32_t remainder(uint32_t value, int check, uint32_t generator) noexcept nogil:
    """Remainder of value * x**check divided by the generator of degree `check`, over GF(2)."""
    cdef int i
    value <<= check
    for i in range(31, check - 1, -1):
        if value >> i & 1:
            value ^= generator << (i - check)
    return value


cdef uint32_t micro_format_word(int version, Level level, int mask) noexcept nogil:
    """The 15 bits of a Micro QR code's format information, already masked (7.9.2, table 13)."""
    cdef uint32_t number = 0 if version == MICRO + 1 else 2 * (version - MICRO) - 3 + <int> level
    cdef uint32_t data = number << 2 | <uint32_t> mask
    return (data << 10 | remainder(data, 10, 0x537)) ^ 0x4445


cdef uint32_t format_word(Level level, int mask) noexcept nogil:
    """The 15 bits of format information, already masked (7.9.1, annex C)."""
    # The indicators of table 12 for L, M, Q, H are 01, 00, 11, 10.
    cdef uint32_t data = (<uint32_t> level ^ 1) << 3 | <uint32_t> mask
    return (data << 10 | remainder(data, 10, 0x537)) ^ 0x5412


cdef uint32_t version_word(int version) noexcept nogil:
    """The 18 bits of version information, for versions from 7 (7.10, annex D)."""
    return <uint32_t> version << 12 | remainder(<uint32_t> version, 12, 0x1F25)
