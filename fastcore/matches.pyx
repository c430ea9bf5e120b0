"""Per image: what in a picture repeats, as tokens of deflate (RFC 1951).

A picture has as many different rows as its symbol has, plus one for the margins. Only those are looked at, once
each; where a row repeats, or begins or ends like the row above it, nothing is searched: that is one long copy
over the distance of a row. What is left, the middle of each different row, goes through a Lempel-Ziv search.

The search compares modules, 64 in one step, and no bytes. A match in bytes that covers an edge, where a module
differs from the one to its left, is a match in modules: edges lie on a grid, and only those that are a multiple
of eight pixels apart look the same in bytes. It begins and ends with the last byte that has no differing module
in it. A match without an edge is a run of equal bytes, which needs no search. So only edges are searched, and
only edges are remembered.

In wide images the distance of a row takes many extra bits, and again for every 258 bytes. There repeats are
written as rows that are "same as above" (PNG's filter type 2), which are zeros: only the one match in each
row that meets its filter type has that distance, all others have distance 1.

In narrow images repeats are written as zeros for another reason. They look the same after every row, so that what
lies between two rows can be copied from any place above, together with how the one ends and the other begins.
"""

from libc.stdint cimport int16_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from fastcore.picture cimport FILTER_PX, MAX_BANDS, Picture, has_zeros, word_of
from fastcore.tokens cimport (
    ALONE,
    COPY,
    END,
    FARTHEST,
    LITERAL,
    LONGEST,
    SECOND,
    SHORTEST,
    ZEROS,
    Tokens,
    distance_extra,
    distance_symbol,
    distance_token,
    length_extra,
    length_symbol,
    length_token,
    literal_token,
    next_length,
    next_zeros_length,
    next_zeros_run,
)
from fastcore.types cimport WORDS

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    int leading_zeros "fc_leading_zeros" (uint64_t bits)
    int ones "fc_ones" (uint64_t bits)
    uint64_t load "fc_load" (const uint8_t *at)
    void store "fc_store" (uint8_t *to, uint64_t bits)


cdef enum:
    # Modules are kept as bits, a row every 1 << Search.shift of them: light ones, the row, light ones. The number
    # of a bit is called a place. Eight bytes show this many modules from any place on, and before any place.
    BEFORE = 64  # light modules before a row
    MODULES_IN_BYTE = 9
    WINDOW = 57
    WINDOW_BEFORE = 56
    NARROW_SHIFT = 7  # of rows that are one machine word, their end included
    NOWHERE = 0  # a place that nothing begins at
    NONE = -1
    UNFOLDED = 1 << 13  # bytes of a picture that is small enough to be taken as one row
    EDGE_WORDS = 8 * UNFOLDED // 64 + 1
    HASHES = 1 << 11
    MOST_NUMBERED = 8  # modules that are no more than a number below HASHES, with their phase
    PHASE = 60

    # Found by trying, like what `tune` says about searching.
    MATCH_BITS = 9  # that a match takes, without extra bits
    RUN = 4  # equal bytes that are cheaper as a match
    BETTER = 2  # bits that a later match must save more for a match to wait for it
    MOST_LITERAL_BITS = 7
    HASHED_SCALES = 26
    JOINTS = 49  # bands that are looked at for one
    FEW = 8  # matches of a copy that are tokens of their own


# The bytes that modules show, at [pixels in one, eight for more][before][modules]: the first module, the lowest bit,
# goes on for `before` pixels, then the others begin.
cdef uint8_t[9][9][1 << MODULES_IN_BYTE] BYTES
cdef uint16_t[LONGEST + 1] LENGTH_SYMBOL
# What a match saves over literals, but for its distance, at [literal_bits][length].
cdef int16_t[MOST_LITERAL_BITS + 1][LONGEST + 1] SAVED


cdef inline int modules_in_byte(int scale) noexcept nogil:
    """Most modules that a byte shows some of, up to eight pixels in a module."""
    return 1 + (7 + scale) // scale


cdef void build() noexcept nogil:
    cdef int scale, before, modules, pixel, module, length, bits
    for scale in range(1, 9):
        for before in range(9):
            for modules in range(1 << modules_in_byte(scale)):
                for pixel in range(8):
                    module = 1 + (pixel - before) // scale if pixel >= before else 0
                    BYTES[scale][before][modules] |= (modules >> module & 1) << (7 - pixel)
    for length in range(SHORTEST, LONGEST + 1):
        LENGTH_SYMBOL[length] = <uint16_t> length_symbol(length)
        for bits in range(MOST_LITERAL_BITS + 1):
            SAVED[bits][length] = <int16_t> (bits * length - MATCH_BITS - length_extra(length))


