"""The file of a recording: a signature, then chunks, each with its length and checksum, so that a torn tail loses
only the last of them.

    signature (8 bytes)
    chunk: tag (4 bytes), length of the payload (4), CRC-32 of tag, time and payload (4), time (8), payload

Numbers are little-endian; the time is in microseconds since 1970, UTC. The tags:

    HEAD  what the recording is: a `Head` in msgpack; the first chunk, and the only one
    KEYF  a whole observation, as the begin of a zlib stream
    DELT  what differs from the one before, as that stream goes on (flushed, so that each can be read by itself)
    MARK  an event that one can step to: its kind and its text, in msgpack
    INDX  where the key frames begin, and the events again, in msgpack; written at the end
    TAIL  where INDX begins (8 bytes); the last chunk of a recording that was ended
"""

from __future__ import annotations

import os
import struct
import zlib
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final, NamedTuple

SIGNATURE: Final = b"\x89ACR\r\n\x1a\n"
"""As of PNG: a byte that is no ASCII, and line ends that a transfer as text would change."""
FORMAT: Final = 1
"""A recording with a higher one is refused: nothing of it can be relied on."""
HEAD, KEY, DELTA, MARK, INDEX, TAIL = b"HEAD", b"KEYF", b"DELT", b"MARK", b"INDX", b"TAIL"
_TAGS: Final = frozenset({HEAD, KEY, DELTA, MARK, INDEX, TAIL})
_START: Final = struct.Struct("<4sIIq")
START_BYTES: Final = _START.size
TAIL_BYTES: Final = START_BYTES + 8
MOST_CHUNK: Final = 64 * 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = int((datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) / timedelta(microseconds=1))


class Chunk(NamedTuple):
    """A chunk, without what it holds.

    Args:
        tag: its sort.
        at: its time, microseconds since 1970.
        start: where in the file it begins.
        length: bytes of its payload.
        checksum: as the file has it.
    """

    tag: bytes
    at: int
    start: int
    length: int
    checksum: int

    @property
    def end(self) -> int:
        """Where the next one begins."""
        return self.start + START_BYTES + self.length


def micros(at: datetime) -> int:
    """A time in microseconds since 1970."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def moment_of(at: int) -> datetime:
    """The time, aware UTC."""
    return _EPOCH + timedelta(microseconds=at)


def chunk(tag: bytes, at: int, payload: bytes) -> bytes:
    """A chunk's bytes."""
    return _START.pack(tag, len(payload), _checksum(tag, at, payload), at) + payload


def _checksum(tag: bytes, at: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(tag + at.to_bytes(8, "little", signed=True)))


def next_chunk(file: BinaryIO, start: int, size: int) -> Chunk | None:
    """The chunk that begins there; None where none does, or not all of it stands in the file.

    Args:
        file: is moved.
        start: where.
        size: of the file.
    """
    if start + START_BYTES > size:
        return None
    file.seek(start)
    head = file.read(START_BYTES)
    if len(head) < START_BYTES:
        return None
    tag, length, checksum, at = _START.unpack(head)
    wrong = tag not in _TAGS or length > MOST_CHUNK or not 0 <= at <= _LAST
    return None if wrong or start + START_BYTES + length > size else Chunk(tag, at, start, length, checksum)


def payload_of(file: BinaryIO, one: Chunk) -> bytes | None:
    """What a chunk holds; None where its checksum says that it is damaged."""
    file.seek(one.start + START_BYTES)
    payload = file.read(one.length)
    return payload if len(payload) == one.length and _checksum(one.tag, one.at, payload) == one.checksum else None


def next_key(file: BinaryIO, start: int, size: int) -> Chunk | None:
    """The first key frame at or behind a place where the file is damaged; None where there is none that holds."""
    place, overlap = start, len(KEY) - 1
    while place < size:
        file.seek(place)
        block = file.read(1 << 20)
        if not block:
            return None
        at = block.find(KEY)
        while at >= 0:
            one = next_chunk(file, place + at, size)
            if one is not None and payload_of(file, one) is not None:
                return one
            at = block.find(KEY, at + 1)
        if len(block) <= overlap:
            return None
        place += len(block) - overlap
    return None


def size_of(file: BinaryIO) -> int:
    """Bytes of an open file."""
    return os.fstat(file.fileno()).st_size
