"""Per image: pixel rows that repeat, as a deflate stream made from that structure."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from fastcore.huffman cimport LITERALS, Code
from fastcore.types cimport MAX_SIZE


cdef enum:
    MAX_BANDS = MAX_SIZE + 2  # rows of modules, and the margins above and below
    DISTANCES = 30
    HEADER = LITERALS + DISTANCES
    HASHES = 1 << 11
    BAND = 13  # bits of the column where a place is kept as band and column
    MASK_WORDS = (1 << BAND) // 64 + 1
    LONGEST = 258  # bytes that one match can copy

    # Bytes of a band's repeats, less the first LONGEST of each row, from which on they cost less as rows of
    # zeros than as copies; found by trying.
    WIDE = 2500


cdef struct Picture:
    # An image as bands: rows of `stride` bytes, filter type first, each written `times` times from row
    # `top` on.
    const uint8_t *rows  # one after the other, each different from the one before it
    int count
    int stride
    int step  # bytes in a module, rounded down, at least 1
    int samples  # bytes, so far apart, that are hashed
    int literal_bits  # that a byte takes, by a rough guess
    int enough  # bytes of a match that is good enough not to look for a better one
    int candidates  # looked at for each place
    bint zeros  # a band's row is written once and then repeated as "same as above": filter type 2 and zeros
    int[MAX_BANDS] top
    int[MAX_BANDS] times


cdef struct Plan:
    # What `plan` finds out and `write` needs. The caller gives memory for both pointers: one number for each
    # byte of the picture's rows, and two tokens for each of its bands more.
    int32_t *earlier  # place before this one with the same hash
    uint32_t *tokens
    # Of the row that is being looked at, a bit for each byte.
    uint64_t[MASK_WORDS] edges  # it differs from the byte before it
    uint64_t[MASK_WORDS] changes  # it differs from the byte above it
    int token_count
    int32_t[HASHES] latest
    uint32_t[LITERALS] literals  # how often each symbol occurs
    uint32_t[DISTANCES] distances
    Code literal_code
    Code distance_code
    # The two codes' lengths, run-length coded: symbols of 3.2.7, their extra bits, and the code for them.
    uint8_t[HEADER] header
    uint8_t[HEADER] header_extra
    int header_count
    int literal_count
    int distance_count
    Code header_code
    bint fixed  # none of that: the codes that need no header are shorter


cdef int64_t plan(const Picture *picture, Plan *out) noexcept nogil
cdef void write(const Picture *picture, const Plan *plan, uint8_t *out) noexcept nogil
