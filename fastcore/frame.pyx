"""Per scan: fields of bytes as one record, with its length and checksum before it."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from fastcore.png cimport crc32


cdef enum:
    FRAME = 8  # the length and the CRC-32 of the body, each a little-endian uint32


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
