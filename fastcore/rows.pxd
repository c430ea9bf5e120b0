"""A row for others to write: the number of its columns, and each of its values."""

from libc.stdint cimport int64_t

from fastcore.buffer cimport Buffer


cdef int put_columns(Buffer *out, Py_ssize_t columns) except -1
cdef int put_number(Buffer *out, int64_t number) except -1
cdef int put_value(Buffer *out, value) except -1
