"""Per version: function patterns, free modules, and the free modules in the order of data.

All templates are drawn once, when the module is imported, and only read afterwards, so that threads
share them without a lock.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from fastcore.tables cimport alignment_of, size_of, version_word
from fastcore.types cimport LINES, MAX_SIZE, MICRO, VERSIONS, WORDS

cdef extern from "lanes.h" nogil:
    int ones "fc_ones" (uint64_t bits)


cdef enum:
    # What a module of a drawing is.
    FREE = 0
    LIGHT = 1
    DARK = 2


cdef struct Drawing:
    int size
    uint8_t module[MAX_SIZE][MAX_SIZE]


cdef Template[VERSIONS + 1] TEMPLATES


cdef const Template *template_of(int version) noexcept nogil:
    """The template of a version."""
    return &TEMPLATES[version]


# --- words ---


cdef void cut(const uint64_t *words, int size, int windows, uint64_t *out) noexcept nogil:
    """Cut Lines.word (`size` lines) into overlapping windows: window k of line i to out[k * LINES + i]."""
    cdef const uint64_t *low
    cdef const uint64_t *high
    cdef int k, i, shift
    for k in range(windows):
        low = words + WINDOW_STEP * k // 64 * LINES
        high = low + LINES
        shift = WINDOW_STEP * k % 64
        if shift == 0 or WINDOW_STEP * k // 64 + 1 == WORDS:
            for i in range(size):
                out[k * LINES + i] = low[i] >> shift
        else:
            for i in range(size):
                out[k * LINES + i] = low[i] >> shift | high[i] << (64 - shift)


cdef inline void transpose_block(uint64_t *block, int lines) noexcept nogil:
    """Transpose 64 x 64 or 32 x 32 bits in place: swap halves of halves (Hacker's Delight, 7-3)."""
    cdef uint64_t low = 0x00000000FFFFFFFFULL if lines == 64 else 0x0000FFFF0000FFFFULL
    cdef uint64_t moved
    cdef int step = lines // 2
    cdef int half, k
    while step:
        for half in range(lines // 2 // step):
            for k in range(half * 2 * step, half * 2 * step + step):
                moved = (block[k] >> step ^ block[k + step]) & low
                block[k + step] ^= moved
                block[k] ^= moved << step
        step >>= 1
        low ^= low << step


cdef void transpose(const uint64_t *words, int size, uint64_t *out) noexcept nogil:
    """Turn Lines.word of rows into that of columns, or back; lines from `size` on must be zero."""
    cdef int blocks = (size + 63) // 64
    cdef int i, j
    for i in range(blocks):
        for j in range(blocks):
            memcpy(out + j * LINES + 64 * i, words + i * LINES + 64 * j, 64 * sizeof(uint64_t))
            transpose_block(out + j * LINES + 64 * i, 32 if size <= 32 else 64)


# --- drawing ---


cdef void draw_finder(Drawing *drawing, int row, int column) noexcept nogil:
    """Draw a finder pattern with its separator around its centre, inside the symbol (6.3.3, 6.3.4)."""
    cdef int i, j, ring
    for i in range(-4, 5):
        for j in range(-4, 5):
            if 0 <= row + i < drawing.size and 0 <= column + j < drawing.size:
                ring = max(abs(i), abs(j))
                drawing.module[row + i][column + j] = LIGHT if ring == 2 or ring == 4 else DARK


cdef void draw_alignments(Drawing *drawing, int version) noexcept nogil:
    """Draw all alignment patterns of a version but the three that would hit a finder pattern (6.3.6)."""
    cdef int[7] centres
    cdef int count = alignment_of(version, centres)
    cdef int a, b, i, j, ring
    for a in range(count):
        for b in range(count):
            if a == 0 and (b == 0 or b == count - 1) or a == count - 1 and b == 0:
                continue
            for i in range(-2, 3):
                for j in range(-2, 3):
                    ring = max(abs(i), abs(j))
                    drawing.module[centres[a] + i][centres[b] + j] = LIGHT if ring == 1 else DARK


cdef void draw_micro(Drawing *drawing) noexcept nogil:
    """Draw every module of a Micro QR code that no data goes to (6.3.1, figure 26)."""
    cdef int i
    for i in range(1, 9):
        drawing.module[8][i] = drawing.module[i][8] = LIGHT
    for i in range(drawing.size):
        drawing.module[0][i] = drawing.module[i][0] = LIGHT if i & 1 else DARK
    draw_finder(drawing, 3, 3)


cdef void draw(Drawing *drawing, int version) noexcept nogil:
    """Draw every module of a version that no data goes to; format information stays light."""
    cdef int size = size_of(version)
    cdef uint32_t word
    cdef int i
    memset(drawing, 0, sizeof(Drawing))
    drawing.size = size
    if version > MICRO:
        draw_micro(drawing)
        return

    # Format information, both copies, and the dark module beside the second (7.9.1).
    for i in range(9):
        drawing.module[8][i] = drawing.module[i][8] = LIGHT
    for i in range(8):
        drawing.module[8][size - 1 - i] = drawing.module[size - 1 - i][8] = LIGHT
    drawing.module[size - 8][8] = DARK

    for i in range(size):  # timing patterns (6.3.5)
        drawing.module[6][i] = drawing.module[i][6] = LIGHT if i & 1 else DARK
    draw_finder(drawing, 3, 3)
    draw_finder(drawing, 3, size - 4)
    draw_finder(drawing, size - 4, 3)
    draw_alignments(drawing, version)

    if version >= 7:  # version information, both copies (7.10)
        word = version_word(version)
        for i in range(18):
            drawing.module[size - 11 + i % 3][i // 3] = DARK if word >> i & 1 else LIGHT
            drawing.module[i // 3][size - 11 + i % 3] = DARK if word >> i & 1 else LIGHT


# --- drawing to template ---


cdef void pack(const Drawing *drawing, uint8_t kind, Grid *out) noexcept nogil:
    """Collect the modules of one kind into words, rows and columns; `out` must be zero."""
    cdef int i, j
    for i in range(drawing.size):
        for j in range(drawing.size):
            if drawing.module[i][j] == kind:
                out.rows.word[j // 64][i] |= <uint64_t> 1 << j % 64
                out.columns.word[i // 64][j] |= <uint64_t> 1 << i % 64


cdef void order(const Drawing *drawing, Template *out) noexcept nogil:
    """Lay the free modules out in strips (7.7.3)."""
    cdef int strip, row, right, even
    for strip in range(drawing.size // 2):
        right = strip_column(drawing.size, strip)
        even = right if strip & 1 else right - 1  # the column of even bits
        for row in range(drawing.size):
            if drawing.module[row][even] == FREE:
                out.strip[strip][row // 32] |= <uint64_t> 1 << 2 * row % 64
            if drawing.module[row][2 * right - 1 - even] == FREE:
                out.strip[strip][row // 32] |= <uint64_t> 2 << 2 * row % 64
        for row in range(STRIP_WORDS):
            out.strip_ones[strip][row] = <uint8_t> ones(out.strip[strip][row])


cdef void build() noexcept nogil:
    cdef Drawing drawing
    cdef Template *template
    cdef int version
    for version in range(1, VERSIONS + 1):
        template = &TEMPLATES[version]
        draw(&drawing, version)
        template.size = drawing.size
        # The first window is used from its first module, the last one to its last, the others for 50.
        # The last window has three places to spare: what comes after the symbol is light there too.
        template.windows = 1
        while drawing.size > 61 + WINDOW_STEP * (template.windows - 1):
            template.windows += 1
        pack(&drawing, DARK, &template.dark)
        pack(&drawing, FREE, &template.free)
        cut(&template.free.rows.word[0][0], drawing.size, template.windows,
            &template.free_rows[0][0])
        cut(&template.free.columns.word[0][0], drawing.size, template.windows,
            &template.free_columns[0][0])
        order(&drawing, template)


build()
