/* What Cython cannot say: vectors, functions compiled for one instruction set, bit counting.
 *
 * lanes_t is eight 64-bit lanes. The compiler turns one operation on it into one AVX-512 instruction, two
 * AVX2 ones, or four SSE2 or NEON ones, so a kernel written once on lanes_t is compiled once per instruction
 * set, and the fastest one this processor knows is chosen when the module is imported.
 */
#ifndef FASTCORE_LANES_H
#define FASTCORE_LANES_H

#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#include <wmmintrin.h>
#endif

typedef uint64_t lanes_t __attribute__((vector_size(64), may_alias));

/* The same 64 bits in every lane. */
#define fc_lanes(bits) ((lanes_t){0} + (uint64_t)(bits))

/* The lanes of an array of eight numbers that need not be aligned. */
static inline __attribute__((always_inline)) lanes_t fc_lanes_load(const uint64_t *from)
{
    lanes_t lanes;
    __builtin_memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

static inline __attribute__((always_inline)) void fc_lanes_store(uint64_t *to, lanes_t lanes)
{
    __builtin_memcpy(to, &lanes, sizeof lanes);
}

/* Four numbers, those of a pixel's channels. */
typedef float fc_four_t __attribute__((vector_size(16), may_alias));

#define fc_four(number) ((fc_four_t){0} + (float)(number))

static inline fc_four_t fc_four_load(const float *from)
{
    fc_four_t four;
    __builtin_memcpy(&four, from, sizeof four);
    return four;
}

static inline void fc_four_store(float *to, fc_four_t four)
{
    __builtin_memcpy(to, &four, sizeof four);
}

static inline fc_four_t fc_four_of_bytes(const uint8_t *from)
{
#ifdef __SSE2__ /* which the compiler does not find by itself */
    int32_t bytes;
    __builtin_memcpy(&bytes, from, sizeof bytes);
    __m128i zero = _mm_setzero_si128();
    __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(bytes), zero);
    return (fc_four_t)_mm_cvtepi32_ps(_mm_unpacklo_epi16(words, zero));
#else
    return (fc_four_t){from[0], from[1], from[2], from[3]};
#endif
}

/* Rounded, of numbers from 0 to 255. */
static inline void fc_four_to_bytes(uint8_t *to, fc_four_t four)
{
#ifdef __SSE2__
    __m128i words = _mm_cvttps_epi32((__m128)(four + 0.5f));
    words = _mm_packs_epi32(words, words);
    int32_t bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    __builtin_memcpy(to, &bytes, sizeof bytes);
#else
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(four[i] + 0.5f);
#endif
}

#define fc_trailing_zeros(bits) __builtin_ctzll(bits)
#define fc_leading_zeros(bits) __builtin_clzll(bits)
#define fc_log2(bits) (63 - __builtin_clzll(bits)) /* of a number that is not 0 */
#define fc_ones(bits) __builtin_popcountll(bits)

/* Eight bytes as a number, the first one lowest, wherever they are. */
static inline uint64_t fc_load(const uint8_t *from)
{
    uint64_t bits;
    __builtin_memcpy(&bits, from, sizeof bits);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bits = __builtin_bswap64(bits);
#endif
    return bits;
}

static inline void fc_store(uint8_t *to, uint64_t bits)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    bits = __builtin_bswap64(bits);
#endif
    __builtin_memcpy(to, &bits, sizeof bits);
}

/* Which bytes of `bits` are `byte`: the highest bit of each of these, and perhaps of bytes above the lowest of them
 * (https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord). */
static inline uint64_t fc_bytes_that_are(uint64_t bits, uint8_t byte)
{
    uint64_t differs = bits ^ byte * 0x0101010101010101ULL;
    return (differs - 0x0101010101010101ULL) & ~differs & 0x8080808080808080ULL;
}

/* A product's upper half with its lower half, which nobody can foretell who does not know one of the numbers. */
static inline uint64_t fc_folded_product(uint64_t one, uint64_t other)
{
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
#else
    uint64_t low = (one & 0xFFFFFFFF) * (other & 0xFFFFFFFF), high = (one >> 32) * (other >> 32);
    uint64_t upper = (one >> 32) * (other & 0xFFFFFFFF), lower = (one & 0xFFFFFFFF) * (other >> 32);
    return low ^ high ^ (upper << 32 | upper >> 32) ^ (lower << 32 | lower >> 32);
#endif
}

/* Which of 16 numbers are not 0, the first one's bit lowest. */
static inline uint64_t fc_not_zero(const uint32_t *numbers)
{
#ifdef __SSE2__
    const __m128i *four = (const __m128i *)numbers;
    __m128i zero = _mm_setzero_si128();
    __m128i first = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_loadu_si128(four), zero),
                                    _mm_cmpeq_epi32(_mm_loadu_si128(four + 1), zero));
    __m128i last = _mm_packs_epi32(_mm_cmpeq_epi32(_mm_loadu_si128(four + 2), zero),
                                   _mm_cmpeq_epi32(_mm_loadu_si128(four + 3), zero));
    return (uint64_t)_mm_movemask_epi8(_mm_packs_epi16(first, last)) ^ 0xFFFF;
#else
    uint64_t bits = 0;
    for (int i = 0; i < 16; i++)
        bits |= (uint64_t)(numbers[i] != 0) << i;
    return bits;
#endif
}

/* Sixteen bytes that have the same CRC-32 as `blocks` times sixteen: each is multiplied, without carries, by what
 * sixteen bytes more make of it, and added to the next one (V. Gopal and others, Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction, Intel 2009). */
#if defined(__x86_64__) && defined(__GNUC__)
static inline int fc_can_fold(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("pclmul") != 0;
}

static __attribute__((target("pclmul"))) void fc_fold(uint32_t crc, const uint8_t *data, int64_t blocks, uint8_t *out)
{
    const __m128i *block = (const __m128i *)data;
    const __m128i factors = _mm_set_epi64x(0x0CCAA009E, 0x1751997D0); /* x^96 and x^160, mirrored */
    __m128i rest = _mm_xor_si128(_mm_loadu_si128(block), _mm_cvtsi32_si128((int)crc));
    for (int64_t i = 1; i < blocks; i++)
        rest = _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(rest, factors, 0x00), _mm_loadu_si128(block + i)),
                             _mm_clmulepi64_si128(rest, factors, 0x11));
    _mm_storeu_si128((__m128i *)out, rest);
}
#else
static inline int fc_can_fold(void) { return 0; }
static inline void fc_fold(uint32_t crc, const uint8_t *data, int64_t blocks, uint8_t *out) {}
#endif

/* Code for one instruction set: everything such a function calls is inlined into it (flatten) and so compiled
 * for that set too. Elsewhere than on x86-64 the three sets are the same one. */
#define FC_ANY __attribute__((flatten))
#if defined(__x86_64__) && defined(__GNUC__)
#define FC_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt"), flatten))
#define FC_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi,bmi2,lzcnt"), flatten))
static inline int fc_instruction_set(void)
{
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("bmi2"))
        return 2;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? 1 : 0;
}
#else
#define FC_AVX2 FC_ANY
#define FC_AVX512 FC_ANY
static inline int fc_instruction_set(void) { return 0; }
#endif

#endif
