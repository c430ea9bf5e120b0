"""Per symbol: score all eight data masks, apply the best (ISO/IEC 18004:2015, 7.8).

The law of this file: a symbol is looked at once by rows and once by columns, for all eight masks together.

Eight masks are the eight lanes of a vector; 64 modules of a line are the 64 bits of a lane. One line under
all masks is one broadcast, one AND, one exclusive-or. What the rules look for is then found by shifts, mostly
of `edge`, the modules that differ from the one before them:

    five modules of one colour      no edge at four places in a row
    2 x 2 modules of one colour     no edge in this line, none in the next, none between the two
    dark 1:1:3:1:1                  edges at 0 1 2 5 6 7 and none at 3 4

and counted by carry-save adders, which take a handful of operations per word where a population count of
every lane takes a dozen.

Lines longer than a word are cut into windows that overlap by as much as one look takes in (4 modules before a
place, 10 after it): then no shift has to carry from one word into the next, which would cost three operations
instead of one. Each place is counted in one window only.

Finder-like patterns also count when every part is two, three, ... times as wide. They are rare, and can only
make a mask worse, so they are looked for last and only in a mask that would win without them: see `choose`.

Measured by bench/kernels.py (score_masks).
"""

from libc.stdint cimport int64_t, uint64_t

from fastcore.tables cimport format_word, micro_format_word
from fastcore.template cimport WINDOW_STEP, WINDOWS, Template, cut
from fastcore.types cimport LEVEL_H, LEVEL_L, LINES, MASKS, MAX_SIZE, WORDS, Grid, Level, Lines

cdef extern from "lanes.h" nogil:
    # To Cython lanes_t is a number, and it is used like one: every operator works on eight lanes at once.
    ctypedef unsigned long long lanes_t
    lanes_t all_lanes "fc_lanes" (uint64_t bits)
    lanes_t load_lanes "fc_lanes_load" (const uint64_t *source)
    void store_lanes "fc_lanes_store" (uint64_t *target, lanes_t lanes)
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    int instruction_set "fc_instruction_set" ()

cdef extern from *:
    """
    /* One body, three instruction sets; lanes.h says how. */
    FC_ANY static void fc_score_any(const void *, uint64_t *);
    FC_AVX2 static void fc_score_avx2(const void *, uint64_t *);
    FC_AVX512 static void fc_score_avx512(const void *, uint64_t *);
    """


cdef enum:
    # Weights of the four rules (table 11).
    RUN = 3
    BLOCK = 3
    FINDER = 40
    BALANCE = 10

    PERIOD = 12  # every mask condition repeats after 12 rows and after 12 columns
    EDGE_LINES = 17  # lines with format information in them: the first 9 and the last 8
    ALONG_FIRST = EDGE_LINES
    ALONG_LAST = EDGE_LINES + 1
    FORMAT_WORDS = EDGE_LINES + 2
    BATCH = 15  # words that one round of carry-save addition counts

    BEFORE = 4  # modules before a place that a look takes in
    AFTER = 10  # and after it


cdef struct Look:
    # What scoring reads of a symbol without mask and format, by rows or by columns, in windows of 64 modules.
    int size
    int windows
    bint columns
    const uint64_t *free  # [WINDOWS][LINES]: modules that a mask may invert
    const uint64_t *base  # as many
    lanes_t format[WINDOWS][EDGE_LINES]


# Mask conditions (table 10) over the first PERIOD lines: rows, then columns; as windows with one lane per
# mask to score by, as words to apply.
cdef lanes_t[2][WINDOWS][PERIOD] PATTERN_WINDOWS
cdef uint64_t[2][MASKS][WORDS][PERIOD] PATTERN_WORDS
# Format information in rows and in columns, by level and mask: what EDGE_LINES meet at module 8, nothing for line 8,
# which holds the other copy along it: first ALONG_FIRST, and ALONG_LAST from eight modules before its end on.
cdef uint64_t[2][4][FORMAT_WORDS][MASKS] FORMATS


# --- mask conditions ---


