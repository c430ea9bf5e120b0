"""Per image: modules into an SVG path, one closed rectangle per run of dark modules in a row.

Filled rectangles rather than stroked lines: cutters and print software that fill paths get the same picture.
"""

from libc.stdint cimport uint64_t

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    int ones "fc_ones" (uint64_t bits)


cdef int count_runs(const uint64_t *rows, int size) noexcept nogil:
    """How many runs of dark modules the rows of a symbol have."""
    cdef int words = (size + 63) // 64
    cdef uint64_t carry
    cdef int runs = 0
    cdef int k
    for _ in range(size):
        carry = 0
        for k in range(words):
            runs += ones(rows[k] & ~(rows[k] << 1 | carry))
            carry = rows[k] >> 63
        rows += words
    return runs


cdef inline char *write_number(char *out, int number) noexcept nogil:
    """Write a number in [0, 999] in decimal; return where it ends."""
    if number >= 100:
        out[0] = <char> (48 + number // 100)
        out += 1
    if number >= 10:
        out[0] = <char> (48 + number // 10 % 10)
        out += 1
    out[0] = <char> (48 + number % 10)
    return out + 1


cdef inline char *write_command(char *out, char command, int number) noexcept nogil:
    out[0] = command
    return write_number(out + 1, number)


cdef int path(const uint64_t *rows, int size, int margin, char *out) noexcept nogil:
    """Write path data, at most RUN_BYTES for each run, in modules; return its length."""
    cdef int words = (size + 63) // 64
    cdef const char *start = out
    cdef uint64_t edges, carry
    cdef int left = 0
    cdef bint dark
    cdef int i, k, at
    for i in range(size):
        carry = 0
        dark = False
        for k in range(words):
            edges = rows[k] ^ (rows[k] << 1 | carry)
            carry = rows[k] >> 63
            while edges:
                at = 64 * k + trailing_zeros(edges) + margin
                if dark:
                    out = write_command(out, c'M', left)
                    out = write_command(out, c' ', i + margin)
                    out = write_command(out, c'h', at - left)
                    out = write_command(out, c'v', 1)
                    out = write_command(out, c'H', left)
                    out[0] = c'z'
                    out += 1
                left = at
                dark = not dark
                edges &= edges - 1
        rows += words
    return <int> (out - start)
