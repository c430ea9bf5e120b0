"""Per batch of scans: what follows from their records. Most of what they say came before, and is looked up."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport strlen

from fastcore.blake2b cimport MAX_KEY, Blake2b, begin, finish, update


cdef extern from "arpa/inet.h" nogil:
    enum:
        AF_INET
    int inet_pton(int family, const char *text, void *address)


cdef enum:
    BITS = 32  # of an IPv4 address
    UNKEPT = -1

cdef long long EPOCH_US = 946684800000000  # 2000 since 1970
cdef long long DAY_US = 86400000000


cdef class Known:
    def __init__(self, make, Py_ssize_t most):
        self.make, self.most, self.values = make, most, {}

    def __call__(self, key):
        # What it is for: fastcore/facts.pyi.
        return self.of(key)

    cdef object of(self, key):
        cdef PyObject *found = PyDict_GetItemWithError(self.values, key)
        if found != NULL:
            return <object> found
        value = self.make(key)
        if len(self.values) >= self.most:
            self.values.clear()
        self.values[key] = value
        return value


cdef class Salted:
    # What it is for: fastcore/facts.pyi.
    cdef Blake2b begun

    def __init__(self, bytes salt not None):
        if not 0 < len(salt) <= MAX_KEY:
            raise ValueError("a salt has 1 to 64 bytes")
        begin(&self.begun, <const uint8_t *> PyBytes_AS_STRING(salt), PyBytes_GET_SIZE(salt))

    def visitor(self, bytes address, bytes agent not None):
        # What it is for: fastcore/facts.pyi.
        return self.number(address, agent)

    cdef int64_t number(self, bytes address, bytes agent) noexcept:
        cdef Blake2b hash = self.begun
        if address is not None:
            update(&hash, <const uint8_t *> PyBytes_AS_STRING(address), PyBytes_GET_SIZE(address))
        update(&hash, <const uint8_t *> b"\n", 1)
        update(&hash, <const uint8_t *> PyBytes_AS_STRING(agent), PyBytes_GET_SIZE(agent))
        return <int64_t> finish(&hash)


cdef class Peers:
    # What it is for: fastcore/facts.pyi.
    cdef type kind
    cdef int bits
    cdef object place, other

    def __init__(self, type kind not None, bits, place, other):
        if bits is not None and not 0 <= bits <= BITS:
            raise ValueError("an address has 32 bits")
        self.kind, self.bits, self.place, self.other = kind, UNKEPT if bits is None else bits, place, other

    def __call__(self, str peer not None):
        # What it is for: fastcore/facts.pyi.
        cdef uint8_t[4] data
        cdef uint32_t number
        cdef Py_ssize_t size
        cdef const char *text = PyUnicode_AsUTF8AndSize(peer, &size)
        if <size_t> size != strlen(text) or inet_pton(AF_INET, text, data) != 1:
            return self.other(peer)
        address = PyBytes_FromStringAndSize(<const char *> data, 4)
        if self.bits == UNKEPT:
            return address, None, self.place(peer)
        number = data[0] << 24 | data[1] << 16 | data[2] << 8 | data[3]
        number = <uint32_t> (<uint64_t> number >> (BITS - self.bits) << (BITS - self.bits))
        data[0], data[1], data[2], data[3] = number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255
        kept = PyBytes_FromStringAndSize(<const char *> data, 4), self.bits
        return address, tuple.__new__(self.kind, kept), self.place(peer)


cdef inline tuple values_of(value):
    """As a tuple, which may be one with names."""
    if not isinstance(value, tuple):
        raise TypeError("this is made of tuples")
    return <tuple> value


cdef class Finder:
    # What it is for: fastcore/facts.pyi.
    cdef type kind
    cdef Known agents, referrers, languages, clients
    cdef object client_of, place_said

    def __init__(
        self,
        type kind not None,
        Known agents not None,
        Known referrers not None,
        Known languages not None,
        Known clients not None,
        client_of,
        place_said,
    ):
        self.kind, self.agents, self.referrers, self.languages = kind, agents, referrers, languages
        self.clients, self.client_of, self.place_said = clients, client_of, place_said

    def scans(self, records, dict salts not None):
        # What it is for: fastcore/facts.pyi.
        cdef long long time_us
        cdef Salted salted
        cdef bytes address, header
        cdef list found = []
        for record in records:
            (
                link, time, peer, header, referrer, language, _, _, from_code, country, region, city
            ) = values_of(record)
            salted = salts[<long long> time // DAY_US]
            if header is None or salted is None:  # which Cython takes for bytes, and for a salt
                raise TypeError("a header is bytes, and a day has a salt")
            time_us = time
            client = self.clients.of(peer if self.client_of is None else self.client_of(record))
            address, kept, place = values_of(client)
            if country or region or city:
                place = self.place_said(country, region, city, place)
            country, region, city, network = values_of(place)
            text, agent = values_of(self.agents.of(header))
            device, os, browser, version, bot = values_of(agent)
            said, host = values_of(self.referrers.of(referrer))
            values = (
                link,
                time_us - EPOCH_US,
                text,
                said,
                self.languages.of(language),
                kept,
                salted.number(address, header),
                device,
                os,
                browser,
                from_code,
                country,
                city,
                region,
                network,
                version,
                bot,
                host,
            )
            found.append(tuple.__new__(self.kind, values))
        return found
