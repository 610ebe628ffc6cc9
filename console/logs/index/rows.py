"""Where the rows of words lie: a file beside the index, one row a block by its number, never all of it in memory.

Nothing in it is believed by itself: each row carries a CRC over itself and the block that it was made of, and a row
that is not there, or of another block, tells nothing, so that its stretch is read.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from console.logs.index.block import Block
from console.logs.index.words import ROW_BYTES, Needs

AT_ONCE: Final = 256
"""Rows that are read together."""
_EACH: Final = struct.Struct(f">{ROW_BYTES}sI")
"""A row, and its CRC."""


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
        self.writable = False
        """Whether rows can be kept."""

    def open(self, *, writable: bool) -> None:
        """Open the file; without it, no row is known."""
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        try:
            self._fd = os.open(self.path, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        except OSError:
            return
        self.writable = writable

    def cut(self, count: int) -> None:
        """Forget those after the first so many; none is made up for what is not there."""
        if not self.writable:
            return
        try:
            if os.fstat(self._fd).st_size > count * _EACH.size:
                os.ftruncate(self._fd, count * _EACH.size)
        except OSError:
            self.writable = False

    def put(self, number: int, row: bytes, block: Block) -> bool:
        """Keep the row of a block; false where it can't be, and there are no more from now on."""
        assert block.crc is not None
        try:
            _write(self._fd, _EACH.pack(row, zlib.crc32(row, block.crc)), number * _EACH.size)
        except OSError:
            self.writable = False
        return self.writable

    def lacks(self, number: int, block: Block) -> bool:
        """Whether a block could have a row and has none."""
        return block.crc is not None and next(self.known(number, [block])) is None

    def known(self, first: int, blocks: Sequence[Block]) -> Iterator[bytes | None]:
        """The rows of blocks that lie one after another; None for what is not as it was made."""
        data = b""
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                data = os.pread(self._fd, len(blocks) * _EACH.size, first * _EACH.size)
        there = _EACH.iter_unpack(data[: len(data) - len(data) % _EACH.size])
        for block, (row, crc) in zip(blocks, itertools.chain(there, itertools.repeat((b"", 0))), strict=False):
            yield row if row and block.crc is not None and zlib.crc32(row, block.crc) == crc else None

    def close(self) -> None:
        """Give the descriptor back."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd, self.writable = -1, False


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
    upto = len(blocks)
    while upto:
        begin = max(0, upto - AT_ONCE)
        known = tuple(rows.known(begin, blocks[begin:upto]))
        for number in range(upto - 1, begin - 1, -1):
            row = known[number - begin]
            yield number, row is None or needs.met(row)
        upto = begin
