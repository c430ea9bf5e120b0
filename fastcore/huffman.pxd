"""Per image: Huffman codes, as deflate wants them (RFC 1951, 3.2.2)."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef enum:
    LITERALS = 286  # literal, end and length symbols (3.2.5); no other alphabet has more
    LIMIT = 15  # bits of the longest code


cdef struct Code:
    # A Huffman code: bits of each symbol, the first to be written lowest.
    uint8_t[LITERALS + 2] length  # two that never occur are part of the code without a header
    uint16_t[LITERALS + 2] bits


cdef int code_lengths(const uint32_t *counts, int symbols, int limit, uint8_t *out) noexcept nogil
cdef void assign_bits(Code *code, int symbols) noexcept nogil
