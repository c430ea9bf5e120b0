"""Per symbol: error correction codewords."""

from libc.stdint cimport uint8_t

from fastcore.tables cimport Blocks
from fastcore.types cimport Level


cdef void remainder_of(const uint8_t *data, int count, int degree, uint8_t *out) noexcept nogil
cdef void protect(const uint8_t *data, Blocks blocks, uint8_t *out) noexcept nogil
cdef int block_of(Blocks blocks, int codeword) noexcept nogil
cdef int correctable(int version, Level level, Blocks blocks) noexcept nogil
