"""Per symbol: the data mask that scores best, applied."""

from libc.stdint cimport int64_t

from fastcore.template cimport Template
from fastcore.types cimport Grid, Level


cdef int choose(const Template *template, Level level, Grid *grid) noexcept nogil
cdef void apply(const Template *template, Level level, int mask, Grid *grid) noexcept nogil
cdef void score(const Template *template, Level level, const Grid *grid, int64_t *penalties) noexcept nogil
cdef int64_t scaled_finders(const Template *template, const Grid *masked) noexcept nogil
cdef int choose_micro(const Template *template, int version, Level level, Grid *grid) noexcept nogil
cdef void apply_micro(const Template *template, int version, Level level, int mask, Grid *grid) noexcept nogil
cdef int use_instruction_set(int wanted) noexcept nogil
