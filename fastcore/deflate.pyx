"""Per image: pixel rows that repeat, as a deflate stream made from that structure (RFC 1951).

A QR code's image has as many different rows as the symbol has, plus one for the margins. Only those are
looked at, once each; where a row repeats, or begins or ends like the row above it, nothing is searched:
that is one long copy over the distance of a row. What is left, the middle of each different row, goes
through a Lempel-Ziv search of its edges: a byte that differs from the one before it. What matches elsewhere
has its edges there too, so the bytes between need not be remembered; a match is followed back from its edge.

In wide images the distance of a row takes many extra bits, and again for every 258 bytes. There repeats are
written as rows that are "same as above" (PNG's filter type 2), which are zeros: only the one match in each
row that meets its filter type has that distance, all others have distance 1.

One block with its own Huffman codes, or the fixed ones should they be shorter. `plan` finds the tokens,
their codes and the exact size; `write` writes.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from fastcore.huffman cimport LIMIT, assign_bits, code_lengths

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    uint64_t unequal_bytes "fc_unequal_bytes" (const uint8_t *a, const uint8_t *b)
    int log2 "fc_log2" (uint64_t bits)
    int common_bytes "fc_common_bytes" (const uint8_t *a, const uint8_t *b, int limit)


cdef enum:
    SHORTEST = 3
    FARTHEST = 32768

    END = 256  # the symbol that ends a block
    FIRST_LENGTH = 257
    LAST_LENGTH = 285  # stands for LONGEST, without extra bits

    # A token: its kind, then what it needs. Literals and matches are symbols; the other two stand for many.
    LITERAL = 0  # byte
    MATCH = 1  # length - SHORTEST in 8 bits, distance - 1 in 16
    COPY = 2  # bytes to copy over the distance of a row
    ZEROS = 3  # rows of zeros, below one another
    KIND = 30  # its first bit

    # Found by trying, like what the picture says about searching.
    MATCH_BITS = 9  # that a match takes, without extra bits
    RUN = 4  # equal bytes that are cheaper as a match
    ENOUGH = 32  # bytes of a match at which no further candidate is looked at
    BETTER = 2  # bits that a later match must save more for a match to wait for it

    HEADER_CODES = 19
    HEADER_LIMIT = 7


# Code lengths of the header code come in this order (3.2.7).
cdef uint8_t[HEADER_CODES] HEADER_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]


# --- symbols ---


cdef inline int length_extra(int length) noexcept nogil:
    """Extra bits of a match length."""
    return log2(length - SHORTEST) - 2 if length >= 11 and length != LONGEST else 0


cdef inline int length_symbol(int length) noexcept nogil:
    """Symbol of a match length in [3, 258]: eight lengths without, then four each with 1, 2, ... extra
    bits.
    """
    cdef int extra = length_extra(length)
    if length == LONGEST:
        return LAST_LENGTH
    return FIRST_LENGTH + 4 * extra + (length - SHORTEST >> extra)


cdef inline int distance_extra(int distance) noexcept nogil:
    """Extra bits of a distance."""
    return log2(distance - 1) - 1 if distance > 4 else 0


cdef inline int distance_symbol(int distance) noexcept nogil:
    """Symbol of a distance in [1, 32768]: four without, then two each with 1, 2, ... extra bits."""
    cdef int extra = distance_extra(distance)
    return 2 * extra + (distance - 1 >> extra)


# --- tokens ---


cdef inline void add_token(Plan *plan, uint32_t kind, uint32_t value) noexcept nogil:
    plan.tokens[plan.token_count] = kind << KIND | value
    plan.token_count += 1


cdef inline void add_literal(Plan *plan, uint8_t byte) noexcept nogil:
    add_token(plan, LITERAL, byte)
    plan.literals[byte] += 1


cdef inline void count_match(Plan *plan, int length, int distance, uint32_t times) noexcept nogil:
    plan.literals[length_symbol(length)] += times
    plan.distances[distance_symbol(distance)] += times


cdef inline void add_match(Plan *plan, int length, int distance) noexcept nogil:
    add_token(plan, MATCH, (length - SHORTEST) << 16 | (distance - 1))
    count_match(plan, length, distance, 1)


cdef inline int next_length(int64_t count) noexcept nogil:
    """Length of the first match of a copy of `count` >= 3 bytes, so that what remains can be copied too."""
    if count <= LONGEST:
        return <int> count
    return LONGEST if count >= LONGEST + SHORTEST else <int> count - SHORTEST


cdef inline void count_copy(Plan *plan, int64_t count, int distance, uint32_t times) noexcept nogil:
    """Count the matches of `times` copies of `count` bytes each."""
    cdef int64_t whole = (count - SHORTEST) // LONGEST  # this many are certainly as long as can be
    cdef int length
    if whole:
        count_match(plan, LONGEST, distance, <uint32_t> whole * times)
        count -= whole * LONGEST
    while count:
        length = next_length(count)
        count_match(plan, length, distance, times)
        count -= length


cdef inline void add_copy(const Picture *picture, Plan *plan, int64_t count, int place) noexcept nogil:
    """Copy the bytes before `place`; so few of them that a match cannot say it are written out."""
    cdef int i
    if count >= SHORTEST:
        add_token(plan, COPY, <uint32_t> count)
        count_copy(plan, count, picture.stride, 1)
        return
    for i in range(<int> count):
        add_literal(plan, picture.rows[place - count + i])


cdef inline int next_zeros_length(int64_t count, int stride, int *row, int *distance) noexcept nogil:
    """Length and distance of the first match of `count` >= 3 bytes of rows of filter type 2 and zeros, the
    first of them at column row[0], which becomes the column after the match.

    A match that meets a filter type has to come from the row above; one that does not, from the byte before.
    """
    cdef int length = next_length(count)
    distance[0] = 1 if row[0] >= 2 and row[0] + length <= stride else stride
    row[0] += length
    while row[0] >= stride:
        row[0] -= stride
    return length


cdef void add_zeros(const Picture *picture, Plan *plan, int rows) noexcept nogil:
    """Rows of filter type 2 and zeros only: two literals and a run, then copies of that row."""
    cdef int64_t count = <int64_t> (rows - 1) * picture.stride
    cdef uint32_t near = 0
    cdef int column = 0, distance, length
    add_token(plan, ZEROS, rows)
    plan.literals[2] += 1
    plan.literals[0] += 1
    count_copy(plan, picture.stride - 2, 1, 1)
    while count:
        length = next_zeros_length(count, picture.stride, &column, &distance)
        count -= length
        if length == LONGEST and distance == 1:  # nearly all are
            near += 1
        else:
            count_match(plan, length, distance, 1)
    if near:
        count_match(plan, LONGEST, 1, near)


# --- search ---


cdef struct Match:
    int gain  # bits saved, by a rough guess; 0 for no match
    int start  # its column
    int length
    int distance


cdef inline int hash_of(const Picture *picture, const uint8_t *bytes) noexcept nogil:
    """A hash in [0, HASHES) of what a few modules from here on look like."""
    cdef uint64_t key = bytes[0]
    cdef int i
    for i in range(1, picture.samples):
        key = key << 8 | bytes[i * picture.step]
    return <int> (key * <uint64_t> 0x9E3779B97F4A7C15 >> 53)


cdef inline void compare(const Picture *picture, Plan *plan, int band) noexcept nogil:
    """Find the edges and the changes of a band's row; those of filter types do not matter."""
    cdef const uint8_t *row = picture.rows + band * picture.stride
    cdef int at, shift
    cdef uint64_t edges, changes
    for at in range(0, picture.stride, 64):
        edges = changes = 0
        for shift in range(0, min(64, picture.stride - at), 8):
            edges |= unequal_bytes(row + at + shift, row + at + shift - 1) << shift
            if band:
                changes |= unequal_bytes(row + at + shift, row + at + shift - picture.stride) << shift
        edges |= at == 0
        plan.edges[at >> 6] = edges
        plan.changes[at >> 6] = changes if band else ~<uint64_t> 0