build()


# Modules that are hashed, by pixels in a module; found by trying. More pixels are like the last number of them.
cdef uint8_t[HASHED_SCALES] HASHED = [
    0, 16, 16, 10, 16, 6, 6, 5, 10, 5, 5, 5, 5, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 5, 4
]


# What addresses are made of are machine words everywhere here: narrower ones have to be widened again and again.


cdef struct Byte:
    # A byte of a row, wherever its band is.
    uint16_t module  # the first one that begins in it or after it, at most the one after the last edge
    uint16_t before  # pixels until that begins, at most eight, as an index of BYTES


cdef struct Match:
    int64_t gain  # the bits that it saves, by a rough guess; 0 for none
    int64_t distance
    int64_t start  # the first column
    int64_t end  # and the one after the last


cdef struct Search:
    Tokens *tokens
    uint8_t *bits  # all rows, and eight bytes before them
    uint16_t *earlier  # the place before each one with the same hash, or NOWHERE
    Byte *bytes  # of a row, and one after it
    uint16_t[HASHES] latest
    int64_t shift
    int64_t stride
    int64_t scale
    int64_t origin  # pixel of the first module in its row, that of the filter type included
    int64_t filter  # bytes before the first pixel
    int64_t modules  # in a row, and the edge at its end
    bint fine  # several modules in a byte
    bint numbered  # what is hashed is a number below HASHES
    uint64_t[64] phases  # by a place's lowest bits: at which pixel of a byte its module begins, above what is hashed
    uint8_t light  # a byte of light pixels
    uint64_t shown  # as many of its lowest bits as modules that a byte may show
    uint64_t near  # and as modules that certainly begin within RUN bytes
    # How to search.
    uint64_t hashed  # as many of its lowest bits as modules are hashed
    const int16_t *saved  # see SAVED
    int64_t enough  # bytes of a match that is good enough not to look for a better one
    int64_t candidates  # looked at for each place
    # Of the row that is being looked at, a bit for each module.
    uint64_t[EDGE_WORDS] edges  # it differs from the one to its left
    uint64_t[EDGE_WORDS] points  # it is remembered and may be searched: the first such one in its byte
    uint64_t[WORDS] firsts  # it is the first one that begins in its byte
    uint64_t[WORDS] lasts  # it is the last one
    int64_t[MAX_BANDS] at  # where rows begin in the picture, in bytes: a band's last one, but the first of this band
    # Of a picture with joints, as in `window_before` and `window`.
    uint64_t[MAX_BANDS] ends  # the last modules of each band's row
    uint64_t[MAX_BANDS] starts  # the first ones of the row below it


cdef struct Joint:
    # How a band goes on into the next one.
    int other  # the band above that it ends like, and the next one begins like the one after that; or NONE
    int end  # the column from which on it does
    int column  # of the next band, up to which it does


# --- tokens ---


cdef inline void add_token(Tokens *tokens, uint32_t token) noexcept nogil:
    tokens.all[tokens.count] = token
    tokens.count += 1


cdef inline void add_literal(Tokens *tokens, uint8_t byte) noexcept nogil:
    add_token(tokens, literal_token(byte, ALONE))
    tokens.literals[byte] += 1


cdef inline void count_match(Tokens *tokens, int length, int distance, uint32_t times) noexcept nogil:
    tokens.literals[length_symbol(length)] += times
    tokens.distances[distance_symbol(distance)] += times


cdef inline void add_match(Tokens *tokens, int64_t length, int64_t distance) noexcept nogil:
    cdef uint32_t token = length_token(length) | distance_token(<int> distance)
    add_token(tokens, token)
    tokens.literals[LENGTH_SYMBOL[length]] += 1
    tokens.distances[token >> SECOND & 31] += 1


cdef inline void count_copy(Tokens *tokens, int64_t count, int distance, uint32_t times) noexcept nogil:
    """Count the matches of `times` copies of `count` bytes each."""
    cdef int64_t whole = (count - SHORTEST) // LONGEST  # this many are certainly as long as can be
    cdef int length
    if whole:
        count_match(tokens, LONGEST, distance, <uint32_t> whole * times)
        count -= whole * LONGEST
    while count:
        length = next_length(count)
        count_match(tokens, length, distance, times)
        count -= length


