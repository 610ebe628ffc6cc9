"""One file of a recording, opened: where its frames are, and what they hold."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from console.domain.errors import ConsoleError
from console.domain.seen.timeline import Mark
from console.domain.text import Safe, clean
from console.recording.chunks import (
    DELTA,
    HEAD,
    INDEX,
    KEY,
    MARK,
    SIGNATURE,
    TAIL,
    TAIL_BYTES,
    Chunk,
    moment_of,
    next_chunk,
    next_key,
    payload_of,
    size_of,
)
from console.recording.errors import Damaged
from console.recording.frame import Frame, FrameCodec
from console.recording.head import Head, Index, in_order, mark_of, read_head, read_mark
from console.regular import open_regular

MOST_MARKS: Final = 10_000
"""Events of one file; further ones are not stepped to."""
MOST_FRAME: Final = 32 * 1024 * 1024
"""Bytes of one frame, unpacked; a longer one is refused."""


class _Known(NamedTuple):
    """What a file holds.

    Args:
        keys: time and place of each key frame, in their order.
        marks: its events.
        last: the time of its last frame, microseconds since 1970.
        end: where its last whole chunk ends.
        problem: what is missing of it; empty where nothing is.
    """

    keys: tuple[tuple[int, int], ...]
    marks: tuple[Mark, ...]
    last: int
    end: int
    problem: Safe = Safe("")


class Part:
    """A file of a recording. It blocks, and is for one thread at a time.

    Args:
        path: where.

    Raises:
        Refused: a newer release wrote it.
        Damaged: it is no recording, or nothing of it can be read.
        OSError: it can't be read at all.
    """

    def __init__(self, path: Path) -> None:
        self._name = clean(path.name, 80)
        self._file: BinaryIO = open_regular(path)
        try:
            self.head, self._codec, self._known = self._opened()
        except BaseException:
            self._file.close()
            raise
        self._times = [at for at, _place in self._known.keys]
        self._group: _Group | None = None

    def _opened(self) -> tuple[Head, FrameCodec, _Known]:
        size = size_of(self._file)
        first = next_chunk(self._file, len(SIGNATURE), size)
        self._file.seek(0)
        if self._file.read(len(SIGNATURE)) != SIGNATURE or first is None or first.tag != HEAD:
            raise Damaged(f"{self._name} is no recording.", "`agent-console record -o FILE` makes one.")
        head = read_head(payload_of(self._file, first), self._name)
        known = self._by_index(size) or self._by_walk(first.end, size)
        if not known.keys:
            raise Damaged(f"{self._name} holds nothing that can be shown.")
        return head, FrameCodec(head.names), known

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    @property
    def first(self) -> datetime:
        """The time of its first frame."""
        return moment_of(self._times[0])

    @property
    def last(self) -> datetime:
        """The time of its last frame."""
        return moment_of(self._known.last)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Its events, oldest first."""
        return self._known.marks

    @property
    def problem(self) -> Safe:
        """What is missing of it; empty where nothing is."""
        return self._known.problem

    def at(self, moment: int) -> tuple[int, Frame]:
        """The last frame at or before a moment, with its time; the first one where there is none before.

        Raises:
            Damaged: what stands there can't be read.
        """
        number = max(0, bisect_right(self._times, moment) - 1)
        group = self._group
        if group is None or group.number != number or group.at > max(moment, group.times[0]):
            self._group = None
            group = self._group = _Group(number, self._chunks(number), self._file, self._codec, self._name)
        group.forward(moment)
        assert group.frame is not None
        return group.at, group.frame

    def beside(self, moment: int, forward: bool) -> int | None:
        """The time of the frame after, or before, a moment; None where there is none in this file."""
        number = max(0, bisect_right(self._times, moment) - 1)
        for near in (number, number + 1) if forward else (number, number - 1):
            if 0 <= near < len(self._times):
                times = [one.at for one in self._chunks(near)]
                fitting = [at for at in times if (at > moment if forward else at < moment)]
                if fitting:
                    return min(fitting) if forward else max(fitting)
        return None

    def _chunks(self, number: int) -> list[Chunk]:
        """The frames from one key frame to the next."""
        keys = self._known.keys
        place, end = keys[number][1], keys[number + 1][1] if number + 1 < len(keys) else self._known.end
        frames: list[Chunk] = []
        while place < end and (one := next_chunk(self._file, place, end)) is not None:
            if one.tag in (KEY, DELTA):
                frames.append(one)
            place = one.end
        return frames

    def _by_index(self, size: int) -> _Known | None:
        """By the index at the end; None where there is none that holds."""
        tail = next_chunk(self._file, size - TAIL_BYTES, size) if size > TAIL_BYTES else None
        place = payload_of(self._file, tail) if tail is not None and tail.tag == TAIL and tail.length == 8 else None
        if place is None:
            return None
        there = next_chunk(self._file, int.from_bytes(place, "little"), size)
        payload = payload_of(self._file, there) if there is not None and there.tag == INDEX else None
        if payload is None or there is None:
            return None
        try:
            index = msgspec.msgpack.decode(payload, type=Index)
            marks = in_order([mark_of(at, kind, text) for at, kind, text in index.marks[:MOST_MARKS]])
            moment_of(index.last)
        except (msgspec.DecodeError, ValueError, OverflowError):
            return None
        keys = tuple(index.keys)
        fits = keys == tuple(sorted(keys)) and all(
            (one := next_chunk(self._file, at, there.start)) is not None and one.tag == KEY for _time, at in keys
        )
        return _Known(keys, marks, index.last, there.start) if fits and keys else None

    def _by_walk(self, place: int, size: int) -> _Known:
        """By going through it, where it was not ended: the last whole frame is its last."""
        keys: list[tuple[int, int]] = []
        marks: list[Mark] = []
        last, end, lost = 0, place, 0
        while place < size:
            one = next_chunk(self._file, place, size)
            if one is None or one.at < last:
                again = next_key(self._file, place + 1, size)
                if again is None or again.at < last:
                    lost += size - place
                    break
                lost += again.start - place
                one = again
            place = one.end
            if one.tag in (KEY, DELTA):
                last = one.at
                keys += [(one.at, one.start)] if one.tag == KEY else []
            elif (
                one.tag == MARK
                and len(marks) < MOST_MARKS
                and (mark := read_mark(one.at, payload_of(self._file, one) or b"")) is not None
            ):
                marks.append(mark)
            end = one.end
        problem = f"{self._name} was not ended" + (f"; {lost} bytes of it can't be read" if lost else "")
        return _Known(tuple(keys), in_order(marks), last, end, clean(problem))


