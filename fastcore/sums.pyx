"""Per question: many objects of counts added up, key by key, without making a Python object of each, and counts of
quarters of an hour added up to those of intervals.

Keys are compared and hashed as they stand between their quotes, escapes included: whoever writes the objects has one
way of writing a key. They are not copied either, as the rows they stand in outlive the table.
"""

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.sequence cimport PySequence_GetItem
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp

cdef extern from "lanes.h" nogil:
    uint64_t load "fc_load" (const uint8_t *at)
    uint64_t bytes_that_are "fc_bytes_that_are" (uint64_t bits, uint8_t byte)
    uint64_t folded_product "fc_folded_product" (uint64_t one, uint64_t other)
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)


cdef enum:
    FIRST_SLOTS = 1024
    PLACES = 32  # lines of a row that can be asked for
    LINE_FEED = 10
    QUOTE = 34
    BACKSLASH = 92
    OPEN = 123
    CLOSE = 125
    COLON = 58
    COMMA = 44
    ZERO = 48

    DONE = 0
    MALFORMED = 1
    NO_MEMORY = 2

# The golden ratio's first 64 bits.
cdef uint64_t FACTOR = 0x9E3779B97F4A7C15U
# Another one in each process, as strangers choose keys: they cannot choose those that are in each other's way.
cdef uint64_t SEED = <uint64_t> <Py_ssize_t> hash("fastcore.sums")


# --- keys -------------------------------------------------------------------------------------------------------------


cdef struct Entry:
    const uint8_t *key
    uint32_t size
    uint32_t hash
    uint64_t count


cdef struct Table:
    # The keys in the order in which they came, and, so that they are found again, where they stand among these: open
    # addressing, at most half full. Together they are small enough for a processor's nearest memory.
    Entry *entries
    uint32_t used
    uint32_t *slots  # the number of an entry, from 1 on; 0 where the slot is free
    uint32_t mask  # how many slots there are, a power of two, less one
    uint32_t places  # lines of a row, one bit each
    uint64_t total  # of all counts
    uint64_t least  # with which a key is told


cdef struct Line:
    const uint8_t *start  # NULL where there is none
    const uint8_t *end


cdef inline uint32_t *find(Table *table, const uint8_t *key, uint32_t size, uint32_t hash) noexcept nogil:
    """The key's slot, or the free one where it belongs."""
    cdef uint32_t at = hash & table.mask
    cdef Entry *entry
    while table.slots[at]:
        entry = &table.entries[table.slots[at] - 1]
        if entry.hash == hash and entry.size == size and memcmp(entry.key, key, size) == 0:
            break
        at = (at + 1) & table.mask
    return &table.slots[at]