cdef inline void add_copy(Tokens *tokens, int64_t count, int distance) noexcept nogil:
    cdef uint32_t token = distance_token(distance)
    cdef int length
    if count > FEW * LONGEST:
        add_token(tokens, COPY | token)
        add_token(tokens, <uint32_t> count)
        count_copy(tokens, count, distance, 1)
        return
    while count:
        length = next_length(count)
        add_token(tokens, length_token(length) | token)
        tokens.literals[LENGTH_SYMBOL[length]] += 1
        tokens.distances[token >> SECOND & 31] += 1
        count -= length


cdef inline void add_zeros(Tokens *tokens, uint32_t rows) noexcept nogil:
    """Add rows of zeros, which are counted by count_zeros."""
    add_token(tokens, ZEROS)
    add_token(tokens, rows)


cdef void count_zeros(Tokens *tokens, int rows, int stride, uint32_t times) noexcept nogil:
    """Count `times` ZEROS of so many rows each: two literals and a run, then copies of that row."""
    cdef int64_t count = <int64_t> (rows - 1) * stride
    cdef uint32_t near = 0, far = 0
    cdef int column = 0, distance, length, run
    tokens.literals[2] += times
    tokens.literals[0] += times
    count_copy(tokens, stride - 2, 1, times)
    while True:
        run = next_zeros_run(count, stride, &column)
        if run < 0:
            break
        near += run
        far += 1
        count -= (run + 1) * LONGEST
    count_match(tokens, LONGEST, 1, near * times)
    count_match(tokens, LONGEST, stride, far * times)
    while count:
        length = next_zeros_length(count, stride, &column, &distance)
        count_match(tokens, length, distance, times)
        count -= length


# --- modules and bytes ---


cdef inline int64_t column_of(const Search *search, int64_t module) noexcept nogil:
    """The byte of a row that a module begins in."""
    return search.origin + module * search.scale >> 3


cdef inline int64_t module_of(int64_t place, int64_t shift) noexcept nogil:
    return (place & ((1 << shift) - 1)) - BEFORE


cdef inline int64_t module_from(const Search *search, int64_t column) noexcept nogil:
    """The first module that begins in a column or after it."""
    return search.bytes[column].module


cdef inline int64_t next_bit(const uint64_t *bits, int64_t at, int64_t shift) noexcept nogil:
    """The first bit that is set, from `at` on; there is one."""
    cdef uint64_t word = bits[at >> 6] >> (at & 63)
    if word or shift == NARROW_SHIFT:
        return at + trailing_zeros(word)
    at |= 63
    while bits[at + 1 >> 6] == 0:
        at += 64
    return at + 1 + trailing_zeros(bits[at + 1 >> 6])


cdef inline uint64_t points_of(uint64_t edges, uint64_t firsts, uint64_t lasts) noexcept nogil:
    """The first edge in each byte: from the first module in it on, a sum carries up to that edge, or to the
    last module.
    """
    return ~(edges | lasts) + firsts & edges


cdef inline uint64_t window(const Search *search, int64_t place) noexcept nogil:
    """The modules from a place on, the first one lowest."""
    return load(search.bits + (place >> 3)) >> (place & 7)


cdef inline uint64_t window_before(const Search *search, int64_t place) noexcept nogil:
    """The modules before a place, the last one highest."""
    return load(search.bits + (place >> 3) - 7) << (8 - (place & 7))


cdef inline uint8_t byte_at(const Search *search, int64_t row, int64_t column) noexcept nogil:
    """The byte of a column, in the row whose modules begin at a place."""
    cdef const Byte *byte = search.bytes + column
    cdef uint64_t modules = window(search, row + byte.module - 1) & search.shown
    return (&BYTES[0][0][0])[byte.before + modules] ^ search.light


# --- search ---


cdef inline void remember(Search *search, int64_t band, int64_t shift) noexcept nogil:
    """Make the points of a band known to searches of itself and of later ones: the last place before each one that
    looks the same.
    """
    cdef int64_t first = band << shift | BEFORE
    cdef uint64_t word, bits, key
    cdef uint16_t *earlier
    cdef uint16_t *latest
    cdef int64_t k, module
    for k in range(1 if shift == NARROW_SHIFT else (search.modules + 63) >> 6):
        bits = search.points[k]
        word = window(search, first)
        earlier = search.earlier + first
        while bits:
            module = trailing_zeros(bits)
            key = word >> module if shift == NARROW_SHIFT else window(search, first + module)
            key = key & search.hashed ^ search.phases[module]
            latest = &search.latest[key if search.numbered else key * <uint64_t> 0x9E3779B97F4A7C15 >> 53]
            earlier[module] = latest[0]
            latest[0] = <uint16_t> (first + module)
            bits &= bits - 1
        first += 64


