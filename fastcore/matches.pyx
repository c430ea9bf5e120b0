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

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from fastcore.picture cimport FILTER_PX, MAX_BANDS, Picture, edges_of, has_zeros, word_of
from fastcore.tokens cimport (
    ALONE,
    COPY,
    DISTANCE,
    END,
    FARTHEST,
    LONGEST,
    SHORTEST,
    ZEROS,
    Tokens,
    distance_extra,
    distance_symbol,
    distance_token,
    length_extra,
    length_symbol,
    length_token,
    next_length,
    next_zeros_length,
    next_zeros_run,
)
from fastcore.types cimport WORDS

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    int leading_zeros "fc_leading_zeros" (uint64_t bits)
    uint64_t load "fc_load" (const uint8_t *at)
    void store "fc_store" (uint8_t *to, uint64_t bits)


cdef enum:
    # Modules are kept as bits, a row every 1 << Search.shift of them: light ones, the row, light ones. The number
    # of a bit is called a place. Eight bytes show this many modules from any place on, and before any place.
    BEFORE = 64  # light modules before a row
    WINDOW = 57
    WINDOW_BEFORE = 56
    NOWHERE = 0  # a place that nothing begins at
    NONE = -1
    UNFOLDED = 1 << 13  # bytes of a picture that is small enough to be taken as one row
    EDGE_WORDS = 8 * UNFOLDED // 64 + 1
    HASHES = 1 << 11

    # Found by trying, like what `tune` says about searching.
    MATCH_BITS = 9  # that a match takes, without extra bits
    RUN = 4  # equal bytes that are cheaper as a match
    BETTER = 2  # bits that a later match must save more for a match to wait for it
    HASHED_SCALES = 26
    JOINTS = 49  # bands that are looked at for one

    # A match is kept as a number, the better the greater, 0 for none: from these bits on how many bits it saves,
    # by a rough guess, FARTHEST - distance, the column where it starts, and lowest its length.
    GAIN = 48
    NEARNESS = 32
    START = 16


# Modules that are hashed, by pixels in a module; found by trying. More pixels are like the last number of them.
cdef uint8_t[HASHED_SCALES] HASHED = [
    0, 16, 16, 10, 16, 6, 6, 5, 10, 5, 5, 5, 5, 4, 4, 4, 5, 4, 4, 4, 4, 4, 4, 4, 5, 4
]


cdef struct Search:
    Tokens *tokens
    uint8_t *bits  # all rows, and eight bytes before them
    uint16_t *earlier  # the place before each one with the same hash, or NOWHERE
    uint16_t[HASHES] latest
    int shift
    int stride
    int scale
    int origin  # pixel of the first module in its row, that of the filter type included
    int filter  # bytes before the first pixel
    int modules  # in a row, and the edge at its end
    uint64_t inverse  # of the scale, times 1 << 32, rounded up
    bint fine  # several modules in a byte
    uint8_t light  # a byte of light pixels
    # How to search.
    uint64_t hashed  # as many of its lowest bits as modules are hashed
    int literal_bits  # that a byte takes, by a rough guess
    int enough  # bytes of a match that is good enough not to look for a better one
    int candidates  # looked at for each place
    # Of the row that is being looked at, a bit for each module.
    uint64_t[EDGE_WORDS] edges  # it differs from the one to its left
    uint64_t[EDGE_WORDS] points  # it is remembered and may be searched: the first such one in its byte
    uint64_t[WORDS] firsts  # it is the first one that begins in its byte
    uint64_t[WORDS] lasts  # it is the last one
    int[MAX_BANDS] at  # where rows begin in the picture, in bytes: a band's last one, but the first of this band


cdef struct Joint:
    # How a band goes on into the next one.
    int other  # the band above that it ends like, and the next one begins like the one after that; or NONE
    int end  # the column from which on it does
    int column  # of the next band, up to which it does


# --- matches as numbers ---


cdef inline int gain_of(int64_t match) noexcept nogil:
    return <int> (match >> GAIN)


cdef inline int distance_of(int64_t match) noexcept nogil:
    return FARTHEST - <int> (match >> NEARNESS & 0xFFFF)


cdef inline int start_of(int64_t match) noexcept nogil:
    return <int> (match >> START & 0xFFFF)


