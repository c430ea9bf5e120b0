"""Per symbol: codewords into the modules they belong to."""

from libc.stdint cimport uint8_t, uint16_t

from fastcore.template cimport Template
from fastcore.types cimport Grid


cdef void lay(const Template *template, const uint8_t *codewords, int count, Grid *out) noexcept nogil
cdef void find_codewords(const Template *template, int count, uint16_t *out) noexcept nogil