cdef inline int next_bit(const uint64_t *bits, int at, int end) noexcept nogil:
    """The first bit that is set, from `at` on, or `end`."""
    cdef uint64_t word
    if at >= end:
        return end
    word = bits[at >> 6] >> (at & 63)
    if word:
        return min(end, at + trailing_zeros(word))
    at = (at | 63) + 1
    while at < end:
        if bits[at >> 6]:
            return min(end, at + trailing_zeros(bits[at >> 6]))
        at += 64
    return end


cdef inline void remember(const Picture *picture, Plan *plan, int band, int column, int end) noexcept nogil:
    """Make the edges of a band from `column` up to but without `end` known to later searches."""
    cdef const uint8_t *row = picture.rows + band * picture.stride
    cdef int key
    end = min(end, picture.stride - (picture.samples - 1) * picture.step)
    column = next_bit(plan.edges, column, end)
    while column < end:
        key = hash_of(picture, row + column)
        plan.earlier[band * picture.stride + column] = plan.latest[key]
        plan.latest[key] = band << BAND | column
        column = next_bit(plan.edges, column + 1, end)


cdef inline int rows_between(const Picture *picture, int band, int other) noexcept nogil:
    """How far above a band's first row another band's is; its last row, if that is the same."""
    cdef int rows = picture.top[band] - picture.top[other]
    if other < band and not picture.zeros:
        rows -= picture.times[other] - 1
    return rows


