"""Per batch of scans: counts of keys as lines, `{"CH":12,"FR":3}`, made of scans, or of lines that follow each other.

Keys stand in a line in the order in which they came first. They are not copied to be counted, as the lines or strings
they stand in outlive the table. In lines they are compared as they stand between their quotes, escapes included, as
there is one way of writing a key here: that of orjson.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.object cimport PyObject_Hash
from cpython.tuple cimport PyTuple_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcmp, memcpy, memset

from fastcore.buffer cimport Buffer, put, put_all, release, room_for, take


cdef enum:
    FIRST_SLOTS = 64
    FIRST_ROOM = 4096
    DIGITS = 20  # of a count
    ESCAPED = 6  # the most bytes that one of a key takes in a line

    LINE_FEED = 10
    QUOTE = 34
    COMMA = 44
    ZERO = 48
    COLON = 58
    BACKSLASH = 92
    OPEN = 123
    CLOSE = 125

    DONE = 0
    MALFORMED = 1
    NO_MEMORY = 2

# FNV-1a, 32 bits (draft-eastlake-fnv).
cdef enum:
    PRIME = 16777619
cdef uint32_t BASIS = 2166136261u

cdef uint64_t ANY = 0xFFFFFFFFFFFFFFFFu
#: In place of a key that there is no room for, as it is written: U+0000.
cdef const uint8_t *OTHER = <const uint8_t *> b"\\u0000"
cdef uint32_t OTHER_SIZE = 6


cdef struct Entry:
    const uint8_t *key
    uint32_t size
    uint32_t hash
    uint64_t count


cdef struct Table:
    Entry *entries  # in their order; room for half as many as there are slots
    uint32_t *slots  # open addressing: an entry's place and 1; 0 where it is free
    uint32_t mask  # how many slots there are, a power of two, less one
    uint32_t used


# --- the table --------------------------------------------------------------------------------------------------------


cdef int make(Table *table, uint32_t slots) noexcept nogil:
    table.slots = <uint32_t *> calloc(slots, sizeof(uint32_t))
    table.entries = <Entry *> malloc(slots // 2 * sizeof(Entry))
    table.mask = slots - 1
    table.used = 0
    return DONE if table.slots != NULL and table.entries != NULL else NO_MEMORY


cdef void drop(Table *table) noexcept nogil:
    free(table.slots)
    free(table.entries)


cdef inline uint32_t *find(Table *table, const uint8_t *key, uint32_t size, uint32_t hash) noexcept nogil:
    """The key's slot, or the free one where it belongs."""
    cdef uint32_t at = hash & table.mask
    cdef Entry *entry
    while table.slots[at]:
        entry = &table.entries[table.slots[at] - 1]
        if entry.hash == hash and entry.size == size and (entry.key == key or memcmp(entry.key, key, size) == 0):
            break
        at = (at + 1) & table.mask
    return &table.slots[at]


cdef int grow(Table *table) noexcept nogil:
    """Twice as many slots, for the same keys."""
    cdef Table larger
    cdef uint32_t each
    if make(&larger, 2 * (table.mask + 1)) != DONE:
        drop(&larger)
        return NO_MEMORY
    memcpy(larger.entries, table.entries, table.used * sizeof(Entry))
    larger.used = table.used
    for each in range(table.used):
        find(&larger, larger.entries[each].key, larger.entries[each].size, larger.entries[each].hash)[0] = each + 1
    drop(table)
    table[0] = larger
    return DONE


cdef inline void clear(Table *table) noexcept nogil:
    memset(table.slots, 0, (<size_t> table.mask + 1) * sizeof(uint32_t))
    table.used = 0


cdef int add(
    Table *table, const uint8_t *key, uint32_t size, uint32_t hash, uint64_t count, uint64_t most
) noexcept nogil:
    """Adds to the key's count. Where it is new and there are `most` keys already, to that of OTHER."""
    cdef uint32_t *slot = find(table, key, size, hash)
    cdef Entry *entry
    if not slot[0]:
        if table.used >= most and key != OTHER:
            return add(table, OTHER, OTHER_SIZE, hash_of(OTHER, OTHER + OTHER_SIZE), count, most)
        if table.used == (table.mask + 1) // 2:
            if grow(table) != DONE:
                return NO_MEMORY
            slot = find(table, key, size, hash)
        entry = &table.entries[table.used]
        table.used += 1
        slot[0] = table.used
        entry.key, entry.size, entry.hash, entry.count = key, size, hash, 0
    table.entries[slot[0] - 1].count += count
    return DONE