cdef inline int64_t common(
    const Search *search, int64_t edge, int64_t place, int64_t other, int64_t shift
) noexcept nogil:
    """How many modules are the same from two places on, if it is more than a window of them; not beyond the
    end of either row.
    """
    cdef int64_t module = module_of(other, shift)
    cdef int64_t count = WINDOW
    cdef uint64_t unequal
    while max(edge, module) + count < search.modules:
        unequal = window(search, place + count) ^ window(search, other + count)
        unequal &= (<uint64_t> 1 << WINDOW) - 1
        if unequal:
            return count + trailing_zeros(unequal)
        count += WINDOW
    return 8 * search.stride if edge == module else count


cdef inline Match search_edge(
    const Search *search, int64_t band, int64_t first, int64_t edge, int64_t shift
) noexcept nogil:
    """The best match that covers an edge and starts at column `first` or later, in its own row or above it."""
    cdef int64_t place = band << shift | BEFORE + edge
    cdef int64_t other = search.earlier[place]
    cdef uint64_t ahead, behind, unequal
    cdef int64_t most = 0  # modules that are the same from the edge on, in the best match
    cdef int64_t column, count, moved, distance, end, start, length, gain
    cdef Match best
    best.gain = best.distance = best.start = best.end = 0
    if other == NOWHERE:
        return best
    ahead = window(search, place)
    behind = window_before(search, place)
    column = column_of(search, edge)
    for _ in range(search.candidates):
        count = trailing_zeros(ahead ^ window(search, other) | <uint64_t> 1 << WINDOW)
        if count > most:  # most are not
            if count == WINDOW:
                count = common(search, edge, place, other, shift)
            moved = (edge - module_of(other, shift)) * search.scale
            distance = search.at[band] - search.at[other >> shift] + (moved >> 3)
            if distance > FARTHEST:
                break
            unequal = behind ^ window_before(search, other) | <uint64_t> 1 << 63 - WINDOW_BEFORE
            start = search.origin + (edge - leading_zeros(unequal)) * search.scale + 7 >> 3
            end = column_of(search, edge + count)
            if moved:
                # Only in the same column may a filter type be copied: elsewhere it is not what a margin is.
                start = max(start, search.filter + max(moved >> 3, 0))
                end = min(end, search.stride + min(moved >> 3, 0))
            start = max(start, first)
            end = min(end, search.stride)
            length = end - start
            if length > LONGEST:
                end = min(end, column + LONGEST)
                start = max(start, end - LONGEST)
                length = end - start
            # What is no whole bytes away looks the same in modules only.
            if end > column and length >= SHORTEST and moved & 7 == 0:
                gain = search.saved[length] - distance_extra(<int> distance)
                if gain > best.gain:
                    most = min(count, WINDOW - 1)  # of those that are all the same the window does not know more
                    best.gain = gain
                    best.distance = distance
                    best.start = start
                    best.end = end
        other = search.earlier[other]
        if other == NOWHERE:
            break
    return best


cdef inline void add_literals(Search *search, int64_t row, int64_t column, int64_t end) noexcept nogil:
    """Bytes as literals, two in a token."""
    cdef uint32_t *literals = search.tokens.literals
    cdef uint32_t *token = search.tokens.all + search.tokens.count
    cdef uint8_t byte, second
    search.tokens.count += end - column + 1 >> 1
    while column + 1 < end:
        byte = byte_at(search, row, column)
        second = byte_at(search, row, column + 1)
        token[0] = literal_token(byte, LITERAL + second)
        token += 1
        literals[byte] += 1
        literals[second] += 1
        column += 2
    if column < end:
        byte = byte_at(search, row, column)
        token[0] = literal_token(byte, ALONE)
        literals[byte] += 1


cdef inline int64_t run_end(const Search *search, int64_t column, int64_t end) noexcept nogil:
    """Up to which column there is no edge from a column on."""
    cdef int64_t edge = next_bit(search.edges, module_from(search, column), search.shift)
    return min(end, column_of(search, edge)) if edge < search.modules else end


