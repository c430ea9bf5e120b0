"""What other kernels tell of who scanned."""

from libc.stdint cimport int64_t

from fastcore.buffer cimport Buffer


cdef class Sightings:
    # What it is for: fastcore/sightings.pyi.
    cdef Buffer buffer
    cdef Py_ssize_t count
    cdef bint closed
    cdef readonly list columns

    cdef int tell(self, int64_t day, int64_t account, int64_t visitor, int64_t link) except -1
    cdef str column(self, int place)
    cdef list numbers(self, places, bint of_account)