cdef inline int length_of(int64_t match) noexcept nogil:
    return <int> (match & 0xFFFF)


# --- tokens ---


cdef inline void add_token(Tokens *tokens, uint32_t token) noexcept nogil:
    tokens.all[tokens.count] = token
    tokens.count += 1


cdef inline void add_literal(Tokens *tokens, uint8_t byte) noexcept nogil:
    add_token(tokens, byte | ALONE << DISTANCE)
    tokens.literals[byte] += 1


cdef inline void count_match(Tokens *tokens, int length, int distance, uint32_t times) noexcept nogil:
    tokens.literals[length_symbol(length)] += times
    tokens.distances[distance_symbol(distance)] += times


cdef inline void add_match(Tokens *tokens, int length, int distance) noexcept nogil:
    add_token(tokens, length_token(length) | distance_token(distance))
    count_match(tokens, length, distance, 1)


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
    if count:
        add_token(tokens, COPY | distance_token(distance))
        add_token(tokens, <uint32_t> count)
        count_copy(tokens, count, distance, 1)


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


cdef inline int column_of(const Search *search, int module) noexcept nogil:
    """The byte of a row that a module begins in."""
    return search.origin + module * search.scale >> 3


cdef inline int module_from(const Search *search, int column) noexcept nogil:
    """The first module that begins in a column or after it."""
    cdef int pixels = 8 * column - search.origin
    if pixels <= 0:
        return 0
    return <int> (<uint64_t> (pixels + search.scale - 1) * search.inverse >> 32)


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


cdef inline uint64_t points_of(uint64_t edges, uint64_t firsts, uint64_t lasts) noexcept nogil:
    """The first edge in each byte: from the first module in it on, a sum carries up to that edge, or to the
    last module.
    """
    return ~(edges | lasts) + firsts & edges


cdef inline uint64_t window(const Search *search, int place) noexcept nogil:
    """The modules from a place on, the first one lowest."""
    return load(search.bits + (place >> 3)) >> (place & 7)


cdef inline uint64_t window_before(const Search *search, int place) noexcept nogil:
    """The modules before a place, the last one highest."""
    return load(search.bits + (place >> 3) - 7) << (8 - (place & 7))


# --- search ---


cdef inline void remember(Search *search, int band) noexcept nogil:
    """Make the points of a band known to searches of itself and of later ones: the last place before each one that
    looks the same.
    """
    cdef int place = band << search.shift | BEFORE
    cdef uint64_t bits, phase, key
    cdef uint16_t *latest
    cdef int edge, k
    for k in range((search.modules + 63) >> 6):
        bits = search.points[k]
        while bits:
            edge = 64 * k + trailing_zeros(bits)
            phase = search.origin + edge * search.scale & 7
            key = window(search, place + edge) & search.hashed ^ phase << 60
            latest = &search.latest[key * <uint64_t> 0x9E3779B97F4A7C15 >> 53]
            search.earlier[place + edge] = latest[0]
            latest[0] = <uint16_t> (place + edge)
            bits &= bits - 1


cdef inline int common(const Search *search, int edge, int place, int other) noexcept nogil:
    """How many modules are the same from two places on, if it is more than a window of them; not beyond the
    end of either row.
    """
    cdef int module = (other & (1 << search.shift) - 1) - BEFORE
    cdef int count = WINDOW
    cdef uint64_t unequal
    while max(edge, module) + count < search.modules:
        unequal = window(search, place + count) ^ window(search, other + count)
        unequal &= (<uint64_t> 1 << WINDOW) - 1
        if unequal:
            return count + trailing_zeros(unequal)
        count += WINDOW
    return 8 * search.stride if edge == module else count