# --- out --------------------------------------------------------------------------------------------------------------


cdef void put_escaped(Buffer *line, const uint8_t *key, uint32_t size) noexcept nogil:
    """A key as orjson writes it: of what has to be escaped (RFC 8259, 7), five control characters by a letter."""
    cdef const uint8_t *digits = <const uint8_t *> b"0123456789abcdef"
    cdef const uint8_t *letters = <const uint8_t *> b"btn\0fr"
    cdef uint32_t each
    for each in range(size):
        if key[each] == QUOTE or key[each] == BACKSLASH:
            put(line, BACKSLASH)
            put(line, key[each])
        elif key[each] >= 32:
            put(line, key[each])
        elif 8 <= key[each] <= 13 and key[each] != 11:
            put(line, BACKSLASH)
            put(line, letters[key[each] - 8])
        else:
            put_all(line, <const char *> b"\\u00", 4)
            put(line, digits[key[each] >> 4])
            put(line, digits[key[each] & 15])


cdef void put_number(Buffer *line, uint64_t number) noexcept nogil:
    cdef uint8_t[DIGITS] digits
    cdef int at = DIGITS
    while True:
        at -= 1
        digits[at] = <uint8_t> (ZERO + number % 10)
        number //= 10
        if number == 0:
            break
    put_all(line, digits + at, DIGITS - at)


cdef int put_line(Buffer *line, const Table *table, bint escaped) noexcept nogil:
    """What is in the table; nothing where nothing is."""
    cdef size_t size = 2
    cdef uint32_t each
    for each in range(table.used):
        size += table.entries[each].size * <size_t> (1 if escaped else ESCAPED) + DIGITS + 4
    if not room_for(line, size):
        return NO_MEMORY
    for each in range(table.used):
        put(line, COMMA if each else OPEN)
        put(line, QUOTE)
        if escaped:
            put_all(line, table.entries[each].key, table.entries[each].size)
        else:
            put_escaped(line, table.entries[each].key, table.entries[each].size)
        put(line, QUOTE)
        put(line, COLON)
        put_number(line, table.entries[each].count)
    if table.used:
        put(line, CLOSE)
    return DONE


# --- in ---------------------------------------------------------------------------------------------------------------


cdef inline uint32_t hash_of(const uint8_t *key, const uint8_t *end) noexcept nogil:
    cdef uint32_t hash = BASIS
    while key < end:
        hash = (hash ^ key[0]) * <uint32_t> PRIME
        key += 1
    return hash


cdef int add_line(Table *table, const uint8_t **start, const uint8_t *end, uint64_t most) noexcept nogil:
    """Adds the counts of the line that begins at `start`, and moves that behind it."""
    cdef const uint8_t *at = start[0]
    cdef const uint8_t *key
    cdef const uint8_t *digits
    cdef uint32_t hash
    cdef uint64_t count
    if at < end and at[0] != LINE_FEED:
        if at[0] != OPEN:
            return MALFORMED
        while at[0] != CLOSE:
            if end - at < 2 or at[1] != QUOTE:  # behind a brace or comma
                return MALFORMED
            at += 2
            key = at
            hash = BASIS
            while at < end and at[0] != QUOTE:
                if at[0] == BACKSLASH:  # and whatever comes next is no end
                    hash = (hash ^ BACKSLASH) * <uint32_t> PRIME
                    at += 1
                    if at == end:
                        return MALFORMED
                hash = (hash ^ at[0]) * <uint32_t> PRIME
                at += 1
            if end - at < 2 or at[1] != COLON:
                return MALFORMED
            digits = at + 2
            count = 0
            at = digits
            while at < end and ZERO <= at[0] <= ZERO + 9:
                count = 10 * count + (at[0] - ZERO)
                at += 1
            if at == digits or at == end or (at[0] != COMMA and at[0] != CLOSE):
                return MALFORMED
            if add(table, key, <uint32_t> (digits - 2 - key), hash, count, most) != DONE:
                return NO_MEMORY
        at += 1
    if at < end:
        if at[0] != LINE_FEED:
            return MALFORMED
        at += 1
        start[0] = at
    else:
        start[0] = NULL  # no line comes behind this one
    return DONE