cdef inline void try_match(
    const Picture *picture, const uint8_t *row, int first, int edge, int length, const uint8_t *there, int before,
    int distance, Match *best
) noexcept nogil:
    """Keep a match of `length` bytes from `edge` on, if it saves more, together with what is equal before it
    down to column `first`, at most `before` bytes.
    """
    cdef int start = edge, gain
    if distance > FARTHEST:
        return
    first = max(first, edge - before)
    while start > first and row[start - 1] == there[start - 1 - edge]:
        start -= 1
    length = min(edge + length - start, LONGEST)
    if length < SHORTEST:
        return
    gain = picture.literal_bits * length - MATCH_BITS - distance_extra(distance) - length_extra(length)
    if gain > best.gain:
        best.gain = gain
        best.start = start
        best.length = length
        best.distance = distance


cdef inline Match search(const Picture *picture, const Plan *plan, int band, int first, int edge) noexcept nogil:
    """The best match that covers an edge and starts at `first` or later, in its own row or above it."""
    cdef int stride = picture.stride
    cdef const uint8_t *row = picture.rows + band * stride
    cdef const uint8_t *there
    cdef Match best
    cdef int other, other_band, column, limit, length, end
    best.gain = best.start = best.length = best.distance = 0
    if not plan.changes[edge >> 6] >> (edge & 63) & 1:
        try_match(
            picture, row, first, edge, next_bit(plan.changes, edge, stride) - edge, row + edge - stride, edge,
            rows_between(picture, band, band - 1) * stride, &best
        )
    if edge + (picture.samples - 1) * picture.step >= stride:
        return best
    other = plan.latest[hash_of(picture, row + edge)]
    for _ in range(picture.candidates):
        if other < 0 or best.length >= ENOUGH:
            break
        other_band = other >> BAND
        column = other & (1 << BAND) - 1
        there = picture.rows + other_band * stride + column
        limit = stride - max(edge, column if other_band < band else 0)
        # A candidate that does not go on as far as the best one is not looked at: most do not.
        end = best.start + best.length - edge if best.gain else 0
        length = 0
        if end < limit and row[edge + end] == there[end]:
            length = common_bytes(row + edge, there, limit)
        if length > 1:
            try_match(
                picture, row, first, edge, length, there, column,
                rows_between(picture, band, other_band) * stride + edge - column, &best
            )
        other = plan.earlier[other_band * stride + column]
    return best


