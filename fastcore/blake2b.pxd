"""BLAKE2b with a key (RFC 7693), of data that is not empty, to eight bytes of digest.

What the key takes is done once: whoever hashes much under one key copies the state that has begun.
"""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy, memset


cdef enum:
    BLOCK = 128
    MAX_KEY = 64
    DIGEST = 8
    WORDS = 8
    ROUNDS = 12
    ORDERS = 10  # of a block's words, which rounds take in turn


cdef struct Blake2b:
    uint64_t[WORDS] state
    uint64_t done  # bytes in the blocks before this one
    size_t used  # bytes of this one
    uint8_t[BLOCK] block


cdef inline uint64_t rotated(uint64_t word, int bits) noexcept nogil:
    return word >> bits | word << (64 - bits)


cdef inline void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) noexcept nogil:
    v[a] += v[b] + x
    v[d] = rotated(v[d] ^ v[a], 32)
    v[c] += v[d]
    v[b] = rotated(v[b] ^ v[c], 24)
    v[a] += v[b] + y
    v[d] = rotated(v[d] ^ v[a], 16)
    v[c] += v[d]
    v[b] = rotated(v[b] ^ v[c], 63)


cdef inline uint64_t initial(int place) noexcept nogil:
    """The fractional parts of the square roots of the first primes, as SHA-512 has them."""
    cdef uint64_t[WORDS] words = [
        0x6A09E667F3BCC908u, 0xBB67AE8584CAA73Bu, 0x3C6EF372FE94F82Bu, 0xA54FF53A5F1D36F1u,
        0x510E527FADE682D1u, 0x9B05688C2B3E6C1Fu, 0x1F83D9ABFB41BD6Bu, 0x5BE0CD19137E2179u,
    ]
    return words[place]


cdef inline void compress(Blake2b *hash, bint last) noexcept nogil:
    """Takes the block in, which is full unless it is the last."""
    cdef const uint8_t *orders = <const uint8_t *> (
        b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
        b"\x0e\x0a\x04\x08\x09\x0f\x0d\x06\x01\x0c\x00\x02\x0b\x07\x05\x03"
        b"\x0b\x08\x0c\x00\x05\x02\x0f\x0d\x0a\x0e\x03\x06\x07\x01\x09\x04"
        b"\x07\x09\x03\x01\x0d\x0c\x0b\x0e\x02\x06\x05\x0a\x04\x00\x0f\x08"
        b"\x09\x00\x05\x07\x02\x04\x0a\x0f\x0e\x01\x0b\x0c\x06\x08\x03\x0d"
        b"\x02\x0c\x06\x0a\x00\x0b\x08\x03\x04\x0d\x07\x05\x0f\x0e\x01\x09"
        b"\x0c\x05\x01\x0f\x0e\x0d\x04\x0a\x00\x07\x06\x03\x09\x02\x08\x0b"
        b"\x0d\x0b\x07\x0e\x0c\x01\x03\x09\x05\x00\x0f\x04\x08\x06\x02\x0a"
        b"\x06\x0f\x0e\x09\x0b\x03\x00\x08\x0c\x02\x0d\x07\x01\x04\x0a\x05"
        b"\x0a\x02\x08\x04\x07\x06\x01\x05\x0f\x0b\x09\x0e\x03\x0c\x0d\x00"
    )
    cdef const uint8_t *order
    cdef uint64_t[2 * WORDS] v
    cdef uint64_t[2 * WORDS] m
    cdef int each
    memset(hash.block + hash.used, 0, BLOCK - hash.used)
    memcpy(m, hash.block, BLOCK)  # the words are little-endian, as this machine's
    hash.done += hash.used
    for each in range(WORDS):
        v[each] = hash.state[each]
        v[WORDS + each] = initial(each)
    v[12] ^= hash.done
    if last:
        v[14] = ~v[14]
    for each in range(ROUNDS):
        order = orders + each % ORDERS * 2 * WORDS
        mix(v, 0, 4, 8, 12, m[order[0]], m[order[1]])
        mix(v, 1, 5, 9, 13, m[order[2]], m[order[3]])
        mix(v, 2, 6, 10, 14, m[order[4]], m[order[5]])
        mix(v, 3, 7, 11, 15, m[order[6]], m[order[7]])
        mix(v, 0, 5, 10, 15, m[order[8]], m[order[9]])
        mix(v, 1, 6, 11, 12, m[order[10]], m[order[11]])
        mix(v, 2, 7, 8, 13, m[order[12]], m[order[13]])
        mix(v, 3, 4, 9, 14, m[order[14]], m[order[15]])
    for each in range(WORDS):
        hash.state[each] ^= v[each] ^ v[WORDS + each]
    hash.used = 0


cdef inline void begin(Blake2b *hash, const uint8_t *key, size_t size) noexcept nogil:
    """A key has 1 to MAX_KEY bytes."""
    cdef int each
    for each in range(WORDS):
        hash.state[each] = initial(each)
    hash.state[0] ^= 0x01010000 ^ size << 8 ^ DIGEST
    hash.done = 0
    memset(hash.block, 0, BLOCK)
    memcpy(hash.block, key, size)
    hash.used = BLOCK
    compress(hash, False)


cdef inline void update(Blake2b *hash, const uint8_t *data, size_t size) noexcept nogil:
    cdef size_t some
    while size:
        if hash.used == BLOCK:
            compress(hash, False)
        some = min(size, BLOCK - hash.used)
        memcpy(hash.block + hash.used, data, some)
        hash.used += some
        data += some
        size -= some


cdef inline uint64_t finish(Blake2b *hash) noexcept nogil:
    """The digest, as a little-endian number."""
    compress(hash, True)
    return hash.state[0]
