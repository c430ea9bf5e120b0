"""Per batch of scans: rows as PostgreSQL's binary COPY takes them (documentation of COPY, "Binary Format").

A row is the number of its columns and, for each of them, the length of its value and the value; all numbers are
big-endian. An inet is its family, its bits, a 0, the number of its bytes, and these (network.c, inet_recv).
"""

from cpython.bytearray cimport PyByteArray_FromStringAndSize
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from fastcore.buffer cimport Buffer, put, put_all, release, room_for, take


cdef enum:
    FIRST_ROOM = 65536
    MAX_COLUMNS = 0x7FFF
    MAX_VALUE = 0x7FFFFFFF
    INET = 2  # PGSQL_AF_INET
    INET6 = 3

cdef uint32_t NULL_LENGTH = 0xFFFFFFFFu


cdef inline void put_length(Buffer *out, uint32_t length) noexcept nogil:
    put(out, length >> 24)
    put(out, length >> 16 & 255)
    put(out, length >> 8 & 255)
    put(out, length & 255)


cdef int put_bytes(Buffer *out, const char *data, Py_ssize_t size) except -1:
    if size > MAX_VALUE:
        raise OverflowError("a value has less than 2 GiB")
    if not room_for(out, LENGTH + size):
        raise MemoryError
    put_length(out, <uint32_t> size)
    put_all(out, data, size)
    return 0


cdef int put_number(Buffer *out, int64_t number) except -1:
    if not room_for(out, LENGTH + NUMBER):
        raise MemoryError
    put_length(out, NUMBER)
    write_number(out.data + out.size, <uint64_t> number)
    out.size += NUMBER
    return 0


cdef int put_address(Buffer *out, bytes address, uint8_t bits) except -1:
    cdef Py_ssize_t size = len(address)
    if size != 4 and size != 16:
        raise ValueError("an address has 4 bytes or 16")
    if not room_for(out, LENGTH + LENGTH + size):
        raise MemoryError
    put_length(out, <uint32_t> size + 4)
    put(out, INET if size == 4 else INET6)
    put(out, bits)
    put(out, 0)
    put(out, <uint8_t> size)
    put_all(out, PyBytes_AS_STRING(address), size)
    return 0


cdef int put_value(Buffer *out, value) except -1:
    cdef const char *text
    cdef Py_ssize_t size
    if isinstance(value, str):
        text = PyUnicode_AsUTF8AndSize(value, &size)
        return put_bytes(out, text, size)
    if isinstance(value, bool):
        return put_bytes(out, b"\1" if value else b"\0", 1)
    if isinstance(value, int):
        return put_number(out, value)
    if isinstance(value, bytes):
        return put_bytes(out, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value))
    if isinstance(value, tuple):
        address, bits = value
        return put_address(out, address, bits)
    if value is not None:
        raise TypeError("a column has no values of this kind")
    if not room_for(out, LENGTH):
        raise MemoryError
    put_length(out, NULL_LENGTH)
    return 0


cdef int put_columns(Buffer *out, Py_ssize_t columns) except -1:
    if columns > MAX_COLUMNS:
        raise ValueError("a row has less than 32768 columns")
    if not room_for(out, COUNT):
        raise MemoryError
    put(out, columns >> 8)
    put(out, columns & 255)
    return 0


def packed_rows(*parts):
    # What it is for: fastcore/rows.pyi.
    cdef Buffer out
    cdef bint taken = take(&out, FIRST_ROOM)
    cdef Py_ssize_t columns
    cdef tuple row
    try:
        for row in zip(*parts, strict=True):
            columns = 0
            for values in row:
                if not isinstance(values, tuple):
                    raise TypeError("a row is made of tuples")
                columns += len(<tuple> values)
            if not taken:
                raise MemoryError
            put_columns(&out, columns)
            for values in row:
                for value in <tuple> values:
                    put_value(&out, value)
        return PyByteArray_FromStringAndSize(<const char *> out.data, out.size)
    finally:
        release(&out)
