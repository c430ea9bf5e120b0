"""Per scan: fields of bytes as one record, with its length and checksum before it; and back."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

from struct import error

from fastcore.png cimport crc32


cdef enum:
    FRAME = 8  # the length and the CRC-32 of the body, each a little-endian uint32
    HEAD = 16  # two little-endian uint64
    FIELDS = 16  # at most
    END = 0xFFFFFFFF  # in place of a length, behind the last record


# --- out --------------------------------------------------------------------------------------------------------------


cdef inline void put_number(uint8_t *out, uint32_t number) noexcept nogil:
    out[0], out[1], out[2], out[3] = number & 255, number >> 8 & 255, number >> 16 & 255, number >> 24


def frame(bytes head not None, pairs, dict tags not None):
    # What it is for: fastcore/frame.pyi.
    cdef list parts = [head]
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head)
    cdef bytes name, value, tag, part
    for name, value in pairs:
        tag = tags.get(name)
        if tag is not None:
            if value is None:  # which Cython takes for bytes
                raise TypeError("a value is bytes, not None")
            parts.append(tag)
            parts.append(value)
            size += PyBytes_GET_SIZE(tag) + PyBytes_GET_SIZE(value)
    if size > 0xFFFFFFFF:
        raise OverflowError("a record has less than 4 GiB")
    cdef bytes record = PyBytes_FromStringAndSize(NULL, FRAME + size)
    cdef uint8_t *out = <uint8_t *> PyBytes_AS_STRING(record)
    cdef uint8_t *end = out + FRAME
    for part in parts:
        memcpy(end, PyBytes_AS_STRING(part), PyBytes_GET_SIZE(part))
        end += PyBytes_GET_SIZE(part)
    put_number(out, <uint32_t> size)
    put_number(out + 4, crc32(out + FRAME, size))
    return record


# --- in ---------------------------------------------------------------------------------------------------------------


cdef struct Layout:
    int count
    int first  # the most bytes of the first field
    int[256] place  # of a letter among the fields; -1 for one that is none of them
    int[FIELDS] most  # bytes of each


cdef inline uint32_t number(const uint8_t *data) noexcept nogil:
    return data[0] | data[1] << 8 | data[2] << 16 | <uint32_t> data[3] << 24


cdef inline uint64_t long_number(const uint8_t *data) noexcept nogil:
    return number(data) | <uint64_t> number(data + 4) << 32


cdef Layout layout_of(int first, dict fields) except *:
    cdef Layout layout
    cdef int i
    if len(fields) > FIELDS:
        raise ValueError("a record has at most 16 fields")
    layout.count = len(fields)
    layout.first = first
    for i in range(256):
        layout.place[i] = -1
    for i, (letter, most) in enumerate(fields.items()):
        layout.place[ord(letter)] = i
        layout.most[i] = most
    return layout


cdef inline const uint8_t *line_end(const uint8_t *at, const uint8_t *end) noexcept nogil:
    cdef const void *found = memchr(at, 10, end - at)
    return end if found == NULL else <const uint8_t *> found


cdef list split(const uint8_t *body, Py_ssize_t length, const Layout *layout):
    """The values of a body, or None where something in it is not as it nearly always is."""
    cdef (const uint8_t *)[FIELDS] values
    cdef Py_ssize_t[FIELDS] sizes
    cdef const uint8_t *end = body + length
    cdef const uint8_t *first = body + HEAD
    cdef const uint8_t *at
    cdef const uint8_t *stop
    cdef int i
    if length < HEAD:
        return None
    at = first
    stop = line_end(at, end)
    if stop - first > layout.first:
        return None
    while at < stop:
        if at[0] > 127:
            return None
        at += 1
    for i in range(layout.count):
        values[i] = NULL
    while stop < end:
        at = stop + 1
        stop = line_end(at, end)
        i = -1 if at == stop else layout.place[at[0]]
        if i < 0 or values[i] != NULL or stop - at - 1 > layout.most[i]:
            return None
        values[i], sizes[i] = at + 1, stop - at - 1
    at = line_end(first, end)
    cdef list found = [
        long_number(body + 8), long_number(body) // 1000, PyUnicode_DecodeASCII(<const char *> first, at - first, NULL)
    ]
    for i in range(layout.count):
        if layout.most[i] == 0:
            found.append(values[i] != NULL)
        elif values[i] == NULL:
            found.append(b"")
        else:
            found.append(PyBytes_FromStringAndSize(<const char *> values[i], sizes[i]))
    return found


def unframe(bytes data not None, Py_ssize_t longest, read, type kind=None, int first=0, dict fields=None):
    # What it is for: fastcore/frame.pyi.
    cdef const uint8_t *start = <const uint8_t *> PyBytes_AS_STRING(data)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
    cdef Py_ssize_t at = 0
    cdef Py_ssize_t length
    cdef const uint8_t *body
    cdef Layout layout = layout_of(first, fields or {})
    cdef list records = []
    cdef list values = None
    while size - at >= FRAME:
        length = number(start + at)
        if length == 0:
            return records, at, "empty"
        if length == END:
            return records, at, "end"
        if FRAME + length > longest:
            return records, at, "bad"
        if FRAME + length > size - at:
            return records, at, "cut"
        body = start + at + FRAME
        if crc32(body, length) != number(start + at + 4):
            return records, at, "bad"
        if kind is not None:
            values = split(body, length, &layout)
        if values is not None:
            records.append(tuple.__new__(kind, values))
        else:
            try:
                records.append(read((<const char *> body)[:length]))
            except error:  # too short to be one, and yet its checksum is right
                return records, at, "bad"
        at += FRAME + length
    ended = size - at >= 4 and number(start + at) == END
    return records, at, "end" if ended else "cut"
