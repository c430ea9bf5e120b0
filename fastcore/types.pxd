"""The vocabulary of the stages: sizes, levels, modes, and a symbol's modules as machine words.

Version numbers inside fastcore are 1-40 for QR code and MICRO + 1 to MICRO + 4 for Micro QR code M1-M4, whose
one level without correction, M1's, counts as L. Levels are 0-3 for L, M, Q, H, in the order of
recovery capacity, which is not the order of their two-bit indicators (ISO/IEC 18004:2015, table 12).
"""

from libc.stdint cimport uint8_t, uint64_t


cdef enum:
    MAX_VERSION = 40
    MICRO = 40  # a version above it is a Micro QR code
    VERSIONS = MICRO + 4
    MAX_SIZE = 177  # modules in a line of version 40
    MAX_CODEWORDS = 3706  # data and error correction of version 40
    MASKS = 8
    NO_CODEWORD = 0xFFFF  # what a module carries that is no data

    WORDS = 3  # machine words in the longest line
    LINES = 64 * WORDS  # lines of a square that can be transposed in blocks of 64


cdef enum Level:
    LEVEL_L = 0
    LEVEL_M = 1
    LEVEL_Q = 2
    LEVEL_H = 3


cdef struct Lines:
    # Modules of a square, line by line: module j of line i is bit j % 64 of word[j // 64][i]; dark is 1.
    # Word-major, so that one step of a kernel runs over consecutive memory.
    uint64_t word[WORDS][LINES]


cdef struct Grid:
    # One square of modules seen both ways; a stage that fills one side says so, otherwise both agree.
    Lines rows
    Lines columns