cdef inline void add_plain(const Picture *picture, Plan *plan, int band, int column, int end) noexcept nogil:
    """Bytes as literals, but long runs as matches of distance 1."""
    cdef const uint8_t *row = picture.rows + band * picture.stride
    cdef int edge, length
    while column < end:
        edge = next_bit(plan.edges, column, end)
        if edge - column >= RUN:
            while column < edge:
                length = next_length(edge - column)
                add_match(plan, length, 1)
                column += length
            continue
        edge = max(edge, column + 1)
        while column < edge:
            add_literal(plan, row[column])
            column += 1


cdef inline int search_row(
    const Picture *picture, Plan *plan, int band, int column, int end
) noexcept nogil:
    """Find tokens for a band's bytes from `column` on; return where they end, at `end` or later.

    Only edges are searched. A match waits if one over a later edge of it is better.
    """
    cdef int edge = next_bit(plan.edges, column, end)
    cdef int later_edge
    cdef Match match, later
    while edge < end:
        match = search(picture, plan, band, column, edge)
        remember(picture, plan, band, edge, edge + 1)
        later_edge = edge
        while match.gain and match.length < picture.enough:
            later_edge = next_bit(plan.edges, edge + 1, end)
            if later_edge >= min(end, match.start + match.length):
                break
            later = search(picture, plan, band, column, later_edge)
            if later.gain <= match.gain + BETTER:
                break
            match = later
            edge = later_edge
            remember(picture, plan, band, edge, edge + 1)
        if match.gain == 0:
            edge = next_bit(plan.edges, edge + 1, end)
            continue
        add_plain(picture, plan, band, column, match.start)
        add_match(plan, match.length, match.distance)
        column = match.start + match.length
        remember(picture, plan, band, edge + 1, column)
        edge = next_bit(plan.edges, column, end)
    if column < end:
        add_plain(picture, plan, band, column, end)
        column = end
    return column


cdef void find_tokens(const Picture *picture, Plan *plan) noexcept nogil:
    """Fill plan.tokens and the numbers of symbols."""
    cdef int stride = picture.stride
    cdef int64_t copied = 0  # bytes just before `place` that go on as the row above does
    cdef int band, column, end
    cdef const uint8_t *row
    plan.token_count = 0
    memset(plan.latest, 0xFF, sizeof(plan.latest))  # -1: no place
    memset(plan.literals, 0, sizeof(plan.literals))
    memset(plan.distances, 0, sizeof(plan.distances))
    for band in range(picture.count):
        row = picture.rows + band * stride
        column = 0
        end = stride
        compare(picture, plan, band)
        if not picture.zeros and band:
            column = next_bit(plan.changes, 0, stride)
            copied += column
            while end > column and row[end - 1] == row[end - 1 - stride]:
                end -= 1
            remember(picture, plan, band, 0, column)
        if column < end:
            add_copy(picture, plan, copied, band * stride + column)
            column = search_row(picture, plan, band, column, end)
            copied = 0
        remember(picture, plan, band, column, stride)
        copied += stride - column
        if picture.zeros:
            if picture.times[band] > 1:
                add_zeros(picture, plan, picture.times[band] - 1)
        else:
            copied += <int64_t> (picture.times[band] - 1) * stride
    add_copy(picture, plan, copied, picture.count * stride)
    plan.literals[END] = 1


# --- Huffman codes ---


