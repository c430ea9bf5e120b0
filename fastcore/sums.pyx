"""Per question: many objects of counts added up, key by key, without making a Python object of each.

Keys are compared and hashed as they stand between their quotes, escapes included: whoever writes the objects has one
way of writing a key. They are not copied either, as the lines they stand in outlive the table.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, qsort
from libc.string cimport memcmp


cdef enum:
    FIRST_SLOTS = 1024
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

# FNV-1a, 32 bits (draft-eastlake-fnv).
cdef enum:
    PRIME = 16777619
cdef uint32_t BASIS = 2166136261u


cdef struct Slot:
    const uint8_t *key  # NULL where the slot is free
    uint32_t size
    uint32_t hash
    uint64_t count


cdef struct Table:
    # Open addressing, at most half full.
    Slot *slots
    uint32_t mask  # how many slots there are, a power of two, less one
    uint32_t used


cdef inline Slot *find(Table *table, const uint8_t *key, uint32_t size, uint32_t hash) noexcept nogil:
    """The key's slot, or the free one where it belongs."""
    cdef uint32_t at = hash & table.mask
    cdef Slot *slot
    while True:
        slot = &table.slots[at]
        if slot.key == NULL or (slot.hash == hash and slot.size == size and memcmp(slot.key, key, size) == 0):
            return slot
        at = (at + 1) & table.mask


cdef int grow(Table *table) noexcept nogil:
    """Twice as many slots, for the same keys."""
    cdef Slot *old = table.slots
    cdef uint32_t count = table.mask + 1
    cdef uint32_t each
    cdef Slot *slots = <Slot *> calloc(2 * <size_t> count, sizeof(Slot))
    if slots == NULL:
        return NO_MEMORY
    table.slots = slots
    table.mask = 2 * count - 1
    for each in range(count):
        if old[each].key != NULL:
            find(table, old[each].key, old[each].size, old[each].hash)[0] = old[each]
    free(old)
    return DONE


cdef int add(Table *table, const uint8_t *at, const uint8_t *end) noexcept nogil:
    """Adds the counts of one object, `{"key":1,"other":2}` without a space, which ends at `end`."""
    cdef const uint8_t *key
    cdef const uint8_t *digits
    cdef uint32_t hash
    cdef uint64_t count
    cdef Slot *slot
    if end - at == 2 and at[0] == OPEN and at[1] == CLOSE:
        return DONE
    if at == end or at[0] != OPEN:
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
        if table.used > table.mask >> 1 and grow(table) != DONE:
            return NO_MEMORY
        slot = find(table, key, <uint32_t> (at - key), hash)
        if slot.key == NULL:
            slot.key, slot.size, slot.hash = key, <uint32_t> (at - key), hash
            table.used += 1
        at += 2
        digits = at
        count = 0
        while at < end and ZERO <= at[0] <= ZERO + 9:
            count = 10 * count + (at[0] - ZERO)
            at += 1
        if at == digits or at == end or (at[0] != COMMA and at[0] != CLOSE):
            return MALFORMED
        slot.count += count
    return DONE if at + 1 == end else MALFORMED


cdef int larger_first(const void *one, const void *other) noexcept nogil:
    cdef uint64_t a = (<uint64_t *> one)[0]
    cdef uint64_t b = (<uint64_t *> other)[0]
    return (a < b) - (a > b)


cdef int place_largest(const Table *table, uint32_t place, uint64_t *out) noexcept nogil:
    """Writes the count that stands at `place`, in [1, table.used], when the largest come first."""
    cdef uint32_t each
    cdef uint32_t count = 0
    cdef uint64_t *counts = <uint64_t *> malloc(table.used * sizeof(uint64_t))
    if counts == NULL:
        return NO_MEMORY
    for each in range(table.mask + 1):
        if table.slots[each].key != NULL:
            counts[count] = table.slots[each].count
            count += 1
    qsort(counts, count, sizeof(uint64_t), &larger_first)
    out[0] = counts[place - 1]
    free(counts)
    return DONE


def summed(list lines not None, int most):
    # What it is for: fastcore/sums.pyi.
    cdef Table table
    cdef int done = DONE
    cdef uint32_t each
    cdef uint64_t least = 0
    cdef uint64_t total = 0
    cdef bytes line
    cdef const uint8_t *start
    cdef dict found = {}
    if most < 1:
        raise ValueError("at least one is wanted")
    table.slots = <Slot *> calloc(FIRST_SLOTS, sizeof(Slot))
    table.mask = FIRST_SLOTS - 1
    table.used = 0
    if table.slots == NULL:
        raise MemoryError
    try:
        for line in lines:
            if line is None:  # which Cython takes for bytes
                raise TypeError("a line is bytes, not None")
            start = <const uint8_t *> PyBytes_AS_STRING(line)
            done = add(&table, start, start + PyBytes_GET_SIZE(line))
            if done != DONE:
                break
        if done == DONE and table.used > <uint32_t> most:
            done = place_largest(&table, most, &least)
        if done == NO_MEMORY:
            raise MemoryError
        if done == MALFORMED:
            raise ValueError("this is no object of counts")
        for each in range(table.mask + 1):
            if table.slots[each].key != NULL:
                total += table.slots[each].count
                if table.slots[each].count >= least:
                    found[PyBytes_FromStringAndSize(<const char *> table.slots[each].key, table.slots[each].size)] = (
                        table.slots[each].count
                    )
    finally:
        free(table.slots)
    return found, total


def column_sums(const uint8_t[::1] columns not None, Py_ssize_t rows, Py_ssize_t first, Py_ssize_t end):
    # What it is for: fastcore/sums.pyi.
    cdef Py_ssize_t row, column
    cdef uint64_t total
    cdef const uint8_t *at
    cdef list found = []
    if not 0 <= first <= end <= rows or (rows and columns.shape[0] % (4 * rows)):
        raise ValueError("these are no such rows")
    for column in range(columns.shape[0] // (4 * rows) if rows else 0):
        total = 0
        at = &columns[4 * rows * column]
        for row in range(first, end):
            total += (
                at[4 * row] | <uint32_t> at[4 * row + 1] << 8 | <uint32_t> at[4 * row + 2] << 16
                | <uint32_t> at[4 * row + 3] << 24
            )
        found.append(total)
    return found
