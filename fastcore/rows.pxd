"""A row for others to write: the number of its columns, and each of its values."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from fastcore.buffer cimport Buffer


cdef enum:
    COUNT = 2  # bytes of how many columns there are
    LENGTH = 4  # ... of how long a value is
    NUMBER = 8  # ... of a number


cdef inline void write_number(uint8_t *out, uint64_t number) noexcept nogil:
    cdef int each
    for each in range(NUMBER):
        out[each] = number >> 8 * (NUMBER - 1 - each) & 255


cdef int put_columns(Buffer *out, Py_ssize_t columns) except -1
cdef int put_number(Buffer *out, int64_t number) except -1
cdef int put_value(Buffer *out, value) except -1
