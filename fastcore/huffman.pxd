"""Per image: Huffman codes, as deflate wants them (RFC 1951, 3.2.2)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef enum:
    LITERALS = 286  # literal, end and length symbols (3.2.5); no other alphabet has more
    LIMIT = 15  # bits of the longest code
    COUNT = 16
    TOTAL = 24


cdef struct Code:
    # A Huffman code. Two symbols that never occur are part of the code without a header.
    uint16_t[LITERALS + 2] used  # the symbols that it has, in order
    int used_count
    uint8_t[LITERALS + 2] length  # in bits, 0 for others
    # The bits, the first to be written lowest, from COUNT on how many they are, and from TOTAL on how many with the
    # extra bits that follow; 0 for others.
    uint32_t[LITERALS + 2] word


cdef void find_lengths(const uint32_t *counts, int symbols, int limit, Code *out) noexcept nogil
cdef void assign_bits(Code *code, const uint8_t *extra) noexcept nogil