cdef void shorten_header(Plan *plan) noexcept nogil:
    """Run-length code the two codes' lengths (3.2.7)."""
    cdef uint8_t[HEADER] lengths
    cdef int count = plan.literal_count + plan.distance_count
    cdef int i, run, part
    for i in range(plan.literal_count):
        lengths[i] = plan.literal_code.length[i]
    for i in range(plan.distance_count):
        lengths[plan.literal_count + i] = plan.distance_code.length[i]
    plan.header_count = 0
    i = 0
    while i < count:
        run = 1
        while i + run < count and lengths[i + run] == lengths[i]:
            run += 1
        part = 1
        plan.header[plan.header_count] = lengths[i]
        plan.header_extra[plan.header_count] = 0
        if lengths[i] == 0 and run >= 3:
            part = min(run, 138)
            plan.header[plan.header_count] = 17 if part < 11 else 18
            plan.header_extra[plan.header_count] = <uint8_t> (part - 3 if part < 11 else part - 11)
        elif i and lengths[i] == lengths[i - 1] and run >= 3:
            part = min(run, 6)
            plan.header[plan.header_count] = 16
            plan.header_extra[plan.header_count] = <uint8_t> (part - 3)
        plan.header_count += 1
        i += part


cdef inline int header_extra_bits(int symbol) noexcept nogil:
    """Extra bits of a header symbol."""
    return 0 if symbol < 16 else 2 if symbol == 16 else 3 if symbol == 17 else 7


cdef inline int header_lengths(const Plan *plan) noexcept nogil:
    """How many lengths of the header code have to be written, at least 4."""
    cdef int count = HEADER_CODES
    while count > 4 and plan.header_code.length[HEADER_ORDER[count - 1]] == 0:
        count -= 1
    return count


cdef inline uint8_t fixed_length(int symbol) noexcept nogil:
    """Bits of a literal or length in the code that needs no header (3.2.6)."""
    return 8 if symbol < 144 else 9 if symbol < 256 else 7 if symbol < 280 else 8


cdef int64_t plan(const Picture *picture, Plan *out) noexcept nogil:
    """Find out how to write a picture; return the exact number of bytes."""
    cdef uint32_t[HEADER_CODES] header
    cdef int64_t bits, fixed_bits = 0
    cdef int i, extra
    find_tokens(picture, out)
    out.literal_count = code_lengths(out.literals, LITERALS, LIMIT, out.literal_code.length)
    out.distance_count = max(1, code_lengths(out.distances, DISTANCES, LIMIT, out.distance_code.length))
    assign_bits(&out.literal_code, out.literal_count)
    assign_bits(&out.distance_code, out.distance_count)
    shorten_header(out)
    memset(header, 0, sizeof(header))
    for i in range(out.header_count):
        header[out.header[i]] += 1
    code_lengths(header, HEADER_CODES, HEADER_LIMIT, out.header_code.length)
    assign_bits(&out.header_code, HEADER_CODES)

    bits = 5 + 5 + 4 + 3 * header_lengths(out)
    for i in range(HEADER_CODES):
        bits += <int64_t> header[i] * (out.header_code.length[i] + header_extra_bits(i))
    for i in range(out.literal_count):
        extra = (i - 261) // 4 if 265 <= i < LAST_LENGTH else 0
        bits += <int64_t> out.literals[i] * (out.literal_code.length[i] + extra)
        fixed_bits += <int64_t> out.literals[i] * (fixed_length(i) + extra)
    for i in range(out.distance_count):
        extra = max(0, i - 2) // 2
        bits += <int64_t> out.distances[i] * (out.distance_code.length[i] + extra)
        fixed_bits += <int64_t> out.distances[i] * (5 + extra)
    out.fixed = fixed_bits < bits
    if out.fixed:
        bits = fixed_bits
        for i in range(288):
            out.literal_code.length[i] = fixed_length(i)
        memset(out.distance_code.length, 5, DISTANCES)
        assign_bits(&out.literal_code, 288)
        assign_bits(&out.distance_code, DISTANCES)
    return (3 + bits + 7) // 8


# --- writing ---


cdef struct Stream:
    uint8_t *out
    uint64_t bits  # not yet written, the first lowest
    int count


