"""Per scan: fields of bytes as one record, with its length and checksum before it; and back."""

from cpython.buffer cimport PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeASCII
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memchr, memcmp, memcpy

from struct import error

from fastcore.png cimport crc32


cdef enum:
    FRAME = 8  # the length and the CRC-32 of the body, each a little-endian uint32
    HEAD = 16  # two little-endian uint64
    FIELDS = 16  # at most
    END = 0xFFFFFFFF  # in place of a length, behind the last record


# --- out --------------------------------------------------------------------------------------------------------------


cdef struct Tag:
    const char *name
    Py_ssize_t name_size
    const char *tag
    Py_ssize_t tag_size


cdef inline void put_number(uint8_t *out, uint32_t number) noexcept nogil:
    out[0], out[1], out[2], out[3] = number & 255, number >> 8 & 255, number >> 16 & 255, number >> 24


cdef inline uint8_t *put_bytes(uint8_t *out, const void *data, Py_ssize_t size) noexcept nogil:
    memcpy(out, data, size)
    return out + size


cdef inline void seal(uint8_t *out, Py_ssize_t size) noexcept nogil:
    """Write what stands before a body of so many bytes."""
    put_number(out, <uint32_t> size)
    put_number(out + 4, crc32(out + FRAME, size))


cdef class Form:
    # What it is for: fastcore/frame.pyi.
    cdef dict tags  # whose bytes the others point to
    cdef int count
    cdef Tag[FIELDS] fields
    cdef uint64_t sizes  # that names have: a bit for each, the last one for 63 and more
    cdef Py_ssize_t longest

    def __init__(self, dict tags not None, Py_ssize_t longest=0xFFFFFFFF):
        cdef bytes name, tag
        if len(tags) > FIELDS:
            raise ValueError("a record has at most 16 fields")
        if not 0 <= longest <= 0xFFFFFFFF:
            raise ValueError("a record has less than 4 GiB")
        self.tags, self.count, self.sizes, self.longest = dict(tags), 0, 0, longest
        for name, tag in self.tags.items():
            if name is None or tag is None:  # which Cython takes for bytes
                raise TypeError("a tag is bytes, not None")
            self.fields[self.count] = Tag(
                PyBytes_AS_STRING(name), PyBytes_GET_SIZE(name), PyBytes_AS_STRING(tag), PyBytes_GET_SIZE(tag)
            )
            self.sizes |= <uint64_t> 1 << min(PyBytes_GET_SIZE(name), 63)
            self.count += 1

    def frame(self, bytes head not None, pairs):
        cdef list all_pairs = [(name, value) for name, value in pairs]
        cdef Py_ssize_t head_size = PyBytes_GET_SIZE(head)
        cdef Py_ssize_t size = head_size + self.size_of(all_pairs)
        if size > 0xFFFFFFFF:
            raise OverflowError("a record has less than 4 GiB")
        cdef bytes record = PyBytes_FromStringAndSize(NULL, FRAME + size)
        cdef uint8_t *out = <uint8_t *> PyBytes_AS_STRING(record)
        self.put_fields(put_bytes(out + FRAME, PyBytes_AS_STRING(head), head_size), all_pairs)
        seal(out, size)
        return record

    def put(
        self, buffer, Py_ssize_t at, Py_ssize_t limit, uint64_t first, bytes second not None, str line not None,
        bytes mark not None, list pairs not None
    ):
        cdef Py_ssize_t line_size
        cdef const char *line_bytes = PyUnicode_AsUTF8AndSize(line, &line_size)
        cdef Py_ssize_t mark_size = PyBytes_GET_SIZE(mark)
        cdef Py_ssize_t size = HEAD + line_size + mark_size + self.size_of(pairs)
        cdef Py_buffer view
        cdef uint8_t *out
        if PyBytes_GET_SIZE(second) != 8:
            raise ValueError("the second number is eight bytes")
        if FRAME + size > min(limit - at, self.longest):
            return 0
        PyObject_GetBuffer(buffer, &view, PyBUF_WRITABLE)
        try:
            if at < 0 or limit > view.len:
                raise ValueError("the limit lies outside of the buffer")
            out = <uint8_t *> view.buf + at
            put_number(out + FRAME, <uint32_t> first)
            put_number(out + FRAME + 4, <uint32_t> (first >> 32))
            memcpy(out + FRAME + 8, PyBytes_AS_STRING(second), 8)
            end = put_bytes(out + FRAME + HEAD, line_bytes, line_size)
            self.put_fields(put_bytes(end, PyBytes_AS_STRING(mark), mark_size), pairs)
            seal(out, size)
        finally:
            PyBuffer_Release(&view)
        return at + FRAME + size

    cdef inline const Tag *of(self, bytes name) noexcept:
        cdef Py_ssize_t size = PyBytes_GET_SIZE(name)
        cdef const Tag *field
        cdef int i
        if self.sizes >> min(size, 63) & 1:  # which few others are
            for i in range(self.count):
                field = &self.fields[i]
                if field.name_size == size and memcmp(field.name, PyBytes_AS_STRING(name), size) == 0:
                    return field
        return NULL

    cdef Py_ssize_t size_of(self, list pairs) except -1:
        """The bytes that the fields among them take."""
        cdef bytes name, value
        cdef const Tag *field
        cdef Py_ssize_t size = 0
        for pair in pairs:
            name, value = <tuple?> pair
            if name is None or value is None:  # which Cython takes for bytes
                raise TypeError("a pair is of bytes, not None")
            field = self.of(name)
            if field != NULL:
                size += field.tag_size + PyBytes_GET_SIZE(value)
        return size

    cdef void put_fields(self, uint8_t *out, list pairs) noexcept:
        """Write them; they are as `size_of` has found them."""
        cdef tuple pair
        cdef const Tag *field
        for pair in pairs:
            field = self.of(<bytes> pair[0])
            if field != NULL:
                out = put_bytes(out, field.tag, field.tag_size)
                out = put_bytes(out, PyBytes_AS_STRING(<bytes> pair[1]), PyBytes_GET_SIZE(<bytes> pair[1]))


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
