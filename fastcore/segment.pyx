"""Per symbol: the fewest bits that say a text, as data codewords (ISO/IEC 18004:2015, 7.4).

A text may change its mode between any two characters; each change costs a mode indicator and a character
count, whose length depends on the range of versions (1-9, 10-26, 27-40). The cheapest mixture is a shortest
path through four states per character, found in one pass and a walk back.

Costs are kept in sixths of a bit, in which all modes are whole numbers: a digit takes 10/3 bits, an
alphanumeric character 11/2, a byte 8, a kanji 13. A segment's bits are rounded up where it ends.

Texts come as UTF-8. A character of several bytes takes its way through the states byte by byte, but may only
change its mode before the first of them.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.string cimport memset

from fastcore.bits cimport BitWriter, put
from fastcore.tables cimport has_mode, length_bits, mode_bits, mode_indicator, terminator_bits
from fastcore.types cimport MICRO


cdef enum:
    STATES = 4  # numeric, alphanumeric, byte, kanji
    SIXTHS = 6
    APPEND_HEADER = 20  # bits of mode indicator, position, total and parity
    ECI_HEADER = 12  # bits of mode indicator and assignment number

    NOT_ALPHANUMERIC = 255
    ALL_BYTE = 0b10101010  # a trail: each state comes after byte mode

# A cost that no text reaches, far below overflow even when added to many times.
cdef int64_t IMPOSSIBLE = <int64_t> 1 << 56

cdef Mode[STATES] MODE_OF = [NUMERIC, ALPHANUMERIC, BYTE, KANJI]
cdef int[STATES] COST = [20, 33, 48, 78]  # of a character, or a byte, in sixths of a bit

# Values of the alphanumeric character set (table 5), by ISO/IEC 8859-1 code.
cdef uint8_t[256] ALPHANUMERIC_VALUE


cdef void build() noexcept nogil:
    cdef const char *characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    cdef int i
    memset(ALPHANUMERIC_VALUE, NOT_ALPHANUMERIC, sizeof(ALPHANUMERIC_VALUE))
    for i in range(45):
        ALPHANUMERIC_VALUE[<uint8_t> characters[i]] = <uint8_t> i


build()


# --- choosing modes ---


cdef inline int kanji_value(const Text *text, int64_t i) noexcept nogil:
    """The 13 bits of the character that starts at byte i, -1 if it has none (7.4.6)."""
    cdef const uint8_t *at = text.bytes + i
    cdef int code
    if text.kanji == NULL:
        return -1
    # Only the first 65,536 characters of Unicode are in Shift JIS: two or three bytes in UTF-8, which is
    # valid.
    if at[0] >> 5 == 6:
        code = (at[0] & 31) << 6 | at[1] & 63
    elif at[0] >> 4 == 14:
        code = (at[0] & 15) << 12 | (at[1] & 63) << 6 | at[2] & 63
    else:
        return -1
    return <int> text.kanji[code] - 1


cdef Mode simplest_mode(const Text *text) noexcept nogil:
    """The first of numeric, alphanumeric, kanji and byte mode that can say the whole text."""
    cdef int found = 0
    cdef int64_t i
    for i in range(text.count):
        if text.bytes[i] >> 6 == 2 and text.kanji != NULL:  # inside a character
            continue
        if ALPHANUMERIC_VALUE[text.bytes[i]] < 10:
            found |= NUMERIC
        elif ALPHANUMERIC_VALUE[text.bytes[i]] != NOT_ALPHANUMERIC:
            found |= ALPHANUMERIC
        elif kanji_value(text, i) >= 0:
            found |= KANJI
        else:
            return BYTE
    if found & KANJI:
        return KANJI if found == KANJI else BYTE
    return ALPHANUMERIC if found & ALPHANUMERIC else NUMERIC


cdef int64_t segment(const Text *text, int version, bint header, uint8_t *modes) noexcept nogil:
    """Return the fewest bits that say a text in symbols as large as `version`, without an ECI header.

    With an ECI header, which is not counted, byte mode says everything and kanji mode nothing: readers
    apply the header to it, against the standard (docs/adr/0004-text-beyond-ascii.md). Without one, byte
    mode of a text is for ASCII only; a text that cannot be said so costs more than any other.

    Writes the mode of each byte to `modes`, unless that is NULL.
    """
    cdef int64_t[STATES] cost, head
    cdef int64_t cheapest = 0
    cdef int64_t i
    cdef int state, source = 0, best
    cdef uint8_t trail, value, byte
    cdef bint settled = False  # the byte before was of byte mode only: whatever comes next comes after that
    for state in range(STATES):
        head[state] = IMPOSSIBLE
        if has_mode(MODE_OF[state], version):
            head[state] = SIXTHS * (mode_bits(version) + length_bits(MODE_OF[state], version))
        cost[state] = IMPOSSIBLE
    for i in range(text.count):
        byte = text.bytes[i]
        value = ALPHANUMERIC_VALUE[byte]
        if settled and value == NOT_ALPHANUMERIC and byte < 128:  # most of a URL: nothing to choose
            cost[2] += COST[2]
            cheapest += COST[2]
            if modes != NULL:
                modes[i] = ALL_BYTE
            continue
        settled = value == NOT_ALPHANUMERIC and byte < 128
        trail = 0
        if byte >> 6 == 2 and text.kanji != NULL:  # inside a character: every state goes on
            for state in range(STATES):
                trail |= <uint8_t> (state << 2 * state)
            cost[2] += COST[2]
        else:
            for state in range(STATES):
                if cost[state] <= cheapest + head[state]:
                    trail |= <uint8_t> (state << 2 * state)
                else:
                    cost[state] = cheapest + head[state]
                    trail |= <uint8_t> (source << 2 * state)
                cost[state] += COST[state]
            if value >= 10:
                cost[0] = IMPOSSIBLE
            if value == NOT_ALPHANUMERIC:
                cost[1] = IMPOSSIBLE
            if byte >= 128 and not header and not text.ascii:
                cost[2] = IMPOSSIBLE
            if byte < 128 or header or kanji_value(text, i) < 0:
                cost[3] = IMPOSSIBLE
        source = 2
        for state in range(STATES):
            if cost[state] < cost[source]:
                source = state
        # What a segment that starts at the next character would come after, in whole bits.
        cheapest = (cost[source] + SIXTHS - 1) // SIXTHS * SIXTHS
        if modes != NULL:
            modes[i] = trail
    if modes != NULL:
        best = source
        for i in range(text.count - 1, -1, -1):
            trail = modes[i]
            modes[i] = <uint8_t> MODE_OF[best]
            best = trail >> 2 * best & 3
    return cheapest // SIXTHS


cdef int64_t bits_of(const Text *text, int version, int *eci, uint8_t *modes) noexcept nogil:
    """Return the fewest bits that say a text in symbols as large as `version`, all headers included, and how.

    Writes the number of the ECI header that it takes, or NO_ECI, and the mode of each byte to `modes`, unless
    that is NULL. A text beyond ASCII needs no header if all that is beyond is kanji.
    """
    cdef int64_t with_header, without
    cdef int append = APPEND_HEADER if text.total else 0
    eci[0] = NO_ECI
    if text.ascii:
        return append + segment(text, version, False, modes)
    without = segment(text, version, False, NULL)
    with_header = IMPOSSIBLE if version > MICRO else segment(text, version, True, NULL) + ECI_HEADER
    if without > with_header:
        eci[0] = UTF8
    if modes != NULL:
        segment(text, version, eci[0] != NO_ECI, modes)
    return append + min(with_header, without)


# --- writing ---


cdef inline void write_digits(BitWriter *writer, const uint8_t *text, int count) noexcept nogil:
    """Three digits in ten bits, the rest in four or seven (7.4.3)."""
    cdef int i
    for i in range(0, count - 2, 3):
        put(writer, (text[i] - 48) * 100 + (text[i + 1] - 48) * 10 + text[i + 2] - 48, 10)
    if count % 3 == 2:
        put(writer, (text[count - 2] - 48) * 10 + text[count - 1] - 48, 7)
    elif count % 3 == 1:
        put(writer, text[count - 1] - 48, 4)


cdef inline void write_alphanumeric(BitWriter *writer, const uint8_t *text, int count) noexcept nogil:
    """Two characters in eleven bits, a last one in six (7.4.4)."""
    cdef int i
    for i in range(0, count - 1, 2):
        put(writer, ALPHANUMERIC_VALUE[text[i]] * 45 + ALPHANUMERIC_VALUE[text[i + 1]], 11)
    if count % 2:
        put(writer, ALPHANUMERIC_VALUE[text[count - 1]], 6)


cdef inline void write_bytes(BitWriter *writer, const uint8_t *text, int count) noexcept nogil:
    """Eight bits each (7.4.5)."""
    cdef int i
    for i in range(0, count - 2, 3):
        put(writer, <uint32_t> text[i] << 16 | <uint32_t> text[i + 1] << 8 | text[i + 2], 24)
    for i in range(count - count % 3, count):
        put(writer, text[i], 8)


cdef inline void write_kanji(BitWriter *writer, const Text *text, int first, int end) noexcept nogil:
    """Thirteen bits each (7.4.6)."""
    cdef int i
    for i in range(first, end):
        if text.bytes[i] >> 6 != 2:
            put(writer, kanji_value(text, i), 13)


cdef int64_t count_characters(const Text *text, Mode mode, int64_t first, int64_t end) noexcept nogil:
    """What the character count of a segment says: bytes in byte mode, characters in all others."""
    cdef int64_t count = end - first
    cdef int64_t i
    if mode == KANJI:
        for i in range(first, end):
            count -= text.bytes[i] >> 6 == 2
    return count


cdef int parity_of(const Text *text, const uint8_t *modes) noexcept nogil:
    """Return the bytes that the modes say a text in, XORed: 0 to 255 (8, structured append).

    Kanji are the two bytes of their Shift JIS code, everything else the bytes of the text.
    """
    cdef int parity = 0, value
    cdef int64_t i
    for i in range(text.count):
        if modes[i] != KANJI:
            parity ^= text.bytes[i]
        elif text.bytes[i] >> 6 != 2:
            value = kanji_value(text, i)
            # 7.4.6 the other way round: codes begin at 0x8140, and from 0xE040 on.
            value = (value // 0xC0 << 8 | value % 0xC0) + 0x8140
            if value >= 0xA000:
                value += 0xC140 - 0x8140
            parity ^= value >> 8 ^ value & 0xFF
    return parity


cdef void write(
    const Text *text, const uint8_t *modes, int eci, int version, int capacity, uint8_t *out
) noexcept nogil:
    """Write `capacity` bits of data codewords: header, segments, terminator, padding (7.4.2 to 7.4.10).

    `out` must be zero and have room for three bytes more; the text must fit.
    """
    cdef BitWriter writer
    cdef int count = <int> text.count
    cdef int first = 0, end
    cdef Mode mode
    cdef uint8_t pad = 0xEC
    writer.out = out
    writer.bits = 0
    if text.total:
        put(&writer, STRUCTURED_APPEND, mode_bits(version))
        put(&writer, text.position << 4 | (text.total - 1), 8)
        put(&writer, text.parity, 8)
    if eci != NO_ECI:
        put(&writer, ECI, mode_bits(version))
        put(&writer, eci, 8)
    while first < count:
        mode = <Mode> modes[first]
        end = first + 1
        while end < count and modes[end] == mode:
            end += 1
        put(&writer, mode_indicator(mode, version), mode_bits(version))
        put(&writer, <uint32_t> count_characters(text, mode, first, end), length_bits(mode, version))
        if mode == NUMERIC:
            write_digits(&writer, text.bytes + first, end - first)
        elif mode == ALPHANUMERIC:
            write_alphanumeric(&writer, text.bytes + first, end - first)
        elif mode == BYTE:
            write_bytes(&writer, text.bytes + first, end - first)
        else:
            write_kanji(&writer, text, first, end)
        first = end
    assert writer.bits <= <uint32_t> capacity
    # The terminator is zero bits, or as many of them as there is room for; zeros fill up its last codeword.
    # Half a codeword at the end is not padded with half a pattern but with zeros.
    end = min(capacity, <int> writer.bits + terminator_bits(version))
    for first in range((end + 7) // 8, capacity // 8):
        out[first] = pad
        pad ^= 0xEC ^ 0x11
