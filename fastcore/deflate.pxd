"""Per image: tokens as a deflate stream."""

from libc.stdint cimport int64_t, uint8_t, uint32_t

from fastcore.huffman cimport LITERALS, Code
from fastcore.tokens cimport DISTANCES, WORD_COUNT, Tokens


cdef enum:
    HEADER = LITERALS + DISTANCES


cdef struct Plan:
    # What `plan` finds out and `write` needs.
    Code literal_code
    Code distance_code
    # The two codes' lengths, run-length coded: symbols of 3.2.7, their extra bits, and the code for them.
    uint8_t[HEADER] header
    uint8_t[HEADER] header_extra
    int header_count
    Code header_code
    uint32_t[WORD_COUNT] words  # by number, see tokens.pxd, those that occur: like words of Code, but for COUNT
    bint fixed  # none of that: the codes that need no header are shorter


cdef int64_t plan(const Tokens *tokens, Plan *out) noexcept nogil
cdef void write(const Tokens *tokens, const Plan *plan, int stride, uint8_t *out) noexcept nogil
