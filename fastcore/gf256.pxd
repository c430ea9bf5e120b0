"""Arithmetic of GF(2**8) modulo x**8 + x**4 + x**3 + x**2 + 1 (ISO/IEC 18004:2015, 7.5.2)."""

from libc.stdint cimport uint8_t, uint32_t


cdef inline uint8_t multiply(uint8_t a, uint8_t b) noexcept nogil:
    """Product of two field elements, bit by bit: it only runs while tables are built."""
    cdef uint32_t product = 0
    cdef int i
    for i in range(7, -1, -1):
        product = (product << 1) ^ ((product >> 7) * 0x11D)
        product ^= ((b >> i) & 1) * a
    return <uint8_t> product