cdef inline int64_t search_edge(const Search *search, int band, int first, int edge) noexcept nogil:
    """The best match that covers an edge and starts at column `first` or later, in its own row or above it."""
    cdef int mask = (1 << search.shift) - 1
    cdef int place = band << search.shift | BEFORE + edge
    cdef uint64_t ahead = window(search, place)
    cdef int other = search.earlier[place]
    cdef uint64_t behind = window_before(search, place)
    cdef int column = column_of(search, edge)
    cdef uint64_t further = 1  # modules that have to be the same for a match to go on further than the best one
    cdef int64_t best = 0
    cdef uint64_t unequal
    cdef int moved, distance, count, start, end, length, gain
    for _ in range(search.candidates):
        if other == NOWHERE:
            break
        unequal = ahead ^ window(search, other)
        if not unequal & further:  # most do not go on further
            count = trailing_zeros(unequal | <uint64_t> 1 << WINDOW)
            if count == WINDOW:
                count = common(search, edge, place, other)
            moved = ((place & mask) - (other & mask)) * search.scale
            distance = search.at[band] - search.at[other >> search.shift] + (moved >> 3)
            if distance > FARTHEST:
                break
            if moved & 7:  # looks the same in modules only
                other = search.earlier[other]
                continue
            moved >>= 3
            end = min(column_of(search, edge + count), search.stride + min(moved, 0))
            end = min(end, column + LONGEST)
            unequal = behind ^ window_before(search, other) | 1 << 63 - WINDOW_BEFORE
            start = search.origin + (edge - leading_zeros(unequal)) * search.scale + 7 >> 3
            # Only in the same column may a filter type be copied: elsewhere it is not what a margin is.
            start = max(start, search.filter + max(moved, 0) if moved else 0)
            start = max(start, max(first, end - LONGEST))
            length = end - start
            if end > column and length >= SHORTEST:
                gain = search.literal_bits * length - MATCH_BITS - distance_extra(distance) - length_extra(length)
                if gain > gain_of(best):
                    further = (<uint64_t> 2 << min(count, WINDOW)) - 1
                    best = (
                        <int64_t> gain << GAIN | <int64_t> (FARTHEST - distance) << NEARNESS | start << START | length
                    )
        other = search.earlier[other]
    return best


cdef inline bint same_before(const Search *search, int column) noexcept nogil:
    """Whether there is a byte of pixels before a column's in the row and no edge in it, its first pixel aside."""
    cdef int end = module_from(search, column)
    cdef int pixels = 8 * (column - 1) - search.origin
    cdef int module = 0 if pixels < 0 else <int> (pixels * search.inverse >> 32) + 1
    return column > search.filter and next_bit(search.edges, module, end) == end


cdef void add_plain(Search *search, int band, int column, int end) noexcept nogil:
    """Bytes as literals, but long runs as matches of distance 1."""
    cdef int edge = next_bit(search.edges, module_from(search, column), search.modules)
    cdef bint dark = edge < search.modules and not window(search, band << search.shift | BEFORE + edge) & 1
    cdef uint8_t pure = ~search.light if dark else search.light  # a byte without edges
    cdef bint known = False  # the byte before is such a byte, too
    cdef uint8_t mixed
    cdef int run, length, pixel
    if column < search.filter and column < end:
        add_literal(search.tokens, 0)
        column += 1
    while column < end:
        run = (min(end, column_of(search, edge)) if edge < search.modules else end) - column
        if run >= RUN and not known:
            known = same_before(search, column)
        if run and not known:
            add_literal(search.tokens, pure)
            column += 1
            run -= 1
        if run >= RUN:
            while run:
                length = next_length(run)
                add_match(search.tokens, length, 1)
                column += length
                run -= length
        while run:
            add_literal(search.tokens, pure)
            column += 1
            run -= 1
        if column == end:
            return
        mixed = pure
        while edge < search.modules and column_of(search, edge) == column:
            pixel = search.origin + edge * search.scale & 7
            known = pixel == 0
            mixed ^= 0xFF >> pixel
            pure = ~pure
            edge = next_bit(search.edges, edge + 1, search.modules)
        add_literal(search.tokens, mixed)
        column += 1


