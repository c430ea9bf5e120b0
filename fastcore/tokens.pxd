"""The vocabulary of deflate (RFC 1951): lengths and distances as symbols, and tokens, which stand for many."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from fastcore.huffman cimport LITERALS

cdef extern from "lanes.h" nogil:
    int log2 "fc_log2" (uint64_t bits)


cdef enum:
    SHORTEST = 3  # bytes that one match copies
    LONGEST = 258
    FARTHEST = 32768

    END = 256  # the symbol that ends a block
    FIRST_LENGTH = 257
    LAST_LENGTH = 285  # stands for LONGEST, without extra bits
    DISTANCES = 30

    # A token is two words, one after the other: a length and a distance, two literals, or one and nothing; from SECOND
    # on the second one, from EXTRA on the extra bits of a distance. Words are numbered: symbols of distances, nothing,
    # literals, the end, lengths with their extra bits. Two numbers more stand for many words and have how many after
    # them.
    SECOND = 10
    EXTRA = 19
    ALONE = DISTANCES  # nothing, in no bits at all
    LITERAL = 32  # the number of literal 0
    LENGTH = LITERAL + FIRST_LENGTH - SHORTEST  # the number of a match's length, less that length
    WORD_COUNT = LENGTH + LONGEST + 1
    COPY = WORD_COUNT  # bytes to copy over a distance, as many matches as it takes
    ZEROS = COPY + 1  # rows of zeros, below one another


cdef struct Tokens:
    uint32_t *all
    int count
    uint32_t[LITERALS + 2] literals  # how often each symbol occurs; zeros up to a multiple of 16
    uint32_t[DISTANCES + 2] distances


# --- symbols (3.2.5) ---


cdef inline int length_extra(int length) noexcept nogil:
    """Extra bits of a match length in [3, 258]."""
    return log2(length - SHORTEST | 7) - 2 if length != LONGEST else 0


cdef inline int length_symbol(int length) noexcept nogil:
    """Symbol of a match length: eight lengths without, then four each with 1, 2, ... extra bits."""
    cdef int extra = log2(length - SHORTEST | 7) - 2
    return FIRST_LENGTH + 4 * extra + (length - SHORTEST >> extra) + (length == LONGEST)


cdef inline int distance_extra(int distance) noexcept nogil:
    """Extra bits of a distance in [1, 32768]."""
    return log2(distance - 1 | 3) - 1


cdef inline int distance_symbol(int distance) noexcept nogil:
    """Symbol of a distance: four without, then two each with 1, 2, ... extra bits."""
    cdef int extra = distance_extra(distance)
    return 2 * extra + (distance - 1 >> extra)


cdef inline uint32_t literal_token(uint8_t byte, uint32_t second) noexcept nogil:
    """A literal, and a second word: ALONE, or LITERAL plus the byte after it."""
    return LITERAL + byte | second << SECOND


cdef inline uint32_t distance_token(int distance) noexcept nogil:
    """The part of a match's token that says how far away it is."""
    cdef uint32_t bits = distance - 1 & (1 << distance_extra(distance)) - 1
    return distance_symbol(distance) << SECOND | bits << EXTRA


cdef inline uint32_t length_token(int64_t length) noexcept nogil:
    """The part that says how long it is."""
    return <uint32_t> (LENGTH + length)


# --- what tokens stand for ---


cdef inline int next_length(int64_t count) noexcept nogil:
    """Length of the first match of a copy of `count` >= 3 bytes, so that what remains can be copied too."""
    if count <= LONGEST:
        return <int> count
    return LONGEST if count >= LONGEST + SHORTEST else <int> count - SHORTEST


cdef inline int next_zeros_length(int64_t count, int stride, int *column, int *distance) noexcept nogil:
    """Length and distance of the first match of `count` >= 3 bytes of rows of filter type 2 and zeros, the
    first of them at column[0], which becomes the column after the match.

    A match that meets a filter type has to come from the row above; one that does not, from the byte before.
    """
    cdef int length = next_length(count)
    distance[0] = 1 if column[0] >= 2 and column[0] + length <= stride else stride
    column[0] += length
    while column[0] >= stride:
        column[0] -= stride
    return length


cdef inline int next_zeros_run(int64_t count, int stride, int *column) noexcept nogil:
    """The same for several matches at once, all of them as long as can be: how many come from the byte before
    until one does from the row above; -1 if they are too near to the end for that.
    """
    cdef int near = (stride - column[0]) // LONGEST if column[0] >= 2 else 0
    if count < (near + 1) * LONGEST + SHORTEST:
        return -1
    column[0] += (near + 1) * LONGEST
    if column[0] >= stride:
        column[0] -= stride
    return near
