"""Per image: tokens as a deflate stream (RFC 1951).

One block with its own Huffman codes, or the fixed ones should they be shorter. `plan` finds the codes and the
exact size; `write` writes.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastcore.huffman cimport COUNT, LIMIT, LITERALS, TOTAL, Code, assign_bits, find_lengths
from fastcore.tokens cimport (
    ALONE,
    COPY,
    DISTANCES,
    END,
    EXTRA,
    FIRST_LENGTH,
    LAST_LENGTH,
    LENGTH,
    LITERAL,
    LONGEST,
    SECOND,
    SHORTEST,
    WORD_COUNT,
    Tokens,
    distance_token,
    length_symbol,
    length_token,
    literal_token,
    next_length,
    next_zeros_length,
    next_zeros_run,
)

cdef extern from "lanes.h" nogil:
    uint64_t load "fc_load" (const uint8_t *at)
    void store "fc_store" (uint8_t *to, uint64_t bits)


cdef enum:
    HEADER_CODES = 19
    HEADER_LIMIT = 7


# Code lengths of the header code come in this order (3.2.7).
cdef uint8_t[HEADER_CODES] HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

# Extra bits of symbols (3.2.7 and 3.2.5).
cdef uint8_t[HEADER_CODES] HEADER_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 7]
cdef uint8_t[LITERALS + 2] LENGTH_EXTRA
cdef uint8_t[DISTANCES] DISTANCE_EXTRA
cdef uint16_t[LITERALS] SHORTEST_OF  # length symbols: the first length that they stand for


cdef Code FIXED_LITERALS  # the codes that need no header (3.2.6)
cdef Code FIXED_DISTANCES
cdef uint32_t[WORD_COUNT] FIXED_WORDS


cdef void find_words(const Code *literals, const Code *distances, uint32_t *out) noexcept nogil:
    """Write the words that are in use: lengths as long as their extra bits may be, too."""
    cdef int i, k, symbol, first
    cdef uint32_t word, step
    out[ALONE] = 0
    for i in range(distances.used_count):
        symbol = distances.used[i]
        out[symbol] = distances.word[symbol]
    for i in range(literals.used_count):
        symbol = literals.used[i]
        word = literals.word[symbol] & ~<uint32_t> (0xFF << COUNT)
        if symbol < FIRST_LENGTH:
            out[LITERAL + symbol] = word
        elif symbol <= LAST_LENGTH:  # after the one before it, which says its length, too
            step = 1 << literals.length[symbol]
            first = LENGTH + SHORTEST_OF[symbol]
            for k in range(1 << LENGTH_EXTRA[symbol]):
                out[first + k] = word + k * step


cdef void build() noexcept nogil:
    cdef int i
    for i in range(LITERALS + 2):
        LENGTH_EXTRA[i] = (i - 261) // 4 if 265 <= i < LAST_LENGTH else 0
        FIXED_LITERALS.used[i] = <uint16_t> i
        FIXED_LITERALS.length[i] = 8 if i < 144 else 9 if i < 256 else 7 if i < 280 else 8
    for i in range(LONGEST, SHORTEST - 1, -1):
        SHORTEST_OF[length_symbol(i)] = <uint16_t> i
    FIXED_LITERALS.used_count = LITERALS + 2
    for i in range(DISTANCES):
        DISTANCE_EXTRA[i] = max(0, i - 2) // 2
        FIXED_DISTANCES.used[i] = <uint16_t> i
        FIXED_DISTANCES.length[i] = 5
    FIXED_DISTANCES.used_count = DISTANCES
    assign_bits(&FIXED_LITERALS, LENGTH_EXTRA)
    assign_bits(&FIXED_DISTANCES, DISTANCE_EXTRA)
    find_words(&FIXED_LITERALS, &FIXED_DISTANCES, FIXED_WORDS)


build()


# --- Huffman codes ---


cdef inline void add_to_header(Plan *plan, int symbol, int extra, uint32_t *counts) noexcept nogil:
    plan.header[plan.header_count] = <uint8_t> symbol
    plan.header_extra[plan.header_count] = <uint8_t> extra
    plan.header_count += 1
    counts[symbol] += 1


cdef inline void add_unused(Plan *plan, int run, uint32_t *counts) noexcept nogil:
    """Say that so many symbols in a row do not occur."""
    cdef int part
    while run >= 3:
        part = min(run, 138)
        add_to_header(plan, 17 if part < 11 else 18, part - 3 if part < 11 else part - 11, counts)
        run -= part
    while run > 0:
        add_to_header(plan, 0, 0, counts)
        run -= 1


cdef inline void add_lengths(Plan *plan, const Code *code, uint32_t *counts) noexcept nogil:
    """Run-length code the lengths of a code (3.2.7)."""
    cdef int at = 0, i = 0
    cdef int length, run, part
    while i < code.used_count:
        add_unused(plan, code.used[i] - at, counts)
        at = code.used[i]
        length = code.length[at]
        run = 1
        while i + run < code.used_count and code.used[i + run] == at + run and code.length[at + run] == length:
            run += 1
        i += run
        at += run
        add_to_header(plan, length, 0, counts)
        run -= 1
        while run >= 3:
            part = min(run, 6)
            add_to_header(plan, 16, part - 3, counts)
            run -= part
        while run:
            add_to_header(plan, length, 0, counts)
            run -= 1


cdef inline int header_lengths(const Plan *plan) noexcept nogil:
    """How many lengths of the header code have to be written, at least 4."""
    cdef int count = HEADER_CODES
    while count > 4 and plan.header_code.length[HEADER_ORDER[count - 1]] == 0:
        count -= 1
    return count


cdef inline int64_t bits_of(
    const uint32_t *counts, const Code *used, const uint8_t *length, const uint8_t *extra
) noexcept nogil:
    """Bits of all symbols of a kind, each as long as said, with their extra bits."""
    cdef int64_t bits = 0
    cdef int i, symbol
    for i in range(used.used_count):
        symbol = used.used[i]
        bits += <int64_t> counts[symbol] * (length[symbol] + extra[symbol])
    return bits


cdef int64_t plan(const Tokens *tokens, Plan *out) noexcept nogil:
    """Find out how to write tokens; return the exact number of bytes."""
    cdef uint32_t[HEADER_CODES + 13] header
    cdef const Code *literals = &out.literal_code
    cdef const Code *distances = &out.distance_code
    cdef int64_t bits, fixed_bits
    find_lengths(tokens.literals, LITERALS, LIMIT, &out.literal_code)
    find_lengths(tokens.distances, DISTANCES, LIMIT, &out.distance_code)
    memset(header, 0, sizeof(header))
    out.header_count = 0
    add_lengths(out, literals, header)
    add_lengths(out, distances, header)
    if distances.used_count == 0:
        add_unused(out, 1, header)  # one has to be named
    find_lengths(header, HEADER_CODES, HEADER_LIMIT, &out.header_code)

    bits = 5 + 5 + 4 + 3 * header_lengths(out)
    bits += bits_of(header, &out.header_code, out.header_code.length, HEADER_EXTRA)
    bits += bits_of(tokens.literals, literals, literals.length, LENGTH_EXTRA)
    bits += bits_of(tokens.distances, distances, distances.length, DISTANCE_EXTRA)
    fixed_bits = bits_of(tokens.literals, literals, FIXED_LITERALS.length, LENGTH_EXTRA)
    fixed_bits += bits_of(tokens.distances, distances, FIXED_DISTANCES.length, DISTANCE_EXTRA)
    out.fixed = fixed_bits < bits
    if out.fixed:
        bits = fixed_bits
        memcpy(out.words, FIXED_WORDS, sizeof(FIXED_WORDS))
    else:
        assign_bits(&out.literal_code, LENGTH_EXTRA)
        assign_bits(&out.distance_code, DISTANCE_EXTRA)
        assign_bits(&out.header_code, HEADER_EXTRA)
        find_words(literals, distances, out.words)
    return (3 + bits + 7) // 8


cdef inline int symbols_to_last(const Code *code) noexcept nogil:
    """How many symbols there are up to the last one that is used, at least one."""
    return code.used[code.used_count - 1] + 1 if code.used_count else 1


# --- writing ---


cdef struct Stream:
    # Handed on by value: so it stays in registers.
    uint8_t *out
    uint64_t bits  # of the byte that is not yet full, the first lowest
    uint64_t count


cdef inline Stream put(Stream stream, uint64_t bits, uint64_t count) noexcept nogil:
    """Append `count` bits, at most 56, lowest first; eight bytes are written, though not all count yet."""
    stream.bits |= bits << stream.count
    stream.count += count
    store(stream.out, stream.bits)
    stream.out += stream.count >> 3
    stream.bits >>= stream.count & 56
    stream.count &= 7
    return stream


cdef inline Stream put_symbol(Stream stream, const Code *code, int symbol, int extra) noexcept nogil:
    cdef uint32_t word = code.word[symbol]
    return put(stream, word & 0xFFFF | extra << (word >> COUNT & 0xFF), word >> TOTAL)


cdef inline uint64_t token_bits(const Plan *plan, uint32_t token, uint64_t *count) noexcept nogil:
    """The bits of a token that stands for itself, at most 48."""
    cdef uint32_t first = plan.words[token & (1 << SECOND) - 1]
    cdef uint32_t second = plan.words[token >> SECOND & (1 << EXTRA - SECOND) - 1]
    cdef uint64_t bits = second & 0xFFFF | <uint64_t> (token >> EXTRA) << (second >> COUNT & 0xFF)
    count[0] = (first >> TOTAL) + (second >> TOTAL)
    return first & (1 << TOTAL) - 1 | bits << (first >> TOTAL)


cdef inline Stream put_token(Stream stream, const Plan *plan, uint32_t token) noexcept nogil:
    cdef uint64_t count
    cdef uint64_t bits = token_bits(plan, token, &count)
    return put(stream, bits, count)


cdef inline Stream put_times(Stream stream, uint64_t bits, uint64_t count, int64_t times) noexcept nogil:
    """Append the same bits, at most 28, so many times: as many at once as doubling finds room for."""
    cdef int64_t room = 1
    while 2 * room <= times and 2 * count <= 56:
        bits |= bits << count
        count *= 2
        room *= 2
    while times >= room:
        stream = put(stream, bits, count)
        times -= room
    if times:
        count = count // room * times
        stream = put(stream, bits & (<uint64_t> 1 << count) - 1, count)
    return stream


cdef inline Stream put_copy(Stream stream, const Plan *plan, int64_t count, uint32_t distance) noexcept nogil:
    """Append the matches of a copy; the distance as in a token."""
    cdef int64_t whole = (count - SHORTEST) // LONGEST
    cdef int length
    cdef uint64_t bits, bits_count
    if whole:
        bits = token_bits(plan, length_token(LONGEST) | distance, &bits_count)
        stream = put_times(stream, bits, bits_count, whole)
        count -= whole * LONGEST
    while count:
        length = next_length(count)
        stream = put_token(stream, plan, length_token(length) | distance)
        count -= length
    return stream


cdef Stream put_zeros(Stream stream, const Plan *plan, int rows, int stride) noexcept nogil:
    cdef int64_t count = <int64_t> (rows - 1) * stride
    cdef int column = 0, distance, length, run
    cdef uint32_t near = length_token(LONGEST) | distance_token(1)  # neither of them has to occur
    cdef uint32_t far = length_token(LONGEST) | distance_token(stride)
    stream = put_token(stream, plan, literal_token(2, LITERAL + 0))
    stream = put_copy(stream, plan, stride - 2, distance_token(1))
    while True:
        run = next_zeros_run(count, stride, &column)
        if run < 0:
            break
        count -= (run + 1) * LONGEST
        while run:
            stream = put_token(stream, plan, near)
            run -= 1
        stream = put_token(stream, plan, far)
    while count:
        length = next_zeros_length(count, stride, &column, &distance)
        stream = put_token(stream, plan, length_token(length) | distance_token(distance))
        count -= length
    return stream


cdef inline Stream put_again(Stream stream, const uint8_t *out, int64_t first, int64_t end) noexcept nogil:
    """Append what the stream already has from bit `first` up to but without bit `end`."""
    cdef int count
    while first < end:
        count = <int> min(56, end - first)
        stream = put(stream, load(out + (first >> 3)) >> (first & 7) & (<uint64_t> 1 << count) - 1, count)
        first += count
    return stream


cdef void write(const Tokens *tokens, const Plan *plan, int stride, uint8_t *out) noexcept nogil:
    """Write the stream that `plan` planned, exactly as many bytes as it said, from rows of `stride` bytes.

    Up to eight bytes after it are written, too: the caller has something else to put there.
    """
    cdef Stream stream
    cdef const uint32_t *next_token = tokens.all
    cdef const uint32_t *after = tokens.all + tokens.count
    cdef uint32_t token
    cdef int i, symbol, count
    cdef int rows = 0  # of zeros that were written last, from bit to bit
    cdef int64_t first = 0, end = 0
    stream.out = out
    stream.bits = 0
    stream.count = 0
    stream = put(stream, 1 | (1 if plan.fixed else 2) << 1, 3)  # the last block, and which codes it has
    if not plan.fixed:
        stream = put(stream, symbols_to_last(&plan.literal_code) - 257, 5)
        stream = put(stream, symbols_to_last(&plan.distance_code) - 1, 5)
        stream = put(stream, header_lengths(plan) - 4, 4)
        for i in range(header_lengths(plan)):
            stream = put(stream, plan.header_code.length[HEADER_ORDER[i]], 3)
        for i in range(plan.header_count):
            stream = put_symbol(stream, &plan.header_code, plan.header[i], plan.header_extra[i])
    while next_token < after:
        token = next_token[0]
        symbol = token & (1 << SECOND) - 1
        next_token += 1
        if symbol < COPY:
            stream = put_token(stream, plan, token)
            continue
        count = next_token[0]
        next_token += 1
        if symbol == COPY:
            stream = put_copy(stream, plan, count, token >> SECOND << SECOND)
        elif count == rows:
            stream = put_again(stream, out, first, end)
        else:
            rows = count
            first = 8 * (stream.out - out) + stream.count
            stream = put_zeros(stream, plan, rows, stride)
            end = 8 * (stream.out - out) + stream.count
    put_token(stream, plan, LITERAL + END | ALONE << SECOND)