cdef inline void put(Stream *stream, uint64_t bits, int count) noexcept nogil:
    """Append `count` bits, at most 32, lowest first."""
    cdef int i
    stream.bits |= bits << stream.count
    stream.count += count
    if stream.count >= 32:
        for i in range(4):
            stream.out[i] = <uint8_t> (stream.bits >> 8 * i)
        stream.out += 4
        stream.bits >>= 32
        stream.count -= 32


cdef inline void put_symbol(Stream *stream, const Code *code, int symbol) noexcept nogil:
    put(stream, code.bits[symbol], code.length[symbol])


cdef inline void put_match(Stream *stream, const Plan *plan, int length, int distance) noexcept nogil:
    cdef int extra = length_extra(length)
    put_symbol(stream, &plan.literal_code, length_symbol(length))
    put(stream, (length - SHORTEST) & ((1 << extra) - 1), extra)
    extra = distance_extra(distance)
    put_symbol(stream, &plan.distance_code, distance_symbol(distance))
    put(stream, (distance - 1) & ((1 << extra) - 1), extra)


cdef inline void put_copy(Stream *stream, const Plan *plan, int64_t count, int distance) noexcept nogil:
    cdef int length
    while count:
        length = next_length(count)
        put_match(stream, plan, length, distance)
        count -= length


cdef void write(const Picture *picture, const Plan *plan, uint8_t *out) noexcept nogil:
    """Write the stream that `plan` planned, exactly as many bytes as it said."""
    cdef Stream stream
    cdef uint32_t value
    cdef int64_t count
    cdef uint64_t near
    cdef int i, column, distance, length, near_bits
    stream.out = out
    stream.bits = 0
    stream.count = 0
    put(&stream, 1 | (1 if plan.fixed else 2) << 1, 3)  # the last block, and which codes it has
    if not plan.fixed:
        put(&stream, plan.literal_count - 257, 5)
        put(&stream, plan.distance_count - 1, 5)
        put(&stream, header_lengths(plan) - 4, 4)
        for i in range(header_lengths(plan)):
            put(&stream, plan.header_code.length[HEADER_ORDER[i]], 3)
        for i in range(plan.header_count):
            put_symbol(&stream, &plan.header_code, plan.header[i])
            put(&stream, plan.header_extra[i], header_extra_bits(plan.header[i]))

    near = plan.literal_code.bits[LAST_LENGTH]  # the match that is most of every wide image: no extra bits
    near_bits = plan.literal_code.length[LAST_LENGTH]
    near |= <uint64_t> plan.distance_code.bits[0] << near_bits
    near_bits += plan.distance_code.length[0]
    for i in range(plan.token_count):
        value = plan.tokens[i] & ((<uint32_t> 1 << KIND) - 1)
        if plan.tokens[i] >> KIND == LITERAL:
            put_symbol(&stream, &plan.literal_code, value)
        elif plan.tokens[i] >> KIND == MATCH:
            put_match(&stream, plan, (value >> 16) + SHORTEST, (value & 0xFFFF) + 1)
        elif plan.tokens[i] >> KIND == COPY:
            put_copy(&stream, plan, value, picture.stride)
        else:
            put_symbol(&stream, &plan.literal_code, 2)
            put_symbol(&stream, &plan.literal_code, 0)
            put_copy(&stream, plan, picture.stride - 2, 1)
            count = <int64_t> (<int> value - 1) * picture.stride
            column = 0
            while count:
                length = next_zeros_length(count, picture.stride, &column, &distance)
                count -= length
                if length == LONGEST and distance == 1:
                    put(&stream, near, near_bits)
                else:
                    put_match(&stream, plan, length, distance)
    put_symbol(&stream, &plan.literal_code, END)
    while stream.count > 0:
        stream.out[0] = <uint8_t> stream.bits
        stream.out += 1
        stream.bits >>= 8
        stream.count -= 8
