"""Bytes that are written one after the other, as many as come. Whoever writes asks for room before."""

from libc.stddef cimport size_t
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy


cdef struct Buffer:
    uint8_t *data
    size_t size
    size_t room


cdef inline bint take(Buffer *buffer, size_t room) noexcept nogil:
    """Whether there is so much memory; to be given back by `release`, in any case."""
    buffer.data = <uint8_t *> malloc(room)
    buffer.size = 0
    buffer.room = room
    return buffer.data != NULL


cdef inline void release(Buffer *buffer) noexcept nogil:
    free(buffer.data)


cdef inline bint room_for(Buffer *buffer, size_t more) noexcept nogil:
    """Whether there is memory for so many bytes more."""
    cdef size_t room = buffer.room
    cdef uint8_t *data
    if more <= room - buffer.size:
        return True
    while room - buffer.size < more:
        room *= 2
    data = <uint8_t *> realloc(buffer.data, room)
    if data == NULL:
        return False
    buffer.data, buffer.room = data, room
    return True


cdef inline void put(Buffer *buffer, uint8_t byte) noexcept nogil:
    buffer.data[buffer.size] = byte
    buffer.size += 1


cdef inline void put_all(Buffer *buffer, const void *bytes, size_t size) noexcept nogil:
    memcpy(buffer.data + buffer.size, bytes, size)
    buffer.size += size
