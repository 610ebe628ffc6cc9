"""What was read already, recognised where it turns up again: in a copy, a file written anew, under another inode.

Two files that begin with the same line are compared byte by byte, as far as the first of them was read. What agrees
was read; what differs, or goes beyond, is new. Of a file that was closed or cut, its beginning and its end are
remembered; what lay between them is taken to agree, unless the end does not. A file that begins with the end of what
was read at its path before, line for line, was trimmed: `tail -n 1000 log > new; mv new log`.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

HEAD_BYTES: Final = 4 * 1024
TAIL_BYTES: Final = 16 * 1024
FIRST_LINE_BYTES: Final = 64 * 1024
"""A first line is known by so many of its bytes."""
MAX_TRACES: Final = 256
"""Of files that are closed, or were cut."""
TRIMMED_BYTES: Final = 4 * 1024 * 1024
"""Of a file that was trimmed, the end that is looked into."""
MAX_TRIES: Final = 64
"""Places at which what is left of a trimmed file may begin."""

Read = Callable[[int, int], bytes]
"""So many bytes at an offset."""


def mark_of(beginning: bytes) -> bytes:
    """By what files that may be copies of each other are known: their first line; empty while that is not complete.

    Args:
        beginning: of the file, at most FIRST_LINE_BYTES.
    """
    end = beginning.find(b"\n")
    if end < 0 and len(beginning) < FIRST_LINE_BYTES:
        return b""
    return hashlib.blake2b(beginning[:end] if end >= 0 else beginning, digest_size=16).digest()


class Trace:
    """What was read of a file, from its first byte up to a place.

    Args:
        mark: see `mark_of`.
        read: the file's bytes, while it is open.
    """

    __slots__ = ("_head", "_read", "_tail", "at_end", "copying", "mark", "offset")

    def __init__(self, mark: bytes, read: Read) -> None:
        self.mark = mark
        self.offset = 0
        """Up to where whole lines were read."""
        self.at_end = False
        """Whether there was nothing more to be read at the last look."""
        self.copying = False
        """Whether what is read of it is another file's."""
        self._read: Read | None = read
        self._head = self._tail = b""

    def freeze(self, head: bytes, tail: bytes) -> None:
        """The file is not read any more, or does not hold what it did.

        Args:
            head: its first bytes.
            tail: the bytes before `offset`.
        """
        self._read, self.at_end, self.copying = None, True, False
        self._head, self._tail = head[: self.offset], tail[-self.offset :] if self.offset else b""

    def agrees(self, offset: int, data: bytes) -> tuple[int, bool]:
        """How many of the bytes at a place are the same here, and whether all of them were compared."""
        if self._read is not None:
            return common(data, self._read(len(data), offset)), True
        at, sure = 0, True
        while at < len(data):
            place = offset + at
            begin = self.offset - len(self._tail)
            if place < len(self._head):
                known = self._head[place:]
            elif place >= begin:
                known = self._tail[place - begin :]
            else:
                at, sure = min(len(data), at + begin - place), False
                continue
            part = data[at : at + len(known)]
            same = common(part, known)
            at += same
            if same < len(part) or not part:
                break
        return at, sure

    def end(self) -> bytes:
        """The last bytes that were read, as far as they can be had."""
        if self._read is None:
            return self._tail
        begin = max(0, self.offset - TRIMMED_BYTES)
        return self._read(self.offset - begin, begin)


class Memory:
    """Traces of what one reader has read."""

    def __init__(self) -> None:
        self._at: OrderedDict[str, Trace] = OrderedDict()
        self._traces: dict[bytes, list[Trace]] = {}
        self._frozen: deque[Trace] = deque()

    def add(self, trace: Trace) -> None:
        """A file is read."""
        self._traces.setdefault(trace.mark, []).append(trace)

    def trimmed(self, path: str, trace: Trace, read: Read) -> int:
        """How many bytes at the beginning of a file are the end of what was read at its path before; 0 for none.

        Args:
            path: where it stands; from now on it is what was read there.
            trace: its own.
            read: its bytes.
        """
        before = self._at.pop(path, None)
        self._at[path] = trace
        if len(self._at) > MAX_TRACES:
            self._at.popitem(last=False)
        known = before.end() if before is not None else b""
        beginning = read(len(known), 0) if known else b""
        first = beginning[: beginning.find(b"\n") + 1]
        at = known.find(b"\n" + first) + 1 if first else 0
        for _ in range(MAX_TRIES):
            if at <= 0:
                break
            if beginning.startswith(known[at:]):
                return len(known) - at
            at = known.find(b"\n" + first, at) + 1
        return 0

    def keep(self, trace: Trace) -> None:
        """A trace was frozen: it is kept as one of the newest of these."""
        self._frozen.append(trace)
        if len(self._frozen) > MAX_TRACES:
            self.forget(self._frozen.popleft())

    def forget(self, trace: Trace) -> None:
        """A trace tells nothing that others don't."""
        traces = [other for other in self._traces.get(trace.mark, ()) if other is not trace]
        if traces:
            self._traces[trace.mark] = traces
        else:
            self._traces.pop(trace.mark, None)

    def twin(self, mark: bytes) -> Trace | None:
        """Of what was read and begins with the same line, the longest."""
        traces = [trace for trace in self._traces.get(mark, ()) if not trace.copying]
        return max(traces, key=lambda trace: trace.offset, default=None)


def common(one: bytes, other: bytes) -> int:
    """How many bytes at the beginning are the same."""
    if one == other[: len(one)]:
        return len(one)
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
