"""Networks that addresses are in: which one of many begins last at or before an address, and whether it ends before."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t, uint64_t


cdef enum:
    BITS4 = 32
    HALF = 64
    PREFIX = 16  # bits by which IPv4 networks are found first


cdef inline uint64_t big_endian(const uint8_t *data, int size) noexcept nogil:
    cdef uint64_t number = 0
    cdef int each
    for each in range(size):
        number = number << 8 | data[each]
    return number


cdef inline bint at_or_before(uint64_t high, uint64_t low, uint64_t other_high, uint64_t other_low) noexcept nogil:
    return high < other_high or (high == other_high and low <= other_low)


cdef class Networks:
    # What it is for: fastcore/networks.pyi.
    cdef const uint32_t[::1] first4
    cdef const uint64_t[::1] high6, low6
    cdef const uint8_t[::1] bits4, bits6
    cdef uint32_t[(1 << PREFIX) + 1] below  # how many networks begin below each prefix

    def __init__(
        self,
        const uint32_t[::1] first4 not None,
        const uint8_t[::1] bits4 not None,
        const uint64_t[::1] high6 not None,
        const uint64_t[::1] low6 not None,
        const uint8_t[::1] bits6 not None,
    ):
        cdef Py_ssize_t at = 0
        cdef long long prefix
        if len(first4) != len(bits4) or len(high6) != len(low6) or len(high6) != len(bits6):
            raise ValueError("each network has a beginning and a length")
        if max(bits4, default=0) > BITS4 or max(bits6, default=0) > 2 * HALF:
            raise ValueError("a network has no more bits than its addresses")
        self.first4, self.bits4, self.high6, self.low6, self.bits6 = first4, bits4, high6, low6, bits6
        for prefix in range((1 << PREFIX) + 1):
            while at < len(first4) and first4[at] < prefix << (BITS4 - PREFIX):
                at += 1
            self.below[prefix] = <uint32_t> at

    def find(self, bytes address not None):
        # What it is for: fastcore/networks.pyi.
        cdef Py_ssize_t place
        cdef const uint8_t *data = <const uint8_t *> PyBytes_AS_STRING(address)
        if PyBytes_GET_SIZE(address) == 4:
            return self.find4(<uint32_t> big_endian(data, 4))
        if PyBytes_GET_SIZE(address) == 16:
            place = self.find6(big_endian(data, 8), big_endian(data + 8, 8))
            return place if place < 0 else self.first4.shape[0] + place
        raise ValueError("an address has 4 bytes or 16")

    cdef Py_ssize_t find4(self, uint32_t number) noexcept:
        cdef Py_ssize_t low = self.below[number >> (BITS4 - PREFIX)]
        cdef Py_ssize_t high = self.below[(number >> (BITS4 - PREFIX)) + 1]
        cdef Py_ssize_t middle
        while low < high:
            middle = (low + high) // 2
            if self.first4[middle] <= number:
                low = middle + 1
            else:
                high = middle
        if low == 0 or <uint64_t> (number - self.first4[low - 1]) >> (BITS4 - self.bits4[low - 1]):
            return -1
        return low - 1

    cdef Py_ssize_t find6(self, uint64_t high, uint64_t low) noexcept:
        cdef Py_ssize_t start = 0
        cdef Py_ssize_t end = self.high6.shape[0]
        cdef Py_ssize_t middle
        cdef uint64_t beyond
        cdef int bits
        cdef bint inside
        while start < end:
            middle = (start + end) // 2
            if at_or_before(self.high6[middle], self.low6[middle], high, low):
                start = middle + 1
            else:
                end = middle
        if start == 0:
            return -1
        bits = self.bits6[start - 1]
        beyond = high - self.high6[start - 1] - (low < self.low6[start - 1])
        if bits <= HALF:
            # A length of 0 is all there is; a shift by all bits is none in C.
            inside = bits == 0 or not beyond >> (HALF - bits)
        else:
            beyond |= (low - self.low6[start - 1]) >> (2 * HALF - bits)
            inside = beyond == 0
        return start - 1 if inside else -1
