"""Per batch of scans: all that is made of each of them, in one go."""

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.tuple cimport PyTuple_GET_SIZE
from cython cimport cdivision

from fastcore.buffer cimport Buffer, release, take
from fastcore.facts cimport Known
from fastcore.rows cimport put_columns, put_number, put_value
from fastcore.sightings cimport Sightings
from fastcore.tally cimport Tally


cdef enum:
    FIELDS = 18
    ROOM = 1 << 18
    OTHERS = 2  # columns before a scan's own: its id and account
    NOBODY = 0  # in place of an account
    ALL = 0  # in place of a link

cdef long long DAY_US = 86400000000


cdef class Batch:
    # What it is for: fastcore/batch.pyi.
    cdef readonly Tally of_links, of_accounts
    cdef readonly Sightings sightings
    cdef readonly Py_ssize_t count
    cdef Known agent_keys, place_keys, language_key, source_key

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
        cdef Buffer rows
        cdef bint taken = take(&rows, ROOM)
        try:
            if not taken:
                raise MemoryError
            for scan in scans:
                if not isinstance(scan, tuple) or PyTuple_GET_SIZE(scan) != FIELDS:
                    raise TypeError("a scan is a tuple of 18")
                self.add_one(&rows, <tuple> scan, accounts)
            return PyByteArray_FromStringAndSize(<const char *> rows.data, rows.size)
        finally:
            release(&rows)

    @cdivision(False)  # a time before 2000 is on the day that begins before it
    cdef int add_one(self, Buffer *rows, tuple scan, dict accounts) except -1:
        cdef long long time_us
        account = accounts.get(scan[0])
        put_columns(rows, OTHERS + FIELDS)
        put_number(rows, 0)
        put_value(rows, account)
        for value in scan:
            put_value(rows, value)
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
        self.count += 1
        return 0
