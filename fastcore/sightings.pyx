"""Per batch of scans: who scanned which link on which day, each of them once, and by which scan first."""

from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport qsort

from fastcore.buffer cimport Buffer, put, put_all, release, room_for, take


cdef enum:
    FIRST_ROOM = 65536
    COLUMNS = 4  # day, account, visitor, link
    OF_DAY = 2  # of these are the same for all sightings on one day and account
    OF_ACCOUNT = 3  # ... and by one visitor
    DIGITS = 20  # of a number, with its sign


cdef struct Sighting:
    int64_t[COLUMNS] of
    int64_t number
    bint first  # of the account's


cdef inline int difference(const Sighting *one, const Sighting *other, int columns) noexcept nogil:
    cdef int column
    for column in range(columns):
        if one.of[column] != other.of[column]:
            return -1 if one.of[column] < other.of[column] else 1
    return 0


cdef int in_order(const void *one, const void *other) noexcept nogil:
    cdef int found = difference(<const Sighting *> one, <const Sighting *> other, COLUMNS)
    if found:
        return found
    return -1 if (<const Sighting *> one).number < (<const Sighting *> other).number else 1


cdef Py_ssize_t drop_repeated(Sighting *sightings, Py_ssize_t count) noexcept nogil:
    """Leaves of those that are the same, and in order, the first; returns how many are left."""
    cdef Py_ssize_t each
    cdef Py_ssize_t kept = 0
    for each in range(count):
        if kept == 0 or difference(&sightings[kept - 1], &sightings[each], COLUMNS):
            sightings[kept] = sightings[each]
            kept += 1
    return kept


cdef void mark_firsts(Sighting *sightings, Py_ssize_t count) noexcept nogil:
    cdef Py_ssize_t each
    cdef Py_ssize_t first = 0
    for each in range(count):
        sightings[each].first = False
        if each and difference(&sightings[each - 1], &sightings[each], OF_ACCOUNT):
            sightings[first].first = True
            first = each
        elif sightings[each].number < sightings[first].number:
            first = each
    if count:
        sightings[first].first = True


cdef void put_decimal(Buffer *out, int64_t number) noexcept nogil:
    cdef uint8_t[DIGITS] digits
    cdef int at = DIGITS
    cdef uint64_t left = <uint64_t> number
    if number < 0:
        put(out, c"-")
        left = 0 - left
    while True:
        at -= 1
        digits[at] = <uint8_t> (c"0" + left % 10)
        left //= 10
        if left == 0:
            break
    put_all(out, digits + at, DIGITS - at)


cdef class Sightings:
    def __cinit__(self):
        if not take(&self.buffer, FIRST_ROOM):
            raise MemoryError

    def __dealloc__(self):
        release(&self.buffer)

    def add(self, sightings):
        # What it is for: fastcore/sightings.pyi.
        for day, account, visitor, link in sightings:
            self.tell(day, account, visitor, link)

    cdef int tell(self, int64_t day, int64_t account, int64_t visitor, int64_t link) except -1:
        """One that comes next."""
        cdef Sighting sighting
        if self.closed:
            raise ValueError("no more sightings come")
        sighting.of[0], sighting.of[1], sighting.of[2], sighting.of[3] = day, account, visitor, link
        sighting.number = self.count
        if not room_for(&self.buffer, sizeof(Sighting)):
            raise MemoryError
        put_all(&self.buffer, &sighting, sizeof(Sighting))
        self.count += 1
        return 0

    def close(self):
        # What it is for: fastcore/sightings.pyi.
        cdef Sighting *sightings = <Sighting *> self.buffer.data
        if not self.closed:
            self.closed = True
            qsort(sightings, self.count, sizeof(Sighting), &in_order)
            self.count = drop_repeated(sightings, self.count)
            mark_firsts(sightings, self.count)
            self.columns = [self.column(each) for each in range(COLUMNS)]

    cdef str column(self, int place):
        """As `{1,2,3}`."""
        cdef const Sighting *sightings = <const Sighting *> self.buffer.data
        cdef Py_ssize_t each
        cdef Buffer out
        cdef bint taken = take(&out, self.count * (DIGITS + 1) + 2)
        try:
            if not taken:
                raise MemoryError
            put(&out, c"{")
            for each in range(self.count):
                if each:
                    put(&out, c",")
                put_decimal(&out, sightings[each].of[place])
            put(&out, c"}")
            return out.data[:out.size].decode("ascii")
        finally:
            release(&out)

    def days(self):
        # What it is for: fastcore/sightings.pyi.
        cdef const Sighting *sightings = <const Sighting *> self.buffer.data
        return [
            (sightings[each].of[0], sightings[each].of[1])
            for each in range(self.count)
            if not each or difference(&sightings[each - 1], &sightings[each], OF_DAY)
        ]

    def of_link(self, places):
        # What it is for: fastcore/sightings.pyi.
        return self.numbers(places, False)

    def of_account(self, places):
        # What it is for: fastcore/sightings.pyi.
        return self.numbers(places, True)

    cdef list numbers(self, places, bint of_account):
        cdef const Sighting *sightings = <const Sighting *> self.buffer.data
        cdef Py_ssize_t place
        cdef list found = []
        for place in places:
            if not self.closed or not 0 < place <= self.count:
                raise IndexError("there is no sighting at this place")
            if sightings[place - 1].first or not of_account:
                found.append(sightings[place - 1].number)
        return found