cdef bint inverts(int mask, int i, int j) noexcept nogil:
    """Whether a mask in [0, 7] inverts row i, column j (table 10)."""
    if mask == 0:
        return (i + j) % 2 == 0
    if mask == 1:
        return i % 2 == 0
    if mask == 2:
        return j % 3 == 0
    if mask == 3:
        return (i + j) % 3 == 0
    if mask == 4:
        return (i // 2 + j // 3) % 2 == 0
    if mask == 5:
        return i * j % 2 + i * j % 3 == 0
    if mask == 6:
        return (i * j % 2 + i * j % 3) % 2 == 0
    return ((i + j) % 2 + i * j % 3) % 2 == 0


cdef uint64_t pattern(int mask, int line, int first, bint columns) noexcept nogil:
    """64 modules of a mask along a row, or a column, from module `first` on."""
    cdef uint64_t bits = 0
    cdef int j
    for j in range(64):
        if inverts(mask, first + j, line) if columns else inverts(mask, line, first + j):
            bits |= <uint64_t> 1 << j
    return bits


cdef void build() noexcept nogil:
    cdef uint64_t[MASKS] lanes
    cdef int columns, line, mask, k
    for columns in range(2):
        for line in range(PERIOD):
            for k in range(WINDOWS):
                for mask in range(MASKS):
                    lanes[mask] = pattern(mask, line, WINDOW_STEP * k, columns)
                PATTERN_WINDOWS[columns][k][line] = load_lanes(lanes)
            for mask in range(MASKS):
                for k in range(WORDS):
                    PATTERN_WORDS[columns][mask][k][line] = pattern(mask, line, 64 * k, columns)


build()


# --- format information ---


cdef inline int format_bit(int slot, bint column) noexcept nogil:
    """Which bit of the format information row 8, or column 8, holds at an edge line (figure 25).

    -1 for none. The two copies are one, read forwards along one of the lines and backwards along the other.
    """
    cdef int bit
    if slot < 6:
        bit = 14 - slot
    elif slot == 7 or slot == 8:
        bit = 15 - slot
    elif slot >= 9 + column:  # the dark module takes the first of column 8's eight
        bit = EDGE_LINES - 1 - slot
    else:
        return -1
    return 14 - bit if column else bit


cdef inline int edge_line(int slot, int size) noexcept nogil:
    """The line, or the place in a line, that EDGE_LINES counts as `slot`."""
    return slot if slot < 9 else size - EDGE_LINES + slot


cdef void build_formats() noexcept nogil:
    cdef int columns, level, mask, slot, bit, word
    for columns in range(2):
        for level in range(LEVEL_L, LEVEL_H + 1):
            for mask in range(MASKS):
                word = format_word(<Level> level, mask)
                for slot in range(EDGE_LINES):
                    bit = format_bit(slot, not columns)
                    if bit >= 0 and slot != 8:
                        FORMATS[columns][level][slot][mask] = <uint64_t> (word >> bit & 1) << 8
                    bit = format_bit(slot, columns)
                    if bit >= 0 and slot < 9:
                        FORMATS[columns][level][ALONG_FIRST][mask] |= <uint64_t> (word >> bit & 1) << slot
                    elif bit >= 0:
                        FORMATS[columns][level][ALONG_LAST][mask] |= <uint64_t> (word >> bit & 1) << (slot - 9)


build_formats()


cdef inline void place_format(Level level, Look *look) noexcept nogil:
    cdef const uint64_t *format = &FORMATS[<int> look.columns][<int> level][0][0]
    cdef lanes_t last = load_lanes(format + ALONG_LAST * MASKS)
    cdef int slot, k, at
    for slot in range(EDGE_LINES):
        look.format[0][slot] = load_lanes(format + slot * MASKS)
    look.format[0][8] = load_lanes(format + ALONG_FIRST * MASKS)
    for k in range(1, look.windows):
        for slot in range(EDGE_LINES):
            look.format[k][slot] = all_lanes(0)
    for k in range(look.windows):
        at = look.size - 8 - WINDOW_STEP * k  # where in this window the last eight modules begin
        if -8 < at < 64:
            look.format[k][8] |= last << at if at >= 0 else last >> -at


cdef void apply_lines(const Lines *free, int size, Level level, int mask, bint columns, Lines *out) noexcept nogil:
    """Invert what the mask inverts and what the format information has dark, in rows or in columns."""
    cdef const uint64_t *format = &FORMATS[<int> columns][<int> level][0][mask]
    cdef int last = size - 8
    cdef int k, i, period, first, slot
    for k in range((size + 63) // 64):
        for period in range((size + PERIOD - 1) // PERIOD):
            first = PERIOD * period
            for i in range(min(PERIOD, size - first)):
                out.word[k][first + i] ^= PATTERN_WORDS[columns][mask][k][i] & free.word[k][first + i]
    for slot in range(EDGE_LINES):
        out.word[0][edge_line(slot, size)] ^= format[slot * MASKS]
    out.word[0][8] ^= format[ALONG_FIRST * MASKS]
    out.word[last // 64][8] ^= format[ALONG_LAST * MASKS] << last % 64
    if last % 64 > 56:
        out.word[last // 64 + 1][8] ^= format[ALONG_LAST * MASKS] >> (64 - last % 64)


cdef void apply(const Template *template, Level level, int mask, Grid *grid) noexcept nogil:
    """Make the finished symbol of one without mask and format (7.8.2, 7.9.1), or that one of it again."""
    apply_lines(&template.free.rows, template.size, level, mask, False, &grid.rows)
    apply_lines(&template.free.columns, template.size, level, mask, True, &grid.columns)


# --- finding ---


cdef inline const uint64_t *windows_of(
    const Lines *lines, int size, int windows, uint64_t *memory
) noexcept nogil:
    """The windows of lines, as in Template; in `memory`, unless there is but one."""
    if windows == 1:
        return &lines.word[0][0]
    cut(&lines.word[0][0], size, windows, memory)
    return memory


cdef inline uint64_t span(int first, int end) noexcept nogil:
    """A word with the bits from `first` up to but without `end`; both are cut to [0, 64]."""
    cdef uint64_t below_end = ~<uint64_t> 0 if end >= 64 else (<uint64_t> 1 << end) - 1 if end > 0 else 0
    return below_end & ~<uint64_t> 0 << first if first < 64 else 0


cdef inline uint64_t counted_places(const Look *look, int k) noexcept nogil:
    """The places of window k that no other window counts: well inside it, or at the symbol's ends."""
    cdef int first = BEFORE if k else 0
    cdef int end = 64 - AFTER if k + 1 < look.windows else look.size - WINDOW_STEP * k
    return span(first, end)


cdef inline lanes_t masked_line(const Look *look, int k, int i) noexcept nogil:
    """Window k of line i as it looks under each of the eight masks."""
    cdef lanes_t inverted = PATTERN_WINDOWS[look.columns][k][i % PERIOD] & all_lanes(look.free[k * LINES + i])
    cdef lanes_t line = all_lanes(look.base[k * LINES + i]) ^ inverted
    if i < 9:
        line |= look.format[k][i]
    elif i >= look.size - 8:
        line |= look.format[k][i - look.size + EDGE_LINES]
    return line


cdef inline lanes_t finder_places(lanes_t line, lanes_t edge, lanes_t edge2) noexcept nogil:
    """Mark dark 1:1:3:1:1 with four light modules before it, and, one place on, with four light after it.

    `edge2` has an edge at a place or the next. Outside of the symbol all is light, and zeros come in by the
    shifts. Both marks fit into one word because two patterns never start side by side.
    """
    cdef lanes_t edges2 = edge & edge >> 1
    cdef lanes_t edges3 = edges2 & edges2 >> 1
    cdef lanes_t core = line & edges3 & edges3 >> 5 & ~(edge2 >> 3)
    cdef lanes_t dark2 = line | line << 1
    cdef lanes_t dark4 = dark2 | dark2 << 2  # a dark module at the place or among the three before it
    return core & ~(dark4 << 1) | (core & ~(dark4 >> 10)) << 1


# --- counting ---


cdef inline lanes_t ones_per_nibble(lanes_t x) noexcept nogil:
    x = x - (x >> 1 & all_lanes(0x5555555555555555ULL))
    return (x & all_lanes(0x3333333333333333ULL)) + (x >> 2 & all_lanes(0x3333333333333333ULL))


cdef inline int halve(lanes_t *batch, int count) noexcept nogil:
    """Add an odd number of words three by three; leave their sum bits in batch[count], the carries before.

    Returns the number of carries, which count twice (Harley and Seal's method: Hacker's Delight, 5-1).
    """
    cdef lanes_t total = batch[0]
    cdef lanes_t a, b, half
    cdef int i
    for i in range(1, count, 2):
        a = batch[i]
        b = batch[i + 1]
        half = total ^ a
        batch[i // 2] = total & a | half & b
        total = half ^ b
    batch[count] = total
    return count // 2


cdef inline lanes_t count_ones(lanes_t *batch) noexcept nogil:
    """Count the ones of BATCH words, lane by lane, in four fields of 16 bits; uses up the batch.

    The batch needs room for one word more than it holds.
    """
    cdef lanes_t ones, twos, fours, eights
    halve(batch, 15)
    ones = ones_per_nibble(batch[15])
    halve(batch, 7)
    twos = ones_per_nibble(batch[7])
    halve(batch, 3)
    fours = ones_per_nibble(batch[3])
    eights = ones_per_nibble(batch[0])
    # Nibbles hold at most 4 + 2 * 4, bytes at most 12 + 12 + 4 * 24: nothing runs over.
    ones += twos << 1
    fours += eights << 1
    ones = (ones & all_lanes(0x0F0F0F0F0F0F0F0FULL)) + (ones >> 4 & all_lanes(0x0F0F0F0F0F0F0F0FULL))
    fours = (fours & all_lanes(0x0F0F0F0F0F0F0F0FULL)) + (fours >> 4 & all_lanes(0x0F0F0F0F0F0F0F0FULL))
    ones += fours << 2
    return (ones & all_lanes(0x00FF00FF00FF00FFULL)) + (ones >> 8 & all_lanes(0x00FF00FF00FF00FFULL))


cdef inline lanes_t sum_fields(lanes_t x) noexcept nogil:
    """Add the four 16-bit fields of each lane."""
    x = (x & all_lanes(0x0000FFFF0000FFFFULL)) + (x >> 16 & all_lanes(0x0000FFFF0000FFFFULL))
    return (x & all_lanes(0x00000000FFFFFFFFULL)) + (x >> 32)


cdef inline void score_look(const Look *look, lanes_t *penalty, lanes_t *dark_modules) noexcept nogil:
    """Add what a symbol loses in one direction under each mask, except by balance and by scaled finders.

    2 x 2 blocks and dark modules are counted by rows only.
    """
    cdef lanes_t[BATCH + 1] runs, starts, finders, blocks, dark
    cdef lanes_t all_runs = all_lanes(0), all_starts = all_lanes(0), all_finders = all_lanes(0)
    cdef lanes_t all_blocks = all_lanes(0), all_dark = all_lanes(0)
    cdef lanes_t line, edge, edge2, edge4, run, last_line, last_edge
    cdef lanes_t counted, counted_runs, counted_blocks, can_run
    cdef uint64_t places
    cdef int k, i, batch, first, end, at
    for k in range(look.windows):
        places = counted_places(look, k)
        counted = all_lanes(places)
        # A run is found one module after its first; the first module of a line is not after anything.
        counted_runs = all_lanes(places << 1)
        counted_blocks = all_lanes(places & ~span(0, k == 0))
        can_run = all_lanes(span(k == 0, look.size - WINDOW_STEP * k - 3))
        last_line = all_lanes(0)
        last_edge = all_lanes(~<uint64_t> 0)  # no block ends in the first line
        for batch in range((look.size + BATCH - 1) // BATCH):
            first = BATCH * batch
            end = min(first + BATCH, look.size)
            for i in range(first, end):
                line = masked_line(look, k, i)
                edge = line ^ line << 1
                edge2 = edge | edge >> 1
                edge4 = edge2 | edge2 >> 2
                run = can_run & ~edge4
                at = i - first
                runs[at] = run & counted_runs
                starts[at] = run & ~(run << 1) & counted_runs
                finders[at] = finder_places(line, edge, edge2) & counted
                if not look.columns:
                    blocks[at] = counted_blocks & ~(edge | last_edge | line ^ last_line)
                    dark[at] = line & counted
                    last_line = line
                    last_edge = edge
            for at in range(end - first, BATCH):
                runs[at] = starts[at] = finders[at] = blocks[at] = dark[at] = all_lanes(0)
            all_runs += count_ones(runs)
            all_starts += count_ones(starts)
            all_finders += count_ones(finders)
            if not look.columns:
                all_blocks += count_ones(blocks)
                all_dark += count_ones(dark)
    # A run of n >= 5 costs RUN + n - 5 and holds n - 4 runs of five.
    penalty[0] += sum_fields(all_runs) + sum_fields(all_starts) * all_lanes(RUN - 1)
    penalty[0] += sum_fields(all_finders) * all_lanes(FINDER) + sum_fields(all_blocks) * all_lanes(BLOCK)
    dark_modules[0] += sum_fields(all_dark)


cdef inline void score_looks(const Look *looks, uint64_t *out) noexcept nogil:
    """Write eight penalties, then eight numbers of dark modules."""
    cdef lanes_t penalty = all_lanes(0), dark = all_lanes(0)
    score_look(looks, &penalty, &dark)
    score_look(looks + 1, &penalty, &dark)
    store_lanes(out, penalty)
    store_lanes(out + MASKS, dark)


cdef void score_any "fc_score_any" (const void *looks, uint64_t *out) noexcept nogil:
    score_looks(<const Look *> looks, out)


cdef void score_avx2 "fc_score_avx2" (const void *looks, uint64_t *out) noexcept nogil:
    score_looks(<const Look *> looks, out)


cdef void score_avx512 "fc_score_avx512" (const void *looks, uint64_t *out) noexcept nogil:
    score_looks(<const Look *> looks, out)


ctypedef void (*score_t)(const void *, uint64_t *) noexcept nogil
cdef score_t[3] SCORE_BY_SET = [score_any, score_avx2, score_avx512]
cdef score_t score_best = SCORE_BY_SET[instruction_set()]


cdef int use_instruction_set(int wanted) noexcept nogil:
    """Use a set in [0, 2], or the best below it that this processor knows; return which. For tests only."""
    global score_best
    wanted = min(wanted, instruction_set())
    score_best = SCORE_BY_SET[wanted]
    return wanted


cdef void score(const Template *template, Level level, const Grid *grid, int64_t *penalties) noexcept nogil:
    """Write the penalty of each of eight masks for a symbol without mask and format.

    All that 7.8.3 counts, except finder-like patterns of twice the width and more: see `choose`.
    """
    cdef Look[2] looks
    cdef uint64_t[2][WINDOWS * LINES] cuts
    cdef uint64_t[2 * MASKS] out
    cdef int columns, mask
    cdef int64_t total = template.size * template.size
    cdef int64_t off
    for columns in range(2):
        looks[columns].size = template.size
        looks[columns].windows = template.windows
        looks[columns].columns = columns
        place_format(level, &looks[columns])
    looks[0].free = &template.free_rows[0][0]
    looks[1].free = &template.free_columns[0][0]
    looks[0].base = windows_of(&grid.rows, template.size, template.windows, cuts[0])
    looks[1].base = windows_of(&grid.columns, template.size, template.windows, cuts[1])
    score_best(looks, out)
    for mask in range(MASKS):
        # BALANCE for each full 5 % that the share of dark modules is off 50 %; it is never exactly 50 %.
        off = <int64_t> out[MASKS + mask] * 20 - total * 10
        penalties[mask] = <int64_t> out[mask] + ((off if off > 0 else -off) - 1) // total * BALANCE


# --- finder-like patterns of more than one module per part ---


cdef int count_scaled(const Lines *lines, int i, int size) noexcept nogil:
    """Count n : n : 3n : n : n for all n >= 2 in one line: once for 4n light before it, once for after it."""
    cdef int[MAX_SIZE + 1] edge  # places where the colour changes; the even ones begin something dark
    cdef int edges = 0, found = 0
    cdef uint64_t bits, carry = 0
    cdef int k, a, n, before, after
    for k in range(WORDS):
        bits = lines.word[k][i] ^ (lines.word[k][i] << 1 | carry)
        carry = lines.word[k][i] >> 63
        while bits:
            edge[edges] = 64 * k + trailing_zeros(bits)
            edges += 1
            bits &= bits - 1
    for a in range(0, edges - 5, 2):
        n = edge[a + 1] - edge[a]
        if n < 2 or edge[a + 2] - edge[a + 1] != n or edge[a + 3] - edge[a + 2] != 3 * n:
            continue
        if edge[a + 4] - edge[a + 3] != n or edge[a + 5] - edge[a + 4] != n:
            continue
        # Outside of the symbol everything is light.
        before = edge[a] - edge[a - 1] if a else 4 * size
        after = edge[a + 6] - edge[a + 5] if a + 6 < edges else 4 * size
        found += (before >= 4 * n and after >= n) + (after >= 4 * n and before >= n)
    return found


cdef int64_t scaled_in_lines(const Lines *lines, int size, int windows) noexcept nogil:
    """Count finder-like patterns of two and more modules per part in all lines of one masked symbol.

    Now the lanes are eight lines. They only say where to count. A hit is a place where a wide part begins:
    for n = 2 all edges must fit, for more there are three light modules before it and nine dark ones in it.
    """
    cdef uint64_t[WINDOWS * LINES] memory
    cdef uint64_t[LINES] hit
    cdef const uint64_t *window = windows_of(lines, (size + 7) & ~7, windows, memory)
    cdef lanes_t line, edge, edge2, edge4, two, hits
    cdef int k, i
    cdef int64_t found = 0
    for i in range(0, size, 8):
        hits = all_lanes(0)
        for k in range(windows):
            line = load_lanes(window + k * LINES + i)
            edge = line ^ line << 1
            edge2 = edge | edge >> 1
            edge4 = edge2 | edge2 >> 2
            two = edge & ~(edge >> 1) & edge >> 2  # a part of two modules begins
            two &= two >> 2
            two = two << 4 & two >> 6 & ~(edge4 >> 1 | edge >> 5)
            hits |= line & (two | edge & ~(edge2 << 2) & ~(edge4 >> 1 | edge4 >> 5))
        store_lanes(&hit[i], hits)
    for i in range(size):
        if hit[i]:
            found += count_scaled(lines, i, size)
    return found


cdef int64_t scaled_finders(const Template *template, const Grid *masked) noexcept nogil:
    """What a finished symbol loses by finder-like patterns of two and more modules per part (7.8.3.1)."""
    return FINDER * (scaled_in_lines(&masked.rows, template.size, template.windows)
                     + scaled_in_lines(&masked.columns, template.size, template.windows))


# --- choice ---


cdef int choose(const Template *template, Level level, Grid *grid) noexcept nogil:
    """Apply the mask with the least penalty, the lowest number among equals; return it.

    What `score` leaves out can only be added. So the mask that wins without it wins if it has none of it;
    if it has some, it may have fallen behind another, which is then tried the same way.
    """
    cdef int64_t[MASKS] penalties
    cdef bint[MASKS] complete
    cdef int applied = -1
    cdef int mask, best
    score(template, level, grid, penalties)
    for mask in range(MASKS):
        complete[mask] = False
    while True:
        best = 0
        for mask in range(1, MASKS):
            if penalties[mask] < penalties[best]:
                best = mask
        if best != applied:
            if applied >= 0:
                apply(template, level, applied, grid)
            apply(template, level, best, grid)
            applied = best
        if complete[best]:
            return best
        penalties[best] += scaled_finders(template, grid)
        complete[best] = True


# --- Micro QR code ---


cdef int[4] MICRO_MASKS = [1, 4, 6, 7]  # the four conditions of table 10 that Micro QR code has


cdef void apply_micro(
    const Template *template, int version, Level level, int mask, Grid *grid
) noexcept nogil:
    """Make the finished symbol of one without mask and format; mask in [0, 3] (7.8.2, 7.9.2). Rows only."""
    cdef int word = micro_format_word(version, level, mask)
    cdef int i
    for i in range(template.size):
        grid.rows.word[0][i] ^= (
            PATTERN_WORDS[0][MICRO_MASKS[mask]][0][i % PERIOD] & template.free.rows.word[0][i]
        )
    for i in range(8):  # down column 8, then back along row 8; both meet in bit 7 (figure 26)
        grid.rows.word[0][i + 1] |= <uint64_t> (word >> i & 1) << 8
        grid.rows.word[0][8] |= <uint64_t> (word >> (14 - i) & 1) << (i + 1)


cdef int choose_micro(const Template *template, int version, Level level, Grid *grid) noexcept nogil:
    """Apply the mask with most dark modules in the last column and row, the lowest among equals (7.8.3.2).

    Those are the sides without a pattern that a reader could find the symbol's edge by.
    """
    cdef int last = template.size - 1
    cdef Grid bare = grid[0]
    cdef Grid masked
    cdef int best = 0, best_points = -1
    cdef int mask, i, right, bottom, points
    for mask in range(4):
        masked = bare
        apply_micro(template, version, level, mask, &masked)
        right = bottom = 0
        for i in range(1, template.size):  # without the timing patterns
            right += masked.rows.word[0][i] >> last & 1
            bottom += masked.rows.word[0][last] >> i & 1
        points = 16 * min(right, bottom) + max(right, bottom)
        if points > best_points:
            best = mask
            best_points = points
            grid[0] = masked
    return best
