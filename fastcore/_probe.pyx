"""Single stages for tests and bench; nothing else imports this file, and it promises nothing."""

from libc.stdint cimport int64_t, uint8_t

from fastcore cimport ecc, mask as masks, zigzag
from fastcore.tables cimport blocks_of, codewords_of, data_codewords_of
from fastcore.template cimport Template, template_of
from fastcore.types cimport MAX_CODEWORDS, MASKS, Grid, Level


def data_codewords(int version, int level):
    """Data codewords of a version in [1, 40] and a level in [0, 3]."""
    return data_codewords_of(version, <Level> level)


def check_codewords(bytes data, int degree):
    """Reed-Solomon check codewords of one block."""
    cdef uint8_t[30] out
    ecc.remainder_of(data, <int> len(data), degree, out)
    return bytes(out[:degree])


def penalties(bytes data, int version, int level):
    """The eight masks' penalties for given data codewords, finder-like patterns of all widths included."""
    cdef uint8_t[MAX_CODEWORDS + 8] codewords
    cdef const Template *template = template_of(version)
    cdef Grid grid, masked
    cdef int64_t[MASKS] out
    cdef int mask
    assert len(data) == data_codewords_of(version, <Level> level)
    ecc.protect(data, blocks_of(version, <Level> level), codewords)
    zigzag.lay(template, codewords, codewords_of(version), &grid)
    masks.score(template, <Level> level, &grid, out)
    for mask in range(MASKS):
        masked = grid
        masks.apply(template, <Level> level, mask, &masked)
        out[mask] += masks.scaled_finders(template, &masked)
    return [out[mask] for mask in range(MASKS)]


def use_instruction_set(int wanted):
    """0 plain, 1 AVX2, 2 AVX-512, or the best below that this processor has; returns which it will be."""
    return masks.use_instruction_set(wanted)


def score_masks(bytes data, int version, int level, int times):
    """Score all masks so many times over; for bench."""
    cdef uint8_t[MAX_CODEWORDS + 8] codewords
    cdef const Template *template = template_of(version)
    cdef Grid grid
    cdef int64_t[MASKS] out
    ecc.protect(data, blocks_of(version, <Level> level), codewords)
    zigzag.lay(template, codewords, codewords_of(version), &grid)
    with nogil:
        for _ in range(times):
            masks.score(template, <Level> level, &grid, out)
    return [out[mask] for mask in range(MASKS)]