cdef int add_lines(
    Table *table, Buffer *out, const uint8_t **starts, const uint8_t **ends, Py_ssize_t count, uint64_t most
) noexcept nogil:
    """Writes the lines of all together: of each, the lines from its start on."""
    cdef Py_ssize_t each
    cdef bint more = True
    cdef int done
    while more:
        clear(table)
        more = False
        for each in range(count):
            if starts[each] != NULL:
                done = add_line(table, &starts[each], ends[each], ANY if each == 0 else most)
                if done != DONE:
                    return done
                more |= starts[each] != NULL
        if put_line(out, table, True) != DONE or not room_for(out, 1):
            return NO_MEMORY
        if more:
            put(out, LINE_FEED)
    return DONE


# --- from Python ------------------------------------------------------------------------------------------------------


cdef int count(Table *table, Buffer *lines, list scans) except -1:
    """Writes a line for each place of the scans' keys."""
    cdef Py_ssize_t place, size
    cdef Py_ssize_t places = len(scans[0])
    cdef tuple keys
    cdef const char *key
    cdef uint32_t hash
    for place in range(places):
        clear(table)
        for keys in scans:
            if keys is None or PyTuple_GET_SIZE(keys) != places:
                raise TypeError("each scan has a key for each place")
            key = PyUnicode_AsUTF8AndSize(keys[place], &size)
            hash = <uint32_t> PyObject_Hash(keys[place])
            if add(table, <const uint8_t *> key, <uint32_t> size, hash, 1, ANY) != DONE:
                raise MemoryError
        if not room_for(lines, 1):
            raise MemoryError
        if place:
            put(lines, LINE_FEED)
        if put_line(lines, table, False) != DONE:
            raise MemoryError
    return 0


def counted(list people not None, list bots not None):
    # What it is for: fastcore/counts.pyi.
    cdef Table table
    cdef Buffer lines
    cdef bint taken = take(&lines, FIRST_ROOM)
    try:
        if make(&table, FIRST_SLOTS) != DONE or not taken:
            raise MemoryError
        if people:
            count(&table, &lines, people)
        if bots:
            for _ in range(1 if people else len(bots[0])):
                if not room_for(&lines, 1):
                    raise MemoryError
                put(&lines, LINE_FEED)
            count(&table, &lines, bots)
        return PyBytes_FromStringAndSize(<const char *> lines.data, lines.size)
    finally:
        drop(&table)
        release(&lines)


def merged(list groups not None, uint64_t most):
    # What it is for: fastcore/counts.pyi.
    cdef Table table
    cdef Buffer out
    cdef bint taken = take(&out, FIRST_ROOM)
    cdef Py_ssize_t each
    cdef Py_ssize_t count = len(groups)
    cdef int done
    cdef bytes lines
    cdef const uint8_t **starts = <const uint8_t **> malloc((2 * count + 1) * sizeof(const uint8_t *))
    try:
        if make(&table, FIRST_SLOTS) != DONE or not taken or starts == NULL:
            raise MemoryError
        for each in range(count):
            lines = groups[each]
            if lines is None:  # which Cython takes for bytes
                raise TypeError("lines are bytes, not None")
            starts[each] = <const uint8_t *> PyBytes_AS_STRING(lines)
            starts[count + each] = starts[each] + PyBytes_GET_SIZE(lines)
        done = add_lines(&table, &out, starts, starts + count, count, most)
        if done == NO_MEMORY:
            raise MemoryError
        if done == MALFORMED:
            raise ValueError("these are no lines of counts")
        return PyBytes_FromStringAndSize(<const char *> out.data, out.size)
    finally:
        drop(&table)
        free(starts)
        release(&out)