cdef int grow(Table *table, uint32_t count) noexcept nogil:
    """So many slots, a power of two, for the same keys."""
    cdef uint32_t each, at
    cdef uint32_t *slots = <uint32_t *> calloc(count, sizeof(uint32_t))
    cdef Entry *entries = <Entry *> realloc(table.entries, count // 2 * sizeof(Entry))
    if entries != NULL:
        table.entries = entries
    if slots == NULL or entries == NULL:
        free(slots)
        return NO_MEMORY
    free(table.slots)
    table.slots = slots
    table.mask = count - 1
    for each in range(table.used):
        at = entries[each].hash & table.mask
        while slots[at]:
            at = (at + 1) & table.mask
        slots[at] = each + 1
    return DONE


cdef inline const uint8_t *key_end(const uint8_t *at, const uint8_t *end) noexcept nogil:
    """The quote behind a key, or `end` where there is none."""
    cdef uint64_t word, found
    while end - at >= 8:
        word = load(at)
        found = bytes_that_are(word, QUOTE) | bytes_that_are(word, BACKSLASH)
        if found == 0:
            at += 8
            continue
        at += trailing_zeros(found) >> 3
        if at[0] == QUOTE:
            return at
        at += 2  # whatever comes behind a backslash is no end
    while at < end and at[0] != QUOTE:
        at += 2 if at[0] == BACKSLASH else 1
    return at if at < end else end


cdef inline uint32_t hash_of(const uint8_t *at, Py_ssize_t size, const uint8_t *end) noexcept nogil:
    """`end` is that of what may be read, on which the hash does not depend."""
    cdef uint64_t hash = SEED ^ <uint64_t> size
    cdef uint64_t last = 0
    cdef Py_ssize_t each
    while size >= 8:
        hash = folded_product(hash ^ load(at), FACTOR)
        at += 8
        size -= 8
    if size and end - at >= 8:
        last = load(at) & ((<uint64_t> 1 << 8 * size) - 1)
    else:
        for each in range(size):
            last |= <uint64_t> at[each] << 8 * each
    hash = folded_product(hash ^ last, FACTOR)
    return <uint32_t> (hash ^ hash >> 32)


cdef int add(Table *table, const uint8_t *at, const uint8_t *end) noexcept nogil:
    """Adds the counts of one object, `{"key":1,"other":2}` without a space, which ends at `end`."""
    cdef const uint8_t *key
    cdef const uint8_t *digits
    cdef uint32_t hash
    cdef uint64_t count
    cdef uint32_t *slot
    if end - at == 2 and at[0] == OPEN and at[1] == CLOSE:
        return DONE
    if at == end or at[0] != OPEN:
        return MALFORMED
    while at[0] != CLOSE:
        if end - at < 2 or at[1] != QUOTE:  # behind a brace or comma
            return MALFORMED
        key = at + 2
        at = key_end(key, end)
        if end - at < 2 or at[1] != COLON:
            return MALFORMED
        if 2 * table.used > table.mask and grow(table, 2 * (table.mask + 1)) != DONE:
            return NO_MEMORY
        hash = hash_of(key, at - key, end)
        slot = find(table, key, <uint32_t> (at - key), hash)
        if slot[0] == 0:
            table.entries[table.used] = Entry(key, <uint32_t> (at - key), hash, 0)
            table.used += 1
            slot[0] = table.used
        at += 2
        digits = at
        count = 0
        while at < end and ZERO <= at[0] <= ZERO + 9:
            count = 10 * count + (at[0] - ZERO)
            at += 1
        if at == digits or at == end or (at[0] != COMMA and at[0] != CLOSE):
            return MALFORMED
        table.entries[slot[0] - 1].count += count
        table.total += count
    return DONE if at + 1 == end else MALFORMED


cdef int find_least(Table *table, uint32_t most) noexcept nogil:
    """The count that stands at the place `most`, in [1, table.used), when the largest come first."""
    cdef uint32_t each, at, child
    cdef uint64_t count
    # The largest so far: a heap, the least of them first.
    cdef uint64_t *largest = <uint64_t *> calloc(most, sizeof(uint64_t))
    if largest == NULL:
        return NO_MEMORY
    for each in range(table.used):
        count = table.entries[each].count
        if count > largest[0]:
            at, child = 0, 1
            while child < most:
                if child + 1 < most and largest[child + 1] < largest[child]:
                    child += 1
                if count <= largest[child]:
                    break
                largest[at] = largest[child]
                at, child = child, 2 * child + 1
            largest[at] = count
    table.least = largest[0]
    free(largest)
    return DONE


cdef void split(const uint8_t *at, const uint8_t *end, Line *lines) noexcept nogil:
    """The first lines of a row; those that are empty, or not there, have no start."""
    cdef const uint8_t *stop
    cdef int each
    for each in range(PLACES):
        lines[each].start = NULL
        if at < end:
            stop = <const uint8_t *> memchr(at, LINE_FEED, end - at)
            if stop == NULL:
                stop = end
            if stop > at:
                lines[each].start, lines[each].end = at, stop
            at = stop + 1


cdef int fill(Table *table, const Line *lines, Py_ssize_t rows, uint32_t most) noexcept nogil:
    """Adds up those of the table's places in each row."""
    cdef Py_ssize_t row
    cdef const Line *line
    cdef int place
    cdef int done = DONE
    if grow(table, FIRST_SLOTS) != DONE:
        return NO_MEMORY
    for row in range(rows):
        for place in range(PLACES):
            line = &lines[row * PLACES + place]
            if table.places >> place & 1 and line.start != NULL:
                done = add(table, line.start, line.end)
                if done != DONE:
                    return done
    return find_least(table, most) if table.used > most else DONE


cdef tuple told(const Table *table):
    cdef uint32_t each
    cdef const Entry *entry
    cdef dict found = {}
    for each in range(table.used):
        entry = &table.entries[each]
        if entry.count >= table.least:
            found[PyBytes_FromStringAndSize(<const char *> entry.key, entry.size)] = entry.count
    return found, table.total


def summed(rows, figures, uint32_t most):
    # What it is for: fastcore/sums.pyi.
    cdef tuple kept = tuple(rows)  # which nobody changes meanwhile
    cdef Py_ssize_t count = len(kept)
    cdef tuple wanted = tuple(figures)
    cdef Py_ssize_t tables = len(wanted)
    cdef Py_ssize_t each
    cdef int place
    cdef int done = DONE
    cdef bytes row
    cdef Line *ends = NULL  # of the rows
    cdef Line *lines = NULL
    cdef Table *table = NULL
    if most < 1:
        raise ValueError("at least one is wanted")
    try:
        ends = <Line *> malloc((count + 1) * sizeof(Line))
        lines = <Line *> malloc((PLACES * count + 1) * sizeof(Line))
        table = <Table *> calloc(tables + 1, sizeof(Table))
        if ends == NULL or lines == NULL or table == NULL:
            raise MemoryError
        for each in range(tables):
            for place in wanted[each]:
                if not 0 <= place < PLACES:
                    raise ValueError(f"a row has {PLACES} lines")
                table[each].places |= 1U << place
        for each in range(count):
            row = kept[each]
            if row is None:  # which Cython takes for bytes
                raise TypeError("a row is bytes, not None")
            ends[each].start = <const uint8_t *> PyBytes_AS_STRING(row)
            ends[each].end = ends[each].start + PyBytes_GET_SIZE(row)
        with nogil:
            for each in range(count):
                split(ends[each].start, ends[each].end, &lines[PLACES * each])
            for each in range(tables):
                if done == DONE:
                    done = fill(&table[each], lines, count, most)
        if done == NO_MEMORY:
            raise MemoryError
        if done == MALFORMED:
            raise ValueError("this is no object of counts")
        return [told(&table[each]) for each in range(tables)]
    finally:
        for each in range(tables if table != NULL else 0):
            free(table[each].slots)
            free(table[each].entries)
        free(table)
        free(lines)
        free(ends)


# --- quarters of an hour ----------------------------------------------------------------------------------------------


cdef enum:
    COUNTS = 4
    SLOTS = 96  # in a day
    SLOT_BYTES = 1 + 4 * COUNTS


cdef inline uint32_t number(const uint8_t *at) noexcept nogil:
    return at[0] | at[1] << 8 | at[2] << 16 | <uint32_t> at[3] << 24


cdef struct Day:
    int64_t number
    uint64_t[COUNTS] counts


cdef int read(row, Day *day) except -1:
    cdef int column
    for column in range(COUNTS):
        day.counts[column] = <uint64_t> PySequence_GetItem(row, column)
    day.number = <int64_t> PySequence_GetItem(row, COUNTS)
    return 0


cdef int add_until(packed, int slot, const Day *day, bint late, uint64_t *sums) except -1:
    """Adds the counts of a day before one of its slots; where it has the late ones alone, all but those from it on."""
    cdef const uint8_t *at
    cdef Py_ssize_t size, each
    cdef Py_ssize_t before = 0
    cdef int column
    if not isinstance(packed, bytes) or PyBytes_GET_SIZE(packed) % SLOT_BYTES:
        raise ValueError("these are no counts of a day")
    at = <const uint8_t *> PyBytes_AS_STRING(packed)
    size = PyBytes_GET_SIZE(packed) // SLOT_BYTES
    while before < size and at[before] < slot:
        before += 1
    at += size
    for column in range(COUNTS):
        if late:
            sums[column] += day.counts[column]
            for each in range(before, size):
                sums[column] -= number(&at[4 * each])
        else:
            for each in range(before):
                sums[column] += number(&at[4 * each])
        at += 4 * size
    return 0


@cython.cdivision(False)  # quarters before the first one are numbers below 0
def series(edges, days, figures, late=False):
    # What it is for: fastcore/sums.pyi.
    cdef list rows = list(days)
    cdef Py_ssize_t count = len(rows)
    cdef Py_ssize_t at = 0
    cdef int64_t edge, today
    cdef int slot, column, each
    cdef tuple wanted = tuple(figures)
    cdef int many = len(wanted)
    cdef uint32_t[COUNTS] columns  # of each figure, one bit each
    cdef uint64_t[COUNTS] sums, until, figure, before
    cdef Day day
    cdef bint first = True, from_late = late
    cdef list found = [[] for _ in wanted]
    if many > COUNTS:
        raise ValueError(f"there are at most {COUNTS} figures")
    for each in range(COUNTS):
        sums[each] = columns[each] = figure[each] = 0
    for each in range(many):
        for column in wanted[each]:
            if not 0 <= column < COUNTS:
                raise ValueError(f"a day has {COUNTS} counts")
            columns[each] |= 1U << column
    if count:
        read(rows[0], &day)
    for edge in edges:
        today = edge // SLOTS
        slot = edge % SLOTS
        while at < count and day.number < today:
            for column in range(COUNTS):
                sums[column] += day.counts[column]
            at += 1
            if at < count:
                read(rows[at], &day)
        until = sums
        if slot and at < count and day.number == today:
            add_until(PySequence_GetItem(rows[at], COUNTS + 1), slot, &day, from_late, until)
        before = figure
        for each in range(many):
            figure[each] = 0
            for column in range(COUNTS):
                if columns[each] >> column & 1:
                    figure[each] += until[column]
            if not first:
                (<list> found[each]).append(figure[each] - before[each])
        first = False
    return found
