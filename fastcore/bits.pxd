"""Bits into bytes, most significant first, as the standard writes codewords (ISO/IEC 18004:2015, 7.4.1)."""

from libc.stdint cimport uint8_t, uint32_t


cdef struct BitWriter:
    uint8_t *out  # caller's memory; must be zero where bits will go
    uint32_t bits  # written so far


cdef inline void put(BitWriter *writer, uint32_t value, int count) noexcept nogil:
    """Append the `count` low bits of `value`, highest first; count in [0, 24], value < 2**count."""
    cdef uint8_t *at = writer.out + (writer.bits >> 3)
    cdef uint32_t window = value << (32 - (writer.bits & 7) - count) if count else 0
    at[0] |= <uint8_t> (window >> 24)
    at[1] = <uint8_t> (window >> 16)
    at[2] = <uint8_t> (window >> 8)
    at[3] = <uint8_t> window
    writer.bits += count