cdef void add_runs(Search *search, int64_t row, int64_t column, int64_t end) noexcept nogil:
    """Bytes as literals, but long runs without an edge as matches of distance 1."""
    cdef int64_t first = column  # from which on there are no tokens yet
    cdef uint64_t modules
    cdef int64_t module, run
    cdef bint known
    while column < end:
        module = module_from(search, column)
        modules = window(search, row + module - 1)
        if module == 0 or not (modules ^ modules >> 1) & search.near:  # the first module may begin far away
            run = run_end(search, column, end) - column
            known = column > search.filter and byte_at(search, row, column - 1) == byte_at(search, row, column)
            if run >= RUN + (not known):
                column += not known
                run -= not known
                add_literals(search, row, first, column)
                column += run
                first = column
                while run:
                    add_match(search.tokens, next_length(run), 1)
                    run -= next_length(run)
                continue
        column += 1
    add_literals(search, row, first, end)


cdef inline void add_plain(Search *search, int64_t band, int64_t column, int64_t end) noexcept nogil:
    """Bytes without a match from elsewhere."""
    cdef int64_t row = band << search.shift | BEFORE
    if column < search.filter and column < end:
        add_literal(search.tokens, 0)
        column += 1
    if end - column < RUN:
        add_literals(search, row, column, end)
    else:
        add_runs(search, row, column, end)


cdef inline void end_row(Search *search) noexcept nogil:
    """Mark the end of a row, where whatever looks for the next edge or point stops."""
    search.edges[search.modules >> 6] |= <uint64_t> 1 << (search.modules & 63)
    search.points[search.modules >> 6] |= <uint64_t> 1 << (search.modules & 63)


cdef inline int64_t search_row(
    Search *search, int64_t band, int64_t column, int64_t end, int64_t shift
) noexcept nogil:
    """Find tokens for a band's bytes from `column` on; return where they end, at `end` or later.

    A match waits if one over a later edge of it is better.
    """
    cdef int64_t last = module_from(search, end)
    cdef int64_t edge, later_edge
    cdef Match match, later
    end_row(search)
    edge = next_bit(search.points, module_from(search, column), shift)
    while edge < last:
        match = search_edge(search, band, column, edge, shift)
        while match.gain and match.end - match.start < search.enough:
            later_edge = next_bit(search.points, edge + 1, shift)
            if later_edge >= min(last, module_from(search, match.end)):
                break
            edge = later_edge
            later = search_edge(search, band, column, edge, shift)
            if later.gain <= match.gain + BETTER:
                break
            match = later
        if match.gain:
            add_plain(search, band, column, match.start)
            add_match(search.tokens, match.end - match.start, match.distance)
            column = match.end
            edge = next_bit(search.points, module_from(search, column), shift)
        else:
            edge = next_bit(search.points, edge + 1, shift)
    if column < end:
        add_plain(search, band, column, end)
        column = end
    return column


# --- rows ---


cdef inline bint unfolded(const Picture *picture) noexcept nogil:
    """Whether a picture is so small that it is best taken as one row: then matches can go across rows."""
    return picture.placement.scale == 1 and picture.stride * picture.placement.width + 16 < UNFOLDED


cdef inline int shift_of(const Picture *picture) noexcept nogil:
    return 16 if unfolded(picture) else NARROW_SHIFT if picture.words == 1 else 8


cdef inline int stride_of(const Picture *picture) noexcept nogil:
    """Bytes in a row that is searched."""
    return picture.stride * picture.placement.width if unfolded(picture) else picture.stride


cdef inline int places_of(const Picture *picture) noexcept nogil:
    """Bits that all rows take, and the window after the last one."""
    if unfolded(picture):
        return (BEFORE + 8 * stride_of(picture) + 3 * 64) & ~63
    return (picture.count << shift_of(picture)) + 2 * 64