cdef inline int search_row(Search *search, int band, int column, int end) noexcept nogil:
    """Find tokens for a band's bytes from `column` on; return where they end, at `end` or later.

    A match waits if one over a later edge of it is better.
    """
    cdef int last = min(search.modules, module_from(search, end))
    cdef int edge = next_bit(search.points, module_from(search, column), last)
    cdef int later_edge
    cdef int64_t match, later
    while edge < last:
        match = search_edge(search, band, column, edge)
        while match and length_of(match) < search.enough:
            later_edge = next_bit(search.points, edge + 1, last)
            if later_edge >= min(last, module_from(search, start_of(match) + length_of(match))):
                break
            edge = later_edge
            later = search_edge(search, band, column, edge)
            if gain_of(later) <= gain_of(match) + BETTER:
                break
            match = later
        if match:
            add_plain(search, band, column, start_of(match))
            add_match(search.tokens, length_of(match), distance_of(match))
            column = start_of(match) + length_of(match)
            edge = next_bit(search.points, module_from(search, column), last)
        else:
            edge = next_bit(search.points, edge + 1, last)
    if column < end:
        add_plain(search, band, column, end)
        column = end
    return column


# --- rows ---


cdef inline bint unfolded(const Picture *picture) noexcept nogil:
    """Whether a picture is so small that it is best taken as one row: then matches can go across rows."""
    return picture.placement.scale == 1 and picture.stride * picture.placement.width + 16 < UNFOLDED


cdef inline int shift_of(const Picture *picture) noexcept nogil:
    return 16 if unfolded(picture) else 7 if picture.words == 1 else 8


cdef inline int places_of(const Picture *picture) noexcept nogil:
    """Bits that all rows take, and the window after the last one."""
    if unfolded(picture):
        return (BEFORE + 8 * picture.stride * picture.placement.width + 3 * 64) & ~63
    return (picture.count << shift_of(picture)) + 2 * 64


