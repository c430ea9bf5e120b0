"""Per image: Huffman codes from how often each symbol occurs (RFC 1951, 3.2.2).

A code is fully determined by the lengths of its symbols; `code_lengths` finds them, `assign_bits` does the rest.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef int code_lengths(const uint32_t *counts, int symbols, int limit, uint8_t *out) noexcept nogil:
    """Write the bits of each symbol, 0 for those that do not occur; return how many symbols to the last one.

    Two sorted queues, leaves and joined nodes. Should a code come out longer than `limit`, counts are made
    more alike until none does: rare, and then worth only a few bits.
    """
    cdef uint64_t[2 * LITERALS] weight  # leaves as count << 16 | symbol, then joined nodes
    cdef int[2 * LITERALS] parent
    cdef int[2 * LITERALS] depth
    cdef uint64_t key
    cdef int leaves = 0, last = 0, flatten = 0
    cdef int i, j, leaf, joined, node, deepest
    for i in range(symbols):
        out[i] = 0
        if counts[i]:
            key = <uint64_t> counts[i] << 16 | <uint64_t> i
            j = leaves
            while j and weight[j - 1] > key:
                weight[j] = weight[j - 1]
                j -= 1
            weight[j] = key
            leaves += 1
            last = i + 1
    if leaves == 1:
        out[last - 1] = 1
    if leaves < 2:
        return last
    while True:
        leaf = 0
        joined = leaves
        for node in range(leaves, 2 * leaves - 1):
            weight[node] = 0
            for _ in range(2):
                if leaf < leaves and (joined == node or weight[leaf] >> 16 <= weight[joined] >> 16):
                    weight[node] += weight[leaf] >> 16 << 16
                    parent[leaf] = node
                    leaf += 1
                else:
                    weight[node] += weight[joined]
                    parent[joined] = node
                    joined += 1
        deepest = 0
        depth[2 * leaves - 2] = 0
        for node in range(2 * leaves - 3, -1, -1):
            depth[node] = depth[parent[node]] + 1
            deepest = max(deepest, depth[node])
        if deepest <= limit:
            break
        flatten += 1
        for i in range(leaves):  # keeps the order
            weight[i] = ((weight[i] >> 17) + 1) << 16 | weight[i] & 0xFFFF
    for i in range(leaves):
        out[weight[i] & 0xFFFF] = <uint8_t> depth[i]
    return last


cdef void assign_bits(Code *code, int symbols) noexcept nogil:
    """Number the codes of each length in the order of symbols (3.2.2), mirrored for writing."""
    cdef int[LIMIT + 2] following
    cdef int bits, i, value, length
    for i in range(LIMIT + 2):
        following[i] = 0
    for i in range(symbols):
        if code.length[i]:
            following[code.length[i] + 1] += 1
    for i in range(2, LIMIT + 2):
        following[i] = following[i - 1] + following[i] << 1
    for i in range(symbols):
        length = code.length[i]
        value = following[length]
        if length == 0:
            continue
        following[length] += 1
        bits = 0
        while length:
            bits = bits << 1 | value & 1
            value >>= 1
            length -= 1
        code.bits[i] = <uint16_t> bits