cdef inline int64_t most_tokens(const Picture *picture) noexcept nogil:
    """As many as a picture can have: one for each byte or, in wide pictures, for what an edge can bring: the
    literals of a short run before it and its own, and matches.
    """
    cdef int row = min(picture.stride, (picture.size + 2) * (RUN + 2) + picture.stride // LONGEST)
    if unfolded(picture):
        return stride_of(picture) + 2
    return picture.count * <int64_t> (row + 2 * FEW)


cdef int64_t memory_for(const Picture *picture) noexcept nogil:
    """Bytes that `find` needs."""
    return (
        8 + places_of(picture) // 8 + sizeof(uint16_t) * places_of(picture) + sizeof(Byte) * (stride_of(picture) + 1)
        + sizeof(uint32_t) * most_tokens(picture)
    )


cdef inline void find_firsts(Search *search) noexcept nogil:
    """Find which modules begin first and last in a byte; each machine word is taken for itself."""
    cdef int module
    for module in range(WORDS):
        search.firsts[module] = 1
        search.lasts[module] = <uint64_t> 1 << 63
    for module in range(1, search.modules):
        if column_of(search, module) != column_of(search, module - 1):
            search.firsts[module >> 6] |= <uint64_t> 1 << (module & 63)
            search.lasts[module - 1 >> 6] |= <uint64_t> 1 << (module - 1 & 63)


cdef inline void find_bytes(Search *search) noexcept nogil:
    """Find what each byte of a row shows."""
    cdef int table = <int> (&BYTES[min(search.scale, 8)][0][0] - &BYTES[0][0][0])
    cdef int pixel = search.origin  # where the module begins
    cdef int module = 0
    cdef int column
    for column in range(search.stride + 1):
        while pixel < 8 * column and module < search.modules:
            pixel += search.scale
            module += 1
        search.bytes[column].module = <uint16_t> module
        # Beyond the last module, eight pixels of what is after it.
        search.bytes[column].before = table + (min(<uint32_t> (pixel - 8 * column), 8) << MODULES_IN_BYTE)


cdef inline void lay(const Picture *picture, Search *search) noexcept nogil:
    """Write the rows of modules."""
    cdef uint8_t *at
    cdef int band, k
    search.stride = picture.stride
    search.origin = FILTER_PX + picture.placement.offset
    search.filter = 1
    search.modules = picture.size + 1
    for band in range(picture.count):
        at = search.bits + ((band << search.shift | BEFORE) >> 3)
        for k in range(picture.words):
            store(at + 8 * k, word_of(picture, band, k))
    if search.fine:
        find_firsts(search)


cdef inline void add_bits(uint8_t *bits, int64_t at, uint64_t word) noexcept nogil:
    """Set the bits of a word from bit `at` on."""
    bits += at >> 6 << 3
    store(bits, load(bits) | word << (at & 63))
    if at & 63:
        store(bits + 8, load(bits + 8) | word >> (64 - (at & 63)))


cdef inline void unfold(const Picture *picture, Search *search) noexcept nogil:
    """Write all rows of pixels as one, filter types included."""
    cdef int64_t at = BEFORE
    cdef const uint8_t *row
    cdef int band, k
    for band in range(picture.count):
        for _ in range(picture.times[band]):
            if picture.grey:
                add_bits(search.bits, at, 0xFF)
            for k in range(picture.words):
                add_bits(search.bits, at + FILTER_PX + picture.placement.offset + 64 * k, word_of(picture, band, k))
            at += 8 * picture.stride
    search.stride = stride_of(picture)
    search.modules = 8 * search.stride + 1
    search.origin = 0
    search.filter = 0
    for k in range(search.modules // 64 + 1):
        row = search.bits + BEFORE // 8 + 8 * k
        search.edges[k] = load(row) ^ (load(row) << 1 | load(row - 8) >> 63)
        search.points[k] = points_of(search.edges[k], 0x0101010101010101, 0x8080808080808080)


cdef inline void tune(const Picture *picture, Search *search) noexcept nogil:
    """Choose how to search, found by trying: versions 1 to 40, modules of 1 to 50 pixels, against zlib."""
    cdef int scale = picture.placement.scale
    cdef bint large = picture.size > 57
    cdef bint huge = picture.size > 121
    cdef int literal_bits
    cdef int hashed = HASHED[min(scale, HASHED_SCALES - 1)] + (large and (5 if huge else 8) <= scale < 19)
    search.hashed = (<uint64_t> 1 << hashed) - 1
    search.numbered = hashed <= MOST_NUMBERED
    if large and scale > 2:
        search.candidates = 4 if huge and picture.joined else 8
    else:
        search.candidates = 4 if picture.size > 37 or scale == 1 or 5 <= scale <= 12 else 2
    search.enough = 12 if large else 8 if scale <= 12 else 0
    if scale == 1:
        literal_bits = MOST_LITERAL_BITS
    elif scale == 4 or scale == 8 or scale >= 16:
        literal_bits = 2
    else:
        literal_bits = 3 if scale == 6 or scale > 8 else 4
    search.saved = SAVED[literal_bits]


cdef inline const uint8_t *row_of(const Search *search, int64_t band) noexcept nogil:
    return search.bits + ((band << search.shift | BEFORE) >> 3)


cdef inline void look_at(Search *search, int64_t band, int64_t shift) noexcept nogil:
    """Find the edges and points of a band's row."""
    cdef const uint8_t *row = row_of(search, band)
    cdef uint64_t before = 0
    cdef uint64_t word
    cdef int64_t k
    for k in range(1 if shift == NARROW_SHIFT else (search.modules + 63) >> 6):
        word = load(row + 8 * k)
        search.edges[k] = search.points[k] = word ^ (word << 1 | before)
        if search.fine:
            search.points[k] = points_of(search.edges[k], search.firsts[k], search.lasts[k])
        before = word >> 63


cdef inline void compare(
    const Search *search, int64_t band, int64_t shift, int64_t *column, int64_t *end
) noexcept nogil:
    """Find from which column on, and up to but without which one, a band's row differs from the one above it."""
    cdef const uint8_t *row = row_of(search, band)
    cdef const uint8_t *above = row_of(search, band - 1)
    cdef int64_t first = NONE, last = 0
    cdef uint64_t changes
    cdef int64_t k
    for k in range(1 if shift == NARROW_SHIFT else (search.modules + 63) >> 6):
        changes = load(row + 8 * k) ^ load(above + 8 * k)
        if changes:
            first = 64 * k + trailing_zeros(changes) if first == NONE else first
            last = 64 * k + 63 - leading_zeros(changes)
    column[0] = column_of(search, first)
    end[0] = search.origin + (last + 1) * search.scale + 7 >> 3


cdef inline void prepare(const Picture *picture, uint8_t *memory, Search *search) noexcept nogil:
    """Begin with nothing remembered."""
    cdef int places = places_of(picture)
    cdef int k, phase
    search.bits = memory + 8
    search.earlier = <uint16_t *> (search.bits + places // 8)
    search.bytes = <Byte *> (search.earlier + places)
    search.tokens.all = <uint32_t *> (search.bytes + stride_of(picture) + 1)
    search.tokens.count = 0
    memset(search.tokens.literals, 0, sizeof(search.tokens.literals))
    memset(search.tokens.distances, 0, sizeof(search.tokens.distances))
    memset(search.bits, 0, places // 8)
    search.shift = shift_of(picture)
    search.scale = picture.placement.scale
    search.fine = search.scale < 8
    search.light = 0xFF if picture.grey else 0
    search.shown = (<uint64_t> 1 << modules_in_byte(min(search.scale, 8))) - 1
    search.near = (<uint64_t> 1 << 8 * RUN // search.scale) - 1
    search.at[0] = 0
    tune(picture, search)
    phase = ones(search.hashed) if search.numbered else PHASE
    memset(search.latest, NOWHERE, sizeof(uint16_t) << phase + 3 if search.numbered else sizeof(search.latest))
    if unfolded(picture):
        unfold(picture, search)
    else:
        lay(picture, search)
    find_bytes(search)
    for k in range(64):
        search.phases[k] = <uint64_t> (search.origin + k * search.scale & 7) << phase


cdef inline int same_from_start(const uint8_t *row, const uint8_t *other, int size) noexcept nogil:
    """How many of the modules that two rows start with are the same."""
    cdef uint64_t unequal
    cdef int module
    for module in range(0, size, 64):
        unequal = load(row + (module >> 3)) ^ load(other + (module >> 3))
        if unequal:
            return module + trailing_zeros(unequal)
    return size


cdef inline int same_to_end(const uint8_t *row, const uint8_t *other, int size) noexcept nogil:
    """How many of the modules that two rows end with are the same."""
    cdef uint64_t unequal
    cdef int module
    for module in range((size - 1) & ~63, -1, -64):
        unequal = load(row + (module >> 3)) ^ load(other + (module >> 3))
        if unequal:
            return size - 64 - module + leading_zeros(unequal)
    return size


cdef inline void find_ends(const Picture *picture, Search *search) noexcept nogil:
    """Find the last modules of each band's row and the first ones of the next row."""
    cdef int64_t band
    for band in range(picture.count):
        search.ends[band] = window_before(search, (band << search.shift | BEFORE) + picture.size)
        search.starts[band] = window(search, band + 1 << search.shift | BEFORE)


cdef inline void join(const Picture *picture, const Search *search, int64_t band, Joint *out) noexcept nogil:
    """Find how a band goes on into the next one with the most modules copied."""
    cdef int size = picture.size
    cdef int row_bytes = 1 << search.shift >> 3
    cdef const uint8_t *row = row_of(search, band)
    cdef const uint8_t *above
    cdef bint last = band + 1 == picture.count
    cdef int most = -1, ending = 0, starting = 0
    cdef int64_t farthest = max(band - JOINTS, 0)
    cdef uint64_t ends, starts
    cdef int64_t other
    cdef int end, start
    while search.at[band] - search.at[farthest] > FARTHEST:
        farthest += 1
    for other in range(band - 1, farthest - 1, -1):
        ends = search.ends[other] ^ search.ends[band]
        starts = search.starts[other] ^ search.starts[band]
        # Most have no more than the best one. What looks all the same may be the same even further.
        if ends and starts and leading_zeros(ends) + trailing_zeros(starts) <= most:
            continue
        if picture.times[other] != picture.times[band] or not has_zeros(picture, other):
            continue
        above = row_of(search, other)
        end = same_to_end(row, above, size)
        start = 0 if last else same_from_start(row + row_bytes, above + row_bytes, size)
        if end + start > most:
            most = end + start
            ending = end
            starting = start
            out.other = <int> other
    if most < 0:
        out.other = NONE
        out.end = search.stride
        out.column = 0
        return
    out.end = search.origin + (size - ending) * search.scale + 7 >> 3 if ending < size else 0
    out.column = 0 if last else column_of(search, starting) if starting < size else search.stride


# --- pictures ---


cdef inline void find_copies(const Picture *picture, Search *search, int64_t shift) noexcept nogil:
    """Find tokens for rows that are repeated as they are."""
    cdef int stride = picture.stride
    cdef int64_t copied = 0  # bytes just before `column` that go on as the row above does; never 1 or 2
    cdef int64_t band, column, end, times
    for band in range(picture.count):
        times = picture.times[band]
        look_at(search, band, shift)
        remember(search, band, shift)
        column = 0
        end = stride
        if band:
            compare(search, band, shift, &column, &end)
            if copied + column < SHORTEST:
                column = 0
            copied += column
        add_copy(search.tokens, copied, stride)
        search.at[band] = picture.top[band] * stride
        column = search_row(search, band, column, end, shift)
        if times == 1 and stride - column < SHORTEST:
            add_plain(search, band, column, stride)
            column = stride
        copied = stride - column + (times - 1) * stride
        search.at[band] += (times - 1) * stride
    add_copy(search.tokens, copied, stride)


cdef inline void find_zeros(const Picture *picture, Search *search) noexcept nogil:
    """Find tokens for rows that are repeated as zeros, far apart."""
    cdef int stride = picture.stride
    cdef uint32_t same = 0  # bands with as many rows of zeros as most have
    cdef int band, times
    for band in range(picture.count):
        times = picture.times[band]
        look_at(search, band, search.shift)
        remember(search, band, search.shift)
        search.at[band] = picture.top[band] * stride
        search_row(search, band, 0, stride, search.shift)
        if times == search.scale:
            same += 1
        elif times > 1:
            count_zeros(search.tokens, times - 1, stride, 1)
        if times > 1:
            add_zeros(search.tokens, times - 1)
    if same:
        count_zeros(search.tokens, search.scale - 1, stride, same)


cdef inline void find_joints(const Picture *picture, Search *search) noexcept nogil:
    """Find tokens for rows that are repeated as zeros, near to each other: these are in the middle of a copy."""
    cdef int stride = picture.stride
    cdef Joint joint
    cdef int column = 0
    cdef int band, rows
    find_ends(picture, search)
    for band in range(picture.count):
        rows = picture.times[band] - 1
        look_at(search, band, search.shift)
        remember(search, band, search.shift)
        search.at[band] = picture.top[band] * stride
        joint.other = NONE
        joint.end = stride
        joint.column = 0
        if rows and has_zeros(picture, band):
            join(picture, search, band, &joint)
        column = search_row(search, band, column, max(column, joint.end), search.shift)
        if joint.other != NONE:
            add_copy(
                search.tokens, stride - column + rows * stride + joint.column, search.at[band] - search.at[joint.other]
            )
        elif not has_zeros(picture, band):
            add_copy(search.tokens, rows * stride, stride)
        elif rows:
            count_zeros(search.tokens, rows, stride, 1)
            add_zeros(search.tokens, rows)
        column = joint.column


cdef void find(const Picture *picture, uint8_t *memory, Tokens *out) noexcept nogil:
    """Fill the tokens; `memory` is for them and for working."""
    cdef Search search
    search.tokens = out
    prepare(picture, memory, &search)
    out.literals[END] = 1
    if unfolded(picture):
        remember(&search, 0, search.shift)
        search_row(&search, 0, 0, search.stride, search.shift)
    elif picture.joined:
        find_joints(picture, &search)
    elif picture.zeros:
        find_zeros(picture, &search)
    elif search.shift == NARROW_SHIFT:  # code of its own: most pictures are such, and nothing in it is looped over
        find_copies(picture, &search, NARROW_SHIFT)
    else:
        find_copies(picture, &search, search.shift)