class _Group:
    """The frames from a key frame to the next, as far as they were read.

    Args:
        number: which key frame.
        frames: the chunks, the key frame first.
    """

    def __init__(self, number: int, frames: list[Chunk], file: BinaryIO, codec: FrameCodec, name: Safe) -> None:
        self.number = number
        self.times = [one.at for one in frames]
        self._frames, self._file, self._codec, self._name = frames, file, codec, name
        self._stream = zlib.decompressobj()
        self._read = 0
        self._broken = False
        self.frame: Frame | None = None

    @property
    def at(self) -> int:
        """The time of the frame that was read last."""
        return self.times[max(0, self._read - 1)]

    def forward(self, moment: int) -> None:
        """Read on to the last frame at or before a moment; one that is damaged ends what can be shown of this group.

        Raises:
            Damaged: not even the first can be read.
        """
        while (
            not self._broken
            and self._read < len(self._frames)
            and (self._read == 0 or self.times[self._read] <= moment)
        ):
            try:
                self.frame = self._next(self._frames[self._read])
            except ConsoleError:
                if self._read == 0:
                    raise
                self._broken = True
                return
            self._read += 1

    def _next(self, one: Chunk) -> Frame:
        packed = payload_of(self._file, one)
        if packed is None:
            raise Damaged(f"A frame of {self._name} is damaged.")
        try:
            plain = self._stream.decompress(packed, MOST_FRAME)
        except zlib.error as error:
            raise Damaged(f"A frame of {self._name} can't be unpacked.") from error
        if self._stream.unconsumed_tail:
            raise Damaged(f"A frame of {self._name} is larger than {MOST_FRAME} bytes.")
        if one.tag == KEY:
            return self._codec.read_whole(plain)
        assert self.frame is not None
        return self._codec.read_change(self.frame, plain)
