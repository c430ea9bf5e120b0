"""What a function makes of keys that come again and again, for other kernels."""


cdef class Known:
    # What it is for: fastcore/facts.pyi.
    cdef object make
    cdef Py_ssize_t most
    cdef dict values

    cdef object of(self, key)
