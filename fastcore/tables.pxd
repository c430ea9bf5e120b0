"""What the standard tabulates: sizes, capacities, blocks, alignment patterns, format and version words."""

from libc.stdint cimport uint32_t

from fastcore.types cimport MICRO, Level


cdef enum:
    MAX_BLOCKS = 81  # of version 40-H


cdef struct Blocks:
    # How the codewords of one version and level are cut into Reed-Solomon blocks (table 9): `shorter` blocks
    # of `data` data codewords, then `longer` blocks of one more; every block has `degree` check codewords.
    int degree
    int data
    int shorter
    int longer
    bint half  # the last data codeword has four bits (M1 and M3)


cdef inline int size_of(int version) noexcept nogil:
    """Modules in a line of a version: 21 to 177, or 11 to 17 (6.3.2)."""
    return 9 + 2 * (version - MICRO) if version > MICRO else 17 + 4 * version


cdef inline int mode_bits(int version) noexcept nogil:
    """Bits of a mode indicator (table 2)."""
    return version - MICRO - 1 if version > MICRO else 4


cdef inline int mode_indicator(int mode, int version) noexcept nogil:
    """What says a mode: a value of types.Mode itself, or its place among the modes (table 2)."""
    if version <= MICRO:
        return mode
    return 0 if mode == 1 else 1 if mode == 2 else 2 if mode == 4 else 3


cdef inline bint has_mode(int mode, int version) noexcept nogil:
    """Whether symbols of a version know a mode: each of M1 to M3 knows fewer (table 2)."""
    if version == MICRO + 1:
        return mode == 1
    return version != MICRO + 2 or mode <= 2


cdef inline int terminator_bits(int version) noexcept nogil:
    """Zero bits that end the data, if there is room for them (table 2)."""
    return 2 * (version - MICRO) + 1 if version > MICRO else 4


cdef inline int length_bits(int mode, int version) noexcept nogil:
    """Bits of the character count indicator (table 3); mode is an indicator of QR code (table 2)."""
    cdef int grade = (version >= 10) + (version >= 27)
    if version > MICRO:
        grade = version - MICRO
        return grade + 2 if mode == 1 else grade if mode == 8 else grade + 1
    if mode == 1:
        return 10 + 2 * grade
    if mode == 2:
        return 9 + 2 * grade
    if mode == 4:
        return 16 if grade else 8
    return 8 + 2 * grade


cdef int codewords_of(int version) noexcept nogil
cdef int data_bits_of(int version, Level level) noexcept nogil
cdef int data_codewords_of(int version, Level level) noexcept nogil
cdef Blocks blocks_of(int version, Level level) noexcept nogil
cdef int alignment_of(int version, int *centres) noexcept nogil
cdef uint32_t micro_format_word(int version, Level level, int mask) noexcept nogil
cdef uint32_t format_word(Level level, int mask) noexcept nogil
cdef uint32_t version_word(int version) noexcept nogil
