"""Per image: Huffman codes from how often each symbol occurs (RFC 1951, 3.2.2).

A code is fully determined by the lengths of its symbols; `find_lengths` finds them, `assign_bits` does the rest.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

cdef extern from "lanes.h" nogil:
    int trailing_zeros "fc_trailing_zeros" (uint64_t bits)
    uint64_t not_zero "fc_not_zero" (const uint32_t *numbers)


cdef enum:
    SMALL = 32  # counts below are sorted by counting, the few others one by one

cdef uint8_t[256] MIRRORED  # bytes, their lowest bit highest


cdef void build() noexcept nogil:
    cdef int i, j
    for i in range(256):
        MIRRORED[i] = 0
        for j in range(8):
            MIRRORED[i] |= (i >> j & 1) << (7 - j)


build()


cdef inline void list_used(const uint32_t *counts, int symbols, Code *out) noexcept nogil:
    cdef uint64_t[(LITERALS + 63) >> 6] used
    cdef int i, count = 0
    memset(used, 0, sizeof(used))
    for i in range((symbols + 15) >> 4):
        used[i >> 2] |= not_zero(counts + 16 * i) << 16 * (i & 3)
    for i in range((symbols + 63) >> 6):
        while used[i]:
            out.used[count] = <uint16_t> (64 * i + trailing_zeros(used[i]))
            used[i] &= used[i] - 1
            count += 1
    out.used_count = count


cdef inline void sort(const uint32_t *counts, const Code *code, uint16_t *out) noexcept nogil:
    """List the symbols that occur, the rarest first."""
    cdef int[SMALL + 2] first
    cdef int i, j, symbol
    memset(first, 0, sizeof(first))
    for i in range(code.used_count):
        first[<int> min(counts[code.used[i]], <uint32_t> SMALL) + 1] += 1
    for i in range(SMALL):
        first[i + 1] += first[i]
    for i in range(code.used_count):
        j = <int> min(counts[code.used[i]], <uint32_t> SMALL)
        out[first[j]] = code.used[i]
        first[j] += 1
    for i in range(first[SMALL - 1] + 1, code.used_count):
        symbol = out[i]
        j = i
        while j > first[SMALL - 1] and counts[out[j - 1]] > counts[symbol]:
            out[j] = out[j - 1]
            j -= 1
        out[j] = <uint16_t> symbol


cdef void find_lengths(const uint32_t *counts, int symbols, int limit, Code *out) noexcept nogil:
    """Find the symbols that occur and how many bits each takes; counts are read up to a multiple of 16, as zeros.

    Two sorted queues, leaves and joined nodes. Should a code come out longer than `limit`, counts are made
    more alike until none does: rare, and then worth only a few bits.
    """
    cdef uint16_t[LITERALS + 2] symbol
    cdef uint64_t[LITERALS + 1] leaf_weight  # each queue ends with what is never lighter
    cdef uint64_t[LITERALS + 1] joined_weight
    cdef uint16_t[2 * LITERALS] parent  # of leaves, then of joined nodes, numbered as those are
    cdef uint8_t[LITERALS] depth
    cdef uint64_t weight
    cdef int leaves, i, leaf, joined, node, deepest
    list_used(counts, symbols, out)
    leaves = out.used_count
    memset(out.length, 0, sizeof(out.length))
    if leaves == 1:
        out.length[out.used[0]] = 1
    if leaves < 2:
        return
    sort(counts, out, symbol)
    for i in range(leaves):
        leaf_weight[i] = counts[symbol[i]]
    leaf_weight[leaves] = ~<uint64_t> 0
    while True:
        leaf = joined = 0
        for node in range(leaves - 1):
            weight = 0
            joined_weight[node] = ~<uint64_t> 0
            for _ in range(2):
                if leaf_weight[leaf] <= joined_weight[joined] and leaf < leaves:
                    weight += leaf_weight[leaf]
                    parent[leaf] = <uint16_t> node
                    leaf += 1
                else:
                    weight += joined_weight[joined]
                    parent[leaves + joined] = <uint16_t> node
                    joined += 1
            joined_weight[node] = weight
        depth[leaves - 2] = 0
        for node in range(leaves - 3, -1, -1):
            depth[node] = depth[parent[leaves + node]] + 1
        deepest = depth[parent[0]] + 1  # the rarest symbol's
        if deepest <= limit:
            break
        for i in range(leaves):  # keeps the order
            leaf_weight[i] = (leaf_weight[i] >> 1) + 1
    for i in range(leaves):
        out.length[symbol[i]] = depth[parent[i]] + 1


cdef void assign_bits(Code *code, const uint8_t *extra) noexcept nogil:
    """Number the codes of each length in the order of symbols (3.2.2), mirrored for writing; `extra` says how many
    extra bits follow each symbol.
    """
    cdef int[LIMIT + 2] following
    cdef int i, value, length, symbol
    memset(following, 0, sizeof(following))
    for i in range(code.used_count):
        following[code.length[code.used[i]] + 1] += 1
    for i in range(2, LIMIT + 2):
        following[i] = following[i - 1] + following[i] << 1
    for i in range(code.used_count):
        symbol = code.used[i]
        length = code.length[symbol]
        value = following[length]
        following[length] += 1
        value = MIRRORED[value & 255] << 8 | MIRRORED[value >> 8]
        code.word[symbol] = value >> (16 - length) | length << COUNT | (length + extra[symbol]) << TOTAL
