/* What a caller of libqrencode has to do before libpng can write: rows of pixels, one bit each, 1 is white. */
#include <stdint.h>
#include <string.h>

/* Clears `count` bits from bit `at` on, the first one highest in its byte. */
static void darken(uint8_t *row, int at, int count)
{
    int end = at + count;
    uint8_t first = 0xFF >> (at & 7), last = ~(0xFF >> (end & 7));
    if (at >> 3 == end >> 3) {
        row[at >> 3] &= ~(first & last);
        return;
    }
    row[at >> 3] &= ~first;
    memset(row + (at >> 3) + 1, 0, (end >> 3) - (at >> 3) - 1);
    if (last)
        row[end >> 3] &= ~last;
}

/* Writes size rows of `stride` bytes; a module is dark if its lowest bit is set. */
void rows(const uint8_t *modules, int size, int scale, int margin, int stride, uint8_t *out)
{
    memset(out, 0xFF, (size_t)size * stride);
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++)
            if (modules[i * size + j] & 1)
                darken(out + i * stride, (margin + j) * scale, scale);
}
