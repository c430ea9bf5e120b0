"""Per symbol: text into segments, segments into data codewords."""

from libc.stdint cimport int64_t, uint8_t, uint16_t


cdef enum Mode:
    # Mode indicators (ISO/IEC 18004:2015, table 2).
    NUMERIC = 1
    ALPHANUMERIC = 2
    BYTE = 4
    STRUCTURED_APPEND = 3
    ECI = 7
    KANJI = 8


cdef enum:
    MAX_TEXT = 7089  # bytes of the longest text that fits any symbol
    UTF8 = 26  # its ECI assignment number
    NO_ECI = 0


cdef struct Text:
    const uint8_t *bytes
    int64_t count
    bint ascii  # or bytes that mean whatever they mean: no header
    # By Unicode character: one more than the 13 bits that kanji mode says it in (7.4.6), 0 for none. NULL
    # for a text that has no such characters, and for bytes.
    const uint16_t *kanji
    # Structured append (8.2): the symbol's place among `total` that hold a text together, and the parity of
    # all of it. `total` is 0 for a symbol that stands alone.
    int position
    int total
    int parity


cdef Mode simplest_mode(const Text *text) noexcept nogil
cdef int64_t bits_of(const Text *text, int version, int *eci, uint8_t *modes) noexcept nogil
cdef int64_t count_characters(const Text *text, Mode mode, int64_t first, int64_t end) noexcept nogil
cdef int parity_of(const Text *text, const uint8_t *modes) noexcept nogil
cdef void write(
    const Text *text, const uint8_t *modes, int eci, int version, int capacity, uint8_t *out
) noexcept nogil
