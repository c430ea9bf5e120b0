"""Per batch of scans: all that is made of each of them, in one go."""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_FromStringAndSize
from cpython.tuple cimport PyTuple_GET_SIZE
from cython cimport cdivision
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport qsort
from libc.string cimport memcpy

from fastcore.buffer cimport Buffer, put_all, release, room_for, take
from fastcore.facts cimport Known
from fastcore.rows cimport COUNT, LENGTH, put_columns, put_number, put_value, write_number
from fastcore.sightings cimport Sightings
from fastcore.tally cimport Tally


cdef enum:
    FIELDS = 18
    ROOM = 1 << 20
    CHUNK = 1 << 17  # bytes of rows that are given out at once
    OTHERS = 2  # columns before a scan's own: its id and account
    NOBODY = 0  # in place of an account
    ALL = 0  # in place of a link

cdef long long DAY_US = 86400000000


cdef struct Row:
    int64_t account, link, number
    size_t at, size


cdef int in_order(const void *one, const void *other) noexcept nogil:
    """By account, link and number: rows of one link stand together, in the table and in its indexes."""
    cdef const Row *a = <const Row *> one
    cdef const Row *b = <const Row *> other
    if a.account != b.account:
        return -1 if a.account < b.account else 1
    if a.link != b.link:
        return -1 if a.link < b.link else 1
    return -1 if a.number < b.number else 1


cdef class Batch:
    # What it is for: fastcore/batch.pyi.
    cdef readonly Tally of_links, of_accounts
    cdef readonly Sightings sightings
    cdef readonly Py_ssize_t count
    cdef Known agent_keys, place_keys, language_key, source_key
    cdef Buffer packed  # rows, as they came
    cdef Buffer order  # a Row for each

    def __cinit__(self):
        cdef bint taken = take(&self.packed, ROOM)
        if not take(&self.order, ROOM) or not taken:
            raise MemoryError

    def __dealloc__(self):
        release(&self.packed)
        release(&self.order)

    def __init__(
        self,
        Tally of_links not None,
        Tally of_accounts not None,
        Sightings sightings not None,
        Known agent_keys not None,
        Known place_keys not None,
        Known language_key not None,
        Known source_key not None,
    ):
        self.of_links, self.of_accounts, self.sightings = of_links, of_accounts, sightings
        self.agent_keys, self.place_keys = agent_keys, place_keys
        self.language_key, self.source_key = language_key, source_key

    def add(self, scans, dict accounts not None):
        # What it is for: fastcore/batch.pyi.
        for scan in scans:
            if not isinstance(scan, tuple) or PyTuple_GET_SIZE(scan) != FIELDS:
                raise TypeError("a scan is a tuple of 18")
            self.add_one(<tuple> scan, accounts)

    @cdivision(False)  # a time before 2000 is on the day that begins before it
    cdef int add_one(self, tuple scan, dict accounts) except -1:
        cdef Row row
        cdef long long time_us
        account = accounts.get(scan[0])
        row.at = self.packed.size
        put_columns(&self.packed, OTHERS + FIELDS)
        put_number(&self.packed, 0)
        put_value(&self.packed, account)
        for value in scan:
            put_value(&self.packed, value)
        (
            link, time, _, _, language, _, visitor, device, os, browser, from_code,
            country, city, region, network, version, bot, host,
        ) = scan
        time_us = time
        if account is None:
            account = NOBODY
        keys = (
            <tuple?> self.agent_keys.of((device, os, browser, version, bot))
            + <tuple?> self.place_keys.of((country, region, city, network))
            + (self.language_key.of(language), host or "", self.source_key.of(from_code))
        )
        is_bot = device == "bot"
        self.of_links.tell(account, link, time_us, keys, is_bot)
        self.of_accounts.tell(account, ALL, time_us, keys, is_bot)
        self.sightings.tell(time_us // DAY_US, account, visitor, link)
        row.account, row.link, row.number, row.size = account, link, self.count, self.packed.size - row.at
        if not room_for(&self.order, sizeof(Row)):
            raise MemoryError
        put_all(&self.order, &row, sizeof(Row))
        self.count += 1
        return 0

    def close(self):
        # What it is for: fastcore/batch.pyi.
        with nogil:
            qsort(self.order.data, self.count, sizeof(Row), &in_order)

    def rows(self, int64_t first):
        # What it is for: fastcore/batch.pyi.
        cdef const Row *order
        cdef Py_ssize_t each = 0
        cdef Py_ssize_t end
        cdef size_t size
        cdef uint8_t *out
        while each < self.count:
            order = <const Row *> self.order.data
            end, size = each, 0
            while end < self.count and size < CHUNK:
                size += order[end].size
                end += 1
            chunk = PyByteArray_FromStringAndSize(NULL, size)
            out = <uint8_t *> PyByteArray_AS_STRING(chunk)
            while each < end:
                memcpy(out, self.packed.data + order[each].at, order[each].size)
                write_number(out + COUNT + LENGTH, <uint64_t> (first + order[each].number))
                out += order[each].size
                each += 1
            yield chunk
