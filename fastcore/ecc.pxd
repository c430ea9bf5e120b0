"""Per symbol: error correction codewords."""

from libc.stdint cimport uint8_t

from fastcore.tables cimport Blocks


cdef void remainder_of(const uint8_t *data, int count, int degree, uint8_t *out) noexcept nogil
cdef void protect(const uint8_t *data, Blocks blocks, uint8_t *out) noexcept nogil
