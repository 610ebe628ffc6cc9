"""Where the rows of words lie: a file beside the index, one row a block in their order, never all of it in memory.

Nothing in it is believed by itself: the index keeps a CRC of every row, and a row that is not there, or not as it was
made, tells nothing, so that its stretch is read.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from console.logs.index.block import Block
from console.logs.index.words import ROW_BYTES, Needs

AT_ONCE: Final = 256
"""Rows that are read together."""


def _write(fd: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        size = os.pwrite(fd, view, offset)
        view, offset = view[size:], offset + size


class Rows:
    """The rows of one log's blocks.

    Args:
        beside: the path of its index.
    """

    def __init__(self, beside: Path) -> None:
        self.path = beside.with_suffix(".words")
        self._fd = -1
        self._writable = False
        self.count = 0
        """How many are there."""
        self._fresh: list[bytes] = []
        """The last of them, that were not written yet."""

    def open(self, *, writable: bool) -> None:
        """Open the file; without it, no row is known."""
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        try:
            self._fd = os.open(self.path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            self.count = os.fstat(self._fd).st_size // ROW_BYTES
        except OSError:
            return
        self._writable = writable

    def cut(self, count: int) -> None:
        """Forget all but the first."""
        self._fresh, self.count = [], count
        if self._writable:
            self._given_up(lambda: os.ftruncate(self._fd, count * ROW_BYTES))

    def add(self, row: bytes | None) -> None:
        """The row of the next block; None where it has none."""
        self.count += 1
        if self._writable:
            self._fresh.append(row or bytes(ROW_BYTES))

    def write(self) -> None:
        """Write down what was added since."""
        rows, self._fresh = self._fresh, []
        if self._writable and rows:
            self._given_up(lambda: _write(self._fd, b"".join(rows), (self.count - len(rows)) * ROW_BYTES))

    def _given_up(self, write: Callable[[], object]) -> None:
        """Write, or do without rows from now on: what is not there tells nothing."""
        try:
            write()
        except OSError:
            self._writable = False

    def some(self, first: int, count: int) -> bytes:
        """Rows one after another, as far as they are there."""
        written = self.count - len(self._fresh)
        data = b""
        if self._fd >= 0 and first < written:
            with contextlib.suppress(OSError):
                data = os.pread(self._fd, min(count, written - first) * ROW_BYTES, first * ROW_BYTES)
        if first + count > written and len(data) == max(0, written - first) * ROW_BYTES:
            data += b"".join(self._fresh[max(0, first - written) : first + count - written])
        return data

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self._writable = -1, False


def possible(rows: Rows | None, blocks: Sequence[Block], needs: Needs) -> Iterator[tuple[int, bool]]:
    """Whether blocks could hold what is looked for, from the last of them to the first: their numbers, and that.

    Args:
        rows: of the log.
        blocks: all of it.
        needs: what is looked for.
    """
    if rows is None or not needs:
        yield from ((number, True) for number in range(len(blocks) - 1, -1, -1))
        return
    met = needs.met
    upto = len(blocks)
    while upto:
        begin = max(0, upto - AT_ONCE)
        data = memoryview(rows.some(begin, upto - begin))
        for number in range(upto - 1, begin - 1, -1):
            row = data[(number - begin) * ROW_BYTES : (number - begin + 1) * ROW_BYTES]
            yield number, len(row) < ROW_BYTES or met(row) or zlib.crc32(row) != blocks[number].words
        upto = begin
