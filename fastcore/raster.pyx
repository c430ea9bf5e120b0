"""Per image: modules into pixels.

A finished symbol is kept as its rows, (size + 63) // 64 machine words each; module j is bit j % 64 of word
j // 64.
"""

from libc.stdint cimport uint8_t, uint64_t


cdef Placement place(int size, int width, int margin) noexcept nogil:
    """Lay a symbol and `margin` modules around it into exactly `width` pixels.

    As many whole pixels per module as fit (0 if not even one does); what is left goes evenly to the margins,
    the odd pixel to the right and the bottom.
    """
    cdef Placement placement
    placement.width = width
    placement.scale = width // (size + 2 * margin)
    placement.offset = (width - placement.scale * size) // 2
    return placement


cdef void modules_to_bytes(const uint64_t *rows, int size, uint8_t *out) noexcept nogil:
    """Write size * size modules (0 light, 1 dark, row major)."""
    cdef int words = (size + 63) // 64
    cdef int i, j
    for i in range(size):
        for j in range(size):
            out[i * size + j] = rows[i * words + j // 64] >> j % 64 & 1


cdef inline int shown(const uint8_t *modules, const uint8_t *skip, int size, int i, int j) noexcept nogil:
    """1 for a dark module that is neither skipped nor outside."""
    cdef int at = i * size + j
    return 0 <= i < size and 0 <= j < size and modules[at] and not (skip != NULL and skip[at])


cdef void modules_to_places(
    const uint8_t *modules, const uint8_t *skip, int size, const uint8_t *table, uint8_t *out
) noexcept nogil:
    """Look each module up by itself and the eight around it; see shape.py for the order of their bits.

    What is skipped gets 0 and counts as light. skip may be NULL.
    """
    cdef int i, j, key
    for i in range(size):
        for j in range(size):
            if skip != NULL and skip[i * size + j]:
                out[i * size + j] = 0
                continue
            key = modules[i * size + j] << 8
            key |= shown(modules, skip, size, i - 1, j)
            key |= shown(modules, skip, size, i, j + 1) << 1
            key |= shown(modules, skip, size, i + 1, j) << 2
            key |= shown(modules, skip, size, i, j - 1) << 3
            key |= shown(modules, skip, size, i - 1, j + 1) << 4
            key |= shown(modules, skip, size, i + 1, j + 1) << 5
            key |= shown(modules, skip, size, i + 1, j - 1) << 6
            key |= shown(modules, skip, size, i - 1, j - 1) << 7
            out[i * size + j] = table[key]