cdef inline int64_t most_tokens(const Picture *picture) noexcept nogil:
    """As many as a picture can have: one for each byte or, in wide pictures, for what an edge can bring: the
    literals of a short run before it and its own, and matches.
    """
    cdef int row = min(picture.stride, (picture.size + 2) * (RUN + 2) + picture.stride // LONGEST)
    if unfolded(picture):
        row = picture.stride * picture.placement.width
        return row + 2
    return picture.count * <int64_t> (row + 2 * 2)


cdef int64_t memory_for(const Picture *picture) noexcept nogil:
    """Bytes that `find` needs."""
    return 8 + places_of(picture) // 8 + 2 * places_of(picture) + 4 * most_tokens(picture)


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
    search.modules = <int> at - BEFORE + 1
    search.stride = (search.modules - 1) // 8
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
    cdef int hashed = HASHED[min(scale, HASHED_SCALES - 1)] + (large and (5 if huge else 8) <= scale < 19)
    search.hashed = (<uint64_t> 1 << hashed) - 1
    if large and scale > 2:
        search.candidates = 4 if huge and picture.joined else 8
    else:
        search.candidates = 4 if picture.size > 37 or scale == 1 or 5 <= scale <= 12 else 2
    search.enough = 12 if large else 8 if scale <= 12 else 0
    if scale == 1:
        search.literal_bits = 7
    elif scale == 4 or scale == 8 or scale >= 16:
        search.literal_bits = 2
    else:
        search.literal_bits = 3 if scale == 6 or scale > 8 else 4


cdef inline void look_at(const Picture *picture, Search *search, int band) noexcept nogil:
    """Find the edges and points of a band's row."""
    cdef int k
    for k in range(picture.size // 64 + 1):
        search.edges[k] = search.points[k] = edges_of(picture, band, k)
        if search.fine:
            search.points[k] = points_of(search.edges[k], search.firsts[k], search.lasts[k])


cdef inline void compare(const Picture *picture, const Search *search, int band, int *column, int *end) noexcept nogil:
    """Find from which column on, and up to but without which one, a band's row differs from the one above it."""
    cdef int first = -1, last = 0
    cdef uint64_t changes
    cdef int k
    for k in range(picture.words):
        changes = word_of(picture, band, k) ^ word_of(picture, band - 1, k)
        if changes:
            first = 64 * k + trailing_zeros(changes) if first < 0 else first
            last = 64 * k + 63 - leading_zeros(changes)
    column[0] = column_of(search, first)
    end[0] = search.origin + (last + 1) * search.scale + 7 >> 3


cdef inline void prepare(const Picture *picture, uint8_t *memory, Search *search) noexcept nogil:
    """Begin with nothing remembered."""
    cdef int places = places_of(picture)
    search.bits = memory + 8
    search.earlier = <uint16_t *> (search.bits + places // 8)
    search.tokens.all = <uint32_t *> (search.earlier + places)
    search.tokens.count = 0
    memset(search.tokens.literals, 0, sizeof(search.tokens.literals))
    memset(search.tokens.distances, 0, sizeof(search.tokens.distances))
    memset(search.latest, NOWHERE, sizeof(search.latest))
    memset(search.bits, 0, places // 8)
    search.shift = shift_of(picture)
    search.scale = picture.placement.scale
    search.inverse = (<uint64_t> 1 << 32) // search.scale + 1
    search.fine = search.scale < 8
    search.light = 0xFF if picture.grey else 0
    search.at[0] = 0
    tune(picture, search)
    if unfolded(picture):
        unfold(picture, search)
    else:
        lay(picture, search)


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


cdef inline void join(const Picture *picture, const Search *search, int band, Joint *out) noexcept nogil:
    """Find how a band goes on into the next one with the most modules copied."""
    cdef int size = picture.size
    cdef int row_bytes = 1 << search.shift >> 3
    cdef const uint8_t *row = search.bits + ((band << search.shift | BEFORE) >> 3)
    cdef const uint8_t *above = row
    cdef bint last = band + 1 == picture.count
    cdef int most = -1, ending = 0, starting = 0
    cdef int other, end, start
    for other in range(band - 1, max(band - JOINTS, 0) - 1, -1):
        above -= row_bytes
        if search.at[band] - search.at[other] > FARTHEST:
            break
        if picture.times[other] != picture.times[band] or not has_zeros(picture, other):
            continue
        end = same_to_end(row, above, size)
        start = 0 if last else same_from_start(row + row_bytes, above + row_bytes, size)
        if end + start > most:
            most = end + start
            ending = end
            starting = start
            out.other = other
    if most < 0:
        out.other = NONE
        out.end = search.stride
        out.column = 0
        return
    out.end = search.origin + (size - ending) * search.scale + 7 >> 3 if ending < size else 0
    out.column = 0 if last else column_of(search, starting) if starting < size else search.stride


# --- pictures ---


cdef inline void find_copies(const Picture *picture, Search *search) noexcept nogil:
    """Find tokens for rows that are repeated as they are."""
    cdef int stride = picture.stride
    cdef int64_t copied = 0  # bytes just before `column` that go on as the row above does; never 1 or 2
    cdef int band, column, end, times
    for band in range(picture.count):
        times = picture.times[band]
        look_at(picture, search, band)
        remember(search, band)
        column = 0
        end = stride
        if band:
            compare(picture, search, band, &column, &end)
            if copied + column < SHORTEST:
                column = 0
            copied += column
        add_copy(search.tokens, copied, stride)
        search.at[band] = picture.top[band] * stride
        column = search_row(search, band, column, end)
        if times == 1 and stride - column < SHORTEST:
            add_plain(search, band, column, stride)
            column = stride
        copied = stride - column + <int64_t> (times - 1) * stride
        search.at[band] += (times - 1) * stride
    add_copy(search.tokens, copied, stride)


cdef inline void find_zeros(const Picture *picture, Search *search) noexcept nogil:
    """Find tokens for rows that are repeated as zeros, far apart."""
    cdef int stride = picture.stride
    cdef uint32_t same = 0  # bands with as many rows of zeros as most have
    cdef int band, times
    for band in range(picture.count):
        times = picture.times[band]
        look_at(picture, search, band)
        remember(search, band)
        search.at[band] = picture.top[band] * stride
        search_row(search, band, 0, stride)
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
    for band in range(picture.count):
        rows = picture.times[band] - 1
        look_at(picture, search, band)
        remember(search, band)
        search.at[band] = picture.top[band] * stride
        joint.other = NONE
        joint.end = stride
        joint.column = 0
        if rows and has_zeros(picture, band):
            join(picture, search, band, &joint)
        column = search_row(search, band, column, max(column, joint.end))
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
        remember(&search, 0)
        search_row(&search, 0, 0, search.stride)
    elif picture.joined:
        find_joints(picture, &search)
    elif picture.zeros:
        find_zeros(picture, &search)
    else:
        find_copies(picture, &search)
