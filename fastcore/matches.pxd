"""Per image: what in a picture repeats, as tokens of deflate."""

from libc.stdint cimport int64_t, uint8_t

from fastcore.picture cimport Picture
from fastcore.tokens cimport Tokens


cdef int64_t memory_for(const Picture *picture) noexcept nogil
cdef void find(const Picture *picture, uint8_t *memory, Tokens *out) noexcept nogil
