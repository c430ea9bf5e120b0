"""Per image: modules into an SVG path."""

from libc.stdint cimport uint64_t


cdef enum:
    RUN_BYTES = 19  # the longest run of modules in a path: M177 177h177v1H177z


cdef int count_runs(const uint64_t *rows, int size) noexcept nogil
cdef int path(const uint64_t *rows, int size, int margin, char *out) noexcept nogil
